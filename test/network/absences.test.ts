// What is absent, and a region that is suspect: who may have what was theirs, what ends it, and an administrator's word.
// And two faults that are planted here, which the table of what is not seen would show.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { tidyRegion } from '../../src/core/network/watch/tidy.ts'
import { confirmRegion, missingOf } from '../../src/core/regions/belief.ts'
import { seed, spread } from '../chance.ts'
import { deathAt } from '../world/mortal.ts'
import type { Json } from '../world.ts'
import type { Process } from './crashing.ts'
import { plug } from './regions.ts'
import { everything, type Ground, ground, here, removals, sicknesses, there, upkeep } from './unseen.ts'

let g: Ground
let network: Json
let subnet: Json
beforeEach(async () => {
  g = await ground()
  network = await make('network', { name: 'span' })
  subnet = await make('subnet', { network_id: network.id, ip_version: 4, cidr: '10.5.0.0/24' })
})
afterEach(() => g[Symbol.asyncDispose]())

const make = (kind: string, fields: Json): Promise<Json> => g.call('POST', `/${kind}s`, { [kind]: fields })
const port = (fields: Json = {}, region = here): Promise<Json> =>
  make('port', { network_id: network.id, 'binding:profile': { region }, ...fields })
const ask = async (method: string, path: string, body?: Json, as: 'admin' | 'demo' = 'demo'): Promise<Json> =>
  (await g.process().call(method, `/v2.0${path}`, { body, as }))!
const status = async (path: string): Promise<number> => (await ask('GET', path)).status
const sweep = async (changed: (process: Process) => Process = same => same): Promise<void> => {
  g.pass(300_000)
  await upkeep(changed(g.process()), { isHourly: true })
}
const region = () => g.world.region(here)
const strike = (name: string, since = g.world.cloud.clock.now()) =>
  sicknesses.find(one => one.name === name)!.strike(g.world, since)
const suspicions = () => g.world.app.store.suspicions.list()

/** Ports beside others, so that a sweep has seen them all. */
async function ports(count: number): Promise<Json[]> {
  const all: Json[] = []
  for (let index = 0; index < count; index += 1) all.push(await port())
  await sweep()
  return all
}

describe('what a tenant removes in the region', () => {
  it('is absent: nobody else has its address or its MAC until a day is over', async () => {
    const mac = 'fa:16:3e:00:00:99'
    const fixed = [{ subnet_id: subnet.id, ip_address: '10.5.0.99' }]
    const lost = await port({ mac_address: mac, fixed_ips: fixed })
    await sweep()
    await region().remove('port', lost.id)
    await sweep()
    expect(await status(`/ports/${lost.id}`)).toBe(404)
    const wanted = (fields: Json) =>
      ask('POST', '/ports', {
        port: { network_id: network.id, 'binding:profile': { region: there }, ...fields },
      })
    const other = await port({}, there)
    const inUse = [409, 'MacAddressInUse']
    const answers = [
      await wanted({ mac_address: mac }),
      await ask('PUT', `/ports/${other.id}`, { port: { mac_address: mac } }, 'admin'),
    ]
    for (const { status, json } of answers) expect([status, json.NeutronError.type]).toEqual(inUse)
    const taken = await wanted({ fixed_ips: fixed })
    expect([taken.status, taken.json.NeutronError.type]).toEqual([409, 'IpAddressAlreadyAllocated'])
    g.pass(25 * 3_600_000)
    await sweep()
    expect((await wanted({ mac_address: mac, fixed_ips: fixed })).status).toBe(201)
  })

  it('gives way to whom the region itself gives its address', async () => {
    const lost = await port()
    await sweep()
    const [{ ip_address: address }] = lost.fixed_ips
    const seen = (await region().get('port', lost.id))!
    await region().remove('port', lost.id)
    await sweep()
    const { subnetId } = seen.fixedIps[0]!
    const booted = await region().create('port', {
      networkId: seen.networkId,
      projectId: g.world.demo.projectId!,
      fixedIps: [{ subnetId, ipAddress: address }],
    })
    await sweep()
    const shown = await g.call('GET', `/ports/${booted.id}`)
    expect(shown.fixed_ips).toEqual([{ subnet_id: subnet.id, ip_address: address }])
  })

  it('three of four go at once', async () => {
    const some = await ports(4)
    for (const { id } of some.slice(0, 3)) await region().remove('port', id)
    await sweep()
    expect(await suspicions()).toEqual([])
    for (const { id } of some.slice(0, 3)) expect(await status(`/ports/${id}`)).toBe(404)
    expect(await status(`/ports/${some[3].id}`)).toBe(200)
  })

  it('four of ten at once are suspect: an administrator’s word lets go those, and no more', async () => {
    const some = await ports(10)
    for (const { id } of some.slice(0, 4)) await region().remove('port', id)
    await sweep()
    expect(await suspicions()).toMatchObject([{ reason: expect.stringContaining('4 of 10 ports') }])
    for (const { id } of some) expect(await status(`/ports/${id}`)).toBe(200)
    const { app, admin, demo } = g.world
    const word = { name: here, counts: missingOf(await suspicions()) }
    expect(word.counts).toEqual({ port: 4 })
    await expect(confirmRegion(app, demo, word)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(confirmRegion(app, admin, { ...word, counts: { port: 5 } })).rejects.toMatchObject({
      detail: { reason: 'counts' },
    })
    await confirmRegion(app, admin, word)
    await region().remove('port', some[4].id)
    await sweep()
    expect(await suspicions()).toMatchObject([{ reason: expect.stringContaining('5 of 10 ports') }])
    expect(await status(`/ports/${some[0].id}`)).toBe(200)
    await confirmRegion(app, admin, { name: here, counts: { port: 5 } })
    await sweep()
    expect(await suspicions()).toEqual([])
    for (const { id } of some.slice(0, 5)) expect(await status(`/ports/${id}`)).toBe(404)
    for (const { id } of some.slice(5)) expect(await status(`/ports/${id}`)).toBe(200)
    await expect(confirmRegion(app, admin, word)).rejects.toMatchObject({ detail: { reason: 'not_suspect' } })
  })
})

describe('a region that shows nothing', () => {
  it('is suspect, and is so no more as soon as all is seen again', async () => {
    const one = await port()
    await sweep()
    const heal = strike('emptied')
    await sweep()
    expect(await suspicions()).toHaveLength(1)
    expect(await status(`/ports/${one.id}`)).toBe(200)
    heal()
    g.pass(5000)
    await upkeep(g.process(), { isHourly: false, sweepEveryMs: 300_000 })
    expect(await suspicions()).toEqual([])
  })

  it('is let go when it is truly empty, and an administrator says so', async () => {
    const home = await make('network', { availability_zone_hints: [here] })
    const one = await port()
    await sweep()
    strike('emptied')
    await sweep()
    const counts = missingOf(await suspicions())
    await confirmRegion(g.world.app, g.world.admin, { name: here, counts })
    await sweep()
    expect([await status(`/ports/${one.id}`), await status(`/networks/${home.id}`)]).toEqual([404, 404])
  })

  it('stays suspect when a tenant makes a network in it: a default group that is new proves nothing', async () => {
    const one = await port()
    await sweep()
    const heal = strike('emptied')
    g.pass(2000)
    await region().create('network', { projectId: g.world.demo.projectId!, name: 'new' })
    await sweep()
    expect(await suspicions()).toHaveLength(1)
    expect(await status(`/ports/${one.id}`)).toBe(200)
    heal()
    await sweep()
    expect(await suspicions()).toEqual([])
  })
})

describe('what is lost', () => {
  /** A port that its region does not show any more, though others are shown, and the way back. */
  async function lose(): Promise<{ lost: Json; heal: () => void }> {
    await port()
    await sweep()
    const since = g.world.cloud.clock.now()
    g.pass(1000)
    const lost = await port()
    await sweep()
    const heal = strike('a region of an hour ago', since)
    await sweep()
    expect(await status(`/ports/${lost.id}`)).toBe(404)
    return { lost, heal }
  }

  it('comes back as it was', async () => {
    const { lost, heal } = await lose()
    heal()
    await sweep()
    expect(await g.call('GET', `/ports/${lost.id}`)).toMatchObject({
      mac_address: lost.mac_address,
      fixed_ips: lost.fixed_ips,
    })
  })

  it('does not come back to who forgets it after a day: in its region it stays', async () => {
    const { lost, heal } = await lose()
    g.pass(25 * 3_600_000)
    await sweep()
    const from = g.world.cloud.faults.log.length
    heal()
    await sweep()
    expect(await region().get('port', lost.id)).not.toBeNull()
    expect(removals(g.world, from)).toEqual([])
  })
})

describe('a port whose maker is killed, in a region that goes back to the time before it', () => {
  /** How many calls to the region and to the database a port takes. */
  async function momentsOfOne(): Promise<number> {
    const maker = g.process()
    await maker.call('POST', '/v2.0/ports', { body: { port: ofDemo() } })
    return maker.life.steps.length * 2
  }
  const ofDemo = () => ({ network_id: network.id, 'binding:profile': { region: here } })
  const inModel = async (): Promise<string[]> =>
    (await g.call('GET', `/ports?network_id=${network.id}`)).map(({ id }: Json) => id).sort()
  const inRegion = async (): Promise<string[]> => {
    const copy = (await g.call('GET', `/networks/${network.id}`))['atoll:regions'][0].id
    const rows = await region().list('port', { where: { networkId: copy }, fields: ['id'] })
    return rows.map(({ id }) => id).sort()
  }

  it('is in the model and in the region when all is seen again, or in neither', async () => {
    await port()
    await sweep()
    const drawn = seed()
    const moments = spread(await momentsOfOne(), drawn)
    for (const moment of moments) {
      const since = g.world.cloud.clock.now()
      g.pass(1000)
      const answer = await g
        .process(deathAt(moment))
        .call('POST', '/v2.0/ports', { body: { port: ofDemo() } })
      expect(answer?.status ?? 201).toBe(201)
      const heal = strike('a region of an hour ago', since)
      for (let hour = 0; hour < 2; hour += 1) await sweep()
      heal()
      g.pass(3_600_000)
      for (let hour = 0; hour < 3; hour += 1) await sweep()
      expect(await inModel(), `killed at moment ${moment}, SEED=${drawn}`).toEqual(await inRegion())
      if (answer) expect(await inModel()).toContain(answer.json.port.id)
    }
    console.log(`restored with an open intent: ${moments.length} moments, SEED=${drawn}`)
  }, 600_000)
})

it('a port whose server Nova says is deleted goes at once, however many do, and its address is free', async () => {
  const some = await ports(6)
  const seen = await Promise.all(some.map(({ id }) => plug(g.world, here, id)))
  await sweep()
  const nova = g.world.app.cloud.compute(here, 'req-test')
  const compute = {
    ...nova,
    serversChangedSince: async () =>
      seen.map(({ deviceId: id }) => ({ id, status: 'DELETED', updatedAt: new Date() })),
  }
  for (const { id } of some) await region().remove('port', id)
  await sweep(process => ({
    ...process,
    app: { ...process.app, cloud: { ...process.app.cloud, compute: () => compute as never } },
  }))
  for (const { id } of some) expect(await status(`/ports/${id}`)).toBe(404)
  expect(await suspicions()).toEqual([])
  expect((await everything(g.world)).absent).toEqual([])
})

describe('a planted fault is seen', () => {
  const planted = (change: (app: App) => Partial<App>) => (process: Process) => ({
    ...process,
    app: { ...process.app, ...change(process.app) },
  })

  it('the proof is not asked for: what a blind user does not see leaves the model', async () => {
    const one = await port()
    await sweep()
    strike('blind for the service user')
    await sweep(
      planted(({ cloud }) => ({
        cloud: {
          ...cloud,
          networking: (name, requestId) => {
            const real = cloud.networking(name, requestId)
            const list = async (kind: string, query: Json) =>
              kind === 'security_group' && query?.where?.name === 'default'
                ? [{ id: 'somebody’s', projectId: 'somebody' }]
                : real.list(kind as never, query)
            return { ...real, list: list as typeof real.list }
          },
        },
      })),
    )
    expect(await status(`/ports/${one.id}`)).toBe(404)
  })

  it('an end by absence is taken for one by a verb: what comes back is removed in the region', async () => {
    await port()
    await sweep()
    const since = g.world.cloud.clock.now()
    g.pass(1000)
    await port()
    await sweep()
    const heal = strike('a region of an hour ago', since)
    await sweep()
    heal()
    const from = g.world.cloud.faults.log.length
    const { app } = planted(({ store }) => ({
      store: {
        ...store,
        intents: {
          ...store.intents,
          states: async ids =>
            new Map(
              [...(await store.intents.states(ids))].map(([id, one]) => [
                id,
                one.state === 'absent' ? { ...one, state: 'removed' as const } : one,
              ]),
            ),
        },
      },
    }))(g.process())

    await tidyRegion(app, here)
    expect(removals(g.world, from)).toHaveLength(1)
  })
})

// What a region is rid of when it is tidied, and what it keeps. A process that dies is one that learns of nothing after
// what it did.

import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { AppError } from '../../src/core/error.ts'
import { type Intent, intentOf, marked } from '../../src/core/network/copies/intent.ts'
import type { MadeKind, RegionNetworking } from '../../src/core/network/copies/region-rows.ts'
import { tidyRegion } from '../../src/core/network/watch/tidy.ts'
import { fileWorld, type Json } from '../world.ts'
import { markedIn } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true, regions: ['Pod1'] })
let here: string
let region: RegionNetworking
let external: Json
let network: Json
let subnet: Json
let port: Json

beforeAll(async () => {
  here = w.regions[0]!
  region = w.region(here)
  const home = { availability_zone_hints: [here] }
  const outside = {
    'router:external': true,
    'provider:network_type': 'vlan',
    'provider:physical_network': 'extern',
    'provider:segmentation_id': 159,
  }
  external = await create('network', { name: 'tidy-ext', ...home, ...outside }, 'admin')
  const range = { network_id: external.id, ip_version: 4, cidr: '163.3.129.0/24', enable_dhcp: false }
  await create('subnet', range, 'admin')
  network = await create('network', { name: 'tidy-net', ...home })
  subnet = await create('subnet', { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' })
  port = await create('port', { name: 'tidy-port', network_id: network.id })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const create = (kind: string, fields: Json, as: 'admin' | 'demo' = 'demo'): Promise<Json> =>
  w[as].make(kind, fields)

/** Tidies as if so long had gone by. */
async function tidy(minutes = 0): Promise<number> {
  const clock = vi.spyOn(w.app, 'now').mockReturnValue(new Date(Date.now() + minutes * 60_000))
  try {
    return await tidyRegion(w.app, here)
  } finally {
    clock.mockRestore()
  }
}

const declare = (fields: Partial<Intent> = {}) => {
  const intent = { id: randomUUID(), region: here, resourceType: 'network', purpose: randomUUID(), owner: '' }
  return w.app.store.intents.declare({ ...intent, ...fields }, new Date())
}

/** An intent that has ended: whatever bears its mark is surplus. */
async function ended(): Promise<string> {
  const { id } = await declare({ owner: 'gone' })
  await w.app.store.intents.end(id, 'verb', new Date())
  return id
}

const isThere = async (kind: MadeKind, id: string): Promise<boolean> => (await region.get(kind, id)) !== null
const projectId = () => w.demo.projectId!

/** In a network of somebody else. */
const somewhere = async (description: string) =>
  region.create('network', { projectId: projectId(), name: 'tidy-other', description })

describe('what the region made when the process died', () => {
  /** Asks for something; the process dies when the region has made it. */
  async function crash(kind: MadeKind, fields: Json): Promise<string> {
    const before = await markedIn(w, here)
    const networking = w.app.cloud.networking
    vi.spyOn(w.app.cloud, 'networking').mockImplementation((name, requestId) => {
      const real = networking(name, requestId)
      const dying = async (made: MadeKind, spec: object) => {
        const row = await real.create(made, spec)
        if (made === kind) throw new Error('the process died')
        return row
      }
      return { ...real, create: dying as RegionNetworking['create'] }
    })
    expect((await w.demo.post(`/${kind}s`, { [kind]: fields })).status).toBe(500)
    vi.restoreAllMocks()
    const [made, ...more] = (await markedIn(w, here)).filter(one => !before.includes(one))
    expect(more).toEqual([])
    expect(made).toMatch(new RegExp(`^${kind} `))
    return made!.split(' ')[1]!
  }

  const asks: readonly [MadeKind, () => Json][] = [
    ['network', () => ({ availability_zone_hints: [here] })],
    ['subnet', () => ({ network_id: network.id, ip_version: 4, cidr: '10.8.0.0/24' })],
    ['port', () => ({ network_id: network.id })],
    ['router', () => ({ availability_zone_hints: [here] })],
    ['floatingip', () => ({ floating_network_id: external.id })],
  ]

  it.each(asks)('goes after two minutes, and nothing else does: %s', async (kind, fields) => {
    const before = await markedIn(w, here)
    const rows = async () => w.demo.read(`/${kind}s`)
    const known = await rows()
    const id = await crash(kind, fields())
    expect(await tidy(1)).toBe(0)
    expect(await isThere(kind, id)).toBe(true)
    expect(await tidy(3)).toBe(1)
    expect(await markedIn(w, here)).toEqual(before)
    expect(await rows()).toEqual(known)
    expect(await w.app.store.intents.forsaken(here, new Date(Date.now() + 1000))).toEqual([])
  })

  it('goes with the addresses that were held for it', async () => {
    const { id: intentId } = await declare({ resourceType: 'port' })
    const range = { start: '10.9.0.77', end: '10.9.0.77', scope: 'central' }
    const held = () => w.app.store.networks.holdings(subnet.id, ['port'])
    const before = await held()
    await w.app.store.transact(tx =>
      tx.networks.hold({ subnetId: subnet.id, purpose: 'port', holder: intentId, ...range }),
    )
    await tidy(1)
    expect(await held()).toHaveLength(before.length + 1)
    await tidy(3)
    expect(await held()).toEqual(before)
  })

  it('stays when somebody knows of it by the time that it is to go', async () => {
    const intent = await declare()
    const { id } = await somewhere(marked('', intent.id))
    await w.app.store.intents.noteId(intent.id, id, id)
    vi.spyOn(w.app.store.intents, 'forsaken').mockResolvedValue([intent])
    expect(await tidy(3)).toBe(0)
    expect(await isThere('network', id)).toBe(true)
    expect((await w.app.store.intents.states([intent.id])).get(intent.id)?.regionalId).toBe(id)
    await region.remove('network', id)
  })

  it('is not the one any more for whoever comes after that', async () => {
    const intent = await declare()
    expect(await tidy(3)).toBe(0)
    const { id } = await somewhere(marked('', intent.id))
    expect(await w.app.store.intents.noteId(intent.id, id, id)).not.toBe(id)
    expect(await tidy()).toBe(1)
    expect(await isThere('network', id)).toBe(false)
  })
})

describe('what a late call has made', () => {
  it('goes, and what is known under the same mark stays', async () => {
    for (const [kind, id] of [
      ['network', network.id],
      ['port', port.id],
    ] as const) {
      const known = (await region.get(kind, id))!
      const intentId = intentOf(known.description)!
      const spec = { projectId: projectId(), ...(kind === 'port' ? { networkId: network.id } : {}) }
      const late = await region.create(kind, { ...spec, description: marked('words', intentId) })
      expect(await tidy()).toBe(1)
      expect([await isThere(kind, id), await isThere(kind, late.id)]).toEqual([true, false])
    }
  })

  it('goes in an order in which each lets the next go', async () => {
    const description = marked('late', await ended())
    const spec = { projectId: projectId(), description }
    const net = await region.create('network', spec)
    const { id: subnetId } = await region.create('subnet', {
      ...spec,
      networkId: net.id,
      ipVersion: 4,
      cidr: '10.7.0.0/24',
    })
    const leg = await region.create('port', {
      ...spec,
      networkId: net.id,
      fixedIps: [{ subnetId, ipAddress: '10.7.0.9' }],
    })
    const plain = await region.create('port', { ...spec, networkId: net.id })
    const gateway = { networkId: external.id, enableSnat: true, externalFixedIps: [] }
    const { externalFixedIps: _any, ...externalGateway } = gateway
    const router = await region.create('router', { ...spec, externalGateway } as Json)
    await region.addLeg(router.id, { portId: leg.id })
    const floating = await region.create('floatingip', { ...spec, floatingNetworkId: external.id })
    await region.update('floatingip', floating.id, { portId: plain.id })
    const group = await region.create('security_group', { ...spec, name: 'late' })
    const addresses = await region.create('address_group', {
      ...spec,
      name: 'late',
      addresses: ['10.7.0.0/24'],
    })
    await region.create('security_group_rule', {
      projectId: projectId(),
      securityGroupId: group.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      remoteAddressGroupId: addresses.id,
    })
    expect(await tidy()).toBe(8)
    const things: [MadeKind, string][] = [
      ['network', net.id],
      ['subnet', subnetId],
      ['port', leg.id],
      ['port', plain.id],
      ['router', router.id],
      ['floatingip', floating.id],
      ['security_group', group.id],
      ['address_group', addresses.id],
    ]
    for (const [kind, id] of things) expect(await isThere(kind, id), kind).toBe(false)
    expect(await tidy()).toBe(0)
  })

  it('that the region does not let go keeps nothing else, and goes when it does', async () => {
    const description = marked('', await ended())
    const stuck = await somewhere(description)
    const user = await region.create('port', { projectId: projectId(), networkId: stuck.id })
    const group = await region.create('security_group', { projectId: projectId(), name: 'late', description })
    await expect(tidy()).rejects.toMatchObject({ code: 'upstream', detail: { region: here, status: 409 } })
    expect([await isThere('network', stuck.id), await isThere('security_group', group.id)]).toEqual([
      true,
      false,
    ])
    await region.remove('port', user.id)
    expect(await tidy()).toBe(1)
    expect(await isThere('network', stuck.id)).toBe(false)
  })
})

describe('what is not ours', () => {
  it('stays: no mark, a mark of no intent of ours, a mark that is not at the end', async () => {
    const intentId = await ended()
    const words = ['', 'words', `atoll:${randomUUID()}`, 'atoll:not-one', `atoll:${intentId} and more`]
    const kept = await Promise.all(words.map(somewhere))
    expect(await tidy(3)).toBe(0)
    for (const { id } of kept) {
      expect(await isThere('network', id)).toBe(true)
      await region.remove('network', id)
    }
  })

  it('stays: what the region has of its own', async () => {
    const own = async () =>
      Promise.all([
        region.list('security_group', { fields: ['id'] }),
        region.list('port', { fields: ['id'] }),
        region.list('router', { fields: ['id'] }),
      ])
    const before = await own()
    expect(before.flat().length).toBeGreaterThan(0)
    await ended()
    expect(await tidy(3)).toBe(0)
    expect(await own()).toEqual(before)
  })

  it('stays: what somebody is at, however long it takes', async () => {
    const { id: intentId } = await declare({ owner: 'at it' })
    const { id } = await somewhere(marked('', intentId))
    expect(await tidy(1000)).toBe(0)
    expect(await isThere('network', id)).toBe(true)
    await w.app.store.intents.end(intentId, 'verb', new Date())
    expect(await tidy()).toBe(1)
  })
})

describe('a region', () => {
  /** Every list of this kind ends so. */
  function failing(kind: MadeKind, status?: number): void {
    const networking = w.app.cloud.networking
    vi.spyOn(w.app.cloud, 'networking').mockImplementation((name, requestId) => {
      const real = networking(name, requestId)
      const list = (asked: MadeKind, query: object) =>
        asked === kind
          ? Promise.reject(new AppError('upstream', 'no', { region: name, ...(status ? { status } : {}) }))
          : real.list(asked, query)
      return { ...real, list: list as RegionNetworking['list'] }
    })
  }

  it('that has no such thing as address groups is tidied of everything else', async () => {
    const { id } = await somewhere(marked('', await ended()))
    failing('address_group', 404)
    expect(await tidy()).toBe(1)
    expect(await isThere('network', id)).toBe(false)
  })

  it('that gives no answer is not asked for more, and is tidied the next time', async () => {
    const { id } = await somewhere(marked('', await ended()))
    failing('floatingip')
    await expect(tidy()).rejects.toMatchObject({ code: 'upstream' })
    vi.restoreAllMocks()
    expect(await isThere('network', id)).toBe(true)
    expect(await tidy()).toBe(1)
  })
})

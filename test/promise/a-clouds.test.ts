// Promises against what clouds have and do: A6, A13, A14, A18 and A21.

import { beforeEach, describe, expect, it } from 'vitest'
import { discoverRegion } from '../../src/core/capacity/general.ts'
import { until } from '../wait.ts'
import { amounts, hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true, settings: { ATOLL_PROVIDERS_TIMEOUT_SECONDS: '1' } })
const s = promisesOf(w)
beforeEach(() => s.clear())

const now = (hours = 0) => hoursFrom(w.app.now(), hours)
const { reserve, audited } = s
const record = (id: string) => s.read(`/promise/reservations/${id}`)
const riskOf = (ids: readonly string[]) =>
  Promise.all(ids.map(async id => (await record(id))['at-risk'] as boolean))
/** Cores that all hosts of Pod1 have for everybody. */
const coresOfPod1 = async (): Promise<number> => {
  const all = await s.read('/nfvici/v1/nfvi_capacity_infos')
  const { capacityInfoPerZone } = all.find((one: { vimName: string }) => one.vimName === 'Pod1')
  const [cores] = capacityInfoPerZone[0].computeResource
  return cores.capacityInformation.total
}

describe('A6 hardware is lost under reservations', () => {
  it('marks those that it is no longer enough for, the latest first, and drops nothing', async () => {
    await s.promised({ cores: 100_000 })
    const all = await coresOfPod1()
    const each = all / 8
    const begun = await reserve({ capacity: { cores: all - 2 * each } })
    const first = await reserve({ start: now(2), end: now(6), capacity: { cores: each } })
    const second = await reserve({ start: now(2), end: now(4), capacity: { cores: each } })
    const elsewhen = await reserve({ start: now(7), end: now(8), capacity: { cores: each } })
    const ids = [begun, first, second, elsewhen]

    const nova = w.nova('Pod1')
    const lost = nova.host('pod1-host8')
    nova.region.placement.removeTree(nova.region.rootOf(lost)!)
    await discoverRegion(w.app, 'Pod1')
    expect(await riskOf(ids)).toEqual([false, false, true, false])
    expect(await audited('reservation.at_risk')).toEqual([second])
    expect((await s.ask('query-reservation', {})).reservations).toEqual(ids)
    expect(await record(second)).toMatchObject({ capacity: { cores: each }, remaining: { cores: each } })
    // Nothing more is promised of what is not there.
    expect(
      await s.ask('create-reservation', { start: now(2), end: now(3), capacity: { cores: 1 } }),
    ).toMatchObject({ result: 'conflict', available: { cores: 0 } })

    // What comes back takes the mark away again.
    nova.region.removeHost(lost)
    nova.addHost({ name: 'pod1-host8' })
    await discoverRegion(w.app, 'Pod1')
    expect(await riskOf(ids)).toEqual([false, false, false, false])
    expect(await audited('reservation.safe')).toEqual([second])
  })

  it('marks those that have begun when nothing else is left to mark', async () => {
    await s.promised({ cores: 100_000 })
    const begun = await reserve({ capacity: { cores: await coresOfPod1() } })
    const nova = w.nova('Pod1')
    nova.region.removeHost(nova.host('pod1-host8'))
    await discoverRegion(w.app, 'Pod1')
    expect(await riskOf([begun])).toEqual([true])
    nova.addHost({ name: 'pod1-host8' })
  })
})

describe('A13 decrease-capacity under reservations', () => {
  it('is a conflict with the list of those in its way, and changes nothing', async () => {
    const source = await s.promised({ cores: 20 })
    const first = await reserve({ start: now(1), end: now(3), capacity: { cores: 10 } })
    const second = await reserve({ start: now(2), end: now(4), capacity: { cores: 5 } })
    const after = await reserve({ start: now(5), end: now(6), capacity: { cores: 5 } })
    const before = await s.ask('query-capacity', {})
    const answer = await s.ask('decrease-capacity', { source, capacity: { cores: 6 }, end: now(4) })
    expect(answer).toMatchObject({ result: 'conflict', message: expect.stringMatching(/\S/) })
    expect(answer.claims).toEqual(expect.arrayContaining([first, second]))
    expect(answer.claims).not.toContain(after)
    expect(await s.ask('query-capacity', {})).toEqual(before)
    expect(await s.read('/promise/pools')).toHaveLength(1)
  })

  it('with force is ok, and marks those that it is no longer enough for', async () => {
    const source = await s.promised({ cores: 20 })
    const first = await reserve({ start: now(1), end: now(3), capacity: { cores: 10 } })
    const second = await reserve({ start: now(2), end: now(4), capacity: { cores: 5 } })
    const after = await reserve({ start: now(5), end: now(6), capacity: { cores: 5 } })
    const less = { source, capacity: { cores: 6 }, end: now(4), force: true }
    const answer = await s.ask('decrease-capacity', less)
    expect(answer).toMatchObject({ result: 'ok', message: 'capacity decrease successful' })
    expect(await riskOf([first, second, after])).toEqual([false, true, false])
    // Once there is enough again, nobody is at risk any more.
    await s.ask('increase-capacity', { ...less, force: undefined, capacity: { cores: 1 } })
    expect(await riskOf([first, second, after])).toEqual([false, false, false])
  })

  it('those at risk are so no more once another one is cancelled, or changed', async () => {
    const source = await s.promised({ cores: 20 })
    const first = await reserve({ start: now(1), end: now(3), capacity: { cores: 10 } })
    const second = await reserve({ start: now(2), end: now(4), capacity: { cores: 5 } })
    const less = { source, end: now(4), force: true }
    await s.ask('decrease-capacity', { ...less, capacity: { cores: 6 } })
    expect(await riskOf([first, second])).toEqual([false, true])
    await s.ask('update-reservation', { 'reservation-id': first, capacity: { cores: 9 } })
    expect(await riskOf([first, second])).toEqual([false, false])
    await s.ask('decrease-capacity', { ...less, capacity: { cores: 1 } })
    expect(await riskOf([first, second])).toEqual([false, true])
    await s.ask('cancel-reservation', { 'reservation-id': first })
    expect(await riskOf([second])).toEqual([false])
  })

  it('beyond what there is at all is a conflict, too', async () => {
    const source = await s.promised({ cores: 20 })
    expect(await s.ask('decrease-capacity', { source, capacity: { cores: 21 } })).toMatchObject({
      result: 'conflict',
    })
  })
})

describe('A14 two providers with 10 cores each', () => {
  it('cannot hold 15 together: no reservation is split', async () => {
    const one = await s.promised({ cores: 10 })
    const other = await s.promised({ cores: 10 }, { region: 'Pod2' })
    expect(await s.ask('create-reservation', { capacity: { cores: 15 } })).toMatchObject({
      result: 'conflict',
      message: expect.stringMatching(/^requested cores=15 exceeds available 10 /),
      available: { cores: 10 },
    })
    const ids = [await reserve({ capacity: { cores: 10 } }), await reserve({ capacity: { cores: 10 } })]
    const held = await Promise.all(ids.map(async id => (await record(id)).provider))
    expect(held.sort()).toEqual([one, other].sort())
  })
})

describe('A18 a provider that fails', () => {
  const instances = () => s.read('/promise/allocations')
  const available = () => s.read('/promise/capacity/available')
  const servers = () => w.nova('Pod1').servers()
  const post = { service: 'nova', method: 'POST', path: '*/servers' } as const

  it.each([500, 503, 403, 409])(
    'Nova answers %i: an error that says so, and nothing is charged',
    async status => {
      await s.promised({ cores: 4, ram: 4096, instances: 4 })
      const id = await reserve({ capacity: { cores: 1, ram: 512, instances: 1 } })
      w.cloud.faults.add({ kind: 'status', status, ...post })
      for (const more of [{}, { 'reservation-id': id }]) {
        const answer = await s.ask('create-instance', s.instanceBody(more))
        expect(answer).toEqual({ result: 'error', message: `The provider’s Nova answered ${status}` })
      }
      expect(await available()).toEqual(amounts({ cores: 3, ram: 3584, instances: 3 }))
      expect((await record(id)).remaining).toEqual(amounts({ cores: 1, ram: 512, instances: 1 }))
      expect((await instances()).filter((one: { active: boolean }) => one.active)).toEqual([])
      w.cloud.faults.clear()
      expect(await s.ask('create-instance', s.instanceBody({ 'reservation-id': id }))).toMatchObject({
        result: 'ok',
      })
    },
  )

  it.each([
    ['hangs before it made the server', { kind: 'hang' }],
    ['hangs after it made the server', { kind: 'hang', after: true }],
    ['hangs up before it made the server', { kind: 'reset' }],
    ['hangs up after it made the server', { kind: 'lost' }],
    ['answers garbage after it made the server', { kind: 'garbage', after: true }],
    ['answers 502 after it made the server', { kind: 'status', status: 502, after: true }],
  ] as const)('Nova %s: an error in time, and the clockwork frees what was charged', async (_how, what) => {
    await s.promised({ cores: 4, ram: 4096, instances: 4 })
    const fault = w.cloud.faults.add({ ...what, ...post })
    expect(await s.ask('create-instance', s.instanceBody())).toMatchObject({
      result: 'error',
      message: expect.stringMatching(/^The provider’s Nova (gave|cannot|answered) /),
    })
    fault.remove()
    // What may be there stays charged until it is known to be gone.
    expect((await available()).cores).toBe(3)
    w.setTime(new Date(Date.now() + 120_000))
    await w.startWork()
    await until(async () => (await available()).cores === 4, { what: 'four cores are left', seen: available })
    expect(servers()).toEqual([])
  })

  it('Nova fails to delete: the charge stays until the server is gone', async () => {
    await s.promised({ cores: 4, ram: 4096, instances: 4 })
    const id = (await s.ask('create-instance', s.instanceBody()))['instance-id']
    w.cloud.faults.add({ kind: 'status', service: 'nova', method: 'DELETE', times: 1 })
    expect(await s.ask('destroy-instance', { 'instance-id': id })).toMatchObject({ result: 'error' })
    expect((await available()).cores).toBe(3)
    await w.startWork()
    await until(async () => (await available()).cores === 4, { what: 'four cores are left', seen: available })
    expect(servers()).toEqual([])
  })

  it('a server that ends in ERROR is charged no more', async () => {
    await s.promised({ cores: 4, ram: 4096, instances: 4 })
    const id = (await s.ask('create-instance', s.instanceBody()))['instance-id']
    const { 'instance-ref': ref } = await s.read(`/promise/allocations/${id}`)
    const server = w.nova('Pod1').server(ref.server)!
    await until(() => server.taskState === null && server.vmState === 'active', {
      what: 'the server is active',
    })
    server.vmState = 'error'
    await w.startWork()
    await until(async () => (await available()).cores === 4, { what: 'four cores are left', seen: available })
    expect(await s.ask('query-instance', { 'instance-id': id })).toMatchObject({
      status: 'error',
      'status-reason': 'its server ended in ERROR',
    })
  })

  it.each([
    ['refuses connections', { kind: 'reset' }, 'cannot be reached'],
    ['hangs', { kind: 'hang' }, 'gave no whole answer in time'],
    ['answers 500', { kind: 'status', status: 500 }, 'answered 500'],
    ['answers garbage', { kind: 'garbage' }, 'gave an answer that cannot be read'],
  ] as const)(
    'Keystone %s: add-provider is an error in time, and there is no provider',
    async (_how, fault, words) => {
      // Atoll's own Keystone is the same one: who asks is known before.
      await s.read('/promise/providers')
      w.cloud.faults.add({ ...fault, service: 'keystone', path: '/v3/auth/tokens' })
      const body = s.providerBody({ username: 'demo', tenant: { name: 'demo' } })
      const answer = await s.ask('add-provider', body)
      expect(answer).toEqual({ result: 'error', message: `The provider’s Keystone ${words}` })
      w.cloud.faults.clear()
      expect(await s.read('/promise/providers')).toEqual([])
      expect(await s.ask('query-capacity', {})).toEqual({ collections: [], utilization: [] })
    },
  )
})

describe('A21 hosts of leases and promises of the same capacity', () => {
  const enrol = (name: string) => w.call('POST', '/reservation/v1/os-hosts', { body: { name } })
  const lease = (start: string, end: string) =>
    w.call('POST', '/reservation/v1/leases', {
      body: {
        name: 'lease',
        start_date: start.slice(0, 16).replace('T', ' '),
        end_date: end.slice(0, 16).replace('T', ' '),
        events: [],
        reservations: [
          {
            resource_type: 'physical:host',
            min: 1,
            max: 1,
            hypervisor_properties: '["==", "$hypervisor_hostname", "pod1-host1"]',
            resource_properties: '',
          },
        ],
      },
    })

  it('the promise first: the host cannot be enrolled for leases while the promise needs it', async () => {
    await s.promised({ cores: 100_000 })
    const id = await reserve({ start: now(48), end: now(72), capacity: { cores: await coresOfPod1() } })
    const refused = await enrol('pod1-host1')
    expect([refused.status, refused.json.error_message]).toEqual([409, expect.stringMatching(/\S/)])
    await s.ask('cancel-reservation', { 'reservation-id': id })
    expect((await enrol('pod1-host1')).status).toBe(201)
    expect((await lease(now(48), now(72))).status).toBe(201)
  })

  it('the lease first: what the host had is not promised', async () => {
    await s.promised({ cores: 100_000 })
    const all = await coresOfPod1()
    expect((await enrol('pod1-host1')).status).toBe(201)
    expect((await lease(now(48), now(72))).status).toBe(201)
    const ask = { start: now(48), end: now(72) }
    expect(await s.ask('create-reservation', { ...ask, capacity: { cores: all } })).toMatchObject({
      result: 'conflict',
      available: { cores: (all * 7) / 8 },
    })
    await reserve({ ...ask, capacity: { cores: (all * 7) / 8 } })
  })
})

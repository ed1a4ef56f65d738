// Services whose databases are swapped: for one of some time ago, or for an empty one, and back.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClock } from '../../sim/clock.ts'
import { createFaults, type FaultSpec } from '../../sim/faults.ts'
import { State } from '../../sim/picture.ts'
import { Table } from '../../sim/table.ts'
import { until } from '../wait.ts'
import { startRegion, type TestRegion } from './nova-region.ts'

let r: TestRegion
let network: string

beforeEach(async () => {
  r = await startRegion({ history: true })
  network = await make('network', { name: 'n', shared: true })
  await make('subnet', { network_id: network, ip_version: 4, cidr: '10.0.0.0/24' })
})
afterEach(() => r[Symbol.asyncDispose]())

const pause = () => r.cloud.clock.advance(60_000)
const swap = (service: string, spec: Partial<FaultSpec>) =>
  r.cloud.faults.add({ kind: 'restore', region: 'Pod1', service, seconds_ago: 30, ...spec })

async function make(name: string, fields: object): Promise<string> {
  const { status, body } = await r.demo.neutron('POST', `/${name}s`, { [name]: fields })
  if (status !== 201) {
    const asAdmin = await r.admin.neutron('POST', `/${name}s`, { [name]: fields })
    return asAdmin.body[name].id
  }
  return body[name].id
}

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
async function ports(query = ''): Promise<any[]> {
  return (await r.admin.neutron('GET', `/ports${query}`)).body.ports
}

describe('Neutron is restored', () => {
  test('to before a port was made: its address is free, and it is back when the fault is gone', async () => {
    pause()
    const port = await make('port', { network_id: network })
    const [{ fixed_ips }] = await ports()
    const fault = swap('neutron', {})
    expect(await ports()).toEqual([])
    expect((await r.admin.neutron('GET', `/ports/${port}`)).status).toBe(404)
    expect((await r.admin.neutron('GET', `/networks/${network}`)).status).toBe(200)
    const other = await make('port', {
      network_id: network,
      fixed_ips: [{ ip_address: fixed_ips[0].ip_address }],
    })
    expect((await ports()).map(({ id }) => id)).toEqual([other])
    fault.remove()
    expect((await ports()).map(({ id }) => id)).toEqual([port])
    expect(await ports(`?network_id=${network}`)).toHaveLength(1)
  })

  test('to before a port was removed: it is there again, and found by all that it is found by', async () => {
    const port = await make('port', { network_id: network, device_id: 'device' })
    const before = await ports()
    pause()
    await r.admin.neutron('DELETE', `/ports/${port}`)
    const fault = swap('neutron', {})
    expect(await ports()).toEqual(before)
    expect(await ports('?device_id=device')).toEqual(before)
    expect((await r.admin.neutron('PUT', `/ports/${port}`, { port: { name: 'again' } })).status).toBe(200)
    fault.remove()
    expect(await ports()).toEqual([])
    expect(await ports('?device_id=device')).toEqual([])
  })

  test('to before a port was changed: its fields and its revision are as they were', async () => {
    const port = await make('port', { network_id: network, device_id: 'one' })
    const before = await ports()
    pause()
    await r.admin.neutron('PUT', `/ports/${port}`, { port: { name: 'new', device_id: 'two' } })
    const changed = await ports()
    expect(changed[0].revision_number).toBeGreaterThan(before[0].revision_number)
    const fault = swap('neutron', {})
    expect(await ports()).toEqual(before)
    expect(await ports('?device_id=two')).toEqual([])
    fault.remove()
    expect(await ports('?device_id=two')).toEqual(changed)
  })

  test('and nothing of Nova and Placement is', async () => {
    pause()
    const { id } = await r.demo.boot()
    swap('neutron', {})
    expect((await r.demo.nova('GET', `/servers/${id}`)).status).toBe(200)
  })
})

const held = async (id: string): Promise<object> =>
  (await r.admin.placement('GET', `/allocations/${id}`)).body.allocations

const status = async (id: string): Promise<string | number> => {
  const { status, body } = await r.demo.nova('GET', `/servers/${id}`)
  return status === 200 ? body.server.status : status
}

describe('Nova is restored', () => {
  test('to before a server was made: it is gone, what it holds in Placement is not', async () => {
    pause()
    const { id } = await r.demo.boot()
    const fault = swap('nova', {})
    expect(await status(id)).toBe(404)
    expect(Object.keys(await held(id))).toHaveLength(1)
    fault.remove()
    expect(await status(id)).toBe('ACTIVE')
    expect(r.nova.serversOf(r.demo.projectId).map(one => one.id)).toEqual([id])
  })

  test('to before a server was removed or stopped: it is as it was', async () => {
    const { id: removed } = await r.demo.boot()
    const { id: stopped } = await r.demo.boot()
    pause()
    await r.demo.nova('DELETE', `/servers/${removed}`)
    await r.demo.nova('POST', `/servers/${stopped}/action`, { 'os-stop': null })
    const fault = swap('nova', {})
    expect([await status(removed), await status(stopped)]).toEqual(['ACTIVE', 'ACTIVE'])
    expect(await held(removed)).toEqual({})
    fault.remove()
    expect([await status(removed), await status(stopped)]).toEqual([404, 'SHUTOFF'])
  })

  test('to before an aggregate was made: the next one gets the same number', async () => {
    pause()
    const aggregate = async (name: string) =>
      (await r.admin.nova('POST', '/os-aggregates', { aggregate: { name } })).body.aggregate.id
    const number = await aggregate('one')
    const fault = swap('nova', {})
    expect(await aggregate('other')).toBe(number)
    fault.remove()
    expect(r.nova.aggregates().map(({ name }) => name)).toEqual(['one'])
  })
})

describe('Placement is restored', () => {
  test('to before a provider was made, and it is back below its host when the fault is gone', async () => {
    pause()
    const parent = r.nova.host('H1').uuid
    const made = await r.admin.placement('POST', '/resource_providers', {
      name: 'child',
      parent_provider_uuid: parent,
    })
    const inTree = async () =>
      (await r.admin.placement('GET', `/resource_providers?in_tree=${parent}`)).body.resource_providers
    const fault = swap('placement', {})
    expect(await inTree()).toHaveLength(1)
    fault.remove()
    expect(await inTree()).toHaveLength(2)
    expect((await r.admin.placement('DELETE', `/resource_providers/${made.body.uuid}`)).status).toBe(204)
  })

  test('to before a server came and a trait went: what is used and what is borne is as it was', async () => {
    const path = `/resource_providers/${r.nova.host('H1').uuid}`
    const before = [
      await r.admin.placement('GET', `${path}/usages`),
      await r.admin.placement('GET', `${path}/traits`),
    ]
    pause()
    const { id } = await r.demo.boot({ host: 'H1' }).catch(() => r.admin.boot({ host: 'H1' }))
    const { resource_provider_generation } = (await r.admin.placement('GET', `${path}/traits`)).body
    await r.admin.placement('PUT', `${path}/traits`, { resource_provider_generation, traits: [] })
    const fault = swap('placement', {})
    expect([
      await r.admin.placement('GET', `${path}/usages`),
      await r.admin.placement('GET', `${path}/traits`),
    ]).toEqual(before)
    expect(await held(id)).toEqual({})
    fault.remove()
    expect(Object.keys(await held(id))).toHaveLength(1)
  })
})

describe('a service that is emptied', () => {
  test('Neutron has agents and, once asked for, default groups; the swap back brings all back', async () => {
    const port = await make('port', { network_id: network })
    const before = await ports()
    const fault = swap('neutron', { kind: 'empty' })
    expect(await ports()).toEqual([])
    expect((await r.admin.neutron('GET', '/networks')).body.networks).toEqual([])
    expect((await r.admin.neutron('GET', '/agents')).body.agents.length).toBeGreaterThan(0)
    const groups = async () => (await r.demo.neutron('GET', '/security-groups')).body.security_groups
    const [group] = await groups()
    expect(group.name).toBe('default')
    await make('network', { name: 'meanwhile' })
    fault.remove()
    expect(await ports()).toEqual(before)
    expect((await r.admin.neutron('GET', '/networks')).body.networks).toHaveLength(1)
    expect((await groups())[0].id).not.toBe(group.id)
    expect((await r.admin.neutron('DELETE', `/ports/${port}`)).status).toBe(204)
  })

  test('Nova has no host, no server and no flavor; the swap back brings all back', async () => {
    const { id } = await r.demo.boot()
    const fault = swap('nova', { kind: 'empty' })
    for (const kind of ['servers', 'flavors', 'os-hypervisors', 'os-services', 'os-aggregates']) {
      expect((await r.admin.nova('GET', `/${kind}`)).body[kind.replace('os-', '')]).toEqual([])
    }
    fault.remove()
    expect(await status(id)).toBe('ACTIVE')
    expect((await r.admin.nova('GET', '/os-hypervisors')).body.hypervisors).toHaveLength(3)
    expect((await r.demo.boot()).status).toBe('ACTIVE')
  })

  test('Placement has no provider, and hosts of Nova build nothing; the swap back brings all back', async () => {
    const { id } = await r.demo.boot()
    const fault = swap('placement', { kind: 'empty' })
    expect((await r.admin.placement('GET', '/resource_providers')).body.resource_providers).toEqual([])
    expect((await r.admin.placement('GET', '/traits/HW_CPU_X86_VMX')).status).toBe(204)
    expect((await r.demo.boot()).status).toBe('ERROR')
    const aggregate = (await r.admin.nova('POST', '/os-aggregates', { aggregate: { name: 'a' } })).body
      .aggregate
    const added = await r.admin.nova('POST', `/os-aggregates/${aggregate.id}/action`, {
      add_host: { host: 'H1' },
    })
    expect(added.status).toBe(200)
    fault.remove()
    expect(Object.keys(await held(id))).toHaveLength(1)
    expect((await r.demo.boot()).status).toBe('ACTIVE')
  })

  test('all services of a region are swapped when none is named, and the other regions are not', async () => {
    await r.demo.boot()
    const fault = r.cloud.faults.add({ kind: 'empty', region: 'Pod1' })
    expect([
      r.nova.servers(),
      [...r.placement.region.providers],
      r.cloud.neutrons.get('Pod1')!.networks(),
    ]).toEqual([[], [], []])
    fault.remove()
    expect(r.nova.servers()).toHaveLength(1)
  })
})

describe('swaps', () => {
  test('and back leave a server what it was about to become', async () => {
    r.nova.region.settings.buildMs = 500
    const { id } = await r.demo.boot()
    const fault = swap('nova', { kind: 'empty' })
    expect(r.nova.serversOf(r.demo.projectId)).toEqual([])
    fault.remove()
    await until(async () => (await status(id)) === 'ACTIVE', { what: 'it is ACTIVE', seen: () => status(id) })
  })

  test('are undone in any order', async () => {
    pause()
    const port = await make('port', { network_id: network })
    const first = swap('neutron', {})
    const second = swap('neutron', { kind: 'empty' })
    first.remove()
    expect((await r.admin.neutron('GET', '/networks')).body.networks).toEqual([])
    second.remove()
    expect((await ports()).map(({ id }) => id)).toEqual([port])
  })

  test('are all undone when all faults are removed', async () => {
    swap('neutron', { kind: 'empty' })
    r.cloud.faults.add({ kind: 'empty' })
    r.cloud.faults.clear()
    expect((await r.admin.neutron('GET', '/networks')).body.networks).toHaveLength(1)
    expect(r.nova.hosts()).toHaveLength(3)
  })

  test('are not made where the history does not reach', () => {
    expect(() => swap('neutron', { seconds_ago: 3600 })).toThrow('does not go back so far')
    expect(() => swap('keystone', {})).toThrow('no service')
    expect(r.cloud.faults.list()).toEqual([])
  })
})

test('a history is noted every second', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  try {
    const faults = createFaults()
    const rows = new Table<{ id: string; name: string }>()
    faults.keep({ region: 'Pod1', service: 'neutron', clock: createClock(), state: new State([rows]) })
    faults.remember()
    const row = rows.add({ id: 'one', name: 'old' })
    vi.advanceTimersByTime(10_000)
    row.name = 'new'
    vi.advanceTimersByTime(10_000)
    const nameAfter = (seconds_ago: number) => {
      const fault = faults.add({ kind: 'restore', seconds_ago })
      const name = rows.get('one')?.name
      fault.remove()
      return name
    }
    expect([20, 19, 10, 9, 0].map(nameAfter)).toEqual([undefined, 'old', 'old', 'new', 'new'])
    faults.close()
  } finally {
    vi.useRealTimers()
  }
})

test('from another process a history is begun, a restore asked for and undone', async () => {
  await using fresh = await startRegion()
  const faults = (method: string, path: string, body?: object) =>
    fetch(`${fresh.placement.url}/_faults${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const restore = { kind: 'restore', region: 'Pod1', service: 'neutron', seconds_ago: 30 }
  const refused = await faults('POST', '', restore)
  expect([refused.status, await refused.json()]).toEqual([
    400,
    { message: 'no history is kept of neutron of Pod1' },
  ])
  expect((await faults('POST', '/history')).status).toBe(204)
  fresh.cloud.clock.advance(60_000)
  const made = await fresh.demo.neutron('POST', '/networks', { network: { name: 'n' } })
  const list = async () => (await fresh.demo.neutron('GET', '/networks')).body.networks
  const { id } = (await (await faults('POST', '', restore)).json()) as { id: string }
  expect(await list()).toEqual([])
  expect((await faults('DELETE', `/${id}`)).status).toBe(204)
  expect(await list()).toMatchObject([{ id: made.body.network.id }])
})

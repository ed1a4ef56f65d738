// What the jobs of this release do in a region, and what they leave alone.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Job } from '../../src/core/jobs/job.ts'
import { createJob, removeJob } from '../../src/core/jobs/jobs.ts'
import { marked } from '../../src/core/network/copies/intent.ts'
import type { Written } from '../../src/core/network/model/model.ts'
import { noteOf } from '../../src/core/note.ts'
import { createRouting } from '../../src/core/routing/routings.ts'
import { network, subnet } from '../store/rows.ts'
import { until } from '../wait.ts'
import { project, type Watched, type Working, working } from './working.ts'

let w: Working
let pod: Watched
let count = 0

beforeAll(async () => {
  w = await working({ regions: 2 })
  pod = w.neutrons[0]!
  await w.worker({ slots: 8 })
})
afterAll(() => w[Symbol.asyncDispose]())
beforeEach(() => w.cloud.faults.clear())

/** Runs a job to its end in the first region, and says how many calls of each method it made. */
async function run(type: string, resource: Record<string, string>) {
  const methods = ['GET', 'PUT', 'POST', 'DELETE']
  const before = methods.map(method => pod.calls(method))
  const job = await createJob(w.app, w.admin, {
    type,
    projectId: project,
    resource: { pod_id: w.joined[0]!.id, ...resource },
  })
  let ended: Job | null = job
  await until(
    async () => {
      ended = await w.app.store.jobs.get(job.id)
      return ended?.status === 'SUCCESS' || ended?.status === 'FAIL'
    },
    { what: `the end of ${type}` },
  )
  const calls = Object.fromEntries(
    methods.map((method, index) => [method, pod.calls(method) - before[index]!]),
  )
  return { id: job.id, status: ended.status, error: ended.lastError, calls }
}

/** Notes a central resource's copy in a region: the first unless told; null for one that is still being made. */
async function route(resourceType: string, centralId: string, regionalId: string | null, region = 0) {
  const regionId = w.joined[region]!.id
  const place = { centralId, regionId, projectId: project }
  if (regionalId === null)
    return void (await createRouting(w.app, w.admin, { ...place, regionalId, resourceType }))
  await w.app.store.transact(tx =>
    tx.networks.place({ ...place, kind: resourceType, regionalId, at: w.app.now() }),
  )
}

const note = () => noteOf(w.app, w.admin, 'test')

/** A central network. */
async function insertNetwork(fields: Partial<Written<'network'>> = {}): Promise<string> {
  const row = network({ projectId: project, segmentationId: null, ...fields })
  await w.app.store.transact(tx => tx.networks.insert('network', row, note()))
  return row.id
}

/** A central subnet. */
async function insertSubnet(networkId: string, fields: Partial<Written<'subnet'>> = {}): Promise<string> {
  const row = subnet(networkId, { projectId: project, ...fields })
  await w.app.store.transact(tx => tx.networks.insert('subnet', row, note()))
  return row.id
}

function fresh(what: string): string {
  count += 1
  return `${what}-${count}`
}

function makeNetwork(fields: object = {}): string {
  return pod.create('network', { project_id: project, name: fresh('net'), ...fields }).id
}

function makeSubnet(networkId: string, fields: object = {}): string {
  const subnet = { project_id: project, network_id: networkId, ip_version: 4, cidr: '10.0.0.0/24', ...fields }
  return pod.create('subnet', subnet).id
}

describe('port_delete', () => {
  it('removes the copy of the port', async () => {
    const id = pod.create('port', { project_id: project, network_id: makeNetwork() }).id
    const central = fresh('port')
    await route('port', central, id)
    const { status, calls } = await run('port_delete', { port_id: central })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 1 } })
    expect(pod.ports().filter(port => port.id === id)).toHaveLength(0)
  })

  it('is done when the region has no such port any more', async () => {
    const central = fresh('port')
    await route('port', central, w.app.newId())
    expect((await run('port_delete', { port_id: central })).status).toBe('SUCCESS')
  })

  it('makes no call when the port is not routed there', async () => {
    const [central, network] = [fresh('port'), makeNetwork()]
    // A port of the region that happens to have the central id is not ours.
    const id = pod.create('port', { project_id: project, network_id: network }).id
    await route('port', central, id, 1)
    const { status, calls } = await run('port_delete', { port_id: central })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 0 } })
    expect(pod.ports().filter(port => port.id === id)).toHaveLength(1)
  })

  it('fails with the words of a region that refuses', async () => {
    const central = fresh('port')
    await route('port', central, w.app.newId())
    w.cloud.faults.add({ kind: 'status', status: 409, method: 'DELETE', region: pod.name, message: 'in use' })
    const { id, status, error } = await run('port_delete', { port_id: central })
    await removeJob(w.app, w.admin, id)
    expect(status).toBe('FAIL')
    expect(error).toMatch(/^Pod1's Neutron answered 409 to DELETE .*: in use$/)
  })
})

describe('update_network', () => {
  const wanted = {
    name: 'anew',
    description: 'ours',
    adminStateUp: false,
    shared: true,
    mtu: 1400,
    portSecurityEnabled: false,
  }
  const there = { name: 'anew', admin_state_up: false, shared: true, mtu: 1400, port_security_enabled: false }
  const find = (regional: string) => pod.networks().find(({ id }) => id === regional)

  async function routed(regional: string | null, fields: Partial<Written<'network'>> = wanted) {
    const id = await insertNetwork(fields)
    await route('network', id, regional)
    return id
  }

  it('pushes name, description, administrative state, sharing, MTU and port security', async () => {
    const regional = makeNetwork({ name: 'as it was', dns_domain: 'as.it.was.' })
    const id = await routed(regional)
    const { status, calls } = await run('update_network', { network_id: id })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 1, POST: 0, DELETE: 0 } })
    expect(find(regional)).toMatchObject({ ...there, description: 'ours', dns_domain: 'as.it.was.' })
  })

  it('keeps the mark that the copy bears behind the new description', async () => {
    const intent = w.app.newId()
    const regional = makeNetwork({ description: marked('as it was', intent) })
    const id = await routed(regional)
    await run('update_network', { network_id: id })
    expect(find(regional)?.description).toBe(`ours atoll:${intent}`)
    expect((await run('update_network', { network_id: id })).calls.PUT).toBe(0)
    const plain = makeNetwork({ description: marked('as it was', intent) })
    await run('update_network', { network_id: await routed(plain, { ...wanted, description: '' }) })
    expect(find(plain)?.description).toBe(`atoll:${intent}`)
  })

  it('writes nothing when nothing differs', async () => {
    const id = await routed(makeNetwork({ ...there, description: 'ours' }))
    const { status, calls } = await run('update_network', { network_id: id })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 0, POST: 0, DELETE: 0 } })
    const regional = makeNetwork()
    const { name, mtu } = find(regional)!
    const plain = await routed(regional, { name, mtu })
    expect((await run('update_network', { network_id: plain })).calls.PUT).toBe(0)
  })

  it('is done when the region has no such network any more', async () => {
    const { status, calls } = await run('update_network', { network_id: await routed(w.app.newId()) })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 0, POST: 0, DELETE: 0 } })
  })

  it('makes no call when the network is not routed there, or its copy is still being made, or it is gone', async () => {
    const elsewhere = await insertNetwork(wanted)
    await route('network', elsewhere, makeNetwork(), 1)
    const gone = w.app.newId()
    await route('network', gone, makeNetwork())
    for (const id of [elsewhere, await routed(null), gone]) {
      const { status, calls } = await run('update_network', { network_id: id })
      expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 0 } })
    }
  })
})

describe('subnet_update', () => {
  const wanted = {
    name: 'anew',
    description: 'ours',
    enableDhcp: false,
    hostRoutes: [
      { destination: '10.9.0.0/16', nextHop: '10.0.0.9' },
      { destination: '10.8.0.0/16', nextHop: '10.0.0.8' },
    ],
    dnsNameservers: ['9.9.9.9', '1.1.1.1'],
  }
  const find = (regional: string) => pod.subnets().find(({ id }) => id === regional)

  async function routed(regional: string | null, fields: Partial<Written<'subnet'>> = wanted) {
    const id = await insertSubnet(await insertNetwork(), fields)
    await route('subnet', id, regional)
    return id
  }

  it('pushes name, description, DHCP, host routes and name servers; gateway and pools stay the region’s', async () => {
    const pools = [{ start: '10.0.0.20', end: '10.0.0.99' }]
    const own = { gateway_ip: '10.0.0.7', allocation_pools: pools }
    const regional = makeSubnet(makeNetwork(), { ...own, name: 'as it was' })
    const id = await routed(regional)
    const { status, calls } = await run('subnet_update', { subnet_id: id })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 1, POST: 0, DELETE: 0 } })
    const changed = find(regional)
    expect(changed).toMatchObject({ ...own, name: 'anew', description: 'ours', enable_dhcp: false })
    expect(changed?.dns_nameservers).toEqual(wanted.dnsNameservers)
    expect(changed?.host_routes).toHaveLength(2)

    expect((await run('subnet_update', { subnet_id: id })).calls).toMatchObject({ GET: 1, PUT: 0 })
  })

  it('keeps the mark that the copy bears behind the new description', async () => {
    const intent = w.app.newId()
    const regional = makeSubnet(makeNetwork(), { description: marked('', intent) })
    const id = await routed(regional)
    await run('subnet_update', { subnet_id: id })
    expect(find(regional)?.description).toBe(`ours atoll:${intent}`)
    expect((await run('subnet_update', { subnet_id: id })).calls.PUT).toBe(0)
  })

  it('takes away what the central model has no more', async () => {
    const given = { dns_nameservers: ['9.9.9.9'], description: 'old' }
    const regional = makeSubnet(makeNetwork(), given)
    const nothing = { description: '', hostRoutes: [], dnsNameservers: [], enableDhcp: true }
    const { calls } = await run('subnet_update', { subnet_id: await routed(regional, nothing) })
    expect(calls.PUT).toBe(1)
    expect(find(regional)).toMatchObject({
      description: '',
      dns_nameservers: [],
      host_routes: [],
      enable_dhcp: true,
    })
  })

  it('is done when the region has no such subnet any more, and makes no call for one that is not routed there', async () => {
    const gone = await routed(w.app.newId())
    expect((await run('subnet_update', { subnet_id: gone })).status).toBe('SUCCESS')
    const elsewhere = await insertSubnet(await insertNetwork(), wanted)
    await route('subnet', elsewhere, makeSubnet(makeNetwork()), 1)
    const { status, calls } = await run('subnet_update', { subnet_id: elsewhere })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 0 } })
  })
})

describe('shadow_port_setup', () => {
  /** A central network with one subnet, and its copy in the region; the subnet's only where told. */
  async function spanning(isWhole: boolean, fields: Partial<Written<'network'>> = {}) {
    const regional = makeNetwork()
    const id = await insertNetwork(fields)
    const subnetId = await insertSubnet(id)
    await route('network', id, regional)
    if (isWhole) await route('subnet', subnetId, makeSubnet(regional))
    return { id, subnetId, copy: () => pod.subnets().find(({ network_id }) => network_id === regional) }
  }
  const blocksOf = async (subnetId: string) =>
    (await w.app.store.networks.holdings(subnetId, ['block'])).map(({ start, end }) => ({ start, end }))

  it('leaves the region the addresses that are its own to give, and does no more when that is so', async () => {
    const { id, subnetId, copy } = await spanning(true)
    const { status, calls } = await run('shadow_port_setup', { network_id: id })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 1, POST: 0, DELETE: 0 } })
    const blocks = await blocksOf(subnetId)
    expect(blocks.length).toBeGreaterThan(0)
    expect(copy()?.allocation_pools).toEqual(blocks)
    expect((await run('shadow_port_setup', { network_id: id })).calls).toMatchObject({ GET: 1, PUT: 0 })
  })

  it('brings a subnet that the copy does not have yet', async () => {
    const { id, subnetId, copy } = await spanning(false)
    const { status, calls } = await run('shadow_port_setup', { network_id: id })
    expect({ status, POST: calls.POST, PUT: calls.PUT }).toEqual({ status: 'SUCCESS', POST: 1, PUT: 0 })
    expect(copy()?.allocation_pools).toEqual(await blocksOf(subnetId))
  })

  it('makes no call for a network that lives in one region, is being removed, or is not there', async () => {
    const home = await spanning(true, { zoneHints: [pod.name] })
    const leaving = await spanning(true, { deleting: true })
    const elsewhere = await insertNetwork()
    await route('network', elsewhere, makeNetwork(), 1)
    for (const id of [home.id, leaving.id, elsewhere]) {
      const { status, calls } = await run('shadow_port_setup', { network_id: id })
      expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 0 } })
    }
  })
})

describe('a region that is away for a moment', () => {
  it('is asked again later, and the job succeeds', async () => {
    const regional = makeNetwork()
    const { name, mtu } = pod.networks().find(({ id }) => id === regional)!
    const id = await insertNetwork({ name, mtu, description: 'later' })
    await route('network', id, regional)
    const fault = w.cloud.faults.add({ kind: 'status', status: 500, method: 'PUT', region: pod.name })
    const failed = await run('update_network', { network_id: id })
    expect(failed.status).toBe('FAIL')
    expect(failed.error).toContain("Pod1's Neutron answered 500 to PUT")
    fault.remove()
    await until(
      () => pod.networks().some(network => network.id === regional && network.description === 'later'),
      { what: 'the next try succeeds' },
    )
  })
})

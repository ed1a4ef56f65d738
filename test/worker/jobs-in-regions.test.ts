// What the jobs of this release do in a region, and what they leave alone.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Job } from '../../src/core/jobs/job.ts'
import { createJob, removeJob } from '../../src/core/jobs/jobs.ts'
import type { Network, Subnet } from '../../src/core/network/network.ts'
import { createRouting } from '../../src/core/routing/routings.ts'
import { type Fleet, fleet, operator, type Pod, project } from './fleet.ts'
import { until } from './wait.ts'

let f: Fleet
let pod: Pod
let count = 0

beforeAll(async () => {
  f = await fleet({ pods: 2 })
  pod = f.pods[0]!
  await f.worker({ slots: 8 })
})
afterAll(() => f[Symbol.asyncDispose]())
beforeEach(() => f.cloud.faults.clear())

/** Runs a job to its end in the first region, and says how many calls of each method it made. */
async function run(type: string, resource: Record<string, string>) {
  const methods = ['GET', 'PUT', 'POST', 'DELETE']
  const before = methods.map(method => pod.calls(method))
  const job = await createJob(f.app, operator, {
    type,
    projectId: project,
    resource: { pod_id: f.regions[0]!.id, ...resource },
  })
  let ended: Job | null = job
  await until(`the end of ${type}`, async () => {
    ended = await f.app.store.jobs.get(job.id)
    return ended?.status === 'SUCCESS' || ended?.status === 'FAIL'
  })
  const calls = Object.fromEntries(
    methods.map((method, index) => [method, pod.calls(method) - before[index]!]),
  )
  return { id: job.id, status: ended.status, error: ended.lastError, calls }
}

/** Routes a central resource to its copy in a region: the first unless told. */
async function route(resourceType: string, centralId: string, regionalId: string | null, region = 0) {
  const regionId = f.regions[region]!.id
  await createRouting(f.app, operator, { centralId, regionalId, regionId, projectId: project, resourceType })
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
    await route('port', central, f.app.newId())
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
    await route('port', central, f.app.newId())
    f.cloud.faults.add({ kind: 'status', status: 409, method: 'DELETE', region: pod.name, message: 'in use' })
    const { id, status, error } = await run('port_delete', { port_id: central })
    await removeJob(f.app, operator, id)
    expect(status).toBe('FAIL')
    expect(error).toMatch(/^Pod1's Neutron answered 409 to DELETE .*: in use$/)
  })
})

describe('update_network', () => {
  const wanted = { description: 'ours', adminStateUp: false, shared: true }

  async function routed(regional: string | null, aspects: Partial<Network> = wanted): Promise<string> {
    const id = fresh('network')
    await f.app.store.networks.saveNetwork({ id, projectId: project, ...wanted, ...aspects })
    await route('network', id, regional)
    return id
  }

  it('pushes description, administrative state and sharing, and never the name', async () => {
    const regional = makeNetwork({ name: 'as it was' })
    const network = await routed(regional)
    const { status, calls } = await run('update_network', { network_id: network })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 1, POST: 0, DELETE: 0 } })
    const changed = { name: 'as it was', description: 'ours', admin_state_up: false, shared: true }
    expect(pod.networks().find(({ id }) => id === regional)).toMatchObject(changed)
  })

  it('writes nothing when nothing differs', async () => {
    const network = await routed(makeNetwork({ description: 'ours', admin_state_up: false, shared: true }))
    const { status, calls } = await run('update_network', { network_id: network })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 0, POST: 0, DELETE: 0 } })
    const plain = await routed(makeNetwork(), { description: '', adminStateUp: true, shared: false })
    expect((await run('update_network', { network_id: plain })).calls.PUT).toBe(0)
  })

  it('is done when the region has no such network any more', async () => {
    const { status, calls } = await run('update_network', { network_id: await routed(f.app.newId()) })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 0, POST: 0, DELETE: 0 } })
  })

  it('makes no call when the network is not routed there, or its copy is still being made, or it is gone', async () => {
    const elsewhere = fresh('network')
    await f.app.store.networks.saveNetwork({ id: elsewhere, projectId: project, ...wanted })
    await route('network', elsewhere, makeNetwork(), 1)
    const gone = fresh('network')
    await route('network', gone, makeNetwork())
    for (const network of [elsewhere, await routed(null), gone]) {
      const { status, calls } = await run('update_network', { network_id: network })
      expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 0 } })
    }
  })
})

describe('subnet_update', () => {
  const wanted = {
    description: 'ours',
    enableDhcp: false,
    hostRoutes: [
      { destination: '10.9.0.0/16', nexthop: '10.0.0.9' },
      { destination: '10.8.0.0/16', nexthop: '10.0.0.8' },
    ],
    dnsNameservers: ['9.9.9.9', '1.1.1.1'],
  }

  async function routed(regional: string | null, aspects: Partial<Subnet> = wanted): Promise<string> {
    const id = fresh('subnet')
    const subnet = { id, projectId: project, networkId: 'net', ...wanted, ...aspects }
    await f.app.store.networks.saveSubnet(subnet)
    await route('subnet', id, regional)
    return id
  }

  it('pushes description, DHCP, host routes and name servers; gateway and pools stay the region’s', async () => {
    const pools = [{ start: '10.0.0.20', end: '10.0.0.99' }]
    const own = { gateway_ip: '10.0.0.7', allocation_pools: pools, name: 'as it was' }
    const regional = makeSubnet(makeNetwork(), own)
    const subnet = await routed(regional)
    const { status, calls } = await run('subnet_update', { subnet_id: subnet })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 1, PUT: 1, POST: 0, DELETE: 0 } })
    const changed = pod.subnets().find(({ id }) => id === regional)
    expect(changed).toMatchObject({ ...own, description: 'ours', enable_dhcp: false })
    expect(changed?.dns_nameservers).toEqual(wanted.dnsNameservers)
    expect(changed?.host_routes).toHaveLength(2)

    expect((await run('subnet_update', { subnet_id: subnet })).calls).toMatchObject({ GET: 1, PUT: 0 })
  })

  it('takes away what the central model has no more', async () => {
    const given = { dns_nameservers: ['9.9.9.9'], description: 'old' }
    const regional = makeSubnet(makeNetwork(), given)
    const nothing = { description: '', hostRoutes: [], dnsNameservers: [], enableDhcp: true }
    const { calls } = await run('subnet_update', { subnet_id: await routed(regional, nothing) })
    expect(calls.PUT).toBe(1)
    const changed = pod.subnets().find(({ id }) => id === regional)
    expect(changed).toMatchObject({
      description: '',
      dns_nameservers: [],
      host_routes: [],
      enable_dhcp: true,
    })
  })

  it('is done when the region has no such subnet any more, and makes no call for one that is not routed there', async () => {
    const gone = await routed(f.app.newId())
    expect((await run('subnet_update', { subnet_id: gone })).status).toBe('SUCCESS')
    const elsewhere = fresh('subnet')
    await route('subnet', elsewhere, makeSubnet(makeNetwork()), 1)
    await f.app.store.networks.saveSubnet({ id: elsewhere, projectId: project, networkId: 'net', ...wanted })
    const { status, calls } = await run('subnet_update', { subnet_id: elsewhere })
    expect({ status, calls }).toEqual({ status: 'SUCCESS', calls: { GET: 0, PUT: 0, POST: 0, DELETE: 0 } })
  })
})

describe('a region that is away for a moment', () => {
  it('is asked again later, and the job succeeds', async () => {
    const regional = makeNetwork()
    const id = fresh('network')
    const aspects = { description: 'later', adminStateUp: true, shared: false }
    await f.app.store.networks.saveNetwork({ id, projectId: project, ...aspects })
    await route('network', id, regional)
    const fault = f.cloud.faults.add({ kind: 'status', status: 500, method: 'PUT', region: pod.name })
    const failed = await run('update_network', { network_id: id })
    expect(failed.status).toBe('FAIL')
    expect(failed.error).toContain("Pod1's Neutron answered 500 to PUT")
    fault.remove()
    await until('the next try succeeds', () =>
      pod.networks().some(network => network.id === regional && network.description === 'later'),
    )
  })
})

// The topology: the tree of what there is in all regions, as the central model has it, for whoever may see it.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { viewTopology } from '../../src/api/native/topology.ts'
import { printTopology } from '../../src/cli/topology.ts'
import type { Caller } from '../../src/core/caller.ts'
import { type TopologyAsk, topology } from '../../src/core/network/topology.ts'
import { type Json, type Planet, planet } from './planet.ts'

let p: Planet
let one: string
let two: string
let external: Json
let router: Json
const networks: Json[] = []
const subnets: Json[] = []
const ports: Json[] = []

// Topology T4: two networks of two regions, one way out, and a floating IP of the port that is not in its region. Beside
// them a port that is reserved, on a network that is nowhere.
beforeAll(async () => {
  p = await planet({ regions: ['Pod1', 'Pod2'] })
  await p.startWork()
  ;[one, two] = p.regions as [string, string]
  external = await p.call(
    'POST',
    '/networks',
    { network: { name: 'ext', 'router:external': true, availability_zone_hints: [two] } },
    'admin',
  )
  const outside = { network_id: external.id, ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }
  await p.call('POST', '/subnets', { subnet: { name: 'ext-sub', ...outside } }, 'admin')
  router = await p.call('POST', '/routers', {
    router: { name: 'r', external_gateway_info: { network_id: external.id } },
  })
  for (const [index, cidr] of ['10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24'].entries()) {
    networks.push(await p.call('POST', '/networks', { network: { name: `net${index + 1}` } }))
    const subnet = { name: `sub${index + 1}`, network_id: networks[index].id, ip_version: 4, cidr }
    subnets.push(await p.call('POST', '/subnets', { subnet }))
    const region = [one, two][index]
    const profile = region === undefined ? {} : { 'binding:profile': { region } }
    const port = { name: `port${index + 1}`, network_id: networks[index].id, ...profile }
    ports.push(await p.call('POST', '/ports', { port }))
  }
  for (const subnet of subnets.slice(0, 2))
    await p.call('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
  await p.call('POST', '/floatingips', {
    floatingip: { floating_network_id: external.id, port_id: ports[0].id },
  })
  await p.settle()
})
afterAll(() => p[Symbol.asyncDispose]())

const everything: TopologyAsk = { region: null, network: null, project: null, ports: null }
const see = async (caller: Caller, ask: Partial<TopologyAsk> = {}) =>
  viewTopology(await topology(p.app, caller, { ...everything, ...ask }))
const printed = async (caller: Caller, ask: Partial<TopologyAsk> = {}) =>
  printTopology(await see(caller, ask)).split('\n')

it('prints', async () => {
  console.log((await printed(p.demo, { ports: true })).join('\n'))
  console.log(JSON.stringify(await see(p.demo, { ports: true }), null, 1))
})

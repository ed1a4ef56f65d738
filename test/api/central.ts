// Networks and what is on them for the tests that ask every route, and good requests for those of the Networking API.

import type { World } from '../world.ts'
import { fresh, type GoodRequest, sharedHost, viewed } from './reservable.ts'

/** Makes one thing by an admin's request, for a project that nobody is in, and returns it. */
async function make(w: World, kind: string, fields: object): Promise<Record<string, string>> {
  const path = `/v2.0/${kind.replaceAll('_', '-')}s`
  const reply = await w.call('POST', path, { body: { [kind]: { project_id: fresh('other'), ...fields } } })
  if (reply.status !== 201) throw new Error(`no ${kind}: ${reply.status} ${reply.text}`)
  return reply.json[kind]
}

const once = <T>(make: (w: World) => Promise<T>) => {
  const made = new WeakMap<World, Promise<T>>()
  return (w: World): Promise<T> => {
    const one = made.get(w) ?? make(w)
    made.set(w, one)
    return one
  }
}

/** By world: the network outside, in the region that is there. */
const outside = once(async w => {
  await sharedHost(w)
  const there = { 'router:external': true, availability_zone_hints: [viewed] }
  const network = await make(w, 'network', there)
  const range = { network_id: network.id, ip_version: 4, cidr: '172.16.0.0/16', enable_dhcp: false }
  await make(w, 'subnet', range)
  return network.id!
})

let nets = 0
const newNetwork = (w: World) => make(w, 'network', {})
const newSubnet = async (w: World) => {
  const { id: network_id, project_id } = await newNetwork(w)
  const cidr = `10.${nets >> 8}.${nets++ & 255}.0/24`
  return make(w, 'subnet', { network_id, project_id, ip_version: 4, cidr })
}
export const newPort = async (w: World, name = '') => {
  const { id: network_id, project_id } = await make(w, 'network', { name })
  return make(w, 'port', { network_id, project_id, name })
}
const newRouter = (w: World) => make(w, 'router', {})
const newFloatingIp = async (w: World) => make(w, 'floatingip', { floating_network_id: await outside(w) })
const newGroup = (w: World) => make(w, 'security_group', { name: fresh('group') })
export const newRule = async (w: World, name = fresh('group')) => {
  const { id: security_group_id, project_id } = await make(w, 'security_group', { name })
  return make(w, 'security_group_rule', { security_group_id, project_id, direction: 'ingress' })
}

/** The subnet and the router of one project, with or without the interface between them. */
async function legs(w: World, isThere: boolean): Promise<GoodRequest> {
  const { id: subnet_id, project_id } = await newSubnet(w)
  const router = await make(w, 'router', { project_id })
  const body = { subnet_id }
  if (isThere) await w.call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { body })
  return { id: router.id!, body }
}

type Good = (w: World) => Promise<GoodRequest>

const noRoutes: Good = async w => ({ id: (await newRouter(w)).id!, body: { router: { routes: [] } } })

const nothing: Good = async w => {
  await sharedHost(w)
  return {}
}
const idOf =
  (make: (w: World) => Promise<Record<string, string>>): Good =>
  async w => ({ id: (await make(w)).id! })
const withBody =
  (kind: string, fields: (w: World) => Promise<object> | object): Good =>
  async w => ({ body: { [kind]: await fields(w) } })

/** The requests of a resource: how one is made for others, and what a new one is made of. */
const resource = (
  kind: string,
  make: (w: World) => Promise<Record<string, string>>,
  fields: (w: World) => Promise<object> | object,
): Record<string, Good> => {
  const path = `/v2.0/${kind.replaceAll('_', '-')}s`
  return {
    [`GET ${path}`]: nothing,
    [`POST ${path}`]: withBody(kind, fields),
    [`GET ${path}/:id`]: idOf(make),
    [`PUT ${path}/:id`]: async w => ({
      ...(await idOf(make)(w)),
      body: { [kind]: { description: fresh('text') } },
    }),
    [`DELETE ${path}/:id`]: idOf(make),
  }
}

const { 'PUT /v2.0/security-group-rules/:id': _none, ...rules } = resource(
  'security_group_rule',
  newRule,
  async w => ({ security_group_id: (await newGroup(w)).id, direction: 'ingress', protocol: 'tcp' }),
)

const agentOf: Good = async w => {
  await sharedHost(w)
  return { id: w.neutron(viewed).agents()[0]!.id }
}
const project: Good = async () => ({ id: 'other' })

export const networkRequests: Readonly<Record<string, Good>> = {
  'GET /network': async () => ({}),
  'GET /v2.0': async () => ({}),
  'GET /v2.0/extensions': async () => ({}),
  'GET /v2.0/extensions/:id': async () => ({ id: 'router' }),
  ...resource('network', newNetwork, () => ({ name: fresh('network') })),
  ...resource('subnet', newSubnet, async w => ({
    network_id: (await newNetwork(w)).id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  })),
  ...resource('port', newPort, async w => ({ network_id: (await newNetwork(w)).id })),
  ...resource('router', newRouter, () => ({ name: fresh('router') })),
  'PUT /v2.0/routers/:id/add_router_interface': w => legs(w, false),
  'PUT /v2.0/routers/:id/remove_router_interface': w => legs(w, true),
  'PUT /v2.0/routers/:id/add_extraroutes': noRoutes,
  'PUT /v2.0/routers/:id/remove_extraroutes': noRoutes,
  ...resource('floatingip', newFloatingIp, async w => ({ floating_network_id: await outside(w) })),
  ...resource('security_group', newGroup, () => ({ name: fresh('group') })),
  ...rules,
  'GET /v2.0/agents': nothing,
  'GET /v2.0/agents/:id': agentOf,
  'GET /v2.0/availability_zones': nothing,
  'GET /v2.0/quotas/:id': project,
  'GET /v2.0/quotas/:id/default': project,
  'GET /v2.0/quotas/:id/details': project,
}

const strangers = '401 401 401 401'
const nobodyElse = `403 403 403 403 ${strangers}`
/** What admin, manager, member and reader get; the others have no project. */
const read = `200 200 200 200 ${nobodyElse}`
const open = `200 200 200 200 200 200 200 200 ${strangers}`
const made = `201 201 201 403 ${nobodyElse}`
/** What is on another project's thing is made by admins only. */
const madeOn = `201 404 404 403 ${nobodyElse}`
const ofOther = (status: number, reader: number) => `${status} 404 404 ${reader} ${nobodyElse}`
const ofAdmins = `200 403 403 403 ${nobodyElse}`

const one = {
  GET: ofOther(200, 404),
  PUT: ofOther(200, 403),
  DELETE: ofOther(204, 403),
}

/** The lines of the policy table for a mount of the Networking API. */
export const policyLines = (prefix: string): string => {
  const lines = Object.keys(networkRequests)
    .filter(name => name.includes(' /v2.0'))
    .map(name => {
      const [method, path] = name.replace('/v2.0', '').split(' ') as ['GET' | 'PUT' | 'DELETE', string]
      return `${method} ${prefix}${path} ${statuses(method, path)}`
    })
  return lines.join('\n')
}

function statuses(method: string, path: string): string {
  if (path === '' || path.startsWith('/extensions')) return open
  if (/^\/(agents|quotas)/.test(path)) return ofAdmins
  if (path.includes('/:id')) return one[method as keyof typeof one]
  if (method === 'GET') return read
  return /^\/(subnets|ports|security-group-rules)$/.test(path) ? madeOn : made
}

// The simulated Neutron of one region: made, served over HTTP, and open to tests.

import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Person } from '../faults.ts'
import type { TokenFacts } from '../keystone/keystone.ts'
import type { Table } from '../table.ts'
import { answerResource } from './api/collections.ts'
import type { Resource } from './api/resource.ts'
import { addRoutes } from './api/routes.ts'
import { internalError } from './errors.ts'
import { readCreate } from './model/attributes.ts'
import { createRegion, type Region, type Settings, stockQuotas } from './region.ts'
import { addAgents } from './resources/agents.ts'
import { resources } from './resources.ts'
import type {
  AddressGroup,
  Agent,
  FloatingIp,
  Network,
  Port,
  Router,
  Row,
  SecurityGroup,
  SecurityRule,
  Subnet,
} from './rows.ts'

export interface NeutronSpec extends Partial<Settings> {
  region: string
  clock: Clock
  /** The facts of a valid token; null for any other. */
  inspectToken(token: string): (Pick<TokenFacts, 'projectId' | 'roles'> & Person) | null
  /** Keystone's URL, which the 401 for a request without a token names. */
  authUrl?: string | undefined
}

export interface Neutron {
  /** Neutron's whole state in the region. */
  readonly region: Region
  networks(): Network[]
  subnets(): Subnet[]
  ports(): Port[]
  routers(): Router[]
  floatingIps(): FloatingIp[]
  securityGroups(): SecurityGroup[]
  securityRules(): SecurityRule[]
  addressGroups(): AddressGroup[]
  agents(): Agent[]
  /** Makes a resource (`network`, `port`, …) as an admin's POST would, without an HTTP request. */
  create(name: string, fields: Record<string, unknown>): Row
  /** Updates or deletes a resource (`ports` and an id) as an admin's request would; throws its refusal. */
  act(method: 'PUT' | 'DELETE', path: string, id: string, body?: unknown): void
  /** How many calls came, by method and resource: `GET networks`, `PUT routers/add_router_interface`. */
  readonly counts: ReadonlyMap<string, number>
  /** How many calls came with this method, for this resource. */
  calls(method?: string, resource?: string): number
  /** Adds Neutron's routes to a service of `sim/http.ts`. */
  build(app: FastifyInstance, service: { now(): Date }): void
}

export function createNeutron({
  region: name,
  clock,
  inspectToken,
  authUrl = '',
  ...asked
}: NeutronSpec): Neutron {
  let now = () => clock.now()
  const region = createRegion(name, { ...defaults(name), ...asked }, () => now().getTime())
  const counts = new Map<string, number>()
  addAgents(region)
  region.state.onEmpty = () => addAgents(region)

  return {
    region,
    networks: () => rowsOf(region.networks),
    subnets: () => rowsOf(region.subnets),
    ports: () => rowsOf(region.ports),
    routers: () => rowsOf(region.routers),
    floatingIps: () => rowsOf(region.floatingips),
    securityGroups: () => rowsOf(region.groups),
    securityRules: () => rowsOf(region.rules),
    addressGroups: () => rowsOf(region.addressGroups),
    agents: () => rowsOf(region.agents),
    create: (name, fields) => create(name, fields, region),
    act: (method, path, id, body) => act(region, method, path, id, body),
    counts,
    calls: (method, resource) =>
      [...counts]
        .filter(([key]) => method === undefined || key.startsWith(`${method} `))
        .filter(([key]) => resource === undefined || key.endsWith(` ${resource}`))
        .reduce((sum, [, count]) => sum + count, 0),
    build: (app, service) => {
      now = service.now
      const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
      addRoutes(app, region, { inspectToken, authUrl, count })
    },
  }
}

const rowsOf = <R extends Row>(table: Table<R>): R[] => [...table.all()]

/**
 * The settings of a stock Neutron, with the physical networks of a lab; `bridge` joins regions, so that none of them
 * picks from it.
 */
function defaults(region: string): Settings {
  const host = region.toLowerCase()
  return {
    release: 'zed',
    baseMac: 'fa:16:3e:00:00:00',
    vnis: [10_001, 19_999],
    vlans: { physnet1: [101, 199], bridge: null, extern: [1, 4094] },
    hosts: [`${host}-compute1`, `${host}-compute2`],
    networkHost: `${host}-net1`,
    dnsDomain: `${host}.lab.`,
    mtu: 1500,
    quotas: stockQuotas,
    mostRoutes: 30,
    mostHostRoutes: 20,
    mostNameservers: 5,
    hasDhcp: false,
  }
}

function create(name: string, fields: Record<string, unknown>, region: Region): Row {
  const resource: Resource | undefined = resources.find(one => one.name === name)
  const caller = { projectId: String(fields.project_id ?? ''), isAdmin: true }
  if (resource === undefined) throw internalError()
  const { items } = readCreate({ [name]: fields }, resource, caller)
  const [row] =
    resource.createAll?.(items, region, caller) ?? items.map(item => resource.create?.(item, region, caller))
  if (row === undefined) throw internalError()
  region.settle()
  return row
}

function act(region: Region, method: string, path: string, id: string, body: unknown): void {
  const resource = resources.find(one => one.path === path)
  if (resource === undefined) throw internalError()
  const asked = { method, path: [id], url: '', query: new URLSearchParams(), body }
  const caller = { projectId: null, isAdmin: true }
  answerResource({ ...asked, ifMatch: undefined, isEndless: false }, resource, region, caller)
  region.settle()
}

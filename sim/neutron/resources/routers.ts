// Routers, as the API has them.

import { type Resource, standardAttributes, view } from '../api/resource.ts'
import { badRequest, refusal, routerNotFound } from '../errors.ts'
import { type Attributes, type Fields, owner } from '../model/attributes.ts'
import { type GatewayInfo, setGateway, viewGateway } from '../model/gateways.ts'
import { addInterface, removeInterface } from '../model/interfaces.ts'
import {
  checkList,
  checkText,
  isDictionary,
  orEmpty,
  orNull,
  record,
  text,
  truth,
  uuid,
} from '../model/kinds.ts'
import { fixedIps, routes } from '../model/network-kinds.ts'
import { qualityPolicy } from '../model/quality.ts'
import {
  attachedPorts,
  checkRoutes,
  dropGateway,
  gatewayOf,
  interfacesOf,
  surroundings,
} from '../model/routing.ts'
import type { Caller } from '../model/rules.ts'
import { checkZones, zonesOf } from '../model/zones.ts'
import { type Region, standard, touch } from '../region.ts'
import type { Route, Router } from '../rows.ts'

const gatewayInfo = record(
  {
    network_id: uuid,
    enable_snat: truth,
    external_fixed_ips: fixedIps,
    qos_policy_id: qualityPolicy.kind ?? {},
  },
  ['network_id'],
)

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: { kind: text(), set: 'always', default: '', filter: true, sort: true },
  admin_state_up: { kind: truth, set: 'always', default: true, filter: true, sort: true },
  status: { show: () => 'ACTIVE', filter: true, sort: true },
  ...owner,
  external_gateway_info: {
    kind: gatewayInfo,
    set: 'always',
    default: null,
    setBy: 'owner',
    partsSetBy: { network_id: 'owner', enable_snat: 'admin', external_fixed_ips: 'admin' },
    show: (row, region) => viewGateway(row as Router, region),
  },
  ha: {
    kind: orNull(truth),
    set: 'always',
    default: undefined,
    setBy: 'admin',
    seenBy: 'admin',
    filter: true,
  },
  distributed: {
    kind: orNull(truth),
    set: 'always',
    default: undefined,
    setBy: 'admin',
    seenBy: 'admin',
    filter: true,
  },
  flavor_id: {
    kind: {
      convert: value => {
        if (value === null) return null
        throw refusal(404, 'FlavorNotFound', `Flavor ${String(value)} could not be found.`)
      },
    },
    set: 'create',
    default: undefined,
    show: () => null,
    sort: true,
  },
  availability_zones: {
    show: (row, region) => ((row as Router).isHosted ? zonesOf('router', region) : []),
  },
  availability_zone_hints: { kind: { check: checkList(checkText(Infinity)) }, set: 'create', default: [] },
  routes: { kind: orEmpty(routes), set: 'update' },
  ...standardAttributes,
}

export const routers: Resource<Router> = {
  name: 'router',
  path: 'routers',
  attributes,
  table: region => region.routers,
  missing: routerNotFound,
  seenBy: 'owner',
  createdBy: 'anybody',
  changedBy: 'owner',
  removedBy: 'owner',
  isStandard: true,
  isMarkerChecked: true,
  create: (fields, region) => {
    checkZones('router', fields.availability_zone_hints, region)
    const router = region.routers.add({
      ...standard(region, fields),
      name: String(fields.name),
      admin_state_up: fields.admin_state_up !== false,
      distributed: fields.distributed === true,
      ha: fields.ha === true,
      enable_snat: true,
      gateway_id: null,
      interface_ids: [],
      routes: [],
      availability_zone_hints: fields.availability_zone_hints as string[],
      isHosted: false,
    })
    try {
      if (isDictionary(fields.external_gateway_info)) setGateway(router, fields.external_gateway_info, region)
      return router
    } catch (error) {
      region.routers.remove(router)
      throw error
    }
  },
  update: (router, { external_gateway_info: gateway, routes, ...plain }, region) => {
    if (routes !== undefined) setRoutes(router, routes as Route[], region)
    if (gateway !== undefined) setGateway(router, gateway as GatewayInfo | null, region)
    refuseActive(router, plain)
    Object.assign(router, plain)
    touch(region, router)
  },
  remove: (router, region) => {
    const used = interfacesOf(router, region).map(({ id }) => id)
    if (used.length > 0) {
      const message = `Router ${router.id} has ports still attached: ${used.join(', ')}`
      throw refusal(409, 'RouterInUse', message)
    }
    dropGateway(router, region)
    region.routers.remove(router)
  },
  actions: {
    add_router_interface: addInterface,
    remove_router_interface: removeInterface,
    add_extraroutes: (router, body, region, caller) => {
      const added = askedRoutes(body).filter(route => !router.routes.some(old => isSame(old, route)))
      setRoutes(router, [...router.routes, ...added], region)
      return viewWhole(router, region, caller)
    },
    remove_extraroutes: (router, body, region, caller) => {
      const removed = askedRoutes(body)
      const left = router.routes.filter(old => !removed.some(route => isSame(old, route)))
      setRoutes(router, left, region)
      return viewWhole(router, region, caller)
    },
  },
}

const isSame = (a: Route, b: Route) => a.destination === b.destination && a.nexthop === b.nexthop

function setRoutes(router: Router, routes: readonly Route[], region: Region): void {
  checkRoutes(router, routes, surroundings(attachedPorts(router, region), region), region)
  router.routes = routes
  touch(region, router)
}

function askedRoutes(body: unknown): Route[] {
  const { router } = (isDictionary(body) ? body : {}) as { router?: { routes?: Route[] } }
  return router?.routes ?? []
}

/**
 * The view of a router in the answers of two actions, with fields that otherwise only Neutron itself sees.
 */
function viewWhole(router: Router, region: Region, caller: Caller): object {
  const gateway = gatewayOf(router, region)?.id ?? null
  const whole = view(routers, router, region, { ...caller, isAdmin: true })
  return { router: { ...whole, gw_port_id: gateway, ha_vr_id: 0 } }
}

function refuseActive(router: Router, { distributed, ha, admin_state_up }: Fields): void {
  if (!router.admin_state_up || admin_state_up === false) return
  const end = 'of active routers. Please set router admin_state_up to False prior to upgrade'
  if (distributed !== undefined && distributed !== router.distributed) {
    throw badRequest('router', `Cannot change the 'distributed' attribute ${end}`)
  }
  if (ha !== undefined && ha !== router.ha) throw badRequest('router', `Cannot change HA attribute ${end}`)
}

// core's RegionNetworking: every kind of a region's Neutron by its table.

import type {
  MadeKind,
  RegionKind,
  RegionNetworking,
  RegionQuery,
  RegionRows,
  ThingSpec,
} from '../core/network/copies/region-rows.ts'
import * as neutron from './neutron.ts'
import type { NeutronQuery } from './neutron-query.ts'
import {
  addressGroups,
  agents,
  floatingIps,
  type Identified,
  networks,
  ports,
  type Row,
  routers,
  type Spec,
  securityGroupRules,
  securityGroups,
  subnets,
} from './neutron-tables.ts'
import type { RegionClient } from './region.ts'

interface Reads<K extends RegionKind> {
  /** Whole rows, or as much of each as `query.fields` says. */
  list(region: RegionClient, query?: RegionQuery<K>): Promise<RegionRows[K][]>
  get(region: RegionClient, id: string): Promise<RegionRows[K] | null>
}

interface Writes<K extends MadeKind> {
  create(region: RegionClient, spec: ThingSpec<K>): Promise<RegionRows[K]>
  update(region: RegionClient, id: string, spec: ThingSpec<K>): Promise<RegionRows[K]>
  remove(region: RegionClient, id: string): Promise<boolean>
}

type Readers = { readonly [K in RegionKind]: Reads<K> }
type Writers = { readonly [K in MadeKind]: Writes<K> }

const verbs = <R extends Identified>(resource: R) => ({
  list: (region: RegionClient, query?: NeutronQuery<Row<R>, keyof Row<R> & string>) =>
    neutron.list(region, resource, query),
  get: (region: RegionClient, id: string) => neutron.get(region, resource, id),
  create: (region: RegionClient, spec: Spec<R>) => neutron.create(region, resource, spec),
  update: (region: RegionClient, id: string, spec: Spec<R>) => neutron.update(region, resource, id, spec),
  remove: (region: RegionClient, id: string) => neutron.remove(region, resource, id),
})

const kinds: Readers & Writers = {
  network: verbs(networks),
  subnet: verbs(subnets),
  port: verbs(ports),
  router: verbs(routers),
  floatingip: verbs(floatingIps),
  security_group: verbs(securityGroups),
  security_group_rule: verbs(securityGroupRules),
  address_group: verbs(addressGroups),
  agent: verbs(agents),
}
const readers: Readers = kinds
const writers: Writers = kinds

export const networkingOf = (region: RegionClient): RegionNetworking => ({
  list: (kind, query) => readers[kind].list(region, query),
  get: (kind, id) => readers[kind].get(region, id),
  create: (kind, spec) => writers[kind].create(region, spec),
  update: (kind, id, spec) => writers[kind].update(region, id, spec),
  remove: (kind, id) => writers[kind].remove(region, id),
  addLeg: (routerId, leg) => neutron.addRouterInterface(region, routerId, leg),
  removeLeg: (routerId, leg) => neutron.removeRouterInterface(region, routerId, leg),
  addAddresses: (groupId, addresses) => neutron.addAddresses(region, groupId, addresses),
  removeAddresses: (groupId, addresses) => neutron.removeAddresses(region, groupId, addresses),
})

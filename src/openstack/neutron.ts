// Neutron in a region: list, get, create, update and remove for every resource of the tables, and a few actions.
import { isGone } from './fault.ts'
import { checkedId } from './names.ts'
import { type AnyRow, type NeutronQuery, type Plan, planOf } from './neutron-query.ts'
import {
  type AnyResource,
  addressGroups,
  type Identified,
  quota,
  type Row,
  routerInterface,
  routers,
  type Spec,
} from './neutron-tables.ts'
import { followPages } from './paging.ts'
import type { RegionClient, RegionReply } from './region.ts'
import { many, reader, type Shape, type WireFields, written } from './wire-fields.ts'

/**
 * Every row that the query fits, all pages of it. Rows are checked against `where` once more: Neutron ignores filters
 * that it does not know. Throws as `followPages`.
 */
export async function list<R extends AnyResource, K extends keyof Row<R> & string = keyof Row<R> & string>(
  region: RegionClient,
  resource: R,
  query: NeutronQuery<Row<R>, K> = {},
): Promise<Pick<Row<R>, K>[]> {
  const all: WireFields = { ...resource.given, ...resource.told }
  const plan = planOf(all, query)
  if (plan === null) return []
  const rows = await listRows(region, resource, plan)
  return rows.filter(plan.fits).map(plan.narrow) as Pick<Row<R>, K>[]
}

async function listRows(
  region: RegionClient,
  resource: AnyResource,
  { asked, items }: Plan,
): Promise<readonly AnyRow[]> {
  const rows = many(reader(asked))
  const { path } = resource
  if (resource.paged) {
    const idOf = (row: AnyRow): string => row.id as string
    return followPages(region, { service: 'network', path, query: items, many: resource.many, rows, idOf })
  }
  return (await region.call('network', { method: 'GET', path, query: items })).read(rows, resource.many)
}

/** One thing by its id; null when Neutron says that there is none. Throws as `RegionClient.call`, `invalid` for no id. */
export async function get<R extends Identified>(
  region: RegionClient,
  resource: R,
  id: string,
): Promise<Row<R> | null> {
  const path = pathOf(resource, id)
  const reply = await region.call('network', { method: 'GET', path, accept: isGone })
  return reply.status === 404 ? null : readOne(resource, reply, id)
}

/**
 * Creates one thing. Throws as `RegionClient.call`: with reason `maybe_done` (see `isMaybeDone`) it may exist, and is to be
 * looked up by its mark before another is created.
 */
export async function create<R extends Identified>(
  region: RegionClient,
  resource: R,
  spec: Spec<R>,
): Promise<Row<R>> {
  const json = { [resource.one]: written(resource.given, spec) }
  return readOne(resource, await region.call('network', { method: 'POST', path: resource.path, json }))
}

/**
 * Changes the given fields of one thing. With `ifRevision` only when that is still its revision: else `upstream` with
 * status 412. Throws as `RegionClient.call` (404 when there is no such thing), `invalid` for no id.
 */
export async function update<R extends Identified>(
  region: RegionClient,
  resource: R,
  id: string,
  spec: Spec<R>,
  options: { ifRevision?: number } = {},
): Promise<Row<R>> {
  const { ifRevision } = options
  const path = pathOf(resource, id)
  const json = { [resource.one]: written(resource.given, spec) }
  const headers = ifRevision === undefined ? {} : { 'if-match': `revision_number=${ifRevision}` }
  return readOne(resource, await region.call('network', { method: 'PUT', path, json, headers }), id)
}

/**
 * Removes one thing; false when it was gone already (which a repeated try may also find of the first one's work).
 * Throws as `RegionClient.call` (409 when it is in use), `invalid` for no id.
 */
export async function remove(region: RegionClient, resource: Identified, id: string): Promise<boolean> {
  const path = pathOf(resource, id)
  const reply = await region.call('network', { method: 'DELETE', path, accept: isGone })
  return reply.status !== 404
}

/** A router's leg in a subnet: by the subnet (its gateway address is taken) or by a port that was made for it. */
export type LegBy = { readonly subnetId: string } | { readonly portId: string }

const legBody = (leg: LegBy): object =>
  'subnetId' in leg ? { subnet_id: leg.subnetId } : { port_id: leg.portId }

/** Throws as `create`; a leg that the router has already is a refusal with status 400. */
export async function addRouterInterface(
  region: RegionClient,
  routerId: string,
  leg: LegBy,
): Promise<Shape<typeof routerInterface>> {
  const path = `${pathOf(routers, routerId)}/add_router_interface`
  const reply = await region.call('network', { method: 'PUT', path, json: legBody(leg) })
  return reply.read(reader(routerInterface))
}

/** False when the router has no such leg, or is gone itself. Throws as `create`. */
export async function removeRouterInterface(
  region: RegionClient,
  routerId: string,
  leg: LegBy,
): Promise<boolean> {
  const path = `${pathOf(routers, routerId)}/remove_router_interface`
  const reply = await region.call('network', { method: 'PUT', path, json: legBody(leg), accept: isGone })
  return reply.status !== 404
}

/** Adds CIDRs to an address group. One that it has already is a refusal of all (400 `AddressesAlreadyExist`). */
export const addAddresses = (region: RegionClient, groupId: string, addresses: readonly string[]) =>
  changeAddresses(region, groupId, 'add_addresses', addresses)

/** Takes CIDRs out of an address group. One that it does not have is a refusal of all (404 `AddressesNotFound`). */
export const removeAddresses = (region: RegionClient, groupId: string, addresses: readonly string[]) =>
  changeAddresses(region, groupId, 'remove_addresses', addresses)

async function changeAddresses(
  region: RegionClient,
  groupId: string,
  action: 'add_addresses' | 'remove_addresses',
  addresses: readonly string[],
): Promise<Row<typeof addressGroups>> {
  const path = `${pathOf(addressGroups, groupId)}/${action}`
  // Not below `address_group`, as the other bodies are: Neutron 21 answers that with 500.
  const reply = await region.call('network', { method: 'PUT', path, json: { addresses } })
  return readOne(addressGroups, reply, groupId)
}

/** A project's quotas in the region, and what is in use of them. Throws as `RegionClient.call`. */
export async function getQuota(region: RegionClient, projectId: string): Promise<Shape<typeof quota>> {
  const path = `/quotas/${checkedId(projectId)}/details.json`
  const reply = await region.call('network', { method: 'GET', path })
  return reply.read(reader(quota), 'quota')
}

const pathOf = (resource: AnyResource, id: string): string => `${resource.path}/${checkedId(id)}`

/** The one resource in an answer; when it was asked for by id, it must have that id. */
function readOne<R extends Identified>(resource: R, reply: RegionReply, id?: string): Row<R> {
  const row = reply.read(reader({ ...resource.given, ...resource.told }), resource.one)
  if (id !== undefined && row.id !== id) throw reply.unexpected(`another ${resource.one}, ${row.id}`)
  return row as Row<R>
}

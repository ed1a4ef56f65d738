// The few queries of the model that verbs make beside reading single rows.

import type { Kind, Kinds, Port } from './model.ts'
import type { FieldCondition, Reads } from './network-store.ts'

/** All rows that fit these conditions, of any project. */
export async function all<K extends Kind>(
  { networks }: Reads,
  kind: K,
  ...where: readonly FieldCondition[]
): Promise<Kinds[K][]> {
  const query = { sight: 'atoll', where, sort: [], limit: null, marker: null, reverse: false } as const
  return (await networks.list(kind, query)) ?? []
}

/** As `all`, with no more than `limit` rows. */
export async function some<K extends Kind>(
  { networks }: Reads,
  kind: K,
  limit: number,
  ...where: readonly FieldCondition[]
): Promise<Kinds[K][]> {
  const query = { sight: 'atoll', where, sort: [], limit, marker: null, reverse: false } as const
  return (await networks.list(kind, query)) ?? []
}

export const interfaceOwner = 'network:router_interface'

/** The ports by which a router is on its networks. */
export const interfacesOf = (reads: Reads, routerId: string): Promise<Port[]> =>
  all(reads, 'port', { field: 'deviceId', in: [routerId] }, { field: 'deviceOwner', in: [interfaceOwner] })

/** The ports by which routers are on a network. */
export const interfacesOn = (reads: Reads, networkId: string): Promise<Port[]> =>
  all(reads, 'port', { field: 'networkId', in: [networkId] }, { field: 'deviceOwner', in: [interfaceOwner] })

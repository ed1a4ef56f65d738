// A routing: one row maps a central resource to its copy in one region. Its shape and its store's port.

import type { Note } from '../note.ts'
import type { PageRequest } from '../page.ts'

/** What a user may route by hand; other types are written by Atoll alone. */
export const resourceTypes = [
  'network',
  'subnet',
  'port',
  'router',
  'security_group',
  'trunk',
  'port_pair',
  'port_pair_group',
  'flow_classifier',
  'port_chain',
  'qos_policy',
] as const

export interface Routing {
  /** Ascending in order of creation. */
  readonly id: number
  /** The id of a central resource, or the name of one that is known by name. */
  readonly centralId: string
  /** Null while the copy in the region is being made. */
  readonly regionalId: string | null
  readonly regionId: string
  readonly projectId: string
  readonly resourceType: string
  /** Whole seconds, as they are shown and filtered by; the audit trail has them exactly. */
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

export type RoutingSpec = Pick<
  Routing,
  'centralId' | 'regionalId' | 'regionId' | 'projectId' | 'resourceType'
>
export type RoutingChange = Partial<RoutingSpec>

/** Equality on each field given. */
export type RoutingFilter = Partial<RoutingSpec & Pick<Routing, 'id' | 'createdAt'> & { updatedAt: Date }>

/** Things of a type in a region. */
export type RoutedKind = Pick<Routing, 'resourceType' | 'regionId'>

export interface RoutingStore {
  /** Up to `limit` routings with descending ids, below `marker`. */
  list(filter: RoutingFilter, page: PageRequest<number>): Promise<Routing[]>
  get(id: number): Promise<Routing | null>
  /** The central ids of what has these ids in a region, by them; of those that are known. */
  centralIds(at: RoutedKind, regionalIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** The central ids of all of a type that is in a region, by their ids there. */
  placed(at: RoutedKind): Promise<ReadonlyMap<string, string>>
  /** Adds all or none, in order. Throws `conflict` for one that exists, `invalid` for an unknown region. */
  append(specs: readonly RoutingSpec[], note: Note): Promise<Routing[]>
  /** The routing as it is now but for `updatedAt`, which is as it was; null when there is none. Throws like append. */
  update(id: number, change: RoutingChange, note: Note): Promise<Routing | null>
  /** False when there is none. */
  remove(id: number, note: Note): Promise<boolean>
}

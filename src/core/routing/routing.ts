// A routing: one row maps a central resource to its copy in one region. Its shape and its store's port.

import type { Note } from '../note.ts'
import type { PageRequest } from '../page.ts'

/**
 * The types of resources that a user may route by hand; routings of all other types are written by Atoll
 * alone.
 */
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

/** A type of resource in a region. */
export type RoutedKind = Pick<Routing, 'resourceType' | 'regionId'>

export interface RoutingStore {
  /** Up to `limit` routings with descending ids, below `marker`. */
  list(filter: RoutingFilter, page: PageRequest<number>): Promise<Routing[]>
  get(id: number): Promise<Routing | null>
  /**
   * The central ids of resources that have these ids in a region, by the regional ids; ids without a routing
   * are left out.
   */
  centralIds(at: RoutedKind, regionalIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** The central ids of all resources of a type that have a routing in a region, by the regional ids. */
  placed(at: RoutedKind): Promise<ReadonlyMap<string, string>>
  /**
   * Adds all routings or none, in order. Throws `conflict` for one that exists, `invalid` for an unknown
   * region.
   */
  append(specs: readonly RoutingSpec[], note: Note): Promise<Routing[]>
  /** The changed routing, still with its old `updatedAt`; null when there is none. Throws as append. */
  update(id: number, change: RoutingChange, note: Note): Promise<Routing | null>
  /** False when there is no such routing. */
  remove(id: number, note: Note): Promise<boolean>
}

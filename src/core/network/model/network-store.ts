// The port of the central model's store.

import type { Note } from '../../note.ts'
import type { RegionStore } from '../../regions/region.ts'
import type { Absence, LostLink, NewAbsence } from './absence.ts'
import type { AllocationPool, Change, Kind, Kinds, Written } from './model.ts'

/**
 * Whose view a query has: a project sees its own rows, networks that are shared or external with their subnets, and
 * what others have on its networks; null sees all rows but the bridge networks, 'atoll' sees those as well.
 */
export type Sight = { readonly projectId: string } | null | 'atoll'

/** A condition of a query. Rows fit all conditions of a query, and any one of the values of a condition. */
export type FieldCondition =
  /** A plain field has one of these values (null among them for none). */
  | { readonly field: string; readonly in: readonly (string | number | boolean | null)[] }
  /** A list field (`zoneHints`, `securityGroupIds`, `subnetIds`) has one of these. */
  | { readonly field: string; readonly has: readonly string[] }
  /**
   * A port has one of these addresses, an address in one of these subnets, or one whose text has one of these
   * in it.
   */
  | { readonly fixedIp: 'ipAddress' | 'subnetId' | 'ipAddressSubstr'; readonly in: readonly string[] }
  /** The resource has a place in one of these regions. */
  | { readonly region: readonly string[] }
  | { readonly changedSince: Date }

export interface Order {
  readonly field: string
  readonly descending: boolean
}

export interface ResourceQuery {
  readonly sight: Sight
  readonly where: readonly FieldCondition[]
  /** Sorts rows by these fields in turn, and last by id where that is not among them. */
  readonly sort: readonly Order[]
  /** Null for all. */
  readonly limit: number | null
  /** The id of the row after which (before which, where `reverse`) the page begins. */
  readonly marker: string | null
  /** Whether the page is the one before the marker, in the same order. */
  readonly reverse: boolean
}

export interface NetworkStore extends SegmentStore {
  /** Null when this sight has no row with the marker's id. */
  list<K extends Kind>(kind: K, query: ResourceQuery): Promise<Kinds[K][] | null>
  get<K extends Kind>(kind: K, id: string, sight: Sight): Promise<Kinds[K] | null>
  /** The rows of these ids that the model has, in no order, whatever the sight. */
  getMany<K extends Kind>(kind: K, ids: readonly string[]): Promise<Kinds[K][]>
  /** How many resources of each kind a project has. */
  counts(projectId: string): Promise<Readonly<Record<Kind, number>>>
  /** The holdings of a subnet: for all purposes, or for these. */
  holdings(subnetId: string, purposes?: readonly Purpose[]): Promise<Holding[]>
  /** The addresses that these holders have as gateways and legs, in no order. */
  addressesHeldBy(asked: readonly HolderInSubnet[]): Promise<(HolderInSubnet & { readonly start: string })[]>
  /** How many ports of these networks this sight has, in each region, and reserved. */
  portCounts(sight: Sight, networkIds: readonly string[]): Promise<PortCount[]>
}

/** The holder of an address, and its subnet. */
export type HolderInSubnet = Pick<Holding, 'holder' | 'subnetId'>

export interface PortCount {
  readonly networkId: string
  /** The region's name; null for the count of reserved ports. */
  readonly region: string | null
  readonly count: number
}

/** Where the model is read: the store itself, or a transaction of it. */
export interface Reads {
  readonly networks: NetworkStore
  readonly regions: Pick<RegionStore, 'list'>
}

/** The purposes of a holding. */
export type Purpose =
  /** An address of a port. */
  | 'port'
  /** A region's own address as the subnet's gateway. */
  | 'gateway'
  /** A leg of a router's copy. */
  | 'leg'
  /** A range of addresses that the region gives to its ports as it likes. */
  | 'block'

/** The scope of addresses that Atoll holds centrally; all others are in a region's scope, which is its id. */
export const centralScope = 'central'

/** A range of addresses (a single address is both ends of its range) that is held in a subnet. */
export interface Holding {
  readonly subnetId: string
  readonly start: string
  readonly end: string
  /** A region's id, or `centralScope`. Holdings that overlap must be of one scope. */
  readonly scope: string
  readonly purpose: Purpose
  /** The port's id; for a gateway the region's id; for a leg `ROUTER/REGION`; for a block the region's id. */
  readonly holder: string
}

/**
 * The changes of the central model that one transaction may make. For an id that the model does not have
 * `update` returns null and `remove` false.
 */
export interface NetworkWriter extends SegmentWriter {
  /** The row as it is, locked until the end; null when there is none. */
  lock<K extends Kind>(kind: K, id: string): Promise<Kinds[K] | null>
  /** Throws `conflict` (`mac_in_use`, `exists` for the id or a project's second default group). */
  insert<K extends Kind>(kind: K, row: Written<K>, note: Note): Promise<void>
  /** Changes a row; its revision rises by one and `updatedAt` is the note's time. Throws as `insert`. */
  update<K extends Kind>(kind: K, id: string, change: Change<K>, note: Note): Promise<Kinds[K] | null>
  /**
   * Removes a row with its places and holdings, and ends its intents. Throws `conflict` (`in_use`) while
   * another row needs it.
   */
  remove(kind: Kind, id: string, note: Note): Promise<boolean>
  /**
   * As `remove`, of a resource that its region does not show any more: it becomes an absence, and may be
   * taken back.
   */
  lose(absence: NewAbsence, note: Note): Promise<boolean>
  /**
   * Takes an absent resource back into the model as it was. Null when it is absent no more; throws as
   * `insert`.
   */
  takeBack(absence: Absence, note: Note): Promise<{ readonly links: readonly LostLink[] } | null>
  /**
   * Gives up an address that is kept for an absent port, since the region has given it to another; false when
   * it was not kept.
   */
  giveWay(subnetId: string, address: string): Promise<boolean>
  /** Whether a MAC address of the network is kept for an absent port. */
  isMacKept(networkId: string, macAddress: string): Promise<boolean>
  /** Throws `conflict` (`over_quota`) when the project would have more than `most` (-1: no limit) with `more` of them. */
  quota(kind: Kind, projectId: string, more: number, most: number): Promise<void>

  /** Throws `conflict` (`address_in_use`) for an address that is held, or is in another scope's block. */
  hold(holding: Holding): Promise<void>
  /**
   * Holds some free address of the pools that is in no block, and returns it; null when none is free. Callers
   * at the same time get different addresses.
   */
  holdAny(pools: readonly AllocationPool[], holding: Omit<Holding, 'start' | 'end'>): Promise<string | null>
  /** Releases the holdings of a holder for this purpose, in one subnet or in all. */
  release(purpose: Purpose, holder: string, subnetId?: string): Promise<void>
  /** Locks the subnet's row, so that its blocks change one after another. */
  lockBlocks(subnetId: string): Promise<void>
  /**
   * Replaces the region's blocks in a subnet; throws `conflict` (`address_in_use`) where others hold
   * something in them.
   */
  setBlocks(subnetId: string, regionId: string, blocks: readonly AllocationPool[]): Promise<void>

  /** Notes the place of a resource; an earlier place in that region is replaced. */
  place(place: NewPlace): Promise<void>
  /** Removes the place of a resource in a region. */
  unplace(kind: string, centralId: string, regionId: string): Promise<void>
}

export interface NewPlace {
  /** A `Kind`, or a shadow's: `shadow_network`, `shadow_subnet`, `shadow_port`. */
  readonly kind: string
  readonly centralId: string
  readonly projectId: string
  readonly regionId: string
  readonly regionalId: string
  readonly at: Date
}

// Segments of the fabric: what Atoll makes holds its own, what regions show closes theirs.

export interface SegmentAsk {
  readonly networkId: string
  readonly networkType: string
  readonly physicalNetwork: string
  readonly from: number
  readonly to: number
  /** The id of the one region where the network lives: it has judged itself what it shows. */
  readonly homeId?: string
}

export interface Fabric {
  readonly networkType: string
  readonly physicalNetwork: string
}

/** A network on the fabric, as a region shows it. */
export interface ShownNetwork {
  /** The region's id of it. */
  readonly id: string
  readonly name: string
  readonly segmentationId: number
}

/** All networks that a region shows on the fabric. */
export interface SegmentSight {
  readonly regionId: string
  readonly shown: readonly ShownNetwork[]
  readonly at: Date
}

/** A network that a region showed on a segment which another network has. */
export interface SegmentClash extends ShownNetwork {
  readonly region: string
  readonly physicalNetwork: string
  readonly seenAt: Date
  /** The other one: of one region, or spanning where `region` is null. */
  readonly other: { readonly id: string; readonly name: string; readonly region: string | null }
}

export interface SegmentStore {
  /** The region's ids of the networks whose numbers are closed, but for those that wait for an absent network. */
  seenSegments(regionId: string): Promise<string[]>
  /** Every clash, in order of the regions' names. */
  segmentClashes(): Promise<SegmentClash[]>
}

export interface SegmentWriter {
  /** A free id of the range, or this one; null when there is none left, `conflict` (`segment_in_use`) for one that is taken. */
  takeSegment(ask: SegmentAsk): Promise<number | null>
  /** Throws `conflict` (`segment_in_use`) as `takeSegment` would for this one, and takes nothing. */
  checkSegment(ask: SegmentAsk): Promise<void>
  /**
   * Replaces what the region was seen to have. A network of the model that holds no segment takes its own where that is
   * free; all that hold none then close their numbers.
   */
  seeSegments(fabric: Fabric, sight: SegmentSight): Promise<void>
}

// The port of the central model's store.

import type { Note } from '../../note.ts'
import type { RegionStore } from '../../regions/region.ts'
import type { Absence, LostLink, NewAbsence } from './absence.ts'
import type { Change, Kind, Kinds, Pool, Written } from './model.ts'

/**
 * Who looks: one project sees its own, networks that are shared or external, and subnets of those that are shared; null
 * sees all but the bridge networks, 'atoll' those as well.
 */
export type Sight = { readonly projectId: string } | null | 'atoll'

/** All conditions of a query hold at once; of one condition any of its values is enough. */
export type Condition =
  /** A plain field is one of these (null among them for no value). */
  | { readonly field: string; readonly in: readonly (string | number | boolean | null)[] }
  /** A list field (`zoneHints`, `securityGroupIds`, `subnetIds`) has one of these. */
  | { readonly field: string; readonly has: readonly string[] }
  /** A port has an address so, in a subnet so, or one that has this text in it. */
  | { readonly fixedIp: 'ipAddress' | 'subnetId' | 'ipAddressSubstr'; readonly in: readonly string[] }
  /** It is in one of these regions. */
  | { readonly region: readonly string[] }
  | { readonly changedSince: Date }

export interface Order {
  readonly field: string
  readonly descending: boolean
}

export interface ResourceQuery {
  readonly sight: Sight
  readonly where: readonly Condition[]
  /** By these fields, and last by id where that is not among them. */
  readonly sort: readonly Order[]
  /** Null for all. */
  readonly limit: number | null
  /** The id of the row after which (before which, where `reverse`) the page is. */
  readonly marker: string | null
  /** The page before the marker, in the same order. */
  readonly reverse: boolean
}

export interface NetworkStore {
  /** Null when nobody who looks so sees a row with the marker's id. */
  list<K extends Kind>(kind: K, query: ResourceQuery): Promise<Kinds[K][] | null>
  get<K extends Kind>(kind: K, id: string, sight: Sight): Promise<Kinds[K] | null>
  /** Those of these ids that there are, in no order; whoever looks. */
  getMany<K extends Kind>(kind: K, ids: readonly string[]): Promise<Kinds[K][]>
  /** How many of each a project has. */
  counts(projectId: string): Promise<Readonly<Record<Kind, number>>>
  /** What is held of a subnet: for all purposes, or for these. */
  holdings(subnetId: string, purposes?: readonly Purpose[]): Promise<Holding[]>
  /** The addresses that are held so as gateways and legs, in no order. */
  heldBy(asked: readonly Held[]): Promise<(Held & { readonly start: string })[]>
  /** How many ports of these networks who looks so sees, in each region, and reserved. */
  portCounts(sight: Sight, networkIds: readonly string[]): Promise<PortCount[]>
}

/** By whom, and in which subnet, an address is held. */
export type Held = Pick<Holding, 'holder' | 'subnetId'>

export interface PortCount {
  readonly networkId: string
  /** The region's name; null for those that are reserved. */
  readonly region: string | null
  readonly count: number
}

/** Where the model is read: the store itself, or a transaction of it. */
export interface Reads {
  readonly networks: NetworkStore
  readonly regions: Pick<RegionStore, 'list'>
}

/** What an address, or a block of them, is held for. */
export type Purpose =
  /** A port's. */
  | 'port'
  /** A region's own address as the subnet's gateway. */
  | 'gateway'
  /** A leg of a router's copy. */
  | 'leg'
  /** The region gives it, and what follows to the end, to whom it likes. */
  | 'block'

/** Whose scope an address is in: a region's id, or this for what no region has. */
export const centralScope = 'central'

/** A range of addresses (of one address: both ends are it) that is held in a subnet. */
export interface Holding {
  readonly subnetId: string
  readonly start: string
  readonly end: string
  /** A region's id, or `centralScope`. What overlaps must be in one scope. */
  readonly scope: string
  readonly purpose: Purpose
  /** The port's id; for a gateway the region's id; for a leg `ROUTER/REGION`; for a block the region's id. */
  readonly holder: string
}

/** What one transaction may do to the central model. Ids that are not there: `update` null, `remove` false. */
export interface NetworkWriter {
  /** The row as it is, locked until the end; null when there is none. */
  lock<K extends Kind>(kind: K, id: string): Promise<Kinds[K] | null>
  /** Throws `conflict` (`mac_in_use`, `exists` for the id or a project's second default group). */
  insert<K extends Kind>(kind: K, row: Written<K>, note: Note): Promise<void>
  /** With a revision one higher and `updatedAt` the note's time. Throws as `insert`. */
  update<K extends Kind>(kind: K, id: string, change: Change<K>, note: Note): Promise<Kinds[K] | null>
  /** With its places, holdings and intents' ends. Throws `conflict` (`in_use`) while another row needs it. */
  remove(kind: Kind, id: string, note: Note): Promise<boolean>
  /** As `remove`, of something that its region does not show any more: it may come back. */
  lose(absence: NewAbsence, note: Note): Promise<boolean>
  /** What is absent stands in the model as it did. Null when it is absent no more; throws as `insert`. */
  takeBack(absence: Absence, note: Note): Promise<{ readonly links: readonly LostLink[] } | null>
  /** The region has given the address to somebody else: true when it was kept for something absent. */
  giveWay(subnetId: string, address: string): Promise<boolean>
  /** Whether a MAC address of the network is kept for something absent. */
  isMacKept(networkId: string, macAddress: string): Promise<boolean>
  /** Throws `conflict` (`over_quota`) when the project would have more than `most` (-1: no limit) with `more` of them. */
  quota(kind: Kind, projectId: string, more: number, most: number): Promise<void>

  /** Throws `conflict` (`address_in_use`) for an address that is held, or is in another scope's block. */
  hold(holding: Holding): Promise<void>
  /**
   * Holds some free address of the pools that is in nobody's block and returns it; null when there is none. Any
   * number of callers at once get different ones.
   */
  holdAny(pools: readonly Pool[], holding: Omit<Holding, 'start' | 'end'>): Promise<string | null>
  /** Gives back what a holder has for this purpose, in one subnet or in all. */
  release(purpose: Purpose, holder: string, subnetId?: string): Promise<void>
  /** Takes the subnet's row, so that blocks change one after another. */
  lockBlocks(subnetId: string): Promise<void>
  /** In place of the region's blocks in a subnet; throws `conflict` (`address_in_use`) where others hold something. */
  setBlocks(subnetId: string, regionId: string, blocks: readonly Pool[]): Promise<void>

  /** A free id of the range, or this one; null when there is none left, `conflict` (`segment_in_use`) for one that is taken. */
  takeSegment(segment: SegmentAsk): Promise<number | null>

  /** Notes where a resource is; an earlier place in that region is replaced. */
  place(place: NewPlace): Promise<void>
  /** It is not there any more. */
  unplace(kind: string, centralId: string, regionId: string): Promise<void>
}

export interface SegmentAsk {
  readonly networkId: string
  readonly networkType: string
  readonly physicalNetwork: string
  readonly from: number
  readonly to: number
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

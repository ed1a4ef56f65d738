// A region: what the Tricircle API calls a pod and Promise a provider. Its shape, who may join, and its store's port.

import type { TurnAsk } from '../clockwork.ts'
import type { Note } from '../note.ts'

export interface Region {
  readonly id: string
  /** The region's name in Keystone. */
  readonly name: string
  /** The zone that tenants name in hints; empty for the central region. */
  readonly availabilityZone: string
  /** The zone's name inside the region; empty when requests to the region carry none. */
  readonly localAvailabilityZone: string
  readonly dataCenter: string
  readonly createdAt: Date
}

export type RegionSpec = Pick<Region, 'name' | 'availabilityZone' | 'localAvailabilityZone' | 'dataCenter'>

export const isCentral = (region: Pick<Region, 'availabilityZone'>): boolean => region.availabilityZone === ''

export type RegionRefusal = 'central_exists' | 'name_is_central' | 'name_taken' | 'name_reserved'

/** Region names that the paths of Atoll need: `v1` is a version in `/reservation/{region}/v1`. */
const reservedNames: readonly string[] = ['v1']

/** Whether a region may join the existing ones: null when it may, else the first reason why not. */
export function admitRegion(spec: RegionSpec, existing: readonly Region[]): RegionRefusal | null {
  if (reservedNames.includes(spec.name)) return 'name_reserved'
  const central = existing.find(isCentral)
  if (isCentral(spec) && central) return 'central_exists'
  if (central?.name === spec.name) return 'name_is_central'
  if (existing.some(region => region.name === spec.name)) return 'name_taken'
  return null
}

/** The rows that depend on a region, and so keep it from being removed. */
export interface RegionUse {
  readonly routings: number
  readonly bindings: number
  readonly hosts: number
  readonly leases: number
  readonly providers: number
}

export interface RegionStore {
  /** The regions, in order of creation. */
  list(): Promise<Region[]>
  get(id: string): Promise<Region | null>
  /**
   * Creates a region and asks for its turns. Throws `conflict` with a RegionRefusal as reason when another
   * process was first.
   */
  create(region: Region, note: Note, asks?: readonly TurnAsk[]): Promise<void>
  /** False when there is no such region; throws `conflict` (`in_use`) while rows depend on it. */
  remove(id: string, note: Note): Promise<boolean>
  use(id: string): Promise<RegionUse>
}

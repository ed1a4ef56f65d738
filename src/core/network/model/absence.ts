// Absences: resources that left the model because their region did not show them any more. They are kept for
// a day, and one that the region shows again is taken back.

import type { Kind, Port } from './model.ts'

/** How long after it was seen to be gone an absent resource may be taken back. */
export const absentForMs = 24 * 3_600_000

/**
 * The kinds of resources that leave the model when their region does not show them any more, in an order in
 * which nothing leaves before what needs it.
 */
export const leavingKinds = ['floatingip', 'port', 'router', 'subnet', 'network'] as const
export type LeavingKind = (typeof leavingKinds)[number]

/** A floating IP that led to a port which is absent. */
export interface LostLink {
  readonly floatingIpId: string
  readonly fixedIpAddress: string | null
  readonly routerId: string | null
}

/** A resource that is absent from the model, and the place that it had. */
export interface Absence {
  readonly kind: LeavingKind
  /** The central id. */
  readonly id: string
  readonly regionId: string
  readonly regionalId: string
}

export interface NewAbsence extends Absence {
  readonly links: readonly LostLink[]
}

/** A port that is absent, as far as groups in other regions know of it. */
export type AbsentMember = Pick<Port, 'securityGroupIds' | 'places' | 'fixedIps'>

export interface AbsenceStore {
  /** The kinds of a region's absent resources. */
  kinds(regionId: string): Promise<LeavingKind[]>
  /** The absent resources that had one of these ids in the region. */
  withIds(regionId: string, kind: Kind, regionalIds: readonly string[]): Promise<Absence[]>
  /** The absent resources that bore one of these marks, by the mark. */
  withMarks(regionId: string, kind: Kind, intentIds: readonly string[]): Promise<ReadonlyMap<string, Absence>>
  /** The ports that are in one of these groups, with the addresses that are kept for them. */
  members(groupIds: readonly string[]): Promise<AbsentMember[]>
  /** The groups of the ports that are absent from a network. */
  groupsOn(networkId: string): Promise<string[]>
  /** Those that were seen to be gone before then can come back no more: what was held for them is free. Returns how many. */
  forget(before: Date, limit: number): Promise<number>
}

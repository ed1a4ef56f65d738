// What left the model because a region did not show it any more, kept for a day: what comes back is known again.

import type { Kind, Port } from './model.ts'

/** How long something that was seen to be gone may come back as what it was. */
export const absentForMs = 24 * 3_600_000

/** The kinds that leave the model when their region has them no more, in an order in which nothing goes before what needs it. */
export const leavingKinds = ['floatingip', 'port', 'router', 'subnet', 'network'] as const
export type LeavingKind = (typeof leavingKinds)[number]

/** A floating IP that led to a port which is absent. */
export interface LostLink {
  readonly floatingIpId: string
  readonly fixedIpAddress: string | null
  readonly routerId: string | null
}

/** Where something was that is absent now. */
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
  /** Of which kinds something is absent in a region. */
  kinds(regionId: string): Promise<LeavingKind[]>
  /** Those that had one of these ids in the region. */
  withIds(regionId: string, kind: Kind, regionalIds: readonly string[]): Promise<Absence[]>
  /** Those that bore one of these marks, by the mark. */
  withMarks(regionId: string, kind: Kind, intentIds: readonly string[]): Promise<ReadonlyMap<string, Absence>>
  /** The ports that are in one of these groups, with the addresses that are kept for them. */
  members(groupIds: readonly string[]): Promise<AbsentMember[]>
  /** Those that were seen to be gone before then can come back no more: what was held for them is free. Returns how many. */
  forget(before: Date, limit: number): Promise<number>
}

// Suspicions: when a region is not believed. That a thing is gone is a claim which is checked: a service user
// without its role sees empty lists, and so does everybody in a Neutron that was pointed at another database.
// While a region is suspect nothing of it leaves the model, and nothing is removed there.

import type { Note } from '../note.ts'

/**
 * The services through which a region is seen: its Neutron, or its Nova and Placement, which only together
 * show a host.
 */
export const sightKinds = ['network', 'compute'] as const
export type SightKind = (typeof sightKinds)[number]

export interface Count {
  /** How many things of a kind the region does not show. */
  readonly missing: number
  /** How many things of the kind the model has there. */
  readonly known: number
}

/** Counts by kind (`port`, `router`, `host`, …). */
export type Counts = Readonly<Record<string, Count>>

export interface Suspicion {
  readonly regionId: string
  readonly through: SightKind
  readonly since: Date
  /** Why the region is suspect, as a sentence. */
  readonly reason: string
  readonly counts: Counts
  /** How many things of each kind an administrator has confirmed are gone; null before that. */
  readonly confirmed: Readonly<Record<string, number>> | null
}

export interface SuspicionStore {
  /** The suspicions that stand, in order of their regions' names. */
  list(): Promise<Suspicion[]>
  get(regionId: string, through: SightKind): Promise<Suspicion | null>
  /**
   * Raises a suspicion; true for a new one. One that stands already keeps its `since` and what was confirmed.
   */
  raise(suspicion: Omit<Suspicion, 'confirmed'>): Promise<boolean>
  /** Lowers a suspicion; false when there was none. */
  lower(regionId: string, through: SightKind): Promise<boolean>
  /** Writes that a suspicion's counts are confirmed; false when there is none with these counts. */
  confirm(suspicion: Suspicion, note: Note): Promise<boolean>
}

/** What the operator has set for all regions. */
export interface RegionRules {
  /** How many things of a kind may be gone at once. */
  readonly mostGone: number
}

/** The findings of a look that bear on whether it may be followed. */
export interface Look {
  /** Why the service user does not see as an administrator; null when it does. */
  readonly blind: Blindness | null
  readonly counts: Counts
}

export interface Blindness {
  readonly sentence: string
  /** Whether the region may be empty indeed, which only an administrator can know. */
  readonly isPerhapsEmpty: boolean
}

/** So few things may always be gone at once, since people remove things. */
const alwaysFew = 3

/**
 * How many of `known` things may be gone at once: no more than `most`, nor than a fifth, but always a few.
 */
export const mostGone = (known: number, most: number): number =>
  Math.max(alwaysFew, Math.min(most, Math.floor(known / 5)))

/** Why a look is not to be followed, as a sentence; null when it may be. */
export function doubtOf(
  { blind, counts }: Look,
  most: number,
  confirmed: Suspicion['confirmed'] = null,
): string | null {
  const missing = Object.entries(counts).filter(([, count]) => count.missing > 0)
  if (missing.length === 0) return null
  if (blind && !(blind.isPerhapsEmpty && confirmed)) return blind.sentence
  // Of a region that shows nothing at all only what an administrator was shown is let go.
  const unasked = (known: number): number => (blind ? 0 : mostGone(known, most))
  const tooMany = missing.filter(
    ([kind, count]) => count.missing > Math.max(unasked(count.known), confirmed?.[kind] ?? 0),
  )
  if (tooMany.length === 0) return null
  const words = tooMany.map(([kind, count]) => `${count.missing} of ${count.known} ${kind}s`)
  return `${words.join(', ')} are missing at once`
}

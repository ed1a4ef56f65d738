// When a region is not believed. Gone is a claim that is checked: a service user without its role sees empty lists, and
// so does everybody in a Neutron that was pointed at another database. While a region is suspect nothing of it leaves
// the model, and nothing is removed there.

import type { Note } from '../note.ts'

/** Through what a region is seen: its Neutron, or its Nova and Placement, which only together show a host. */
export const sightKinds = ['network', 'compute'] as const
export type SightKind = (typeof sightKinds)[number]

export interface Count {
  /** How many of them the region does not show. */
  readonly missing: number
  /** How many the model has there. */
  readonly known: number
}

/** By kind (`port`, `router`, `host`, …). */
export type Counts = Readonly<Record<string, Count>>

export interface Suspicion {
  readonly regionId: string
  readonly through: SightKind
  readonly since: Date
  /** A sentence. */
  readonly reason: string
  readonly counts: Counts
  /** By kind, how many an administrator has said are gone indeed; null before. */
  readonly confirmed: Readonly<Record<string, number>> | null
}

export interface SuspicionStore {
  /** In order of their regions' names. */
  list(): Promise<Suspicion[]>
  get(regionId: string, through: SightKind): Promise<Suspicion | null>
  /** Of one that stands, since when and what was confirmed stays; true for a new one. */
  raise(suspicion: Omit<Suspicion, 'confirmed'>): Promise<boolean>
  /** False when there was none. */
  lower(regionId: string, through: SightKind): Promise<boolean>
  /** False when there is none that has these counts. */
  confirm(suspicion: Suspicion, note: Note): Promise<boolean>
}

/** What the operator has set for all regions. */
export interface RegionRules {
  /** How many of a kind may be gone at once. */
  readonly mostGone: number
}

/** What a look has found that bears on whether it may be followed. */
export interface Look {
  /** Why the service user does not see as an administrator; null when it does. */
  readonly blind: Blindness | null
  readonly counts: Counts
}

export interface Blindness {
  readonly sentence: string
  /** Whether the region may be empty indeed, which an administrator can know. */
  readonly isPerhapsEmpty: boolean
}

/** So few may always be gone at once: people remove things. */
const alwaysFew = 3

/** How many of `known` may be gone at once: no more than `most`, nor than a fifth, but a few always. */
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

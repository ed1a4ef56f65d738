// An instance: a server at a provider, drawn on a reservation of capacity or charged by itself.

import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'

/**
 * `building` until Nova says what became of it; `deleting` until it is gone. `error` and `gone` are charged no more.
 */
export type InstanceStatus = 'building' | 'active' | 'deleting' | 'error' | 'gone'

/** Those that take capacity. */
export const charged: readonly InstanceStatus[] = ['building', 'active', 'deleting']

export interface Instance {
  /** Also the mark of its server. */
  readonly id: string
  readonly projectId: string
  readonly userId: string
  readonly providerId: string
  /** What it is drawn on; null where it is charged by itself. */
  readonly reservationId: string | null
  readonly name: string
  readonly flavorId: string
  readonly image: string
  readonly networks: readonly string[]
  readonly amounts: Amounts
  /** Nova's id; null until it is known. */
  readonly serverId: string | null
  readonly status: InstanceStatus
  /** What went wrong, for people. */
  readonly reason: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** When it was charged no more. */
  readonly endedAt: Date | null
}

export interface InstanceStore {
  get(id: string): Promise<Instance | null>
  /** Those of a provider that take capacity. */
  charged(providerId: string): Promise<Instance[]>
}

export interface InstanceWriter {
  lock(id: string): Promise<Instance | null>
  /** Those that are drawn on a reservation and take capacity. */
  drawn(reservationId: string): Promise<Instance[]>
  insert(instance: Instance, note: Note): Promise<void>
  replace(instance: Instance, note: Note): Promise<void>
}

// An instance: a server at a provider, drawn on a reservation of capacity or charged by itself.

import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'

/**
 * `building` until Nova says what became of it; `deleting` until it is gone. What is in `error` or `gone` takes nothing.
 */
export type InstanceStatus = 'building' | 'active' | 'deleting' | 'error' | 'gone'

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
  /** Why: a verb (or Nova's answer to one), or that its server was not seen; null while it is charged. */
  readonly endedBy: 'verb' | 'absence' | null
}

/** Of an instance that has ended: what is to become of a server of it that shows all the same. */
export interface LateServer {
  readonly serverId: string
  readonly instance: Instance
}

export interface SeenServer {
  readonly id: string
  /** The instance that it says it is of. */
  readonly mark: string | null
}

export interface InstanceStore {
  get(id: string): Promise<Instance | null>
  getMany(ids: readonly string[]): Promise<Instance[]>
  /** Those that take capacity, drawn on one of these reservations. */
  drawnOn(reservationIds: readonly string[]): Promise<Instance[]>
  /** Those of a provider of which something is to be seen: neither in `error` nor `gone`. */
  watched(providerId: string): Promise<Instance[]>
  /** Whether any of a provider has ended at this time or later. */
  anyEndedSince(providerId: string, since: Date): Promise<boolean>
  /**
   * Which of a provider's servers are of instances that have ended since then as `gone`, or in `error` before their server
   * was known: by their ids, or by the marks of those whose server was never known.
   */
  lateServers(providerId: string, servers: readonly SeenServer[], since: Date): Promise<LateServer[]>
}

export interface InstanceWriter {
  lock(id: string): Promise<Instance | null>
  /** Those that are drawn on a reservation and take capacity, kept from all others. */
  lockDrawn(reservationId: string): Promise<Instance[]>
  /** The same ones, only looked at. */
  drawn(reservationId: string): Promise<Instance[]>
  /** Whether any was ever made of a reservation that did not fail. */
  anyOf(reservationId: string): Promise<boolean>
  /** Which of these servers take capacity as instances, or did until after that. By the mark where the id is not known yet. */
  chargedServers(servers: readonly SeenServer[], since: Date): Promise<string[]>
  insert(instance: Instance, note: Note): Promise<void>
  replace(instance: Instance, note: Note): Promise<void>
}

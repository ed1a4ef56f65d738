// An instance: a server at a provider, drawn on a reservation of capacity or charged by itself.

import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'

/**
 * `building` until Nova says what has become of its server; `deleting` until it is gone. In `error` or `gone`
 * it takes no capacity.
 */
export type InstanceStatus = 'building' | 'active' | 'deleting' | 'error' | 'gone'

export interface Instance {
  /** The id, which is also the mark of its server. */
  readonly id: string
  readonly projectId: string
  readonly userId: string
  readonly providerId: string
  /** The reservation that it is drawn on; null where it is charged by itself. */
  readonly reservationId: string | null
  readonly name: string
  readonly flavorId: string
  readonly image: string
  readonly networks: readonly string[]
  readonly amounts: Amounts
  /** Nova's id; null until it is known. */
  readonly serverId: string | null
  readonly status: InstanceStatus
  /** Why the instance is in `error` or is being deleted, as a sentence. */
  readonly reason: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** When its charge ended. */
  readonly endedAt: Date | null
  /**
   * How the instance ended: by a verb (or Nova's answer to one), or since its server was not seen; null while
   * it is charged.
   */
  readonly endedBy: 'verb' | 'absence' | null
}

/** A server that shows although its instance has ended. */
export interface LateServer {
  readonly serverId: string
  readonly instance: Instance
}

export interface SeenServer {
  readonly id: string
  /** The instance whose mark the server bears. */
  readonly mark: string | null
}

export interface InstanceStore {
  get(id: string): Promise<Instance | null>
  getMany(ids: readonly string[]): Promise<Instance[]>
  /** The instances that take capacity and are drawn on one of these reservations. */
  drawnOn(reservationIds: readonly string[]): Promise<Instance[]>
  /** A provider's instances that may have a server: neither in `error` nor `gone`. */
  watched(providerId: string): Promise<Instance[]>
  /** Whether any instance of a provider has ended at this time or later. */
  anyEndedSince(providerId: string, since: Date): Promise<boolean>
  /**
   * The servers of a provider whose instances have ended since then as `gone`, or in `error` before their
   * server was known: found by their ids, or by the marks of instances whose server was never known.
   */
  lateServers(providerId: string, servers: readonly SeenServer[], since: Date): Promise<LateServer[]>
}

export interface InstanceWriter {
  lock(id: string): Promise<Instance | null>
  /** The instances that are drawn on a reservation and take capacity, locked. */
  lockDrawn(reservationId: string): Promise<Instance[]>
  /** As `lockDrawn`, without the lock. */
  drawn(reservationId: string): Promise<Instance[]>
  /** Whether any instance was ever drawn on a reservation and did not fail. */
  anyOf(reservationId: string): Promise<boolean>
  /**
   * The ids of these servers that are charged as instances, or were until after `since`; by the mark where an
   * instance has no server id yet.
   */
  chargedServers(servers: readonly SeenServer[], since: Date): Promise<string[]>
  insert(instance: Instance, note: Note): Promise<void>
  replace(instance: Instance, note: Note): Promise<void>
}

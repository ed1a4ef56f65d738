// The clockwork's port: everything that waits is a turn, with a due time, an epoch and a lease.
//
// Asking for a turn makes it due. A worker takes a set of due turns, works, and finishes each under the epoch
// of its taking; a turn that was taken from the worker in the meantime (its lease ran out, or it died) it
// cannot finish any more. However often a turn is asked for while it is being worked on, it is due once more.

export interface TurnAsk {
  readonly kind: string
  readonly key: string
  /** The region whose share of slots it takes; empty when it needs no region, or keeps the one that it has. */
  readonly lane: string
  /** When the turn is due; at once unless told. Of two requests for a turn the earlier time counts. */
  readonly at?: Date
}

/** A turn that was taken. */
export interface Turn extends TurnAsk {
  readonly worker: number
  readonly epoch: number
  /** The number of the newest request that was there when the turn was taken. */
  readonly asked: number
  /** How often the turn has failed since it was last asked for. */
  readonly attempts: number
}

export interface ClaimRequest {
  readonly worker: number
  readonly kinds: readonly string[]
  /**
   * How many turns to take at most; in one lane at most `laneRoom`, in the lanes of `rooms` as many as each
   * says.
   */
  readonly room: number
  readonly laneRoom: number
  readonly rooms: ReadonlyMap<string, number>
}

export interface TurnStore {
  /** Makes these turns due; at most one request for a key. */
  ask(asks: readonly TurnAsk[]): Promise<void>
  /**
   * Ends a turn: it is due again after so long (null: when it is asked for). False when the turn is not the
   * taker's any more.
   */
  finish(turn: Turn, againInMs: number | null): Promise<boolean>
  /** Takes due turns, the longest due first. */
  claim(request: ClaimRequest): Promise<Turn[]>
  /** Prolongs the lease on these turns, where they are still the taker's. */
  renew(turns: readonly Turn[]): Promise<void>
  /** Makes due again the turns of workers that died or whose lease ran out; returns how many. */
  releaseAbandoned(): Promise<number>
  /** Gives back the turns of a worker that stops; they are due at once. */
  releaseAll(worker: number): Promise<void>
  /** Removes turns that are not asked for any more; returns how many. */
  removeIdle(limit: number): Promise<number>
}

/** A working process that the others know of: they notice at once when it dies. */
export interface Enlisted {
  readonly worker: number
  close(): Promise<void>
}

export interface EnlistEvents {
  /** A turn has been asked for. */
  onWake(): void
  /** Other workers take this one for dead: its turns will be taken by them. */
  onLost(error: Error): void
}

// The clockwork's port: everything that waits is a turn, with a due time, an epoch and a lease.
//
// Asking for a turn makes it due. A worker takes a set of due turns, works, and finishes each under the epoch of its
// taking; what was taken from it meanwhile (its lease ran out, or it died) it cannot finish any more. Who asks while
// the turn is being worked on causes one more, however often they ask.

export interface TurnAsk {
  readonly kind: string
  readonly key: string
  /** The region whose share of slots it takes; empty when it needs no region, or keeps the one that it has. */
  readonly lane: string
  /** When it is due; at once unless told. Who asks for it sooner gets it sooner. */
  readonly at?: Date
}

/** A turn that was taken. */
export interface Turn extends TurnAsk {
  readonly worker: number
  readonly epoch: number
  /** The newest asking that was there when it was taken. */
  readonly asked: number
  /** How often it has failed since it was last asked for. */
  readonly attempts: number
}

export interface ClaimRequest {
  readonly worker: number
  readonly kinds: readonly string[]
  /** How many to take at most; in one lane at most `laneRoom`, in the lanes of `rooms` as many as it says. */
  readonly room: number
  readonly laneRoom: number
  readonly rooms: ReadonlyMap<string, number>
}

export interface TurnStore {
  /** Makes these due; at most one asking for a key. */
  ask(asks: readonly TurnAsk[]): Promise<void>
  /** Ends a turn: it is due again after so long (null: when somebody asks). False when it is not the taker's any more. */
  finish(turn: Turn, againInMs: number | null): Promise<boolean>
  /** Takes due turns, the longest due first. */
  claim(request: ClaimRequest): Promise<Turn[]>
  /** Prolongs the lease on these, where they are still the taker's. */
  renew(turns: readonly Turn[]): Promise<void>
  /** Makes due again what belongs to workers that died or whose lease ran out; returns how many. */
  releaseAbandoned(): Promise<number>
  /** Gives back what a worker has, due at once: it stops. */
  releaseAll(worker: number): Promise<void>
  /** Removes turns that nobody waits for; returns how many. */
  removeIdle(limit: number): Promise<number>
}

/** A working process, as the others see it: they notice at once when it dies. */
export interface Enlisted {
  readonly worker: number
  close(): Promise<void>
}

export interface EnlistEvents {
  /** Somebody has asked for a turn. */
  onWake(): void
  /** The others take this worker for dead; what it has will be taken by others. */
  onLost(error: Error): void
}

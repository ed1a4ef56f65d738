// Writings: the changes of resources that are under way in regions, one at a time for each resource, and the store's
// port. `one-writer.ts` has their laws.

/** A resource that only one writer at a time may change. */
export interface WritingSubject {
  readonly kind: string
  readonly id: string
  /** The region that is asked for the change. */
  readonly regionId: string
}

/** `converge` brings a router's copy to the plan; its row is a lock and nothing else. */
export type WritingVerb = 'update' | 'remove' | 'converge'

/** The fields that were set in the model before its region was asked, and their values before; both as JSON. */
export interface Undo {
  readonly set: Readonly<Record<string, unknown>>
  readonly before: Readonly<Record<string, unknown>>
}

/** What a writer has begun. */
export interface Begun {
  readonly verb: WritingVerb
  /** Null where the model is changed after its region. */
  readonly undo: Undo | null
}

export interface Writing extends WritingSubject, Begun {
  readonly token: string
  /** From then on its writer is taken for dead. */
  readonly until: Date
}

/** A writing whose writer did not end it in its time. */
export type LeftWriting = Pick<WritingSubject, 'kind' | 'id'> & Begun

/** The same with the region that was asked. */
export type LeftSubject = LeftWriting & WritingSubject

export interface WritingStore {
  /**
   * `busy` while another writer is at it; what another one has left when its time is over: that is to be ended first,
   * under the new token.
   */
  begin(writing: Writing, now: Date): Promise<'begun' | 'busy' | LeftWriting>
  /** Moves the end of a writing's time. */
  renew(writing: Pick<Writing, 'kind' | 'id' | 'token' | 'until'>): Promise<void>
  end(writing: Pick<Writing, 'kind' | 'id' | 'token'>): Promise<void>
  /** As `begin`, which begins nothing: whether another writer is at it, or what one has left; null for neither. */
  of(subject: Pick<WritingSubject, 'kind' | 'id'>, now: Date): Promise<'busy' | LeftSubject | null>
  /** What was left in a region. */
  left(regionId: string, now: Date): Promise<LeftWriting[]>
}

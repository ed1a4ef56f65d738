// Which writer is changing a resource in a region: the store's port. The laws stand at `copies/at-home.ts`.

/** A resource that only one writer at a time may change. */
export interface WritingSubject {
  readonly kind: string
  readonly id: string
  readonly regionId: string
}

export interface Writing extends WritingSubject {
  readonly token: string
  readonly until: Date
}

export interface WritingStore {
  /** `busy` while another writer is at it; `left` where another began and its time is over. */
  begin(writing: Writing, now: Date): Promise<'begun' | 'left' | 'busy'>
  renew(writing: Writing): Promise<void>
  end(writing: Writing): Promise<void>
  /** The resources of a region whose writers began and did not end in their time. */
  left(regionId: string, now: Date): Promise<Pick<WritingSubject, 'kind' | 'id'>[]>
}

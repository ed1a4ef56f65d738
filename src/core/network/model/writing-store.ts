// Who is writing what in a region: the store's port. The laws stand at `copies/at-home.ts`.

/** What is written by one at a time. */
export interface Written {
  readonly kind: string
  readonly id: string
  readonly regionId: string
}

export interface Writing extends Written {
  readonly token: string
  readonly until: Date
}

export interface WritingStore {
  /** `busy` while another writes; `left` where another has begun and its time is over. */
  begin(writing: Writing, now: Date): Promise<'begun' | 'left' | 'busy'>
  renew(writing: Writing): Promise<void>
  end(writing: Writing): Promise<void>
  /** What was begun in a region and not ended in its time. */
  left(regionId: string, now: Date): Promise<Pick<Written, 'kind' | 'id'>[]>
}

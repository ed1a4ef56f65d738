// An event of the feed, and the port to where events are kept.

/** What kind of thing an event is about; the first three are named by the capacity API's document. */
export const eventTypes = [
  'reservation-event',
  'capacity-event',
  'allocation-event',
  'lease-event',
  'host-event',
  'job-event',
] as const
export type EventType = (typeof eventTypes)[number]

/** What happened to one thing. */
export interface FeedEvent {
  /** Each event's is larger by one than that of the event before. */
  readonly number: number
  readonly at: Date
  readonly type: EventType
  /** noun.verb, for instance `lease.create`. */
  readonly action: string
  readonly subjectId: string
  /** Whose the thing is; null where it is nobody's. */
  readonly projectId: string | null
  /** Null where it is in no region, or in several. */
  readonly region: string | null
  /** A few facts of the thing as the change has left it. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface EventQuery {
  /** Only events with a larger number. */
  readonly after: number
  readonly limit: number
  /** Null for those of every project and of none. */
  readonly projectId: string | null
  /** Null for every type. */
  readonly types: readonly EventType[] | null
}

export interface EventPage {
  /** By their numbers. */
  readonly events: readonly FeedEvent[]
  /** After which number to go on: nothing that the query asks for lies between the last event here and that. */
  readonly next: number
  /** Up to which number events are kept no longer. */
  readonly removed: number
}

export interface EventStore {
  /**
   * Gives numbers to events that have none, `limit` at most; returns to how many. Who sees an event sees every one
   * with a smaller number.
   */
  number(limit: number): Promise<number>
  list(query: EventQuery): Promise<EventPage>
  /** Removes the first events as far as they are older, `limit` at most; returns how many it removed. */
  removeBefore(before: Date, limit: number): Promise<number>
}

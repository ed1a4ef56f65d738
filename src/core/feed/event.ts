// An event of the feed, and its store's port.

/** The type of thing that an event is about; the first three are named by the capacity API's document. */
export const eventTypes = [
  'reservation-event',
  'capacity-event',
  'allocation-event',
  'lease-event',
  'host-event',
  'job-event',
] as const
export type EventType = (typeof eventTypes)[number]

/** An event: one change of one thing, told once. */
export interface FeedEvent {
  /** The event's number: larger by one than that of the event before. */
  readonly number: number
  readonly at: Date
  readonly type: EventType
  /** noun.verb, for instance `lease.create`. */
  readonly action: string
  readonly subjectId: string
  /** The project of the thing; null where it has none. */
  readonly projectId: string | null
  /** The thing's region; null where it is in none, or in several. */
  readonly region: string | null
  /** A few facts of the thing after the change. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface EventQuery {
  /** Only events with a larger number. */
  readonly after: number
  readonly limit: number
  /** Null for events of every project and of none. */
  readonly projectId: string | null
  /** Null for events of every type. */
  readonly types: readonly EventType[] | null
}

export interface EventPage {
  /** The events, in order of their numbers. */
  readonly events: readonly FeedEvent[]
  /**
   * The number after which to go on: no event that the query asks for lies between the last one here and
   * that.
   */
  readonly next: number
  /** The number up to which events have been removed. */
  readonly removed: number
}

export interface EventStore {
  /**
   * Gives numbers to events that have none, to `limit` at most; returns to how many. A reader who sees an
   * event sees every one with a smaller number.
   */
  number(limit: number): Promise<number>
  list(query: EventQuery): Promise<EventPage>
  /** Removes the first events that are older, `limit` at most; returns how many. */
  removeBefore(before: Date, limit: number): Promise<number>
}

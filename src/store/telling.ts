// Events that changes write into the outbox for the feed: which nouns have events, and which columns an event
// has of its subject.

import { type RawBuilder, sql } from 'kysely'
import type { EventType } from '../core/feed/event.ts'

type Part = RawBuilder<unknown>

/**
 * The events of a noun, with columns of its rows that are chosen one by one, so that a secret in the row gets
 * into no event.
 */
interface Told {
  readonly type: EventType
  /** Null where the noun's rows belong to no project. */
  readonly project: 'project_id' | null
  readonly region: Part
  readonly columns: readonly string[]
  /** Text columns that may be long; an event has their beginning. */
  readonly texts?: readonly string[]
  readonly times?: readonly string[]
}

const ownRegion = sql`(select region.name from region where region.id = one.region_id)`
const providersRegion = sql`(
  select region.name from provider join region on region.id = provider.region_id where provider.id = one.provider_id)`
/** The region of a lease whose reservations are all in one. */
const leaseRegion = sql`(
  select case when count(distinct region.name) = 1 then min(region.name) end
  from reservation join region on region.id = reservation.region_id where reservation.lease_id = one.id)`

/**
 * The events of each noun, by the first part of a note's action. Regions, bindings, routings and networks
 * have no events.
 */
const nouns: Readonly<Record<string, Told>> = {
  lease: {
    type: 'lease-event',
    project: 'project_id',
    region: leaseRegion,
    columns: ['status', 'action', 'degraded'],
    texts: ['name', 'status_reason'],
    times: ['start_at', 'end_at'],
  },
  host: {
    type: 'host-event',
    project: null,
    region: ownRegion,
    columns: ['state', 'reservable', 'vcpus', 'memory_mb', 'local_gb'],
    texts: ['hypervisor_hostname', 'availability_zone'],
  },
  job: {
    type: 'job-event',
    project: 'project_id',
    region: sql`nullif(one.region, '')`,
    columns: ['type', 'resource', 'status', 'attempts'],
    texts: ['last_error'],
    times: ['next_try_at'],
  },
  reservation: {
    type: 'reservation-event',
    project: 'project_id',
    region: providersRegion,
    columns: ['provider_id', 'amounts', 'state', 'at_risk'],
    texts: ['zone'],
    times: ['from_at', 'to_at'],
  },
  pool: {
    type: 'capacity-event',
    project: null,
    region: providersRegion,
    columns: ['provider_id', 'amounts'],
    texts: ['source'],
    times: ['from_at', 'to_at'],
  },
  provider: {
    type: 'capacity-event',
    project: null,
    region: ownRegion,
    columns: [],
    texts: ['name', 'last_error'],
    times: ['refreshed_at'],
  },
  instance: {
    type: 'allocation-event',
    project: 'project_id',
    region: providersRegion,
    columns: ['provider_id', 'reservation_id', 'flavor_id', 'server_id', 'status', 'amounts'],
    texts: ['name', 'reason'],
    times: ['ended_at'],
  },
}

/** What becomes events: rows (a part of the statement, or a select in parentheses) with the columns of their noun. */
export interface Telling {
  readonly noun: string
  readonly rows: Part
  /** The action of all rows, or an SQL expression of one row (`one`). */
  readonly action: string | Part
  readonly at: Date | Part
  /** The region, where the tables do not have it yet before the statement. */
  readonly region?: Part
}

const isPart = (given: string | Date | Part): given is Part =>
  typeof given === 'object' && 'toOperationNode' in given

/** Whether changes by a note with this action are told. */
export const isTold = (action: string): boolean => nounOf(action) in nouns

export const nounOf = (action: string): string => action.split('.')[0]!

/** The part of a statement, in parentheses, that writes an event for each of its changed rows into the outbox. */
export function telling({ noun, rows, action, at, region }: Telling): Part {
  const told = nouns[noun]!
  return sql`(
    insert into outbox (at, type, action, subject_id, project_id, region, data)
    select ${isPart(at) ? at : sql`${at}::timestamptz`}, ${sql.lit(told.type)},
           ${isPart(action) ? action : sql`${action}::text`}, one.id::text,
           ${told.project === null ? sql`null` : sql`nullif(${column(told.project)}, '')`},
           ${region ?? told.region}, ${dataOf(told)}
    from ${rows} as one)`
}

const column = (name: string): Part => sql.ref(`one.${name}`)

/** How many characters of a long text an event has. */
const textLength = 200

function dataOf({ columns, texts = [], times = [] }: Told): Part {
  const field = (name: string, value: Part): Part => sql`${sql.lit(name)}, ${value}`
  return sql`jsonb_build_object(${sql.join([
    ...columns.map(name => field(name, column(name))),
    ...texts.map(name => field(name, sql`left(${column(name)}, ${sql.lit(textLength)})`)),
    ...times.map(name => field(name, inUtc(column(name)))),
  ])})`
}

const inUtc = (at: Part): Part => sql`to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

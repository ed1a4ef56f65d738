// The free capacity of hosts over time, in PostgreSQL: the first slot, and how many hosts are available.

import { type RawBuilder, sql } from 'kysely'
import type {
  AvailabilityPoint,
  AvailabilityQuery,
  CapacityStore,
  Slot,
  SlotSearch,
} from '../core/capacity/capacity.ts'
import type { Window } from '../core/ledger/ledger.ts'
import { type Db, run } from './database.ts'
import { reservable } from './filter.ts'
import { series } from './series.ts'

export function capacityStore(db: Db): CapacityStore {
  return {
    series: query => series(db, query),
    earliestHosts: search => earliestHosts(db, search),
    availability: (query, most) => availability(db, query, most),
  }
}

const hourMs = 3_600_000

/**
 * The lengths that bound the scales of gaps: a gap of scale n is shorter than the n-th of these, and not
 * shorter than the one before. Gaps are looked up by scale.
 */
const scaleEnds = Array.from({ length: 14 }, (_, n) => 2 ** n * hourMs)

/**
 * The gaps that are at least so long, begin at `by` at the latest and end at `since` or later. A gap of one
 * scale is shorter than the scale's end, and so cannot have begun longer than that before `since`: few others
 * are read, however many hosts and gaps there are.
 */
function gaps(lengthMs: number, since: Date, by: Date): RawBuilder<unknown> {
  const shortest = scaleEnds.filter(end => end <= lengthMs).length
  const ofScale = (scale: number) => {
    const end = scaleEnds[scale]
    const after = end === undefined ? sql`'-infinity'` : sql`${new Date(since.getTime() - end)}`
    return sql`select host_id, from_at, to_at from host_gap
               where scale = ${scale} and from_at > ${after} and from_at <= ${by} and to_at >= ${since}`
  }
  const scales = [...scaleEnds.keys(), scaleEnds.length].slice(shortest)
  return sql`(${sql.join(scales.map(ofScale), sql` union all `)})`
}

/** Looks for a slot at the first instant alone, then in ever longer stretches: most slots are found early. */
async function earliestHosts(db: Db, search: SlotSearch): Promise<Slot | null> {
  const last = search.notAfter.getTime() - search.lengthMs
  let step = 0
  for (let from = search.notBefore.getTime(); from <= last; ) {
    const to = Math.min(from + step, last)
    const slot = await sweep(db, search, { from: new Date(from), to: new Date(to) })
    if (slot || to === last) return slot
    from = to
    step = Math.max(search.lengthMs, hourMs, step * 2)
  }
  return null
}

const matching = ({ filter, region }: Pick<SlotSearch, 'filter' | 'region'>) => sql`
  ${reservable(filter)} and (${region}::text is null or region.name = ${region})`

/**
 * A host can begin a slot of this length at any instant from the beginning of a gap, if that is long enough,
 * to the last at which the slot still fits. The answer is the first instant, both ends included, at which
 * enough hosts of one region can.
 */
async function sweep(db: Db, search: SlotSearch, { from, to }: Window): Promise<Slot | null> {
  const { hosts, notAfter, lengthMs } = search
  const length = sql`make_interval(secs => ${lengthMs / 1000})`
  const { rows } = await run(
    sql<Slot>`
      with chance as (
        select host.region_id, greatest(gap.from_at, ${from}) as first, least(gap.to_at, ${notAfter}) - ${length} as last
        from ${gaps(lengthMs, new Date(from.getTime() + lengthMs), to)} as gap
        join host on host.id = gap.host_id join region on region.id = host.region_id
        where least(gap.to_at, ${notAfter}) - greatest(gap.from_at, ${from}) >= ${length} and ${matching(search)}),
      moment as (
        select region_id, first as at, 1 as change, 0 as turn from chance
        union all select region_id, last, -1, 1 from chance)
      select running.at, region.name as region
      from (select region_id, at, sum(change) over (partition by region_id order by at, turn
              rows between unbounded preceding and current row) as count from moment) as running
      join region on region.id = running.region_id
      where count >= ${hosts} order by at, region.created_at, region.id limit 1`.execute(db),
  )
  return rows[0] ?? null
}

async function availability(
  db: Db,
  query: AvailabilityQuery,
  most: number,
): Promise<AvailabilityPoint[] | null> {
  const { from, to } = query.window
  const { rows } = await run(
    sql<AvailabilityPoint>`
      with part as (
        select host.id, greatest(gap.from_at, ${from}) as from_at, gap.to_at, host.inventory
        from ${gaps(0, from, to)} as gap join host on host.id = gap.host_id join region on region.id = host.region_id
        where gap.to_at > ${from} and gap.from_at < ${to} and ${matching(query)}),
      change as (
        select from_at as at, 1 as sign, inventory from part
        union all select to_at, -1, inventory from part where to_at < ${to}
        union all select ${from}::timestamptz, 0, '{}'),
      amount as (
        select at, key as class, sum(sign * floor(((value ->> 'total')::numeric - (value ->> 'reserved')::numeric)
                                                  * (value ->> 'allocationRatio')::numeric)) as change
        from change cross join lateral jsonb_each(inventory) group by at, key)
      select at, sum(sign)::int as hosts, coalesce((
        select jsonb_object_agg(class, change) from amount where amount.at = change.at), '{}') as amounts
      from change group by at order by at limit ${most + 1}`.execute(db),
  )
  return rows.length > most ? null : summed(rows)
}

/**
 * Sums the changes up: how many hosts are free after each, and the amounts of every class that occurs in any
 * of them.
 */
function summed(changes: readonly AvailabilityPoint[]): AvailabilityPoint[] {
  let hosts = 0
  const classes = new Set(changes.flatMap(change => Object.keys(change.amounts)))
  const amounts = Object.fromEntries([...classes].map(name => [name, 0]))
  return changes.map(change => {
    hosts += change.hosts
    for (const [name, amount] of Object.entries(change.amounts)) amounts[name]! += amount
    return { at: change.at, hosts, amounts: { ...amounts } }
  })
}

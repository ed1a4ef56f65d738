// What is free when, in PostgreSQL.

import { sql } from 'kysely'
import type {
  AvailabilityPoint,
  AvailabilityQuery,
  CapacityStore,
  Slot,
  SlotSearch,
} from '../core/capacity/capacity.ts'
import { type Db, run } from './database.ts'
import { filterSql } from './filter.ts'
import { gapOver } from './ledger.ts'

export function capacityStore(db: Db): CapacityStore {
  return {
    earliestHosts: search => earliestHosts(db, search),
    availability: (query, most) => availability(db, query, most),
  }
}

async function earliestHosts(db: Db, search: SlotSearch): Promise<Slot | null> {
  return (await freeAtOnce(db, search)) ?? (await sweep(db, search))
}

const matching = ({ filter, region }: Pick<SlotSearch, 'filter' | 'region'>) => sql`
  host.state = 'enrolled' and host.reservable and ${filterSql(filter)}
  and (${region}::text is null or region.name = ${region})
  and not exists (select from usage where usage.account_id = host.id)`

/** Most often there is room where the search begins: that costs one probe a host, until there are enough. */
async function freeAtOnce(db: Db, search: SlotSearch): Promise<Slot | null> {
  const { hosts, notBefore, notAfter, lengthMs } = search
  const end = new Date(notBefore.getTime() + lengthMs)
  if (end > notAfter) return null
  const { rows } = await run(
    sql<{ name: string }>`
      select place.name from region as place cross join lateral (
        select count(*) as free from (
          select from host join region on region.id = host.region_id cross join lateral ${gapOver(notBefore)} as gap
          where host.region_id = place.id and gap.to_at >= ${end} and ${matching(search)}
          order by host.id limit ${hosts}) as free) as found
      where found.free >= ${hosts} order by place.created_at, place.id limit 1`.execute(db),
  )
  return rows[0] ? { at: notBefore, region: rows[0].name } : null
}

/**
 * A host can begin such a slot from the beginning of each gap that is long enough until the slot no longer fits:
 * the first instant at which enough hosts of one region can is the answer.
 */
async function sweep(db: Db, search: SlotSearch): Promise<Slot | null> {
  const { hosts, notBefore, notAfter, lengthMs } = search
  const length = sql`make_interval(secs => ${lengthMs / 1000})`
  const { rows } = await run(
    sql<Slot>`
      with chance as (
        select host.region_id, greatest(host_gap.from_at, ${notBefore}) as first,
               least(host_gap.to_at, ${notAfter}) - ${length} as last
        from host join region on region.id = host.region_id join host_gap on host_gap.host_id = host.id
        where host_gap.to_at >= ${notBefore}::timestamptz + ${length} and host_gap.from_at <= ${notAfter}
          and least(host_gap.to_at, ${notAfter}) - greatest(host_gap.from_at, ${notBefore}) >= ${length}
          and ${matching(search)}),
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
        select host.id, greatest(host_gap.from_at, ${from}) as from_at, host_gap.to_at, host.inventory
        from host join region on region.id = host.region_id join host_gap on host_gap.host_id = host.id
        where host_gap.to_at > ${from} and host_gap.from_at < ${to} and ${matching(query)}),
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

/** From changes to what there is after each, of every class that there ever is. */
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

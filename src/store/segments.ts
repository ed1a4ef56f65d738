// Segments of the fabric in PostgreSQL: those that networks of Atoll's hold, each once, and those that regions show.

import { sql } from 'kysely'
import { conflict } from '../core/error.ts'
import type {
  Fabric,
  SegmentAsk,
  SegmentClash,
  SegmentSight,
  ShownNetwork,
} from '../core/network/model/network-store.ts'
import { type Db, lockOn, run } from './database.ts'

export async function takeSegment(db: Db, ask: SegmentAsk): Promise<number | null> {
  const { networkId, networkType, physicalNetwork, from, to } = ask
  await lockOn(db, 'segment', networkType, physicalNetwork)
  const { rows } = await run(
    sql<{ segmentation_id: number }>`
      with taken as (${closed(ask)})
      insert into segment (network_type, physical_network, segmentation_id, network_id)
      select ${networkType}, ${physicalNetwork}, min(id), ${networkId}
      from (select ${from}::bigint as id union all select id + 1 from taken) as candidate
      where id <= ${to} and id not in (select id from taken)
      having min(id) is not null
      returning segmentation_id`.execute(db),
  )
  if (rows[0]) return rows[0].segmentation_id
  if (from < to) return null
  throw await inUse(db, ask)
}

export async function checkSegment(db: Db, ask: SegmentAsk): Promise<void> {
  const { rows } = await run(sql`${closed(ask)} limit 1`.execute(db))
  if (rows.length > 0) throw await inUse(db, ask)
}

/** The numbers of the asked range that are not to be had. What the network's home shows is for that region to judge. */
const closed = ({ networkType, physicalNetwork, from, to, homeId }: SegmentAsk) => sql`
  select segmentation_id as id from segment
  where network_type = ${networkType} and physical_network = ${physicalNetwork}
    and segmentation_id between ${from} and ${to}
  union
  select segmentation_id from seen_segment
  where network_type = ${networkType} and physical_network = ${physicalNetwork}
    and segmentation_id between ${from} and ${to} and region_id is distinct from ${homeId ?? null}::uuid`

async function inUse(db: Db, { networkType, physicalNetwork, from, homeId }: SegmentAsk) {
  const { rows } = await run(
    sql<{ region: string; id: string }>`
      select region.name as region, regional_id as id
      from seen_segment join region on region.id = region_id
      where network_type = ${networkType} and physical_network = ${physicalNetwork} and segmentation_id = ${from}
        and region_id is distinct from ${homeId ?? null}::uuid
      order by 1, 2 limit 1`.execute(db),
  )
  const by = rows[0] ? `: ${rows[0].region} shows it of the network ${rows[0].id}` : ''
  return conflict(`The segment ${from} of ${physicalNetwork || networkType} is in use${by}`, 'segment_in_use')
}

export async function seenSegments(db: Db, regionId: string): Promise<string[]> {
  const { rows } = await run(
    sql<{ id: string }>`
      select regional_id as id from seen_segment
      where region_id = ${regionId} and not ${isAbsent}`.execute(db),
  )
  return rows.map(({ id }) => id)
}

/** Whether a number is kept for a network that has left the model and may come back. */
const isAbsent = sql`exists (
  select from absent
  where absent.kind = 'network' and absent.region_id = seen_segment.region_id
    and absent.regional_id = seen_segment.regional_id)`

export async function seeSegments(
  db: Db,
  { networkType, physicalNetwork }: Fabric,
  { regionId, shown, at }: SegmentSight,
): Promise<void> {
  await lockOn(db, 'segment', networkType, physicalNetwork)
  const rows = sql`
    select * from jsonb_to_recordset(${JSON.stringify(shown.map(toRow))}::jsonb)
             as shown (regional_id text, name text, segmentation_id bigint)`
  // The network of the model that this region has under that id.
  const placed = sql`
    routing.region_id = ${regionId} and routing.resource_type = 'network' and routing.regional_id = shown.regional_id`
  await run(
    sql`insert into segment (network_type, physical_network, segmentation_id, network_id)
        select ${networkType}, ${physicalNetwork}, shown.segmentation_id, network.id
        from (${rows}) as shown join routing on ${placed} join network on network.id = routing.central_id
        where not exists (
          select from segment
          where segment.network_id = network.id
            and segment.network_type = ${networkType} and segment.physical_network = ${physicalNetwork})
        on conflict do nothing`.execute(db),
  )
  await run(sql`delete from seen_segment where region_id = ${regionId} and not ${isAbsent}`.execute(db))
  await run(
    sql`insert into seen_segment (
          region_id, regional_id, name, network_type, physical_network, segmentation_id, seen_at)
        select ${regionId}, shown.regional_id, shown.name, ${networkType}, ${physicalNetwork},
               shown.segmentation_id, ${at}
        from (${rows}) as shown
        where not exists (
          select from routing join segment on segment.network_id = routing.central_id
          where ${placed} and segment.network_type = ${networkType}
            and segment.physical_network = ${physicalNetwork}
            and segment.segmentation_id = shown.segmentation_id)
        on conflict (region_id, regional_id) do update
          set name = excluded.name, segmentation_id = excluded.segmentation_id, seen_at = excluded.seen_at`.execute(
      db,
    ),
  )
}

const toRow = ({ id, name, segmentationId }: ShownNetwork) => ({
  regional_id: id,
  name,
  segmentation_id: segmentationId,
})

/** Keeps the number of a network that leaves the model because its region does not show it. */
export async function keepSegment(
  db: Db,
  { id, regionId, regionalId }: { id: string; regionId: string; regionalId: string },
  at: Date,
): Promise<void> {
  await run(
    sql`insert into seen_segment (
          region_id, regional_id, name, network_type, physical_network, segmentation_id, seen_at)
        select ${regionId}, ${regionalId}, network.name, segment.network_type, segment.physical_network,
               segment.segmentation_id, ${at}
        from segment join network on network.id = segment.network_id
        where network.id = ${id}
        on conflict (region_id, regional_id) do nothing`.execute(db),
  )
}

/** Gives a network that is back in the model the number that was kept for it. */
export async function takeBackSegment(
  db: Db,
  { id, regionId, keptId }: { id: string; regionId: string; keptId: string },
): Promise<void> {
  await run(
    sql`with kept as (
          delete from seen_segment where region_id = ${regionId} and regional_id = ${keptId} returning *)
        insert into segment (network_type, physical_network, segmentation_id, network_id)
        select network_type, physical_network, segmentation_id, ${id} from kept
        on conflict do nothing`.execute(db),
  )
}

export async function segmentClashes(db: Db): Promise<SegmentClash[]> {
  const { rows } = await run(
    sql<SegmentClash>`
      select region.name as region, seen.regional_id as id, seen.name, seen.physical_network as "physicalNetwork",
             seen.segmentation_id as "segmentationId", seen.seen_at as "seenAt",
             jsonb_build_object('id', network.id, 'name', network.name, 'region', (
               select home.name from routing join region home on home.id = routing.region_id
               where routing.resource_type = 'network' and routing.central_id = network.id
                 and routing.regional_id = network.id)) as other
      from seen_segment seen join region on region.id = seen.region_id
        join segment using (network_type, physical_network, segmentation_id)
        join network on network.id = segment.network_id
      union all
      select region.name, seen.regional_id, seen.name, seen.physical_network, seen.segmentation_id, seen.seen_at,
             jsonb_build_object('id', other.regional_id, 'name', other.name, 'region', elsewhere.name)
      from seen_segment seen join region on region.id = seen.region_id
        join seen_segment other using (network_type, physical_network, segmentation_id)
        join region elsewhere on elsewhere.id = other.region_id
      where region.name < elsewhere.name
      order by region, "physicalNetwork", "segmentationId", id`.execute(db),
  )
  return rows
}

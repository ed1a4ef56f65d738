// Absent resources in PostgreSQL: rows that left the model because their region was seen to have lost them,
// each kept as it was, so that it can come back.

import { sql } from 'kysely'
import { conflict } from '../core/error.ts'
import type {
  Absence,
  AbsenceStore,
  AbsentMember,
  LostLink,
  NewAbsence,
} from '../core/network/model/absence.ts'
import type { Note } from '../core/note.ts'
import { audited } from './audit.ts'
import { type Db, type Refusals, run } from './database.ts'
import { table, written } from './network-kinds.ts'
import { takeBackSegment } from './segments.ts'

const columns = sql`absent.kind, absent.id, absent.region_id as "regionId", absent.regional_id as "regionalId"`

export function absenceStore(db: Db): AbsenceStore {
  return {
    async kinds(regionId) {
      const { rows } = await run(
        sql<Pick<Absence, 'kind'>>`select distinct kind from absent where region_id = ${regionId}`.execute(
          db,
        ),
      )
      return rows.map(({ kind }) => kind)
    },

    async withIds(regionId, kind, regionalIds) {
      const { rows } = await run(
        sql<Absence>`select ${columns} from absent
                     where region_id = ${regionId} and kind = ${kind}
                       and regional_id = any (${regionalIds}::text[])`.execute(db),
      )
      return rows
    },

    async withMarks(regionId, kind, intentIds) {
      const { rows } = await run(
        sql<Absence & { mark: string }>`
          select ${columns}, intent.id as mark
          from intent join absent on absent.id = intent.owner and absent.kind = intent.resource_type
          where intent.id = any (${intentIds}::uuid[]) and intent.ended_by = 'absence'
            and absent.region_id = ${regionId} and absent.kind = ${kind}`.execute(db),
      )
      return new Map(rows.map(({ mark, ...absence }) => [mark, absence]))
    },

    async members(groupIds) {
      const { rows } = await run(
        sql<AbsentMember>`
          select absent.state -> 'security_group_ids' as "securityGroupIds",
                 jsonb_build_array(jsonb_build_object('region', region.name, 'id', absent.regional_id)) as places,
                 (select coalesce(jsonb_agg(jsonb_build_object(
                    'subnetId', kept.subnet_id, 'ipAddress', host(lower(kept.range)))), '[]')
                  -- Of a subnet that is absent as well nothing is held; what others have is theirs.
                  from jsonb_populate_recordset(null::held_range, absent.held) kept
                  where not exists (
                    select from held_range taken
                    where taken.subnet_id = kept.subnet_id and taken.range && kept.range
                      and taken.purpose = 'port' and taken.holder <> absent.id)) as "fixedIps"
          from absent join region on region.id = absent.region_id
          where absent.kind = 'port' and absent.state -> 'security_group_ids' ?| ${groupIds}::text[]`.execute(
          db,
        ),
      )
      return rows
    },

    async groupsOn(networkId) {
      const { rows } = await run(
        sql<{ id: string }>`
          select distinct jsonb_array_elements_text(state -> 'security_group_ids') as id
          from absent where kind = 'port' and state ->> 'network_id' = ${networkId}`.execute(db),
      )
      return rows.map(({ id }) => id)
    },

    async forget(before, limit) {
      const { rows } = await run(
        sql<{ count: number }>`
          with over as (
            delete from absent where (kind, id) in (
              select kind, id from absent where gone_at < ${before} order by gone_at limit ${limit}
              for update skip locked)
            returning kind, id),
          freed as (
            delete from held_range using over
            where over.kind = 'port' and held_range.holder = over.id and held_range.purpose = 'port')
          select count(*) as count from over`.execute(db),
      )
      return rows[0]!.count
    },
  }
}

/** Keeps a row of the model, with where it is and what it holds, beside its removal in the same transaction. */
export async function keepAbsent(
  db: Db,
  { kind, id, regionId, regionalId, links }: NewAbsence,
  at: Date,
): Promise<void> {
  await run(
    sql`insert into absent (kind, id, region_id, regional_id, state, places, held, links, gone_at)
        select ${kind}, ${id}, ${regionId}, ${regionalId}, to_jsonb(${table(kind)}), ${partsOf('routing', kind, id)},
               ${partsOf('held_range', kind, id)}, ${JSON.stringify(links)}::jsonb, ${at}
        from ${table(kind)} where id = ${id}
        on conflict (kind, id) do update
          set region_id = excluded.region_id, regional_id = excluded.regional_id, state = excluded.state,
              places = excluded.places, held = excluded.held, links = excluded.links, gone_at = excluded.gone_at`.execute(
      db,
    ),
  )
}

const partsOf = (from: 'routing' | 'held_range', kind: string, id: string) =>
  from === 'routing'
    ? sql`coalesce((select jsonb_agg(to_jsonb(routing)) from routing
                    where central_id = ${id} and resource_type = ${kind}), '[]')`
    : sql`coalesce((select jsonb_agg(to_jsonb(held_range)) from held_range
                    where holder = ${id} and purpose = 'port'), '[]')`

/** The places of a resource that came back, and those of the floating IPs that led to it. */
export interface TakenBack {
  readonly links: readonly LostLink[]
}

/**
 * Puts an absent row back into the model as it was, where it was (under the id that the region has for it
 * now), with the addresses that it held and its intents. Null when it is absent no more. Throws as an insert
 * does.
 */
export async function takeBack(
  db: Db,
  { kind, id, regionId, regionalId }: Absence,
  note: Note,
  refusals: Refusals,
): Promise<TakenBack | null> {
  const { rows } = await run(
    sql<{ kept_id: string; state: string; places: string; held: string; links: LostLink[] }>`
      delete from absent where kind = ${kind} and id = ${id}
      returning regional_id as kept_id, state::text, places::text, held::text, links`.execute(db),
  )
  if (!rows[0]) return null
  const { kept_id: keptId, state, places, held, links } = rows[0]
  const change = sql`(
    insert into ${table(kind)} (${written(kind)})
    select ${written(kind)} from jsonb_populate_record(null::${table(kind)}, ${state}::jsonb) returning *)`
  await audited(db, note, change, { refusals })
  await run(
    sql`insert into routing (central_id, regional_id, region_id, project_id, resource_type, created_at, updated_at)
        select central_id, case when region_id = ${regionId} then ${regionalId} else regional_id end, region_id,
               project_id, resource_type, created_at, updated_at
        from jsonb_populate_recordset(null::routing, ${places}::jsonb)
        on conflict (central_id, region_id, resource_type) do update set regional_id = excluded.regional_id`.execute(
      db,
    ),
  )
  await run(
    sql`insert into held_range (subnet_id, range, scope, purpose, holder)
        select subnet_id, range, scope, purpose, holder
        from jsonb_populate_recordset(null::held_range, ${held}::jsonb)
        on conflict do nothing`.execute(db),
    { held_range_subnet: () => conflict(`A subnet of the ${kind} ${id} is gone`, 'subnet') },
  )
  await run(
    sql`update intent set ended_at = null, ended_by = null, regional_id = ${regionalId},
                          purpose = case when purpose like '%#' || id then left(purpose, -37) else purpose end
        where owner = ${id} and resource_type = ${kind} and ended_by = 'absence'
          and region = (select name from region where id = ${regionId})`.execute(db),
  )
  if (kind === 'network') await takeBackSegment(db, { id, regionId, keptId })
  return { links }
}

/**
 * Takes an address from the absent port that it was kept for, because the region has given it to another
 * port; false when no absent port had it.
 */
export async function giveWay(db: Db, subnetId: string, address: string): Promise<boolean> {
  const result = await run(
    sql`delete from held_range
        where subnet_id = ${subnetId} and purpose = 'port' and lower(range) = ${address}::inet
          and holder in (select id from absent where kind = 'port')`.execute(db),
  )
  return Number(result.numAffectedRows ?? 0) > 0
}

/** Whether an absent port of the network has this MAC address. */
export async function isMacKept(db: Db, networkId: string, macAddress: string): Promise<boolean> {
  const { rows } = await run(
    sql`select from absent
        where kind = 'port' and state ->> 'network_id' = ${networkId} and state ->> 'mac_address' = ${macAddress}`.execute(
      db,
    ),
  )
  return rows.length > 0
}

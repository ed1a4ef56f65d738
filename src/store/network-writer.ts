// The central model in PostgreSQL: changing it, within a transaction.

import { sql } from 'kysely'
import { type AppError, conflict, notFound } from '../core/error.ts'
import type { EndedBy } from '../core/network/copies/intent.ts'
import type { Change, Kind, Kinds, Written } from '../core/network/model/model.ts'
import type { NetworkWriter, NewPlace } from '../core/network/model/network-store.ts'
import type { Note } from '../core/note.ts'
import { giveWay, isMacKept, keepAbsent, takeBack } from './absences.ts'
import { audited } from './audit.ts'
import { type Db, lockOn, type Refusals, run } from './database.ts'
import { hold, holdAny, lockBlocks, release, setBlocks } from './held-ranges.ts'
import { ending } from './intents.ts'
import { changeable, table, toJson, written } from './network-kinds.ts'
import { networkStore } from './networks.ts'
import { wholeSecond } from './routings.ts'
import { checkSegment, keepSegment, seeSegments, takeSegment } from './segments.ts'

export function networkWriter(db: Db): NetworkWriter {
  return {
    async lock(kind, id) {
      // `for no key update`, so that inserts of rows that refer to this one do not wait. Computed fields are
      // read after the lock.
      const { rows } = await run(
        sql`select from ${table(kind)} where id = ${id} for no key update`.execute(db),
      )
      return rows.length > 0 ? networkStore(db).get(kind, id, 'atoll') : null
    },
    insert: (kind, row, note) => insert(db, kind, row, note),
    update: (kind, id, change, note) => update(db, kind, id, change, note),
    remove: (kind, id, note) => remove(db, kind, id, note, 'verb'),
    async lose(absence, note) {
      await keepAbsent(db, absence, note.at)
      if (absence.kind === 'network') await keepSegment(db, absence, note.at)
      return remove(db, absence.kind, absence.id, note, 'absence')
    },
    takeBack: (absence, note) => takeBack(db, absence, note, writeRefusals(absence.kind)),
    giveWay: (subnetId, address) => giveWay(db, subnetId, address),
    isMacKept: (networkId, macAddress) => isMacKept(db, networkId, macAddress),
    quota: (kind, projectId, more, most) => quota(db, kind, projectId, more, most),
    hold: holding => hold(db, holding),
    holdAny: (pools, holding) => holdAny(db, pools, holding),
    release: (purpose, holder, subnetId) => release(db, purpose, holder, subnetId),
    lockBlocks: subnetId => lockBlocks(db, subnetId),
    setBlocks: (subnetId, regionId, blocks) => setBlocks(db, subnetId, regionId, blocks),
    takeSegment: ask => takeSegment(db, ask),
    checkSegment: ask => checkSegment(db, ask),
    seeSegments: (fabric, sight) => seeSegments(db, fabric, sight),
    place: place => writePlace(db, place),
    async unplace(kind, centralId, regionId) {
      await run(
        sql`delete from routing
            where central_id = ${centralId} and region_id = ${regionId} and resource_type = ${kind}`.execute(
          db,
        ),
      )
    },
  }
}

const inUse = (what: string) => () => conflict(`The ${what} is in use`, 'in_use')
const gone = (what: string) => () =>
  notFound(`The ${what} that it refers to is gone`, what.replaceAll(' ', '_'))

/** What each reference refers to. */
const references = {
  subnet_network: 'network',
  port_network: 'network',
  floatingip_network: 'network',
  router_gateway_network: 'network',
  held_range_subnet: 'subnet',
  floatingip_port: 'port',
  floatingip_router: 'router',
  port_groups: 'security group',
  rule_group: 'security group',
  rule_remote_group: 'security group',
}

const toReferences = (refusal: (what: string) => () => AppError): Refusals =>
  Object.fromEntries(Object.entries(references).map(([name, what]) => [name, refusal(what)]))

const writeRefusals = (kind: Kind): Refusals => ({
  ...toReferences(gone),
  [`${kind}_pkey`]: () => conflict('There is one with this id already', 'exists'),
  port_mac: () => conflict('The MAC address is in use on this network', 'mac_in_use'),
  security_group_one_default: () => conflict('The project has a default security group', 'exists'),
  network_bridge: () => conflict('The project has a bridge network', 'exists'),
  floatingip_target: () =>
    conflict(
      'Cannot associate the floating IP with this port and fixed IP, as that fixed IP already has a floating IP',
      'port_already_associated',
    ),
})

async function insert<K extends Kind>(db: Db, kind: K, row: Written<K>, note: Note): Promise<void> {
  const change = sql`(
    insert into ${table(kind)} (${written(kind)})
    select ${written(kind)} from jsonb_populate_record(null::${table(kind)}, ${toJson(kind, row as Partial<Written<K>>)}::jsonb)
    returning *)`
  await audited(db, note, change, { refusals: writeRefusals(kind) })
}

/** Fields that the change leaves out stay as the row has them: so one statement does for every change of a kind. */
async function update<K extends Kind>(
  db: Db,
  kind: K,
  id: string,
  change: Change<K>,
  note: Note,
): Promise<Kinds[K] | null> {
  const { rows } = await run(sql`select from ${table(kind)} where id = ${id} for no key update`.execute(db))
  if (rows.length === 0) return null
  const changing = sql`(
    update ${table(kind)} set
      (${changeable(kind)}) = (
        select ${changeable(kind)}
        from jsonb_populate_record(${table(kind)}, ${toJson(kind, change as Partial<Written<K>>)}::jsonb) as changed),
      revision = revision + 1, updated_at = ${note.at}
    where id = ${id} returning *)`
  await audited(db, note, changing, { refusals: writeRefusals(kind) })
  return networkStore(db).get(kind, id, 'atoll')
}

async function remove(db: Db, kind: Kind, id: string, note: Note, by: EndedBy): Promise<boolean> {
  const isThere = sql`exists (select from going)`
  const change = sql`(
    delete from ${table(kind)} using going where ${table(kind)}.id = going.id returning ${table(kind)}.*)`
  const rows = await audited(db, note, change, {
    refusals: toReferences(() => inUse(kind.replaceAll('_', ' '))),
    first: [
      ['going', sql`(select id from ${table(kind)} where id = ${id} for update)`],
      [
        'places',
        sql`(delete from routing where central_id = ${id} and resource_type = ${kind} and ${isThere})`,
      ],
      // The addresses of an absent port are kept for it.
      ...(by === 'verb' || kind !== 'port'
        ? [['held', sql`(delete from held_range where ${heldBy(kind, id)} and ${isThere})`] as const]
        : []),
      [
        'intents',
        sql`(${ending(by, note.at, sql`owner <> '' and owner = ${id} or purpose = ${id}`)} and ${isThere})`,
      ],
      ...(by === 'verb' ? forgetting(kind, id) : []),
    ],
  })
  return rows.length > 0
}

/**
 * Ends an absence when a verb deletes the resource: it does not come back any more, and a resource in the
 * region that bears its mark is surplus.
 */
const forgetting = (kind: Kind, id: string) =>
  [
    [
      'forgotten',
      // Nothing comes back onto a network that a verb has removed.
      sql`(delete from absent
           where kind = ${kind} and id = ${id}
             or ${kind} = 'network' and kind in ('port', 'subnet') and state ->> 'network_id' = ${id}
           returning kind, id)`,
    ],
    [
      'freed',
      sql`(delete from held_range using forgotten
           where forgotten.kind = 'port' and holder = forgotten.id and purpose = 'port')`,
    ],
    [
      'surplus',
      sql`(update intent set ended_by = 'verb'
           where owner = ${id} and resource_type = ${kind} and ended_by = 'absence')`,
    ],
  ] as const

/**
 * The holdings that are deleted with a row. With a subnet go the regions' gateways and blocks and what absent
 * ports hold; holdings of ports and legs keep the subnet from being deleted.
 */
function heldBy(kind: Kind, id: string) {
  if (kind === 'subnet')
    return sql`subnet_id = ${id}
      and (purpose in ('gateway', 'block') or holder in (select id from absent where kind = 'port'))`
  // The legs' holders are `ROUTER/REGION`: a range from the slash to the character after it (`0`) has them
  // all.
  if (kind === 'router') return sql`holder >= ${`${id}/`} and holder < ${`${id}0`}`
  return sql`holder = ${id}`
}

async function quota(db: Db, kind: Kind, projectId: string, more: number, most: number): Promise<void> {
  if (most < 0) return
  await lockOn(db, 'quota', kind, projectId)
  const { rows } = await run(
    sql<{ count: number }>`
      select count(*) as count from (
        select from ${table(kind)} where project_id = ${projectId} limit ${most + 1}) as counted`.execute(db),
  )
  if (rows[0]!.count + more <= most) return
  throw conflict(`The quota of ${most} for ${kind.replaceAll('_', ' ')}s is used up`, 'over_quota')
}

async function writePlace(db: Db, place: NewPlace): Promise<void> {
  const { kind, centralId, projectId, regionId, regionalId } = place
  const at = wholeSecond(place.at)
  await run(
    sql`insert into routing (central_id, regional_id, region_id, project_id, resource_type, created_at)
        values (${centralId}, ${regionalId}, ${regionId}, ${projectId}, ${kind}, ${at})
        on conflict (central_id, region_id, resource_type) do update
          set regional_id = excluded.regional_id, updated_at = excluded.created_at`.execute(db),
    { routing_region: gone('region') },
  )
}

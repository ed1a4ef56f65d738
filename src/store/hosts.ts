// Hosts in PostgreSQL.

import { type OperationNodeSource, type RawBuilder, sql } from 'kysely'
import { conflict } from '../core/error.ts'
import type { Filter } from '../core/filter/filter.ts'
import type {
  Allocation,
  AllocationFilter,
  Host,
  HostFacts,
  HostProperty,
  HostStore,
  HostWriter,
} from '../core/hosts/host.ts'
import { forever, type Window } from '../core/ledger/ledger.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'
import { reservable } from './filter.ts'
import { gapOver } from './ledger.ts'
import type { HostTable } from './tables.ts'
import { telling } from './telling.ts'
import { asking, turnStore } from './turns.ts'

const refusals = { host_hypervisor: () => conflict('The host is enrolled already', 'already_enrolled') }

type HostRow = HostTable & { region_name: string }

const toHost = (row: HostRow): Host => ({
  id: row.id,
  regionId: row.region_id,
  regionName: row.region_name,
  state: row.state,
  reservable: row.reservable,
  hypervisorId: row.hypervisor_id,
  hypervisorHostname: row.hypervisor_hostname,
  hypervisorType: row.hypervisor_type,
  hypervisorVersion: row.hypervisor_version,
  cpuInfo: row.cpu_info,
  serviceName: row.service_name,
  vcpus: row.vcpus,
  memoryMb: row.memory_mb,
  localGb: row.local_gb,
  availabilityZone: row.availability_zone,
  providerId: row.provider_id,
  inventory: row.inventory as Host['inventory'],
  capabilities: row.capabilities as Host['capabilities'],
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const factColumns = (facts: HostFacts) => ({
  hypervisor_id: facts.hypervisorId,
  hypervisor_hostname: facts.hypervisorHostname,
  hypervisor_type: facts.hypervisorType,
  hypervisor_version: facts.hypervisorVersion,
  cpu_info: facts.cpuInfo,
  service_name: facts.serviceName,
  vcpus: facts.vcpus,
  memory_mb: facts.memoryMb,
  local_gb: facts.localGb,
  availability_zone: facts.availabilityZone,
  provider_id: facts.providerId,
  inventory: JSON.stringify(facts.inventory),
})

const toRow = (host: Host): HostTable => ({
  ...factColumns(host),
  id: host.id,
  region_id: host.regionId,
  state: host.state,
  reservable: host.reservable,
  capabilities: JSON.stringify(host.capabilities),
  created_at: host.createdAt,
  updated_at: host.updatedAt,
})

const hosts = (db: Db) =>
  db
    .selectFrom('host')
    .innerJoin('region', 'region.id', 'host.region_id')
    .selectAll('host')
    .select('region.name as region_name')
    .orderBy('host.id')

export function hostStore(db: Db): HostStore {
  return {
    async list(region) {
      const query = region === null ? hosts(db) : hosts(db).where('region.name', '=', region)
      return (await run(query.execute())).map(toHost)
    },
    async get(id) {
      const row = await run(hosts(db).where('host.id', '=', id).executeTakeFirst())
      return row ? toHost(row) : null
    },
    async getMany(ids) {
      return (
        await run(
          hosts(db)
            .where('host.id', 'in', [-1, ...ids])
            .execute(),
        )
      ).map(toHost)
    },
    async find(regionId, hostname) {
      const found = hosts(db)
        .where('host.region_id', '=', regionId)
        .where('hypervisor_hostname', '=', hostname)
      const row = await run(found.executeTakeFirst())
      return row ? toHost(row) : null
    },
    async update(id, capabilities, note) {
      const set = Object.fromEntries(Object.entries(capabilities).filter(([, value]) => value !== null))
      const gone = Object.keys(capabilities).filter(name => capabilities[name] === null)
      const change = sql`(
        update host set capabilities = (capabilities || ${JSON.stringify(set)}::jsonb) - ${gone}::text[],
                        updated_at = ${note.at}
        where id = ${id} returning *)`
      const rows = await audited<HostTable>(db, note, change, { first: [['named', naming(set, note.at)]] })
      return rows.length === 0 ? null : this.get(id)
    },
    allocations: filter => allocations(db, filter),
    properties: () => properties(db, null),
    async setPropertyPrivate(name, isPrivate, note) {
      const change = sql`(
        update host_property set private = ${isPrivate}, updated_at = ${note.at} where name = ${name} returning *)`
      const rows = await audited(db, note, change)
      return rows.length === 0 ? null : (await properties(db, name))[0]!
    },
    regionsWithFree: (filter, window, most, region) => regionsWithFree(db, filter, window, most, region),
    async setFacts(id, facts) {
      // The inventory stays as it was at the enrolment: it is what the supply was posted with, and is taken
      // back when the host leaves.
      const { inventory: _, ...columns } = factColumns(facts)
      await surveyed(db, db.updateTable('host').set(columns).where('id', '=', id).returningAll())
    },
    async setForeign(usage, now) {
      const rows = usage.flatMap(({ hostId, consumers }) => consumers.map(consumer => ({ hostId, consumer })))
      await run(
        sql`with given as (
              select * from unnest(${rows.map(row => row.hostId)}::bigint[], ${rows.map(row => row.consumer)}::text[])
                as given (account_id, consumer)),
            gone as (
              delete from usage where account_id = any (${usage.map(one => one.hostId)}::bigint[])
                and class = 'TENANCY' and not exists (
                  select from given where given.account_id = usage.account_id and given.consumer = usage.consumer))
            insert into usage (account_id, class, amount, from_at, to_at, consumer)
            select account_id, 'TENANCY', 1, ${now}, ${forever}, consumer from given
            on conflict (account_id, class, consumer) do nothing`.execute(db),
      )
    },
    async setReservable(id, reservable) {
      await surveyed(db, db.updateTable('host').set({ reservable }).where('id', '=', id).returningAll())
    },
  }
}

/**
 * Changes a host as a survey saw it: an event is told, but nothing is noted in the audit trail, as nobody
 * made the change.
 */
async function surveyed(db: Db, change: OperationNodeSource): Promise<void> {
  const told = telling({ noun: 'host', rows: sql`seen`, action: 'host.survey', at: sql`now()` })
  await run(sql`with seen as (${change}), told as ${told} select from seen`.execute(db))
}

/** Remembers the names of capabilities. */
const naming = (capabilities: object, at: Date) => sql`(
  insert into host_property (name, created_at)
  select name, ${at} from unnest(${Object.keys(capabilities)}::text[]) as new (name) order by name
  on conflict do nothing)`

async function allocations(db: Db, filter: AllocationFilter): Promise<Allocation[]> {
  const { hostId, leaseId, reservationId, regionName, endingFrom } = filter
  const conditions: RawBuilder<unknown>[] = [sql`true`]
  if (hostId !== undefined) conditions.push(sql`host_hold.host_id = ${hostId}`)
  if (leaseId !== undefined) conditions.push(sql`host_hold.claim_id::text = ${leaseId}`)
  if (reservationId !== undefined) conditions.push(sql`host_hold.line::text = ${reservationId}`)
  if (regionName !== undefined) conditions.push(sql`region.name = ${regionName}`)
  if (endingFrom !== undefined) conditions.push(sql`lease.end_at >= ${endingFrom}`)
  const { rows } = await run(
    sql<Allocation>`
      select host_hold.host_id as "hostId", host_hold.line as "reservationId", lease.id as "leaseId",
             lease.start_at as "startAt", lease.end_at as "endAt"
      from host_hold join lease on lease.id = host_hold.claim_id
      join host on host.id = host_hold.host_id join region on region.id = host.region_id
      where ${sql.join(conditions, sql` and `)} and lease.status not in ('TERMINATED', 'DELETING')
      order by lower(host_hold.during), host_hold.id`.execute(db),
  )
  return rows
}

async function properties(db: Db, name: string | null): Promise<HostProperty[]> {
  const { rows } = await run(
    sql<HostProperty>`
      select id, name, private, created_at as "createdAt", updated_at as "updatedAt",
             coalesce((select array_agg(distinct capabilities ->> name) from host where capabilities ? name), '{}')
               as values
      from host_property where ${name}::text is null or name = ${name} order by name`.execute(db),
  )
  return rows
}

async function regionsWithFree(
  db: Db,
  filter: Filter,
  window: Window,
  most: number,
  region: string | null,
): Promise<{ regionId: string; free: number }[]> {
  const { rows } = await run(
    sql<{ regionId: string; free: number }>`
      select region.id as "regionId", found.free
      from region cross join lateral (
        select count(*)::int as free from (
          select from host cross join lateral ${gapOver(window.from)} as gap
          where host.region_id = region.id and gap.to_at >= ${window.to} and ${reservable(filter)}
          order by host.id + 0 limit ${most}) as free) as found
      where found.free > 0 and (${region}::text is null or region.name = ${region})
      order by found.free desc, region.created_at, region.id`.execute(db),
  )
  return rows
}

export function hostWriter(db: Db): HostWriter {
  return {
    async insert(host, note, ask) {
      const change = db.insertInto('host').values(toRow(host)).returningAll()
      const named = naming(host.capabilities, note.at)
      await audited(db, note, change, {
        refusals,
        first: [
          ['named', named],
          ['asked', sql`(${asking([ask])})`],
        ],
      })
    },
    async move(id, from, to, note) {
      const change = sql`(update host set state = ${to} where id = ${id} and state = any (${from}::text[]) returning *)`
      return (await audited(db, note, change)).length > 0
    },
    async remove(id, from, note) {
      const change = db
        .deleteFrom('host')
        .where('id', '=', id)
        .where('state', 'in', [...from])
        .returningAll()
      return (await audited(db, note, change)).length > 0
    },
    async enrolledIn(regionId) {
      const { rows } = await run(
        sql<{ hypervisor_hostname: string }>`
          select hypervisor_hostname from host where region_id = ${regionId} and state = 'enrolled'`.execute(
          db,
        ),
      )
      return rows.map(row => row.hypervisor_hostname)
    },
    async leasesOn(id) {
      const { rows } = await run(
        sql<{ lease_id: string }>`
          select distinct reservation.lease_id
          from host_hold join reservation on reservation.id = host_hold.line
          where host_hold.host_id = ${id} and reservation.status <> 'deleted' order by 1`.execute(db),
      )
      return rows.map(row => row.lease_id)
    },
    ask: ask => turnStore(db).ask([ask]),
  }
}

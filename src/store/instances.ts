// Instances in PostgreSQL.

import { sql } from 'kysely'
import type { Amounts } from '../core/capacity/amounts.ts'
import type {
  Instance,
  InstanceStatus,
  InstanceStore,
  InstanceWriter,
  SeenServer,
} from '../core/capacity/instance.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'

interface InstanceRow {
  id: string
  project_id: string
  user_id: string
  provider_id: string
  reservation_id: string | null
  name: string
  flavor_id: string
  image: string
  networks: string[]
  amounts: Amounts
  server_id: string | null
  status: InstanceStatus
  reason: string | null
  created_at: Date
  updated_at: Date
  ended_at: Date | null
  ended_by: Instance['endedBy']
}

const toInstance = (row: InstanceRow): Instance => ({
  id: row.id,
  projectId: row.project_id,
  userId: row.user_id,
  providerId: row.provider_id,
  reservationId: row.reservation_id,
  name: row.name,
  flavorId: row.flavor_id,
  image: row.image,
  networks: row.networks,
  amounts: row.amounts,
  serverId: row.server_id,
  status: row.status,
  reason: row.reason,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  endedAt: row.ended_at,
  endedBy: row.ended_by,
})

/** The mark of a server, null for one that is no UUID: users can write anything into a server's metadata. */
const markOf = ({ mark }: SeenServer): string | null => (/^[0-9a-f-]{36}$/.test(mark ?? '') ? mark : null)

async function select(db: Db, condition: ReturnType<typeof sql>): Promise<Instance[]> {
  const { rows } = await run(
    sql<InstanceRow>`select * from instance where ${condition} order by created_at, id`.execute(db),
  )
  return rows.map(toInstance)
}

export function instanceStore(db: Db): InstanceStore {
  return {
    get: async id => (await select(db, sql`id::text = ${id}`))[0] ?? null,
    getMany: ids => select(db, sql`id::text = any (${ids}::text[])`),
    watched: providerId =>
      select(db, sql`provider_id = ${providerId} and status in ('building', 'active', 'deleting')`),
    drawnOn: ids => select(db, sql`reservation_id::text = any (${ids}::text[]) and ended_at is null`),
    async anyEndedSince(providerId, since) {
      const { rows } = await run(
        sql<{ any: boolean }>`
          select exists (select from instance where provider_id = ${providerId} and ended_by is not null
                           and ended_at >= ${since}) as any`.execute(db),
      )
      return rows[0]!.any
    },
    async lateServers(providerId, servers, since) {
      const ended = sql`
        provider_id = ${providerId} and ended_by is not null and ended_at >= ${since}
        and (status = 'gone' or status = 'error' and server_id is null)
        and (server_id = any (${servers.map(({ id }) => id)}::text[])
             or server_id is null and id = any (${servers.flatMap(one => markOf(one) ?? [])}::uuid[]))`
      const isOf = (server: SeenServer, { id, serverId }: Instance): boolean =>
        serverId === null ? server.mark === id : server.id === serverId
      return (await select(db, ended)).flatMap(instance =>
        servers.flatMap(server => (isOf(server, instance) ? [{ serverId: server.id, instance }] : [])),
      )
    },
  }
}

export function instanceWriter(db: Db): InstanceWriter {
  return {
    async lock(id) {
      const { rows } = await run(
        sql<InstanceRow>`select * from instance where id = ${id} for update`.execute(db),
      )
      return rows[0] ? toInstance(rows[0]) : null
    },
    async lockDrawn(reservationId) {
      const { rows } = await run(
        sql<InstanceRow>`
          select * from instance where reservation_id = ${reservationId} and ended_at is null
          order by id for update`.execute(db),
      )
      return rows.map(toInstance)
    },
    drawn: reservationId => select(db, sql`reservation_id = ${reservationId} and ended_at is null`),
    async anyOf(reservationId) {
      const { rows } = await run(
        sql<{ any: boolean }>`
          select exists (select from instance where reservation_id = ${reservationId} and status <> 'error') as any`.execute(
          db,
        ),
      )
      return rows[0]!.any
    },
    async chargedServers(servers, since) {
      const { rows } = await run(
        sql<{ id: string }>`
          with seen as (
            select * from unnest(${servers.map(one => one.id)}::text[], ${servers.map(markOf)}::uuid[])
              as seen (id, mark))
          select seen.id from seen join instance on server_id = seen.id
          where coalesce(ended_at > ${since}, true)
          union
          select seen.id from seen join instance on instance.id = seen.mark
          where server_id is null and coalesce(ended_at > ${since}, true)`.execute(db),
      )
      return rows.map(row => row.id)
    },
    async insert(instance, note) {
      const { id, projectId, userId, providerId, reservationId, name, flavorId, image, networks } = instance
      const change = sql`(
        insert into instance (id, project_id, user_id, provider_id, reservation_id, name, flavor_id, image, networks,
                              amounts, server_id, status, reason, created_at, updated_at, ended_at, ended_by)
        values (${id}, ${projectId}, ${userId}, ${providerId}, ${reservationId}, ${name}, ${flavorId}, ${image},
                ${networks}::text[], ${JSON.stringify(instance.amounts)}, ${instance.serverId}, ${instance.status},
                ${instance.reason}, ${instance.createdAt}, ${instance.updatedAt}, ${instance.endedAt},
                ${instance.endedBy})
        returning *)`
      await audited(db, note, change)
    },
    async replace({ id, reservationId, serverId, status, reason, updatedAt, endedAt, endedBy }, note) {
      const change = sql`(
        update instance
        set reservation_id = ${reservationId}, server_id = ${serverId}, status = ${status}, reason = ${reason},
            updated_at = ${updatedAt}, ended_at = ${endedAt}, ended_by = ${endedBy}
        where id = ${id} returning *)`
      await audited(db, note, change)
    },
  }
}

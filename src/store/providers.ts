// Providers and their pools in PostgreSQL.

import { sql } from 'kysely'
import type { Amounts } from '../core/capacity/amounts.ts'
import type { Pool, PoolStore, PoolWriter } from '../core/capacity/pool.ts'
import type { Provider, ProviderStore, ProviderWriter } from '../core/capacity/provider.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'

interface ProviderRow {
  id: string
  name: string
  login: Provider['login']
  sealed_password: string
  region_id: string | null
  budget: number
  is_admin: boolean
  flavors: Provider['flavors']
  limits: Provider['limits']
  refreshed_at: Date
  last_error: string | null
  suspect_since: Date | null
  suspect_reason: string | null
  created_at: Date
}

const toProvider = (row: ProviderRow): Provider => ({
  id: row.id,
  name: row.name,
  login: row.login,
  sealedPassword: row.sealed_password,
  regionId: row.region_id,
  budget: row.budget,
  isAdmin: row.is_admin,
  flavors: row.flavors,
  limits: row.limits,
  refreshedAt: row.refreshed_at,
  lastError: row.last_error,
  suspicion: row.suspect_since && { since: row.suspect_since, reason: row.suspect_reason ?? '' },
  createdAt: row.created_at,
})

export function providerStore(db: Db): ProviderStore {
  return {
    async list() {
      const { rows } = await run(sql<ProviderRow>`select * from provider order by created_at, id`.execute(db))
      return rows.map(toProvider)
    },
    async get(id) {
      const { rows } = await run(sql<ProviderRow>`select * from provider where id::text = ${id}`.execute(db))
      return rows[0] ? toProvider(rows[0]) : null
    },
  }
}

/** What the audit trail has of a provider. */
const shown = sql`id, name, login, region_id, budget, refreshed_at, last_error, created_at`

export function providerWriter(db: Db): ProviderWriter {
  return {
    async insert(provider, note) {
      const { id, name, login, sealedPassword, regionId, budget, flavors, limits } = provider
      const change = sql`(
        insert into provider (id, name, login, sealed_password, region_id, budget, is_admin, flavors, limits, refreshed_at, created_at)
        values (${id}, ${name}, ${JSON.stringify(login)}, ${sealedPassword}, ${regionId}, ${budget}, ${provider.isAdmin},
                ${JSON.stringify(flavors)}, ${JSON.stringify(limits)}, ${provider.refreshedAt}, ${provider.createdAt})
        returning ${shown})`
      await audited(db, note, change)
    },
    async setSight(id, sight, error, at) {
      const seen = sight
        ? sql`is_admin = ${sight.isAdmin}, flavors = ${JSON.stringify(sight.flavors)}, limits = ${JSON.stringify(sight.limits)},`
        : sql``
      await run(
        sql`update provider set ${seen} last_error = ${error}, refreshed_at = ${at} where id = ${id}`.execute(
          db,
        ),
      )
    },
    async setSuspicion(id, suspicion) {
      await run(
        sql`update provider set suspect_since = ${suspicion?.since ?? null},
                                suspect_reason = ${suspicion?.reason ?? null} where id = ${id}`.execute(db),
      )
    },
    async uses(id) {
      const { rows } = await run(
        sql<{ uses: number }>`
          select ((select count(*) from capacity_reservation where provider_id = ${id} and state = 'living')
                + (select count(*) from instance where provider_id = ${id} and ended_at is null))::int as uses`.execute(
          db,
        ),
      )
      return rows[0]!.uses
    },
    async remove(id, note) {
      const change = sql`(delete from provider where id = ${id} returning ${shown})`
      return (await audited(db, note, change)).length > 0
    },
  }
}

interface PoolRow {
  id: string
  provider_id: string
  source: string
  amounts: Amounts
  from_at: Date
  to_at: Date
  elements: string[]
  created_at: Date
}

const toPool = (row: PoolRow): Pool => ({
  id: row.id,
  providerId: row.provider_id,
  source: row.source,
  amounts: row.amounts,
  window: { from: row.from_at, to: row.to_at },
  elements: row.elements,
  createdAt: row.created_at,
})

export function poolStore(db: Db): PoolStore {
  return {
    async getMany(ids) {
      const { rows } = await run(
        sql<PoolRow>`select * from pool where id::text = any (${ids}::text[]) order by created_at, id`.execute(
          db,
        ),
      )
      return rows.map(toPool)
    },
    async providersWith({ from, to }) {
      const { rows } = await run(
        sql<{ provider_id: string }>`
          select distinct provider_id from pool where from_at < ${to} and to_at > ${from}`.execute(db),
      )
      return rows.map(row => row.provider_id)
    },
  }
}

export const poolWriter = (db: Db): PoolWriter => ({
  async insert({ id, providerId, source, amounts, window, elements, createdAt }, note) {
    const change = sql`(
      insert into pool (id, provider_id, source, amounts, from_at, to_at, elements, created_at)
      values (${id}, ${providerId}, ${source}, ${JSON.stringify(amounts)}, ${window.from}, ${window.to},
              ${elements}::text[], ${createdAt})
      returning *)`
    await audited(db, note, change)
  },
})

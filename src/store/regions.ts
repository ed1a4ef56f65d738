// Regions in PostgreSQL.

import { sql } from 'kysely'
import { conflict } from '../core/error.ts'
import type { Region, RegionStore, RegionUse } from '../core/regions/region.ts'
import { audited } from './audit.ts'
import { type Db, type Refusals, run } from './database.ts'
import type { RegionTable } from './tables.ts'
import { asking } from './turns.ts'

/**
 * Constraints that are broken when two processes make such regions at the same moment: core has checked both
 * before.
 */
const refusals: Refusals = {
  region_name: () => conflict('Another region bears this name', 'name_taken'),
  region_one_central: () => conflict('There is a central region already', 'central_exists'),
}

const inUse = () => conflict('The region is in use', 'in_use')
/** Foreign keys that keep a region from being deleted. */
const uses: Refusals = {
  routing_region: inUse,
  binding_region: inUse,
  host_region: inUse,
  reservation_region: inUse,
  provider_region: inUse,
}

const toRegion = (row: RegionTable): Region => ({
  id: row.id,
  name: row.name,
  availabilityZone: row.availability_zone,
  localAvailabilityZone: row.local_availability_zone,
  dataCenter: row.data_center,
  createdAt: row.created_at,
})

export function regionStore(db: Db): RegionStore {
  return {
    async list() {
      const rows = await run(
        db.selectFrom('region').selectAll().orderBy('created_at').orderBy('id').execute(),
      )
      return rows.map(toRegion)
    },

    async get(id) {
      const row = await run(db.selectFrom('region').selectAll().where('id', '=', id).executeTakeFirst())
      return row ? toRegion(row) : null
    },

    async create(region, note, asks = []) {
      const row: RegionTable = {
        id: region.id,
        name: region.name,
        availability_zone: region.availabilityZone,
        local_availability_zone: region.localAvailabilityZone,
        data_center: region.dataCenter,
        created_at: region.createdAt,
      }
      await audited(db, note, db.insertInto('region').values(row).returningAll(), {
        refusals,
        first: [['asked', sql`(${asking(asks)})`]],
      })
    },

    async remove(id, note) {
      const rows = await audited(db, note, db.deleteFrom('region').where('id', '=', id).returningAll(), {
        refusals: uses,
      })
      return rows.length > 0
    },

    async use(id) {
      const { rows } = await run(
        sql<RegionUse>`
          select (select count(*) from routing where region_id = ${id}) as routings,
                 (select count(*) from binding where region_id = ${id}) as bindings,
                 (select count(*) from host where region_id = ${id}) as hosts,
                 (select count(distinct lease_id) from reservation where region_id = ${id}) as leases,
                 (select count(*) from provider where region_id = ${id}) as providers`.execute(db),
      )
      return rows[0]!
    },
  }
}

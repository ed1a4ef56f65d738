// Bindings of projects to regions in PostgreSQL.

import { sql } from 'kysely'
import { conflict, invalid } from '../core/error.ts'
import type { Binding, BindingStore } from '../core/regions/binding.ts'
import { audited } from './audit.ts'
import { type Db, type Refusals, run } from './database.ts'
import type { BindingTable } from './tables.ts'

const refusals: Refusals = {
  binding_project_region: () => conflict('Pod binding already exists', 'already_bound'),
  binding_region: () => invalid('pod_id not found in pod', 'region_unknown'),
}

const toBinding = (row: BindingTable): Binding => ({
  id: row.id,
  projectId: row.project_id,
  regionId: row.region_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export function bindingStore(db: Db): BindingStore {
  return {
    async list({ limit, marker }) {
      let query = db.selectFrom('binding').selectAll().orderBy('created_at').orderBy('id').limit(limit)
      if (marker !== null) {
        query = query.where(
          sql<boolean>`(created_at, id) > (select created_at, id from binding where id = ${marker})`,
        )
      }
      return (await run(query.execute())).map(toBinding)
    },

    async get(id) {
      const row = await run(db.selectFrom('binding').selectAll().where('id', '=', id).executeTakeFirst())
      return row ? toBinding(row) : null
    },

    async regionsOf(projectId) {
      const mine = db.selectFrom('binding').select('region_id').where('project_id', '=', projectId)
      const rows = await run(mine.orderBy('created_at').orderBy('id').execute())
      return rows.map(row => row.region_id)
    },

    async create(binding, note) {
      const row: BindingTable = {
        id: binding.id,
        project_id: binding.projectId,
        region_id: binding.regionId,
        created_at: binding.createdAt,
        updated_at: binding.updatedAt,
      }
      await audited(db, note, db.insertInto('binding').values(row).returningAll(), { refusals })
    },

    async remove(id, note) {
      const rows = await audited(db, note, db.deleteFrom('binding').where('id', '=', id).returningAll())
      return rows.length > 0
    },
  }
}

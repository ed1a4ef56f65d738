// The central model in PostgreSQL: reading it.

import { sql } from 'kysely'
import type { Kind, Kinds } from '../core/network/model/model.ts'
import type { NetworkStore } from '../core/network/model/network-store.ts'
import { type Db, run } from './database.ts'
import { holdings } from './held-ranges.ts'
import { sightedFrom } from './network-conditions.ts'
import { column, fromRow, kindNames, selection, table } from './network-kinds.ts'
import { listResources } from './network-list.ts'
import { addressesHeldBy, portCounts } from './network-overview.ts'
import { seenSegments, segmentClashes } from './segments.ts'

export function networkStore(db: Db): NetworkStore {
  return {
    list: (kind, query) => listResources(db, kind, query),
    async get(kind, id, sight) {
      const { rows } = await run(
        sql<Kinds[typeof kind]>`
          select ${selection(kind)} ${sightedFrom(kind, sight)} and ${column(kind, 'id')} = ${id}`.execute(
          db,
        ),
      )
      return rows[0] ? fromRow(kind, rows[0]) : null
    },
    async getMany<K extends Kind>(kind: K, ids: readonly string[]) {
      const { rows } = await run(
        sql<Kinds[K]>`
          select ${selection(kind)} from ${table(kind)} where ${column(kind, 'id')} = any (${ids}::text[])`.execute(
          db,
        ),
      )
      return rows.map(row => fromRow(kind, row))
    },
    async counts(projectId) {
      const parts = kindNames.map(
        kind => sql`(select count(*) from ${table(kind)} where project_id = ${projectId}) as ${sql.id(kind)}`,
      )
      const { rows } = await run(sql<Record<Kind, number>>`select ${sql.join(parts)}`.execute(db))
      return rows[0]!
    },
    holdings: (subnetId, purposes) => holdings(db, subnetId, purposes),
    addressesHeldBy: asked => addressesHeldBy(db, asked),
    portCounts: (sight, networkIds) => portCounts(db, sight, networkIds),
    seenSegments: regionId => seenSegments(db, regionId),
    segmentClashes: () => segmentClashes(db),
  }
}

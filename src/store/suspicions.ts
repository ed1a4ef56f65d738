// Regions that are not believed, in PostgreSQL.

import { sql } from 'kysely'
import type { SightKind, Suspicion, SuspicionStore } from '../core/regions/suspicion.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'

interface Row {
  readonly region_id: string
  readonly through: SightKind
  readonly since: Date
  readonly reason: string
  readonly counts: Suspicion['counts']
  readonly confirmed: Suspicion['confirmed']
}

const toSuspicion = ({ region_id: regionId, ...row }: Row): Suspicion => ({ regionId, ...row })

const columns = sql`suspicion.region_id, through, since, reason, counts, confirmed`

export function suspicionStore(db: Db): SuspicionStore {
  return {
    async list() {
      const { rows } = await run(
        sql<Row>`select ${columns} from suspicion join region on region.id = suspicion.region_id
                 order by region.name, through`.execute(db),
      )
      return rows.map(toSuspicion)
    },

    async get(regionId, through) {
      const { rows } = await run(
        sql<Row>`select ${columns} from suspicion where region_id = ${regionId} and through = ${through}`.execute(
          db,
        ),
      )
      return rows[0] ? toSuspicion(rows[0]) : null
    },

    async raise({ regionId, through, since, reason, counts }) {
      const { rows } = await run(
        sql<{ is_new: boolean }>`
          insert into suspicion (region_id, through, since, reason, counts)
          values (${regionId}, ${through}, ${since}, ${reason}, ${JSON.stringify(counts)}::jsonb)
          on conflict (region_id, through) do update set reason = excluded.reason, counts = excluded.counts
          returning xmax = 0 as is_new`.execute(db),
      )
      return rows[0]!.is_new
    },

    async lower(regionId, through) {
      const result = await run(
        sql`delete from suspicion where region_id = ${regionId} and through = ${through}`.execute(db),
      )
      return Number(result.numAffectedRows ?? 0) > 0
    },

    async confirm({ regionId, through, counts, confirmed }, note) {
      const change = sql`(
        update suspicion set confirmed = ${JSON.stringify(confirmed)}::jsonb
        where region_id = ${regionId} and through = ${through} and counts = ${JSON.stringify(counts)}::jsonb
        returning region_id as id, *)`
      return (await audited(db, note, change)).length > 0
    },
  }
}

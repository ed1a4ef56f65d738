// Reservations of capacity in PostgreSQL, and the times of the elements that they have.

import { sql } from 'kysely'
import type { Amounts } from '../core/capacity/amounts.ts'
import type {
  CapacityReservation,
  CapacityReservationState,
  CapacityReservationStore,
  CapacityReservationWriter,
} from '../core/capacity/capacity-reservation.ts'
import { conflict } from '../core/error.ts'
import { audited } from './audit.ts'
import { type Db, run } from './database.ts'

interface ReservationRow {
  id: string
  project_id: string
  user_id: string
  provider_id: string | null
  from_at: Date
  to_at: Date
  zone: string | null
  amounts: Amounts
  elements: string[]
  state: CapacityReservationState
  at_risk: boolean
  created_at: Date
  updated_at: Date
}

/**
 * The columns are named where rows are written: a newer release may have added others, which have defaults.
 */
const columns =
  sql.raw(`id, project_id, user_id, provider_id, from_at, to_at, zone, amounts, elements, state, at_risk,
  created_at, updated_at`)

const toRow = (one: CapacityReservation): ReservationRow => ({
  id: one.id,
  project_id: one.projectId,
  user_id: one.userId,
  provider_id: one.providerId,
  from_at: one.window.from,
  to_at: one.window.to,
  zone: one.zone,
  amounts: one.amounts,
  elements: [...one.elements],
  state: one.state,
  at_risk: one.atRisk,
  created_at: one.createdAt,
  updated_at: one.updatedAt,
})

const toReservation = (row: ReservationRow): CapacityReservation => ({
  id: row.id,
  projectId: row.project_id,
  userId: row.user_id,
  providerId: row.provider_id,
  window: { from: row.from_at, to: row.to_at },
  zone: row.zone,
  amounts: row.amounts,
  elements: row.elements,
  state: row.state,
  atRisk: row.at_risk,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

async function getMany(db: Db, ids: readonly string[]): Promise<CapacityReservation[]> {
  const { rows } = await run(
    sql<ReservationRow>`
      select * from capacity_reservation where id::text = any (${ids}::text[]) order by created_at, id`.execute(
      db,
    ),
  )
  return rows.map(toReservation)
}

export const capacityReservationStore = (db: Db): CapacityReservationStore => ({
  get: async id => (await getMany(db, [id]))[0] ?? null,
  getMany: ids => getMany(db, ids),
})

export function capacityReservationWriter(db: Db): CapacityReservationWriter {
  return {
    async lock(id) {
      const { rows } = await run(
        sql<ReservationRow>`select * from capacity_reservation where id::text = ${id} for update`.execute(db),
      )
      return rows[0] ? toReservation(rows[0]) : null
    },
    getMany: ids => getMany(db, ids),
    async atRiskOn(providerId) {
      const { rows } = await run(
        sql<ReservationRow>`
          select * from capacity_reservation
          where provider_id = ${providerId} and state = 'living' and at_risk order by id`.execute(db),
      )
      return rows.map(toReservation)
    },
    async setAtRisk(ids, isAtRisk, note) {
      if (ids.length === 0) return
      const change = sql`(
        update capacity_reservation set at_risk = ${isAtRisk}, updated_at = ${note.at}
        where id = any (${ids}::uuid[]) returning *)`
      await audited(db, note, change)
    },
    async insert(reservations, note) {
      const change = sql`(
        insert into capacity_reservation (${columns})
        select ${columns} from jsonb_populate_recordset(null::capacity_reservation, ${JSON.stringify(reservations.map(toRow))})
        returning *)`
      await audited(db, note, change)
      for (const one of reservations) await holdElements(db, one)
    },
    async replace(reservation, note) {
      const { id, providerId, window, zone, amounts, elements, state, atRisk } = reservation
      const change = sql`(
        update capacity_reservation
        set provider_id = ${providerId}, from_at = ${window.from}, to_at = ${window.to}, zone = ${zone},
            amounts = ${JSON.stringify(amounts)}, elements = ${elements}::text[], state = ${state},
            at_risk = ${atRisk}, updated_at = ${reservation.updatedAt}
        where id = ${id} returning *)`
      await audited(db, note, change)
      await run(sql`delete from element_hold where reservation_id = ${id}`.execute(db))
      if (state === 'living') await holdElements(db, reservation)
    },
  }
}

const refusals = {
  element_hold_alone: () =>
    conflict('an element is reserved by another reservation in that window', 'element_reserved'),
}

/**
 * Locks elements in the order of their ids, so that two reservations of the same elements cannot deadlock.
 */
async function holdElements(db: Db, { id, elements, window }: CapacityReservation): Promise<void> {
  if (elements.length === 0) return
  await run(
    sql`insert into element_hold (element, reservation_id, during)
        select distinct element, ${id}::uuid, tstzrange(${window.from}, ${window.to})
        from unnest(${elements}::text[]) as given (element) order by element`.execute(db),
    refusals,
  )
}

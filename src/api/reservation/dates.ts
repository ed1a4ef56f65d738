// Dates of the Reservation API: one format comes in, two others go out.

import { invalid } from '../../core/error.ts'
import { kindOf } from '../request.ts'

const incoming = /^(\d{4})-(\d{1,2})-(\d{1,2}) (\d{1,2}):(\d{1,2})$/

/** `2017-2-21 20:00`, always UTC; throws `invalid` with the original's sentence for anything else. */
export function parseDate(value: unknown): Date {
  const date = typeof value === 'string' ? dateOf(value) : null
  if (date) return date
  const shown = typeof value === 'string' ? value.slice(0, 100) : kindOf(value)
  throw invalid(`${shown} is an invalid date. Required format: %Y-%m-%d %H:%M`)
}

function dateOf(text: string): Date | null {
  const [, year = '', ...rest] = incoming.exec(text) ?? []
  const [month, day, hour, minute] = rest.map(part => part.padStart(2, '0'))
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:00Z`)
  // Date accepts the 30th of February as the 2nd of March, and 24:00 as the next day; both are refused here.
  const isReal = !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day)
  return isReal ? date : null
}

/** The dates of leases and events: `2017-02-21T20:00:00.000000`. Clients parse all six digits. */
export const viewDate = (at: Date): string => `${at.toISOString().slice(0, 19)}.000000`

/** The times of creation and update: `2017-02-21 14:50:38`. */
export const viewTime = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ')

export const viewTimes = ({ createdAt, updatedAt }: { createdAt: Date; updatedAt: Date | null }) => ({
  created_at: viewTime(createdAt),
  updated_at: updatedAt && viewTime(updatedAt),
})

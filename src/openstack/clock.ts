// What a service's answer tells of its clock and of its distance.
import type { Reply } from './http.ts'

export interface Clock {
  /**
   * How far the service's clock is ahead of ours. The header knows whole seconds only: half a second is
   * noise.
   */
  readonly skewMs: number
  readonly latencyMs: number
}

/** Null when the answer has no `Date` (uwsgi, which often serves Keystone and Placement, adds none). */
export function readClock(reply: Reply, startedAt: number, endedAt: number): Clock | null {
  const date = Date.parse(reply.headers.date ?? '')
  if (Number.isNaN(date)) return null
  const middle = (startedAt + endedAt) / 2
  return { skewMs: Math.round(date + 500 - middle), latencyMs: endedAt - startedAt }
}

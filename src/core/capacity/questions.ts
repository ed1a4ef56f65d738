// The verbs of questions about capacity over time, which change nothing: what is free when, and when so much will be.

import type { Caller } from '../caller.ts'
import { invalid } from '../error.ts'
import type { App } from '../ports.ts'
import type { AvailabilityPoint, AvailabilityQuery, Slot, SlotSearch } from './capacity.ts'

/** The most points of one answer. */
const mostPoints = 10_000

/** How many hosts and how much of each class are free over a window. Throws `invalid` when that has too many points. */
export async function getAvailability(
  app: App,
  _caller: Caller,
  query: AvailabilityQuery,
): Promise<AvailabilityPoint[]> {
  const points = await app.store.capacity.availability(query, mostPoints)
  if (!points)
    throw invalid(`That would be more than ${mostPoints} points: ask for a shorter time`, 'too_many_points')
  return points
}

export interface SlotsAsked extends SlotSearch {
  readonly limit: number
}

/** Up to `limit` slots, the earliest first, each at least its own length after the one before. */
export async function listSlots(
  app: App,
  _caller: Caller,
  { limit, ...search }: SlotsAsked,
): Promise<Slot[]> {
  const slots: Slot[] = []
  let { notBefore } = search
  while (slots.length < limit) {
    const slot = await app.store.capacity.earliestHosts({ ...search, notBefore })
    if (!slot) break
    slots.push(slot)
    notBefore = new Date(slot.at.getTime() + search.lengthMs)
  }
  return slots
}

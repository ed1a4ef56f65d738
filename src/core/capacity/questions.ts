// The verbs of questions about capacity over time, which change nothing: hosts that are free when, and slots.

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { invalid, notFound } from '../error.ts'
import { checkProperties } from '../hosts/hosts.ts'
import { minuteOf } from '../minute.ts'
import type { AvailabilityPoint, AvailabilityQuery, Slot, SlotSearch } from './capacity.ts'

/** The most points of one answer. */
const mostPoints = 10_000

const dayMs = 86_400_000
const weekMs = 7 * dayMs
const yearMs = 365 * dayMs

export interface AvailabilityAsked extends Omit<AvailabilityQuery, 'window'> {
  /** Null: the current minute. */
  readonly from: Date | null
  /** Null: a week after `from`. */
  readonly to: Date | null
}

/**
 * How many hosts, and how much of each class, are free over a window. Throws `not_found` (no such region),
 * `invalid` (an unknown property, a window that is empty or has too many points).
 */
export async function getAvailability(
  app: Pick<App, 'now' | 'store'>,
  _caller: Caller,
  { from: asked, to, filter, region }: AvailabilityAsked,
): Promise<AvailabilityPoint[]> {
  await checkPlace(app, { filter, region })
  const from = asked ?? minuteOf(app.now())
  const window = { from, to: to ?? new Date(from.getTime() + weekMs) }
  if (window.from >= window.to) throw invalid(`It is to end after it begins, at ${from.toISOString()}`)
  const points = await app.store.capacity.availability({ window, filter, region }, mostPoints)
  if (!points)
    throw invalid(`That would be more than ${mostPoints} points: ask for a shorter time`, 'too_many_points')
  return points
}

export interface SlotsAsked extends Omit<SlotSearch, 'notBefore' | 'notAfter'> {
  /** Null, and an instant that has passed: the current minute. */
  readonly notBefore: Date | null
  /** Null: a year after `notBefore`. */
  readonly notAfter: Date | null
  readonly limit: number
}

/**
 * Up to `limit` slots, the earliest first, each at least its own length after the one before. Throws `not_found` (no such
 * region), `invalid` (an unknown property, an end that is too early).
 */
export async function listSlots(
  app: Pick<App, 'now' | 'store'>,
  _caller: Caller,
  { limit, notBefore: asked, notAfter: end, ...search }: SlotsAsked,
): Promise<Slot[]> {
  await checkPlace(app, search)
  const now = minuteOf(app.now())
  let notBefore = asked && asked > now ? asked : now
  const notAfter = end ?? new Date(notBefore.getTime() + yearMs)
  if (notAfter <= notBefore)
    throw invalid(`Slots that begin at ${notBefore.toISOString()} or later end after that`)
  const slots: Slot[] = []
  while (slots.length < limit) {
    const slot = await app.store.capacity.earliestHosts({ ...search, notBefore, notAfter })
    if (!slot) break
    slots.push(slot)
    notBefore = new Date(slot.at.getTime() + search.lengthMs)
  }
  return slots
}

/** Refuses unknown regions and properties: such a name is a slip, and no place where nothing is free. */
async function checkPlace(
  app: Pick<App, 'store'>,
  { filter, region }: Pick<SlotSearch, 'filter' | 'region'>,
): Promise<void> {
  if (region !== null && !(await app.store.regions.list()).some(one => one.name === region))
    throw notFound(`There is no region ${region}`, 'no_region')
  await checkProperties(app, [filter])
}

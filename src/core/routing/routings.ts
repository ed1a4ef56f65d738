// The verbs of routings: list, get, create, update, remove.

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { invalid, notFound } from '../error.ts'
import { noteOf } from '../note.ts'
import { type Page, type PageRequest, toPage } from '../page.ts'
import type { Routing, RoutingChange, RoutingFilter, RoutingSpec } from './routing.ts'

export interface RoutingQuery extends PageRequest<number> {
  readonly filter: RoutingFilter
  /**
   * Routings of every project, or of the one in the filter; else of the caller's project, whatever the filter
   * says.
   */
  readonly allProjects: boolean
}

/** A page of routings, newest first; throws `invalid` (`marker`) for a marker that is no routing. */
export async function listRoutings(
  app: Pick<App, 'store'>,
  caller: Caller,
  query: RoutingQuery,
): Promise<Page<Routing>> {
  if (query.marker !== null && !(await app.store.routings.get(query.marker))) {
    throw invalid(`Marker ${query.marker} is an invalid ID`, 'marker')
  }
  const filter = query.allProjects ? query.filter : { ...query.filter, projectId: caller.projectId ?? '' }
  const rows = await app.store.routings.list(filter, { limit: query.limit + 1, marker: query.marker })
  return toPage(rows, query.limit)
}

/** One routing, of any project; throws `not_found`. */
export async function getRouting(app: Pick<App, 'store'>, _caller: Caller, id: number): Promise<Routing> {
  const routing = await app.store.routings.get(id)
  if (!routing) throw routingUnknown()
  return routing
}

/** The new routing; throws `invalid` (unknown region) or `conflict` (exists already). */
export async function createRouting(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  spec: RoutingSpec,
): Promise<Routing> {
  const [routing] = await app.store.routings.append([spec], {
    caller,
    at: app.now(),
    action: 'routing.create',
  })
  return routing!
}

/**
 * The routing with the change made; its `updatedAt` is the one before, and the new one shows at the next
 * reading (seed 000, "PUT /routings/{id}"). Throws `not_found`, `invalid` (unknown region) or `conflict`.
 */
export async function updateRouting(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  { id, change }: { id: number; change: RoutingChange },
): Promise<Routing> {
  const routing = await app.store.routings.update(id, change, {
    caller,
    at: app.now(),
    action: 'routing.update',
  })
  if (!routing) throw routingUnknown()
  return routing
}

/** Removes a routing; throws `not_found`. */
export async function removeRouting(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: number,
): Promise<void> {
  const removed = await app.store.routings.remove(id, noteOf(app, caller, 'routing.remove'))
  if (!removed) throw routingUnknown()
}

const routingUnknown = () => notFound('Resource routing not found')

// The verbs of bindings: which region a project's unplaced things go to (a preference, not a fence).

import type { Note } from '../audit.ts'
import type { Caller } from '../caller.ts'
import { invalid, notFound } from '../error.ts'
import { type Page, type PageRequest, toPage } from '../page.ts'
import type { App } from '../ports.ts'
import { isCentral } from './region.ts'

export interface Binding {
  readonly id: string
  readonly projectId: string
  readonly regionId: string
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

export type BindingSpec = Pick<Binding, 'projectId' | 'regionId'>

export interface BindingStore {
  /** Up to `limit` bindings in order of creation, after the one with the id `marker`. */
  list(page: PageRequest<string>): Promise<Binding[]>
  get(id: string): Promise<Binding | null>
  /** Throws `conflict` when the project is bound to the region already, `invalid` when the region is gone. */
  create(binding: Binding, note: Note): Promise<void>
  /** False when there is none. */
  remove(id: string, note: Note): Promise<boolean>
}

/** A page of all projects' bindings; throws `invalid` for an unknown marker. */
export async function listBindings(
  app: App,
  _caller: Caller,
  page: PageRequest<string>,
): Promise<Page<Binding>> {
  if (page.marker !== null && !(await app.store.bindings.get(page.marker))) {
    throw invalid(`Invalid marker: ${page.marker}`, 'marker')
  }
  return toPage(await app.store.bindings.list({ ...page, limit: page.limit + 1 }), page.limit)
}

/** One binding; throws `not_found`. */
export async function getBinding(app: App, _caller: Caller, id: string): Promise<Binding> {
  const binding = await app.store.bindings.get(id)
  if (!binding) throw notFound(`There is no binding ${id}`)
  return binding
}

/** The new binding; throws `invalid` (`region_unknown`, `region_central`), or `conflict` (`already_bound`). */
export async function createBinding(app: App, caller: Caller, spec: BindingSpec): Promise<Binding> {
  const region = await app.store.regions.get(spec.regionId)
  if (!region) throw invalid('pod_id not found in pod', 'region_unknown')
  if (isCentral(region)) throw invalid('Top region can not be bound', 'region_central')
  const binding: Binding = { ...spec, id: app.newId(), createdAt: app.now(), updatedAt: null }
  await app.store.bindings.create(binding, { caller, at: app.now(), action: 'binding.create' })
  return binding
}

/** Throws `not_found`. */
export async function removeBinding(app: App, caller: Caller, id: string): Promise<void> {
  const removed = await app.store.bindings.remove(id, { caller, at: app.now(), action: 'binding.remove' })
  if (!removed) throw notFound(`There is no binding ${id}`)
}

// The verbs of bindings: which region a project's unplaced things go to (a preference, not a fence).

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { invalid, notFound } from '../error.ts'
import { noteOf } from '../note.ts'
import { type Page, type PageRequest, toPage } from '../page.ts'
import type { Binding, BindingSpec } from './binding.ts'
import { isCentral } from './region.ts'

/** A page of all projects' bindings; throws `invalid` for an unknown marker. */
export async function listBindings(
  app: Pick<App, 'store'>,
  _caller: Caller,
  page: PageRequest<string>,
): Promise<Page<Binding>> {
  if (page.marker !== null && !(await app.store.bindings.get(page.marker))) {
    throw invalid(`Invalid marker: ${page.marker}`, 'marker')
  }
  return toPage(await app.store.bindings.list({ ...page, limit: page.limit + 1 }), page.limit)
}

/** One binding; throws `not_found`. */
export async function getBinding(app: Pick<App, 'store'>, _caller: Caller, id: string): Promise<Binding> {
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
  await app.store.bindings.create(binding, noteOf(app, caller, 'binding.create'))
  return binding
}

/** Removes a binding; throws `not_found`. */
export async function removeBinding(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<void> {
  const removed = await app.store.bindings.remove(id, noteOf(app, caller, 'binding.remove'))
  if (!removed) throw notFound(`There is no binding ${id}`)
}

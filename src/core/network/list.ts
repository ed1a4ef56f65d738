// Lists of the central model: one verb for every kind of resource.

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { invalid } from '../error.ts'
import { type Page, toPage } from '../page.ts'
import { ensureDefaultGroup } from './groups/default-group.ts'
import { type Kind, type Kinds, wordOf } from './model/model.ts'
import type { ResourceQuery } from './model/network-store.ts'
import { sightOf } from './model/read.ts'

export interface ListAsk<K extends Kind> {
  readonly kind: K
  readonly query: Omit<ResourceQuery, 'sight'>
}

/**
 * A page of the resources that the caller may see; throws `invalid` (`marker`) for a marker that is not among
 * them.
 */
export async function listResources<K extends Kind>(
  app: App,
  caller: Caller,
  { kind, query }: ListAsk<K>,
): Promise<Page<Kinds[K]>> {
  if (kind === 'security_group' || kind === 'security_group_rule') {
    await ensureDefaultGroup(app, caller, caller.projectId ?? '')
  }
  const limit = query.limit === null ? null : query.limit + 1
  const rows = await app.store.networks.list(kind, { ...query, limit, sight: sightOf(caller) })
  if (!rows)
    throw invalid(`There is no ${wordOf(kind)} ${query.marker} that a page could start from`, 'marker')
  if (query.limit === null) return { items: rows, more: false }
  if (!query.reverse) return toPage(rows, query.limit)
  return { items: rows.slice(-query.limit), more: rows.length > query.limit }
}

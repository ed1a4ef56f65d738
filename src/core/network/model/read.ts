// Reading the central model.

import type { App } from '../../app.ts'
import { type Caller, isAtLeast } from '../../caller.ts'
import { AppError, invalid, notFound } from '../../error.ts'
import type { Page } from '../../page.ts'
import { toPage } from '../../page.ts'
import { ensureDefaultGroup } from '../groups/default-group.ts'
import { type Kind, type Kinds, wordOf } from './model.ts'
import type { ResourceQuery, Sight } from './network-store.ts'

/** What a caller sees: an admin everything, anybody else what is their project's and what is for all. */
export const sightOf = (caller: Caller): Sight =>
  isAtLeast(caller, 'admin') ? null : { projectId: caller.projectId ?? '' }

export interface ListAsk<K extends Kind> {
  readonly kind: K
  readonly query: Omit<ResourceQuery, 'sight'>
}

/** A page of what the caller may see; throws `invalid` (`marker`) for a marker that is none of it. */
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

export interface GetAsk<K extends Kind> {
  readonly kind: K
  readonly id: string
}

/** One that the caller may see; throws `not_found` (`network`, `port`, … as reason). */
export async function getResource<K extends Kind>(
  app: App,
  caller: Caller,
  { kind, id }: GetAsk<K>,
): Promise<Kinds[K]> {
  const row = await app.store.networks.get(kind, id, sightOf(caller))
  if (!row) throw unknown(kind, id)
  return row
}

/** One that the caller may change: their project's, or any for an admin. Throws `not_found`, or `forbidden` for one that is only seen. */
export async function getOwn<K extends Kind>(app: App, caller: Caller, ask: GetAsk<K>): Promise<Kinds[K]> {
  const row = await getResource(app, caller, ask)
  if (row.projectId === caller.projectId || isAtLeast(caller, 'admin')) return row
  throw new AppError(
    'forbidden',
    `The ${wordOf(ask.kind)} ${ask.id} is another project's: it is only shown to yours`,
    {
      rule: `update_${ask.kind}`,
      needs: 'admin',
    },
  )
}

export const unknown = (kind: Kind, id: string) => notFound(`There is no ${wordOf(kind)} ${id}`, kind)

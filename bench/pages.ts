// The pages of the list of routings that are measured, each with the request and the statements behind it.

import type { Routing, RoutingFilter } from '../src/core/routing/routing.ts'
import { openDatabase } from '../src/store/database.ts'
import { routingStore } from '../src/store/routings.ts'
import { type Statement, statementsOf } from './routings.ts'

export interface Page {
  readonly name: string
  readonly path: string
  readonly statements: readonly Statement[]
}

const limit = 50

/** First, middle and last page of the caller's routings, and a page by each filter. */
export async function pagesOf(url: string, projectId: string): Promise<Page[]> {
  const { middle, last, one } = await landmarks(url, projectId)
  const own = { projectId }
  const time = (at: Date): string => encodeURIComponent(at.toISOString().slice(0, 19).replace('T', ' '))
  const all = 'all_projects=true'
  const wanted: [name: string, query: string, filter: RoutingFilter, marker: number | null][] = [
    ['first page', '', own, null],
    ['middle page', `marker=${middle}`, own, middle],
    ['last page', `marker=${last}`, own, last],
    ['all projects', all, {}, null],
    ['id', `id=${one.id}`, { id: one.id, ...own }, null],
    ['top_id', `top_id=${one.centralId}`, { centralId: one.centralId, ...own }, null],
    ['bottom_id', `bottom_id=${one.regionalId}`, { regionalId: one.regionalId, ...own }, null],
    ['pod_id', `pod_id=${one.regionId}`, { regionId: one.regionId, ...own }, null],
    ['project_id', `project_id=project-3&${all}`, { projectId: 'project-3' }, null],
    ['resource_type', 'resource_type=port', { resourceType: 'port', ...own }, null],
    ['resource_type, all', `resource_type=port&${all}`, { resourceType: 'port' }, null],
    ['created_at', `created_at=${time(one.createdAt)}`, { createdAt: one.createdAt, ...own }, null],
    ['updated_at', `updated_at=${time(one.updatedAt!)}`, { updatedAt: one.updatedAt!, ...own }, null],
  ]
  const pages: Page[] = []
  for (const [name, query, filter, marker] of wanted) {
    const statements = await statementsOf(url, async ({ routings }) => {
      if (marker !== null) await routings.get(marker)
      await routings.list(filter, { limit: limit + 1, marker })
    })
    pages.push({ name, path: `/v1.0/routings?limit=${limit}${query ? `&${query}` : ''}`, statements })
  }
  return pages
}

/** Ids in the middle and near the end of the project's list, and one of its routings that was changed once. */
async function landmarks(
  url: string,
  projectId: string,
): Promise<{ middle: number; last: number; one: Routing }> {
  const database = openDatabase(url, { connections: 1, name: 'landmarks', onError: () => {} })
  const { rows } = await database.pool.query<{ id: number }>(
    'select id from routing where project_id = $1 order by id desc',
    [projectId],
  )
  const middle = rows[rows.length >> 1]!.id
  const changed = await database.pool.query<{ id: number }>(
    'select id from routing where project_id = $1 and updated_at is not null and id < $2 order by id desc limit 1',
    [projectId, middle],
  )
  const one = await routingStore(database.db).get(changed.rows[0]!.id)
  await database.close()
  return { middle, last: rows.at(-limit - 1)!.id, one: one! }
}

// The five routes of every resource, by its table and core's verbs.

import type { Kind, Kinds } from '../../core/network/model/model.ts'
import type { GetAsk } from '../../core/network/model/read.ts'
import type { Page } from '../../core/page.ts'
import { listOf } from '../pieces.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import type { Resource } from './attributes.ts'
import { readCreation, readRemoval, readUpdate } from './body.ts'
import { readId } from './head.ts'
import { linksOf } from './page.ts'
import { readListing } from './query.ts'
import { creator, getter, lister, type Made, type Seen, updater } from './verbs.ts'
import { namesOf, viewer } from './view.ts'

/** A policy rule with its refusal in Neutron's words. */
export const ruled = (rule: string) => ({ rule, denied: `rule:${rule} is disallowed by policy` })

const viewNothing = () => undefined

/** The views of a resource's answers: one row, the rows that were made, a page. */
function viewsOf<K extends Kind, Spec, Change>(resource: Resource<K, Spec, Change>) {
  const { kind, path } = resource
  type Row = Kinds[K]
  const shown = ({ query }: Request, isAdmin: boolean) => viewer(resource, { isAdmin, names: namesOf(query) })
  return {
    viewOne: ({ found, isAdmin }: Seen<Row>, request: Request) => ({
      [kind]: shown(request, isAdmin)(found),
    }),
    viewMade: ({ found: { rows, isBulk }, isAdmin }: Seen<Made<Row>>, request: Request) => {
      const views = rows.map(shown(request, isAdmin))
      return isBulk ? { [`${kind}s`]: views } : { [kind]: views[0] }
    },
    viewPage: ({ found, isAdmin }: Seen<Page<Row>>, request: Request) =>
      listOf(`${kind}s`, found.items, shown(request, isAdmin), linksOf(kind, path, found, request)),
  }
}

/** The five routes of a resource; the kind in their errors is the resource's. */
export function resourceRoutes<K extends Kind, Spec, Change>(
  resource: Resource<K, Spec, Change>,
  mostRows: number,
): Route[] {
  const { kind, path, update, remove } = resource
  const { viewOne, viewMade, viewPage } = viewsOf(resource)
  const readOne = (request: Request): GetAsk<K> => ({ kind, id: readId(kind, request) })
  const all = (method: 'GET' | 'POST', rule: string) =>
    ({ ...ruled(`${rule}_${kind}`), method, path: `/${path}`, errors: kind }) as const
  const one = (method: 'GET' | 'PUT' | 'DELETE', rule: string) =>
    ({ ...ruled(`${rule}_${kind}`), method, path: `/${path}/:id`, errors: kind }) as const
  const list = { parse: readListing(resource, mostRows), verb: lister(kind), view: viewPage }
  const create = { parse: readCreation(resource), verb: creator(resource), view: viewMade }
  const routes = [
    route({ ...all('GET', 'get'), ...list }),
    route({ ...all('POST', 'create'), status: 201, ...create }),
    route({ ...one('GET', 'get'), parse: readOne, verb: getter<K>(), view: viewOne }),
    route({
      ...one('DELETE', 'delete'),
      status: 204,
      parse: readRemoval(resource),
      verb: remove,
      view: viewNothing,
    }),
  ]
  if (!update) return routes
  const change = { parse: readUpdate(resource), verb: updater<K, Change>(kind, update), view: viewOne }
  return [...routes, route({ ...one('PUT', 'update'), ...change })]
}

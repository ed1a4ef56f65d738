// The five routes of every resource, by its table and core's verbs.

import { type Caller, isAtLeast } from '../../core/caller.ts'
import { AppError } from '../../core/error.ts'
import { createAll } from '../../core/network/bulk.ts'
import type { Kind, Kinds } from '../../core/network/model.ts'
import { type GetAsk, getResource, listResources } from '../../core/network/read.ts'
import type { Update } from '../../core/network/specs.ts'
import type { Page } from '../../core/page.ts'
import type { App } from '../../core/ports.ts'
import { listOf } from '../pieces.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import type { Resource } from './attributes.ts'
import { type Creation, type Given, type Revision, readCreation, readRemoval, readUpdate } from './body.ts'
import { readId } from './head.ts'
import { linksOf } from './page.ts'
import { type Listing, readListing } from './query.ts'
import { unusable } from './refusals.ts'
import { namesOf, viewer } from './view.ts'

/** What a verb found or made, and for whose eyes it is. */
interface Seen<Found> {
  readonly found: Found
  readonly isAdmin: boolean
}

/** A rule of the policy: who may do it, and what those are told who may not. */
export const ruled = (rule: string) => ({ rule, denied: `rule:${rule} is disallowed by policy` })

const isAdmin = (caller: Caller): boolean => isAtLeast(caller, 'admin')

/** Throws `forbidden` in Neutron's words where only admins may touch one of these below the verb's own rule. */
function checkRules(caller: Caller, rule: string, below: readonly string[]): void {
  if (below.length === 0 || isAdmin(caller)) return
  const named = below.reduce((all, part) => `(${all} and rule:${rule}${part})`, `rule:${rule}`)
  throw new AppError('forbidden', `${named} is disallowed by policy`, {
    rule: `${rule}${below[0]}`,
    needs: 'admin',
  })
}

/** Whose it shall be: members make things for their own project only. */
function projectFor(caller: Caller, { projectId }: Given): string {
  const own = caller.projectId ?? ''
  if (projectId === undefined || projectId === own || isAdmin(caller)) return projectId ?? own
  throw unusable(
    "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin or advsvc privileges",
  )
}

/** The wrapper of a verb of core goes by the verb's name. */
function named<Input, Output>(
  { name }: { readonly name: string },
  verb: (app: App, caller: Caller, input: Input) => Promise<Output>,
) {
  return Object.defineProperty(verb, 'name', { value: name })
}

const lister = <K extends Kind>({ kind }: { readonly kind: K }) =>
  named(listResources, async (app, caller, { rules, ...ask }: Listing<K>): Promise<Seen<Page<Kinds[K]>>> => {
    checkRules(caller, `get_${kind}`, rules)
    return { found: await listResources(app, caller, ask), isAdmin: isAdmin(caller) }
  })

const getter = <K extends Kind>() =>
  named(getResource, async (app, caller, ask: GetAsk<K>): Promise<Seen<Kinds[K]>> => {
    return { found: await getResource(app, caller, ask), isAdmin: isAdmin(caller) }
  })

function creator<K extends Kind, Spec, Change>({ kind, refine, create, remove }: Resource<K, Spec, Change>) {
  const specOf = (caller: Caller, given: Given): Spec => {
    const spec = { ...given.fields, projectId: projectFor(caller, given) } as Spec
    checkRules(caller, `create_${kind}`, given.rules)
    return refine ? refine(spec) : spec
  }
  return named(create, async (app, caller, { items, isBulk }: Creation) => {
    const specs = items.map(given => specOf(caller, given))
    const made = isBulk
      ? await createAll(app, caller, specs, { create, remove })
      : [await create(app, caller, specs[0]!)]
    return { found: { made, isBulk }, isAdmin: isAdmin(caller) }
  })
}

const updater = <K extends Kind, Change>(
  kind: K,
  update: (app: App, caller: Caller, input: Update<Change>) => Promise<Kinds[K]>,
) =>
  named(update, async (app, caller, { id, given, ifRevision }: Revision): Promise<Seen<Kinds[K]>> => {
    checkRules(caller, `update_${kind}`, given.rules)
    const change = given.fields as Change
    const asked = { id, change, ...(ifRevision === undefined ? {} : { ifRevision }) }
    return { found: await update(app, caller, asked), isAdmin: isAdmin(caller) }
  })

const viewNothing = () => undefined

/** The routes of a resource. */
export function resourceRoutes<K extends Kind, Spec, Change>(
  resource: Resource<K, Spec, Change>,
  mostRows: number,
): Route[] {
  const { kind, path, attributes, update, remove } = resource
  const view = ({ query }: Request, isAdmin: boolean) =>
    viewer(attributes, { isAdmin, names: namesOf(query) })
  const readOne = (request: Request): GetAsk<K> => ({ kind, id: readId(kind, request) })
  const viewOne = ({ found, isAdmin }: Seen<Kinds[K]>, request: Request) => ({
    [kind]: view(request, isAdmin)(found),
  })
  const viewMade = (
    { found: { made, isBulk }, isAdmin }: Seen<{ made: readonly Kinds[K][]; isBulk: boolean }>,
    request: Request,
  ) => {
    const views = made.map(view(request, isAdmin))
    return isBulk ? { [`${kind}s`]: views } : { [kind]: views[0] }
  }
  const viewPage = ({ found, isAdmin }: Seen<Page<Kinds[K]>>, request: Request) =>
    listOf(`${kind}s`, found.items, view(request, isAdmin), linksOf(kind, path, found, request))
  const one = { path: `/${path}/:id`, errors: kind }
  const all = { path: `/${path}`, errors: kind }
  const routes = [
    route({
      ...all,
      ...ruled(`get_${kind}`),
      method: 'GET',
      parse: readListing(resource, mostRows),
      verb: lister(resource),
      view: viewPage,
    }),
    route({
      ...all,
      ...ruled(`create_${kind}`),
      method: 'POST',
      status: 201,
      parse: readCreation(resource),
      verb: creator(resource),
      view: viewMade,
    }),
    route({
      ...one,
      ...ruled(`get_${kind}`),
      method: 'GET',
      parse: readOne,
      verb: getter<K>(),
      view: viewOne,
    }),
    route({
      ...one,
      ...ruled(`delete_${kind}`),
      method: 'DELETE',
      status: 204,
      parse: readRemoval(resource),
      verb: remove,
      view: viewNothing,
    }),
  ]
  if (!update) return routes
  const changing = route({
    ...one,
    ...ruled(`update_${kind}`),
    method: 'PUT',
    parse: readUpdate(resource),
    verb: updater(kind, update),
    view: viewOne,
  })
  return [...routes, changing]
}

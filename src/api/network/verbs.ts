// Core's verbs as the routes of resources call them, with the checks of attributes that only admins give and
// see.

import type { App } from '../../core/app.ts'
import { type Caller, isAtLeast } from '../../core/caller.ts'
import { AppError } from '../../core/error.ts'
import { listResources } from '../../core/network/list.ts'
import { createAll } from '../../core/network/model/bulk.ts'
import type { Kind, Kinds } from '../../core/network/model/model.ts'
import { attributePolicy, refusedRule, type Touched } from '../../core/network/model/policy.ts'
import { type GetAsk, getResource } from '../../core/network/model/read.ts'
import type { Page } from '../../core/page.ts'
import type { Resource, Verb } from './attributes.ts'
import type { Creation, Given, Revision } from './body.ts'
import type { Listing } from './query.ts'
import { unusable } from './refusals.ts'

/** A verb's result, and whether the caller sees it as an admin. */
export interface Seen<Found> {
  readonly found: Found
  readonly isAdmin: boolean
}

const isAdmin = (caller: Caller): boolean => isAtLeast(caller, 'admin')

/**
 * Adds to a verb's result whether the caller is an admin; keeps the name of core's verb for `atoll routes`.
 */
function seen<Input, Output>(
  { name }: { readonly name: string },
  verb: Verb<Input, Output>,
): Verb<Input, Seen<Output>> {
  const wrapped = async (app: App, caller: Caller, input: Input) => ({
    found: await verb(app, caller, input),
    isAdmin: isAdmin(caller),
  })
  return Object.defineProperty(wrapped, 'name', { value: name })
}

/**
 * Throws `forbidden` in Neutron's words where a caller touches one of these rules below the verb's own and does not
 * pass it; and `not_found` before, where the caller does not see what the request is about.
 */
async function checkRules(
  app: App,
  caller: Caller,
  verb: string,
  { rules: below, ...on }: Touched,
): Promise<void> {
  const rules = below.map(part => `${verb}${part}`)
  const refused = await refusedRule(app, caller, { ...on, rules })
  if (refused === null) return
  const known = rules.filter(rule => Object.hasOwn(attributePolicy, rule))
  const named = known.reduce((all, rule) => `(${all} and rule:${rule})`, `rule:${verb}`)
  throw new AppError('forbidden', `${named} is disallowed by policy`, {
    rule: refused,
    needs: attributePolicy[refused]!,
  })
}

/** The project of a new resource: members make resources for their own project only. */
function projectFor(caller: Caller, { projectId }: Given): string {
  const own = caller.projectId ?? ''
  if (projectId === undefined || projectId === own || isAdmin(caller)) return projectId ?? own
  throw unusable(
    "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin or advsvc privileges",
  )
}

/** The network that something is made on. */
const networkOf = ({ fields: { networkId: id } }: Given) =>
  typeof id === 'string' ? { on: { kind: 'network' as const, id } } : {}

export const lister = <K extends Kind>(kind: K) =>
  seen(listResources, async (app, caller, { rules, ...ask }: Listing<K>): Promise<Page<Kinds[K]>> => {
    await checkRules(app, caller, `get_${kind}`, { rules })
    return listResources(app, caller, ask)
  })

export const getter = <K extends Kind>() => seen(getResource, getResource as Verb<GetAsk<K>, Kinds[K]>)

export interface Made<Row> {
  readonly rows: readonly Row[]
  /** Whether the answer shows the rows as a list. */
  readonly isBulk: boolean
}

export function creator<K extends Kind, Spec, Change>({ kind, create, remove }: Resource<K, Spec, Change>) {
  const specOf = async (app: App, caller: Caller, given: Given): Promise<Spec> => {
    const spec = { ...given.fields, projectId: projectFor(caller, given) }
    await checkRules(app, caller, `create_${kind}`, { rules: given.rules, ...networkOf(given) })
    return spec as Spec
  }
  return seen(create, async (app, caller, { items, isBulk }: Creation): Promise<Made<Kinds[K]>> => {
    const specs: Spec[] = []
    for (const given of items) specs.push(await specOf(app, caller, given))
    if (isBulk) return { rows: await createAll(app, caller, specs, { create, remove }), isBulk }
    return { rows: [await create(app, caller, specs[0]!)], isBulk }
  })
}

export const updater = <K extends Kind, Change>(
  kind: K,
  update: NonNullable<Resource<K, unknown, Change>['update']>,
) =>
  seen(update, async (app, caller, { id, given, ifRevision }: Revision): Promise<Kinds[K]> => {
    await checkRules(app, caller, `update_${kind}`, { rules: given.rules, on: { kind, id } })
    const change = given.fields as Change
    return update(app, caller, { id, change, ...(ifRevision === undefined ? {} : { ifRevision }) })
  })

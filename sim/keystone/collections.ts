// One shape for every collection of Keystone: list with filters, show, create, update, delete.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { allow, type Caller, callerOf } from './policy.ts'
import { invalid, notFound } from './refusals.ts'
import { check, type Schema } from './schema.ts'
import type { Context, State } from './state.ts'

export interface Collection<R extends { id: string }> {
  one: string
  many: string
  table(state: State): Map<string, R>
  filters: readonly (keyof R & string)[]
  /** The JSON schema of a create; an update requires no attribute. */
  schema: Schema
  /** Makes a resource; throws when that is refused. */
  make(context: Context, caller: Caller, input: Partial<R>): R
  /** Called before an update; throws to refuse it. */
  change?(context: Context, resource: R, changes: Partial<R>): void
  /** Called before a delete, and removes dependent resources; throws to refuse it. */
  remove?(context: Context, resource: R): void
  /** Whether a caller may see a resource who is neither an admin nor a reader of the system. */
  isShownTo?(context: Context, caller: Caller, resource: R): boolean
  /** Everybody with a token may see all of them. */
  isOpen?: boolean
  /** When an unknown id is a 404 even for callers without the right; else it is a 403 for them. */
  missedFirst?: 'always' | 'write'
  /** The attributes that Keystone itself knows; an update answers with the others once more, as `extra`. */
  columns?: readonly string[]
}

export function addCollection<R extends { id: string }>(
  app: FastifyInstance,
  context: Context,
  collection: Collection<R>,
): void {
  addReads(app, context, collection)
  addWrites(app, context, collection)
}

function addReads<R extends { id: string }>(
  app: FastifyInstance,
  context: Context,
  collection: Collection<R>,
): void {
  const { one, many, isOpen = false, missedFirst } = collection
  const table = collection.table(context.state)

  app.get(`/v3/${many}`, request => {
    const caller = callerOf(context, request)
    allow(`list_${many}`, isOpen || mayRead(caller))
    return viewList(context, request, many, filtered(request, collection.filters, [...table.values()]))
  })

  app.get<{ Params: { id: string } }>(`/v3/${many}/:id`, request => {
    const caller = callerOf(context, request)
    const resource = table.get(request.params.id)
    if (resource === undefined && missedFirst === 'always') throw notFound(one, request.params.id)
    const isShown = resource !== undefined && collection.isShownTo?.(context, caller, resource)
    allow(`get_${one}`, isOpen || mayRead(caller) || isShown === true)
    if (resource === undefined) throw notFound(one, request.params.id)
    return { [one]: view(context, many, resource) }
  })
}

function addWrites<R extends { id: string }>(
  app: FastifyInstance,
  context: Context,
  collection: Collection<R>,
): void {
  const { one, many, schema, columns, missedFirst } = collection
  const table = collection.table(context.state)

  app.post(`/v3/${many}`, (request, reply) => {
    const caller = callerOf(context, request)
    allow(`create_${one}`, caller.isAdmin)
    const input = bodyOf(request, one)
    check(input, schema)
    const resource = collection.make(context, caller, input as Partial<R>)
    table.set(resource.id, resource)
    return reply.code(201).send({ [one]: view(context, many, resource) })
  })

  const find = (request: FastifyRequest, action: string): R => {
    const { id } = request.params as { id: string }
    const caller = callerOf(context, request)
    const resource = table.get(id)
    if (resource === undefined && missedFirst !== undefined) throw notFound(one, id)
    allow(`${action}_${one}`, caller.isAdmin)
    if (resource === undefined) throw notFound(one, id)
    return resource
  }

  app.patch(`/v3/${many}/:id`, request => {
    const resource = find(request, 'update')
    const changes = bodyOf(request, one) as Partial<R>
    check(changes, { ...schema, required: [] })
    if (changes.id !== undefined && changes.id !== resource.id) throw invalid('Cannot change ID')
    collection.change?.(context, resource, changes)
    Object.assign(resource, changes)
    const extra = columns === undefined ? {} : { extra: without(resource, columns) }
    return { [one]: { ...view(context, many, resource), ...extra } }
  })

  app.delete(`/v3/${many}/:id`, (request, reply) => {
    const resource = find(request, 'delete')
    collection.remove?.(context, resource)
    table.delete(resource.id)
    return reply.code(204).send()
  })
}

export function mayRead(caller: Caller): boolean {
  return caller.isAdmin || caller.isSystemReader
}

export function bodyOf(request: FastifyRequest, key: string): Record<string, unknown> {
  const { body } = request
  return ((body as Record<string, unknown> | undefined)?.[key] ?? {}) as Record<string, unknown>
}

export function view(context: Context, many: string, resource: { id: string }): object {
  return { ...resource, links: { self: `${context.url()}/${many}/${resource.id}` } }
}

export function viewList(
  context: Context,
  request: FastifyRequest,
  many: string,
  resources: readonly { id: string }[],
): object {
  return {
    [many]: resources.map(resource => view(context, many, resource)),
    links: listLinks(context, request),
  }
}

export function listLinks(context: Context, request: FastifyRequest): object {
  return { next: null, self: context.url() + request.url.replace(/^\/v3/, ''), previous: null }
}

const comparisons: Record<string, (actual: string, wanted: string) => boolean> = {
  contains: (actual, wanted) => actual.includes(wanted),
  startswith: (actual, wanted) => actual.startsWith(wanted),
  endswith: (actual, wanted) => actual.endsWith(wanted),
}

/** `name=x`, `enabled=true`, `name__startswith=x`, and with an i before the comparison whatever the case. */
export function filtered<R extends object>(
  request: FastifyRequest,
  names: readonly (keyof R & string)[],
  resources: R[],
): R[] {
  let left = resources
  for (const [key, value] of Object.entries(request.query as Record<string, string>)) {
    const [name = '', comparison] = key.split('__')
    if (!names.some(known => known === name)) continue
    left = left.filter(resource => isWanted(resource[name as keyof R], comparison, value))
  }
  return left
}

function isWanted(actual: unknown, comparison: string | undefined, wanted: string): boolean {
  if (typeof actual === 'boolean')
    return actual === !['false', '0', 'off', 'no'].includes(wanted.toLowerCase())
  const text = String(actual ?? '')
  if (comparison === undefined) return text === wanted
  const compare = comparisons[comparison] ?? comparisons[comparison.slice(1)]
  if (compare === undefined) return true
  const isCaseless = comparisons[comparison] === undefined
  return isCaseless ? compare(text.toLowerCase(), wanted.toLowerCase()) : compare(text, wanted)
}

function without(resource: object, columns: readonly string[]): object {
  return Object.fromEntries(Object.entries(resource).filter(([key]) => !columns.includes(key)))
}

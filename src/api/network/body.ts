// Reads request bodies by a resource's table: which attributes are given, the defaults at create, and who may
// give them.

import type { Kind } from '../../core/network/model/model.ts'
import type { RemovalAsk } from '../../core/network/model/specs.ts'
import { isObject, type Request } from '../request.ts'
import type { Attribute, Attributes } from './attributes.ts'
import { readId, readRevision } from './head.ts'
import { shown, unusable } from './refusals.ts'

type When = 'create' | 'update'
type GivenFields = Readonly<Record<string, unknown>>
type Table = Readonly<Record<string, Attribute<never, never>>>

/** The attributes of one resource in a request, by core's names. */
export interface Given {
  readonly fields: GivenFields
  /** The project that the request names, if any. */
  readonly projectId: string | undefined
  /** Policy rules below the verb's own that the request touches: `:shared`. */
  readonly rules: readonly string[]
}

export interface Creation {
  readonly items: readonly Given[]
  /** Whether the body was a list, and so is the answer. */
  readonly isBulk: boolean
}

export interface Revision {
  readonly id: string
  readonly given: Given
  readonly ifRevision: number | undefined
}

interface Tabled {
  readonly kind: Kind
  readonly attributes: Attributes<never, never>
}

/** The most items of one bulk request: reading more would hold up all other requests. */
const mostAtOnce = 1000

/** Reads the body of a create: `{"network": {...}}`, or `{"networks": [...]}`. */
export const readCreation = (resource: Tabled) =>
  function readCreation({ body }: Request): Creation {
    const { kind, attributes } = resource
    const content = contentOf(body, kind)
    if (!Object.hasOwn(content, `${kind}s`)) {
      return { items: [readNew(objectOf(content, kind), attributes)], isBulk: false }
    }
    const asked = content[`${kind}s`]
    if (!Array.isArray(asked)) throw unusable('Body contains invalid data')
    if (asked.length === 0) throw unusable('Resources required')
    if (asked.length > mostAtOnce) {
      throw unusable(`A request makes at most ${mostAtOnce} ${kind}s, not ${asked.length}`)
    }
    const items = asked.map(item => {
      const wrapped = isObject(item) && Object.hasOwn(item, kind) ? item : { [kind]: item }
      return readNew(objectOf(wrapped, kind), attributes)
    })
    return { items, isBulk: true }
  }

/** Reads the attributes that a PUT changes. */
export const readUpdate = (resource: Tabled) =>
  function readUpdate(request: Request): Revision {
    const { kind, attributes } = resource
    const content = contentOf(request.body, kind)
    if (Object.hasOwn(content, `${kind}s`)) throw unusable('Bulk operation not supported')
    const given = objectOf(content, kind)
    refuseUnknown(given, attributes)
    const fixed = Object.keys(given).find(name => !isSettable(attributes[name]!, 'update'))
    if (fixed !== undefined) throw unusable(`Cannot update read-only attribute ${fixed}`)
    return {
      id: readId(kind, request),
      given: convert(given, attributes, 'update'),
      ifRevision: readRevision(request),
    }
  }

export const readRemoval = (resource: Pick<Tabled, 'kind'>) =>
  function readRemoval(request: Request): RemovalAsk {
    if (request.body !== undefined) throw unusable('Request body is not supported in DELETE.')
    const ifRevision = readRevision(request)
    return { id: readId(resource.kind, request), ...(ifRevision === undefined ? {} : { ifRevision }) }
  }

function contentOf(body: unknown, kind: string): GivenFields {
  if (body !== undefined && !isObject(body)) throw unusable('Body contains invalid data')
  if (body && (Object.hasOwn(body, kind) || Object.hasOwn(body, `${kind}s`))) return body
  throw unusable(`Unable to find '${kind}' in request body`)
}

function objectOf(content: GivenFields, kind: string): GivenFields {
  const fields = content[kind]
  if (fields === null || fields === undefined) throw unusable(`Unable to find '${kind}' in request body`)
  if (!isObject(fields)) throw unusable(`Object '${kind}' contains invalid data`)
  return fields
}

const isSettable = ({ set }: Pick<Attribute<never, never>, 'set'>, when: When): boolean =>
  set === 'always' || set === when

function readNew(given: GivenFields, attributes: Table): Given {
  refuseUnknown(given, attributes)
  for (const [name, attribute] of Object.entries(attributes)) {
    if (Object.hasOwn(given, name)) {
      if (!isSettable(attribute, 'create')) throw unusable(`Attribute '${name}' not allowed in POST`)
    } else if (isSettable(attribute, 'create') && !Object.hasOwn(attribute, 'default')) {
      throw unusable(`Failed to parse request. Required attribute '${name}' not specified`)
    }
  }
  return convert(given, attributes, 'create')
}

function refuseUnknown(given: GivenFields, attributes: Table): void {
  const unknown = Object.keys(given).filter(name => !Object.hasOwn(attributes, name))
  if (unknown.length > 0) throw unusable(`Unrecognized attribute(s) '${shown(unknown.join(', '))}'`)
}

/** Converts the given attributes to core's values, and at create adds the defaults of the others. */
function convert(given: GivenFields, attributes: Table, when: When): Given {
  const fields: Record<string, unknown> = {}
  const rules: string[] = []
  for (const [name, { kind, field, touches, default: usual }] of Object.entries(attributes)) {
    const isGiven = Object.hasOwn(given, name)
    const asked = isGiven ? kind.read(given[name], name) : undefined
    const value = asked === undefined && when === 'create' ? usual : asked
    if (field !== undefined && value !== undefined) fields[field] = value
    // At create, giving the default counts as not giving the attribute, so it touches no rule.
    const isChosen = isGiven && (when === 'update' || !isSame(value, usual))
    if (isChosen) rules.push(...(touches?.(given[name]) ?? ['']).map(part => `:${name}${part}`))
  }
  const { projectId: _, ...others } = fields
  return { fields: others, projectId: projectOf(given), rules }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The owner by `project_id` or `tenant_id`. */
function projectOf({ project_id, tenant_id }: GivenFields): string | undefined {
  const [project, tenant] = [project_id, tenant_id] as (string | undefined)[]
  if (project !== undefined && tenant !== undefined && project !== tenant) {
    throw unusable("'project_id' and 'tenant_id' do not match")
  }
  return project ?? tenant
}

// The attribute table of a resource, and the reading of request bodies by it.

import { malformed } from '../errors.ts'
import type { Region } from '../region.ts'
import type { Row } from '../rows.ts'
import { isDictionary, type Kind, text } from './kinds.ts'
import type { Caller, Rule } from './rules.ts'

export type Fields = Record<string, unknown>

/** The kind of request that is answered; a few attributes are shown for some kinds only. */
export type Moment = 'create' | 'update' | 'read'

export interface Attribute {
  kind?: Kind
  /** In which requests the attribute may be set; never when left out. */
  set?: 'create' | 'update' | 'always'
  /**
   * The default at create, which makes the attribute optional; a function where it depends on others,
   * undefined for none.
   */
  default?: unknown
  /** The rule of who may set the attribute, where that is not everybody who may change the resource. */
  setBy?: Rule | { create: Rule; update: Rule }
  /** As `setBy`, for the keys of a dictionary or of the dictionaries of a list. */
  partsSetBy?: Record<string, Rule | { create: Rule; update: Rule }>
  /** Who sees the attribute, if not everybody. */
  seenBy?: 'admin' | 'nobody'
  /** Makes the shown value where that is not the row's; undefined leaves the attribute out. */
  show?(row: Row, region: Region, moment: Moment): unknown
  /** How lists are filtered by the attribute: by equality, or by a function. */
  filter?: true | ((row: Row, wanted: readonly string[], region: Region) => boolean)
  sort?: true
}

export type Attributes = Readonly<Record<string, Attribute>>

export const isGiven = (value: unknown): boolean => value !== undefined && value !== null

/** The owner under its two names, `tenant_id` and `project_id`, as each resource has it. */
export const owner: Attributes = {
  tenant_id: {
    kind: text(),
    set: 'create',
    default: undefined,
    filter: true,
    sort: true,
    show: row => row.project_id,
  },
  project_id: { kind: text(), set: 'create', default: undefined, filter: true, sort: true },
}

interface Body {
  name: string
  attributes: Attributes
}

/** Reads a POST: the resources that it asks for, with defaults, and whether they are in a list. */
export function readCreate(
  body: unknown,
  resource: Body,
  caller: Caller,
): { items: Fields[]; isBulk: boolean } {
  const collection = `${resource.name}s`
  const content = readBody(body, resource.name)
  if (!(collection in content)) {
    return { items: [readNew(readObject(content, resource.name), resource, caller)], isBulk: false }
  }
  const asked = content[collection]
  if (!Array.isArray(asked)) throw malformed('Body contains invalid data')
  if (asked.length === 0) throw malformed('Resources required')
  const items = asked.map(item => {
    const fields = isDictionary(item) && resource.name in item ? item : { [resource.name]: item }
    return readNew(readObject(fields, resource.name), resource, caller)
  })
  return { items, isBulk: true }
}

/** Reads a PUT: the attributes that it changes. */
export function readUpdate(body: unknown, resource: Body, caller: Caller): Fields {
  const content = readBody(body, resource.name)
  if (`${resource.name}s` in content) throw malformed('Bulk operation not supported')
  const fields = { ...readObject(content, resource.name) }
  readOwner(fields, caller)
  refuseUnknown(fields, resource.attributes)
  for (const name of Object.keys(resource.attributes)) {
    const { set } = resource.attributes[name] ?? {}
    if (name in fields && set !== 'always' && set !== 'update') {
      throw malformed(`Cannot update read-only attribute ${name}`)
    }
  }
  convert(fields, resource.attributes)
  return fields
}

function readBody(body: unknown, name: string): Fields {
  if (body === undefined) throw malformed(`Unable to find '${name}' in request body`)
  if (!isDictionary(body)) throw malformed('Body contains invalid data')
  if (!(name in body) && !(`${name}s` in body)) throw malformed(`Unable to find '${name}' in request body`)
  return body
}

function readObject(content: Fields, name: string): Fields {
  const fields = content[name]
  if (fields === null || fields === undefined) throw malformed(`Unable to find '${name}' in request body`)
  if (!isDictionary(fields)) throw malformed(`Object '${name}' contains invalid data`)
  return fields
}

function readNew(given: Fields, { attributes }: Body, caller: Caller): Fields {
  const fields = { ...given }
  readOwner(fields, caller)
  if (fields.project_id === undefined) fields.project_id = fields.tenant_id = caller.projectId ?? ''
  refuseUnknown(fields, attributes)
  for (const name of Object.keys(attributes)) {
    const attribute = attributes[name] ?? {}
    const isSettable = attribute.set === 'create' || attribute.set === 'always'
    if (name in fields) {
      if (!isSettable) throw malformed(`Attribute '${name}' not allowed in POST`)
    } else if (isSettable) {
      if (!('default' in attribute)) {
        throw malformed(`Failed to parse request. Required attribute '${name}' not specified`)
      }
      if (attribute.default !== undefined) fields[name] = attribute.default
    }
  }
  convert(fields, attributes)
  return fields
}

function readOwner(fields: Fields, caller: Caller): void {
  const project = fields.project_id ?? fields.tenant_id
  if (project === undefined) return
  if ((fields.tenant_id ?? project) !== project) throw malformed("'project_id' and 'tenant_id' do not match")
  if (project !== caller.projectId && !caller.isAdmin) {
    throw malformed(
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin or advsvc privileges",
    )
  }
  fields.project_id = fields.tenant_id = project
}

function refuseUnknown(fields: Fields, attributes: Attributes): void {
  const unknown = Object.keys(fields).filter(name => !(name in attributes))
  if (unknown.length > 0) throw malformed(`Unrecognized attribute(s) '${unknown.join(', ')}'`)
}

function convert(fields: Fields, attributes: Attributes): void {
  for (const name of Object.keys(attributes)) {
    if (fields[name] === undefined) continue
    const { kind } = attributes[name] ?? {}
    if (kind?.convert !== undefined) fields[name] = kind.convert(fields[name])
    const reason = kind?.check?.(fields[name])
    if (reason !== undefined) throw malformed(`Invalid input for ${name}. Reason: ${reason}.`)
  }
}

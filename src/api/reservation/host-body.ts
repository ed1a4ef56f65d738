// Reads hosts from request bodies: which hypervisor is enrolled, and its extra capabilities.

import { AppError, invalid } from '../../core/error.ts'
import { builtInProperties } from '../../core/hosts/host.ts'
import { isObject, kindOf, type Request } from '../request.ts'
import { type BodyFields, fieldsOf, malformedParameter, requireParameters, textField } from './fields.ts'
import { regionOf } from './view.ts'

const nameLength = 255
const keyLength = 64
const valueLength = 1000

/** Names that no extra capability may have: properties that Nova or the server sets. */
const taken: readonly string[] = [...builtInProperties, 'name']

/** A host is named by its hypervisor's name or id; every other key is an extra capability. */
export function parseHost(request: Request) {
  const { name, id, region: _, ...capabilities } = fieldsOf(request)
  const given = id ?? name
  if (given === undefined || given === null || given === '') throw nameless(Object.keys(capabilities))
  const key = id === undefined || id === null ? 'name' : 'id'
  const nameOrId = typeof given === 'number' ? String(given) : textField({ [key]: given }, key, nameLength)
  const entries = Object.entries(capabilities).map(([key, value]) => [checkKey(key), textOf(key, value)])
  return { nameOrId, region: placeOf(request), capabilities: Object.fromEntries(entries) }
}

/** The original's refusal of a host without a name, with the given keys in its braces. */
const nameless = (keys: readonly string[]) =>
  new AppError('forbidden', `Invalid values for host {${keys.join(', ').slice(0, 200)}}`, {
    reason: 'nameless',
  })

/** `region` says where the hypervisor is, since two regions may have one of the same name. */
function placeOf(request: Request): string | null {
  const fields = fieldsOf(request)
  const view = regionOf(request)
  if (!Object.hasOwn(fields, 'region')) return view
  const region = textField(fields, 'region', nameLength)
  if (view !== null && region !== view) {
    throw malformedParameter('region', `this is the view of the region ${view}: leave it out`)
  }
  return region
}

/** Capabilities to set, and with null to remove: flat, as clients send them, or under `values`, as the seed does. */
export function parseCapabilities(request: Request): Record<string, string | null> {
  const fields = capabilitiesOf(fieldsOf(request))
  const entries = Object.entries(fields)
  if (entries.length === 0) throw invalid('No data to update', 'no_data')
  return Object.fromEntries(
    entries.map(([key, value]) => [checkKey(key), value === null ? null : textOf(key, value)]),
  )
}

function capabilitiesOf(fields: BodyFields): BodyFields {
  const { values, ...others } = fields
  return isObject(values) && Object.keys(others).length === 0 ? values : fields
}

function checkKey(key: string): string {
  if ([...key].length > keyLength) throw invalid('Extra capability key too long')
  if (key === '') throw invalid('Extra capability key is empty')
  if (taken.includes(key)) {
    throw malformedParameter(key, 'Nova or the server says it: it is the name of no extra capability')
  }
  return key
}

/** The text of a capability; a number or boolean is taken as its text. */
function textOf(key: string, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw malformedParameter(key, `must be a string, not ${kindOf(value)}`)
  }
  return textField({ [key]: String(value) }, key, valueLength)
}

/** `{"private": true}`, and nothing else. */
export function parsePrivate(request: Request): boolean {
  const fields = fieldsOf(request)
  requireParameters(fields, ['private'])
  const other = Object.keys(fields).find(key => key !== 'private')
  if (other !== undefined) throw malformedParameter(other.slice(0, 255), 'only private can be changed')
  if (typeof fields.private !== 'boolean') {
    throw malformedParameter('private', `must be true or false, not ${kindOf(fields.private)}`)
  }
  return fields.private
}

// Reads leases from request bodies: new ones, and changes.

import { invalid } from '../../core/error.ts'
import {
  type BeforeEnd,
  beforeEndActions,
  type HostReservationSpec,
  type LeaseChange,
  type LeaseSpec,
  type ReservationChange,
  systemEvents,
  type When,
} from '../../core/leases/lease.ts'
import { kindOf, type Request } from '../request.ts'
import { parseDate } from './dates.ts'
import {
  type BodyFields,
  fieldsOf,
  malformedParameter,
  objectsField,
  refuseOwn,
  requireParameters,
  textField,
} from './fields.ts'
import { regionOf } from './view.ts'

const nameLength = 80
const filterLength = 10_000
const eventTypeLength = 66
const mostEvents = 100
const mostHosts = 100_000

/** Columns of leases that the original lets a request write; here the server sets them. */
const ownOfLease = ['id', 'project_id', 'user_id', 'status', 'degraded', 'trust_id']
const ownOfReservation = ['id', 'lease_id', 'resource_id', 'status', 'missing_resources', 'resources_changed']
const kinds = ['physical:host']

export function parseLease(request: Request): LeaseSpec {
  const fields = fieldsOf(request)
  refuseOwn(fields, ownOfLease)
  requireParameters(fields, ['end_date', 'start_date', 'name'])
  const { reservations, events } = fields
  return {
    name: textField(fields, 'name', nameLength),
    startAt: parseWhen(fields.start_date),
    endAt: parseWhen(fields.end_date),
    beforeEndAt: parseOptionalDate(fields.before_end_date),
    reservations:
      reservations === undefined ? [] : objectsField(fields, 'reservations').map(parseReservation),
    events: events === undefined ? [] : parseEvents(fields),
    region: regionOf(request),
  }
}

/** The changes that a body asks for; fields that are not in it stay as they are. */
export function parseChange(request: Request): Omit<LeaseChange, 'id'> {
  const fields = fieldsOf(request)
  refuseOwn(fields, ownOfLease)
  const has = (name: string) => Object.hasOwn(fields, name)
  return {
    ...(has('name') ? { name: textField(fields, 'name', nameLength) } : {}),
    ...(has('start_date') ? { startAt: parseWhen(fields.start_date) } : {}),
    ...(has('end_date') ? { endAt: parseWhen(fields.end_date) } : {}),
    // The original's command line always sends `before_end_date`, null when the user gave none.
    ...(isGiven(fields.before_end_date) ? { beforeEndAt: parseDate(fields.before_end_date) } : {}),
    ...(has('reservations')
      ? { reservations: objectsField(fields, 'reservations').map(parseReservationChange) }
      : {}),
  }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const parseWhen = (value: unknown): When => (value === 'now' ? 'now' : parseDate(value))
const parseOptionalDate = (value: unknown): Date | null => (isGiven(value) ? parseDate(value) : null)

function parseReservation(fields: BodyFields): HostReservationSpec {
  refuseOwn(fields, ownOfReservation)
  requireParameters(fields, ['resource_type'])
  const kind = textField(fields, 'resource_type', 255)
  if (!kinds.includes(kind)) throw unsupported(kind)
  for (const name of ['min', 'max', 'hypervisor_properties', 'resource_properties']) {
    requireParameters(fields, [name])
  }
  const [min, max] = [count(fields, 'min'), count(fields, 'max')]
  if (min > max) throw invalid(minOverMax)
  return {
    kind: 'physical:host',
    min,
    max,
    hypervisorProperties: textField(fields, 'hypervisor_properties', filterLength),
    resourceProperties: textField(fields, 'resource_properties', filterLength),
    beforeEnd: fields.before_end === undefined ? 'default' : beforeEnd(fields),
  }
}

function parseReservationChange(fields: BodyFields): ReservationChange {
  if (!Object.hasOwn(fields, 'id')) throw invalid('Missing parameter reservation ID')
  const has = (name: string) => Object.hasOwn(fields, name)
  const change: ReservationChange = {
    id: textField(fields, 'id', 255),
    ...(has('resource_type') ? { kind: textField(fields, 'resource_type', 255) } : {}),
    ...(has('min') ? { min: count(fields, 'min') } : {}),
    ...(has('max') ? { max: count(fields, 'max') } : {}),
    ...(has('hypervisor_properties')
      ? { hypervisorProperties: textField(fields, 'hypervisor_properties', filterLength) }
      : {}),
    ...(has('resource_properties')
      ? { resourceProperties: textField(fields, 'resource_properties', filterLength) }
      : {}),
    ...(has('before_end') ? { beforeEnd: beforeEnd(fields) } : {}),
  }
  if (change.min !== undefined && change.max !== undefined && change.min > change.max) {
    throw invalid(minOverMax)
  }
  return change
}

const minOverMax = 'Invalid values for min/max of hosts. Max must be equal to or larger than min.'

const unsupported = (kind: string) =>
  invalid(`The ${kind} resource type is not supported; this server has ${kinds.join(', ')}`, 'kind')

/**
 * A JSON integer. For values that the original calls malformed the sentence is the original's, which its
 * tests compare.
 */
function count(fields: BodyFields, name: 'min' | 'max'): number {
  const value = fields[name]
  if (typeof value === 'string' && !/^\d+$/.test(value)) throw malformedParameter(name)
  if (!Number.isInteger(value)) {
    const found = typeof value === 'number' ? String(value) : kindOf(value)
    throw malformedParameter(name, `must be a JSON integer, not ${found}`)
  }
  if ((value as number) < 1) {
    throw invalid('Malformed parameter min and max (must be greater than or equal to 1)')
  }
  if ((value as number) > mostHosts) throw malformedParameter(name, `at most ${mostHosts}`)
  return value as number
}

function beforeEnd({ before_end: value }: BodyFields): BeforeEnd {
  const known = beforeEndActions.find(action => action === value)
  if (known === undefined) throw malformedParameter('before_end')
  return known
}

function parseEvents(fields: BodyFields): { type: string; at: Date }[] {
  const events = objectsField(fields, 'events')
  if (events.length > mostEvents) throw malformedParameter('events', `at most ${mostEvents}`)
  return events.map(parseEvent)
}

/** An event. The command line sends its time as `event_date`, and a shown lease has it as `time`. */
function parseEvent(event: BodyFields): { type: string; at: Date } {
  requireParameters(event, ['event_type'])
  const type = textField(event, 'event_type', eventTypeLength)
  if (type === '') throw malformedParameter('event_type', 'must not be empty')
  if ((systemEvents as readonly string[]).includes(type)) {
    throw malformedParameter('event_type', `${type} is an event that every lease has by itself`)
  }
  const { event_date: date = event.time } = event
  if (date === undefined) throw invalid('Missing parameter event_date')
  return { type, at: parseDate(date) }
}

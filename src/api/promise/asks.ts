// The inputs of the Promise API's operations, read from their bodies.

import type { PoolAsk } from '../../core/capacity/pools.ts'
import type { ProviderLogin } from '../../core/capacity/provider-cloud.ts'
import type { CapacityQuery, Metric } from '../../core/capacity/query.ts'
import { invalid, malformed } from '../../core/error.ts'
import {
  amountsOf,
  type BodyFields,
  bareId,
  booleanOf,
  choiceOf,
  countOf,
  dateOf,
  elementsOf,
  idOf,
  idsOf,
  objectOf,
  requiredText,
  textOf,
  textsOf,
} from './body.ts'
import { refOf } from './views.ts'

export const requireId = (fields: BodyFields, key: string): string => {
  const id = idOf(fields, key)
  if (id === null) throw malformed(`must provide '${key}' parameter`)
  return id
}

const strategies = ['keystone', 'oauth'] as const
const providerTypes = ['openstack', 'hp', 'rackspace', 'amazon', 'joyent', 'azure'] as const

export function parseProvider(fields: BodyFields): ProviderLogin {
  const type = choiceOf(fields, 'provider-type', providerTypes, 'openstack')
  if (type !== 'openstack') throw invalid(`provider-type ${type} is not offered: only openstack is`)
  choiceOf(fields, 'strategy', strategies, 'keystone')
  // The project under either of its names, `tenant` (older) and `project`.
  const project = { ...objectOf(fields, 'tenant'), ...objectOf(fields, 'project') }
  return {
    endpoint: requiredText(fields, 'endpoint'),
    username: requiredText(fields, 'username'),
    password: requiredText(fields, 'password'),
    userDomain: textOf(fields, 'user-domain-name'),
    project: {
      id: textOf(project, 'id'),
      name: textOf(project, 'name'),
      domain: textOf(project, 'domain-name'),
    },
    region: textOf(fields, 'region'),
  }
}

export const parseReservation = (fields: BodyFields) => ({
  start: dateOf(fields, 'start'),
  end: dateOf(fields, 'end'),
  zone: textOf(fields, 'zone'),
  amounts: amountsOf(fields),
  elements: elementsOf(fields, 'elements'),
  guarantee: guaranteeOf(fields),
})

const guaranteeOf = (fields: BodyFields) =>
  choiceOf(fields, 'guarantee', ['aggregate', 'placed'] as const, 'aggregate')

export function parseReservationChange(fields: BodyFields) {
  const id = idOf(fields, 'reservation-id')
  if (id === null) throw invalid("must provide 'reservation-id' parameter")
  const [start, end, zone] = [dateOf(fields, 'start'), dateOf(fields, 'end'), textOf(fields, 'zone')]
  const hasElements = fields.elements !== undefined && fields.elements !== null
  return {
    id,
    amounts: amountsOf(fields),
    guarantee: guaranteeOf(fields),
    ...(start ? { start } : {}),
    ...(end ? { end } : {}),
    ...(zone === null ? {} : { zone }),
    ...(hasElements ? { elements: elementsOf(fields, 'elements') } : {}),
  }
}

export function parsePool(fields: BodyFields): PoolAsk {
  const source = requiredText(fields, 'source')
  return {
    source: { id: bareId(source), text: source },
    start: dateOf(fields, 'start'),
    end: dateOf(fields, 'end'),
    amounts: amountsOf(fields),
    elements: elementsOf(fields, 'elements'),
  }
}

export const parseDecrease = (fields: BodyFields) => ({
  ...parsePool(fields),
  force: booleanOf(fields, 'force', false),
})

const metrics: readonly Metric[] = ['total', 'reserved', 'usage', 'available']
const mostPoints = 1000
const mostListed = 1000

function parseQuery(fields: BodyFields, metric: Metric): CapacityQuery {
  const [elements, window] = [objectOf(fields, 'elements'), objectOf(fields, 'window')]
  const marker = textOf(fields, 'marker')
  return {
    metric,
    zone: textOf(fields, 'zone'),
    providerId: idOf(fields, 'provider-id'),
    from: dateOf(window, 'start'),
    to: dateOf(window, 'end'),
    inside: choiceOf(window, 'scope', ['inclusive', 'exclusive'] as const, 'inclusive') === 'exclusive',
    without: idsOf(fields, 'without'),
    some: elementsOf(elements, 'some'),
    every: elementsOf(elements, 'every'),
    showUtilization: booleanOf(fields, 'show-utilization', true),
    points: countOf(fields, 'points', 1, mostPoints) ?? mostPoints,
    limit: countOf(fields, 'limit', 1, mostListed) ?? mostListed,
    marker: marker === null ? null : markerOf(marker, metric),
    flavor: textOf(fields, 'flavor'),
  }
}

/** The collection that `marker` names. A list of reservations only also takes a bare id. */
function markerOf(text: string, metric: Metric) {
  const ref = refOf(text) ?? (metric === 'reserved' ? { kind: 'reservation' as const, id: text } : null)
  if (!ref) throw malformed("'marker' must be the last collection of the page before")
  return ref
}

export const parseCapacityQuery = (fields: BodyFields) =>
  parseQuery(fields, choiceOf(fields, 'capacity', metrics, 'available'))
export const parseReservationQuery = (fields: BodyFields) => parseQuery(fields, 'reserved')

export const parseInstance = (fields: BodyFields) => ({
  providerId: idOf(fields, 'provider-id'),
  name: textOf(fields, 'name', 255) ?? '',
  image: requiredText(fields, 'image'),
  flavor: requiredText(fields, 'flavor'),
  networks: textsOf(fields, 'networks'),
  reservationId: idOf(fields, 'reservation-id'),
})

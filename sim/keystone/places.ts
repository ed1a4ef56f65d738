// Regions, services and endpoints: the attributes of each, and the dependent resources that are deleted with
// it.

import type { Collection } from './collections.ts'
import { conflict, missing, notAllowed, notFound } from './refusals.ts'
import type { Schema } from './schema.ts'
import { type Endpoint, newId, type Region, type Service, type State } from './state.ts'

const flag: Schema = { type: 'boolean' }
const text: Schema = { type: 'string' }
const note: Schema = { type: ['string', 'null'] }

export const regions: Collection<Region> = {
  one: 'region',
  many: 'regions',
  table: state => state.regions,
  filters: ['parent_region_id'],
  isOpen: true,
  schema: { type: 'object', properties: { id: text, description: note, parent_region_id: note } },
  make({ state }, _caller, input) {
    const id = input.id ?? newId()
    if (state.regions.has(id)) throw conflict('region', `Duplicate ID, ${id}.`)
    requireParent(state, input)
    return { id, description: input.description ?? '', parent_region_id: input.parent_region_id ?? null }
  },
  change({ state }, _region, changes) {
    requireParent(state, changes)
  },
  remove({ state }, { id }) {
    if (![...state.endpoints.values()].some(endpoint => endpoint.region_id === id)) return
    throw notAllowed(
      `Unable to delete region ${id} because it or its child regions have associated endpoints.`,
    )
  },
}

function requireParent(state: State, { parent_region_id: id }: Partial<Region>): void {
  if (typeof id === 'string' && !state.regions.has(id)) throw notFound('region', id)
}

export const services: Collection<Service> = {
  one: 'service',
  many: 'services',
  table: state => state.services,
  filters: ['name', 'type'],
  schema: {
    type: 'object',
    required: ['type'],
    properties: {
      type: { type: 'string', minLength: 1 },
      name: { type: 'string', minLength: 1 },
      enabled: flag,
    },
  },
  make(_context, _caller, input) {
    const { name = '', type = '', enabled = true, ...rest } = input
    return { name, ...rest, id: newId(), type, enabled }
  },
  remove({ state }, { id }) {
    for (const endpoint of [...state.endpoints.values()]) {
      if (endpoint.service_id === id) state.endpoints.delete(endpoint.id)
    }
  },
}

export const endpoints: Collection<Endpoint> = {
  one: 'endpoint',
  many: 'endpoints',
  table: state => state.endpoints,
  filters: ['interface', 'service_id', 'region_id'],
  missedFirst: 'always',
  schema: {
    type: 'object',
    required: ['interface', 'service_id', 'url'],
    properties: {
      enabled: flag,
      interface: { type: 'string', enum: ['admin', 'internal', 'public'] },
      region_id: text,
      region: text,
      service_id: text,
      url: { type: 'string', pattern: '^[a-zA-Z0-9+.-]+:.+' },
    },
  },
  make({ state }, _caller, input) {
    requirePlaces(state, input)
    const region = input.region_id ?? input.region ?? null
    return {
      id: newId(),
      interface: input.interface!,
      region_id: region,
      service_id: input.service_id!,
      url: input.url!,
      enabled: input.enabled ?? true,
      region,
    }
  },
  change({ state }, _endpoint, changes) {
    requirePlaces(state, changes)
    const region = changes.region_id ?? changes.region
    if (region !== undefined) Object.assign(changes, { region_id: region, region })
  },
}

function requirePlaces(state: State, { region_id, service_id }: Partial<Endpoint>): void {
  if (typeof region_id === 'string' && !state.regions.has(region_id)) {
    throw missing('endpoint region_id', 'region table')
  }
  if (service_id !== undefined && !state.services.has(service_id)) {
    throw missing('endpoint service_id', 'service table')
  }
}

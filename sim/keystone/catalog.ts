// The service catalog: services and their endpoints by region, as a token sees them.

import { type Endpoint, newId, type State, type Token } from './state.ts'

export interface EndpointSpec {
  /** The service's type: network, compute, placement, … */
  type: string
  /** The service's name: neutron, nova, placement, … */
  name: string
  region: string
  url: string
  /** The endpoint's interfaces; public, internal and admin by default. */
  interfaces?: readonly ('public' | 'internal' | 'admin')[] | undefined
}

/** The catalog as tokens carry it; URLs with a project in them are left out for a token without one. */
export function viewCatalog(state: State, token: Token): object[] {
  const projectId = token.scope?.kind === 'project' ? token.scope.id : null
  const values = { user_id: token.userId, project_id: projectId, tenant_id: projectId }
  const endpoints = [...state.endpoints.values()].filter(endpoint => endpoint.enabled)
  return [...state.services.values()]
    .filter(service => service.enabled)
    .map(({ id, type, name }) => ({
      endpoints: endpoints
        .filter(endpoint => endpoint.service_id === id)
        .flatMap(one => viewEndpoint(one, values)),
      id,
      type,
      name,
    }))
}

function viewEndpoint(endpoint: Endpoint, values: Record<string, string | null>): object[] {
  const { id, interface: face, region_id, region } = endpoint
  const names = [...endpoint.url.matchAll(/[$%]\((\w+)\)s/g)].map(match => match[1]!)
  if (names.some(name => (values[name] ?? null) === null)) return []
  const url = endpoint.url.replaceAll(/[$%]\((\w+)\)s/g, (_all, name: string) => values[name]!)
  return [{ id, interface: face, region_id, url, region }]
}

/** Adds the endpoints, or moves them when they are there; the service and the region come with them. */
export function registerEndpoint(state: State, spec: EndpointSpec): void {
  const { type, name, region, url, interfaces = ['public', 'internal', 'admin'] } = spec
  addRegion(state, region)
  const service = [...state.services.values()].find(service => service.type === type && service.name === name)
  const serviceId = service?.id ?? newId()
  if (service === undefined) state.services.set(serviceId, { name, id: serviceId, type, enabled: true })
  for (const face of interfaces) {
    const known = [...state.endpoints.values()].find(
      one => one.service_id === serviceId && one.region_id === region && one.interface === face,
    )
    const id = known?.id ?? newId()
    state.endpoints.set(id, {
      id,
      interface: face,
      region_id: region,
      service_id: serviceId,
      url,
      enabled: true,
      region,
    })
  }
}

export function addRegion(state: State, id: string): void {
  if (!state.regions.has(id)) state.regions.set(id, { id, description: '', parent_region_id: null })
}

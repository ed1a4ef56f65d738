// Placement in a region: the resource providers that are there.
import { count, field, id, many, orNull, reader, type Shape, text } from './fields.ts'
import type { Region } from './region.ts'

/** Has `parent_provider_uuid` (Queens); every later Placement speaks it too. */
const microversion = { 'openstack-api-version': 'placement 1.14' }

const resourceProvider = {
  id: field('uuid', id),
  name: field('name', text),
  generation: field('generation', count),
  parentId: field('parent_provider_uuid', orNull(id)),
}
export type ResourceProvider = Shape<typeof resourceProvider>

const providers = many(reader(resourceProvider))

/** Every resource provider; Placement has no pages. Throws as `Region.call`. */
export async function listResourceProviders(region: Region): Promise<readonly ResourceProvider[]> {
  const reply = await region.call('placement', {
    method: 'GET',
    path: '/resource_providers',
    headers: microversion,
  })
  return reply.read(providers, 'resource_providers')
}

// Pod bindings, of the oldest of the three documented versions (seed 002): the API's view of bindings.

import { invalid, malformed, notFound } from '../../core/error.ts'
import type { Page, PageRequest } from '../../core/page.ts'
import type { Binding, BindingSpec } from '../../core/regions/binding.ts'
import { createBinding, getBinding, listBindings, removeBinding } from '../../core/regions/bindings.ts'
import { parseLimit } from '../paging.ts'
import { isUuid, type Request, singles } from '../request.ts'
import { type Route, route } from '../route.ts'
import { wording } from './errors.ts'
import { objectUnder, textField, viewTime } from './fields.ts'
import { viewNothing } from './pods.ts'

const viewFields = (binding: Binding) => ({
  id: binding.id,
  tenant_id: binding.projectId,
  pod_id: binding.regionId,
  created_at: viewTime(binding.createdAt),
  updated_at: binding.updatedAt && viewTime(binding.updatedAt),
})

const viewBinding = (binding: Binding) => ({ pod_binding: viewFields(binding) })

/**
 * A page of bindings, with a link while rows remain. The seed has no pages, but lists are never unbounded.
 */
function viewBindings({ items, more }: Page<Binding>) {
  const list = { pod_bindings: items.map(viewFields) }
  if (!more) return list
  const href = `/v1.0/bindings?limit=${items.length}&marker=${items.at(-1)!.id}`
  return { ...list, pod_bindings_links: [{ rel: 'next', href }] }
}

function parseBindingId({ params }: Request): string {
  if (!isUuid(params.id!)) throw notFound('Pod binding not found')
  return params.id!
}

function parseBinding({ body }: Request): BindingSpec {
  const binding = objectUnder(body, 'pod_binding', 'Request body not found')
  const projectId = textField(binding, 'tenant_id', 64)
  const regionId = textField(binding, 'pod_id', 255)
  if (!projectId || !regionId) throw invalid('Tenant_id and pod_id can not be empty')
  if (!isUuid(regionId)) throw invalid('pod_id not found in pod')
  return { projectId, regionId }
}

const parsePage = (maximum: number) =>
  function parsePage({ query }: Request): PageRequest<string> {
    const { limit, marker } = singles(query)
    if (marker !== undefined && !isUuid(marker)) throw malformed(`Invalid marker: ${marker}`)
    return { limit: parseLimit(limit, maximum), marker: marker ?? null }
  }

export const bindingRoutes = (maximum: number): readonly Route[] => [
  route({
    method: 'GET',
    path: '/bindings',
    rule: 'admin_api:bindings:list',
    denied: 'Unauthorized to list bindings',
    errors: wording.page,
    parse: parsePage(maximum),
    verb: listBindings,
    view: viewBindings,
  }),
  route({
    method: 'GET',
    path: '/bindings/:id',
    rule: 'admin_api:bindings:show',
    denied: 'Unauthorized to show a binding',
    errors: wording.page,
    sentences: { not_found: 'Tenant pod binding not found' },
    parse: parseBindingId,
    verb: getBinding,
    view: viewBinding,
  }),
  route({
    method: 'POST',
    path: '/bindings',
    rule: 'admin_api:bindings:create',
    denied: 'Unauthorized to create a binding',
    errors: wording.page,
    parse: parseBinding,
    verb: createBinding,
    view: viewBinding,
  }),
  route({
    method: 'DELETE',
    path: '/bindings/:id',
    rule: 'admin_api:bindings:delete',
    denied: 'Unauthorized to delete a binding',
    errors: wording.page,
    sentences: { not_found: 'Pod binding not found' },
    parse: parseBindingId,
    verb: removeBinding,
    view: viewNothing,
  }),
]

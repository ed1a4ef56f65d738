// Quotas of a project, with what it uses. The operator's settings fix them, so they are only read.

import { getQuotas, type Quotas } from '../../core/network/topology/region-reads.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { unusable } from './refusals.ts'
import { ruled } from './resource.ts'

const rule = ruled('get_quota')

/** The project in the path: any text without a NUL, as Keystone may have other ids than UUIDs. */
function parseProject({ params }: Request): string {
  if (params.id!.includes('\0')) throw unusable('The id of a project has no NUL in it')
  return params.id!
}

const viewLimits = (quotas: Quotas) => ({
  quota: Object.fromEntries(Object.entries(quotas).map(([kind, { limit }]) => [kind, limit])),
})

/** The `reserved` of Neutron's quotas is always 0: a resource counts as used at once. */
const viewDetails = (quotas: Quotas) => ({
  quota: Object.fromEntries(
    Object.entries(quotas).map(([kind, { limit, used }]) => [kind, { limit, used, reserved: 0 }]),
  ),
})

const quotaRoute = (path: string, view: (quotas: Quotas) => object): Route =>
  route({
    ...rule,
    method: 'GET',
    path,
    sentences: { forbidden: rule.denied },
    parse: parseProject,
    verb: getQuotas,
    view,
  })

export const quotaRoutes: readonly Route[] = [
  quotaRoute('/quotas/:id', viewLimits),
  quotaRoute('/quotas/:id/default', viewLimits),
  quotaRoute('/quotas/:id/details', viewDetails),
]

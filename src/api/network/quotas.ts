// Quotas: what a project may have, and what it uses of it. The operator's settings say it, so they are only read.

import { type Caller, isAtLeast } from '../../core/caller.ts'
import { AppError } from '../../core/error.ts'
import { type Quotas, quotasOf } from '../../core/network/region-reads.ts'
import type { App } from '../../core/ports.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { unusable } from './refusals.ts'
import { ruled } from './resource.ts'

interface Quota {
  readonly limit: number
  readonly used: number
}

const rule = ruled('get_quota')

/** A project may have any name that a text can be. */
function parseProject({ params }: Request): string {
  if (params.id!.includes('\0')) throw unusable('The id of a project has no NUL in it')
  return params.id!
}

/** Throws `forbidden` to members for another project than their own. */
async function getQuotas(app: App, caller: Caller, projectId: string): Promise<Record<string, Quota>> {
  if (projectId !== caller.projectId && !isAtLeast(caller, 'admin')) {
    throw new AppError('forbidden', rule.denied, { rule: rule.rule, needs: 'admin' })
  }
  return quotasOf(app, caller, projectId)
}

const mapped = <T>(quotas: Record<string, Quota>, view: (quota: Quota) => T) => ({
  quota: Object.fromEntries(Object.entries(quotas).map(([kind, quota]) => [kind, view(quota)])),
})

const viewLimits = (quotas: Record<string, Quota>) => mapped(quotas, ({ limit }) => limit)
const viewDetails = (quotas: Record<string, Quota>) =>
  mapped(quotas, ({ limit, used }) => ({ limit, used, reserved: 0 }))

const quotaRoute = (path: string, view: (quotas: Record<string, Quota>) => object): Route =>
  route({ ...rule, method: 'GET', path, parse: parseProject, verb: getQuotas, view })

export const quotaRoutes: readonly Route[] = [
  quotaRoute('/quotas/:id', viewLimits),
  quotaRoute('/quotas/:id/default', viewLimits),
  quotaRoute('/quotas/:id/details', viewDetails),
]

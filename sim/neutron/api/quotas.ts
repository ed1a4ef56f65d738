// Quotas over the API: a project's limits and usage; set and reset by admins.

import { internalError, malformed, refusal, unknownPath, wrongMethod } from '../errors.ts'
import { type Attributes, type Fields, readUpdate } from '../model/attributes.ts'
import { integerBetween, isDictionary } from '../model/kinds.ts'
import { limits, usage } from '../model/limits.ts'
import type { Caller } from '../model/rules.ts'
import type { Region } from '../region.ts'
import type { Answer, Asked } from './answer.ts'
import { enforce } from './policy.ts'

const largest = 2_147_483_647

export function answerQuotas({ method, path, body }: Asked, region: Region, caller: Caller): Answer {
  const [project, view, ...rest] = path
  if (rest.length > 0) throw unknownPath()
  if (project === undefined) {
    if (method !== 'GET') throw wrongMethod()
    refuseMember('get', region, caller)
    const quotas = [...region.quotas.keys()].map(id => ({
      ...limits(id, region),
      project_id: id,
      tenant_id: id,
    }))
    return { status: 200, body: { quotas } }
  }
  // Neutron treats a POST to quotas as a GET.
  if (method === 'GET' || method === 'POST') return { status: 200, body: read(project, view, region, caller) }
  if (view !== undefined) throw wrongMethod()
  if (method === 'DELETE') {
    refuseMember('delete', region, caller)
    if (region.quotas.delete(project)) return { status: 204 }
    throw refusal(404, 'TenantQuotaNotFound', `Quota for tenant ${project} could not be found.`)
  }
  if (method !== 'PUT') throw wrongMethod()
  refuseMember('update', region, caller)
  return { status: 200, body: { quota: write(project, body, region, caller) } }
}

function refuseMember(verb: 'get' | 'update' | 'delete', region: Region, caller: Caller): void {
  const rule = verb === 'get' ? 'anyManager' : 'admin'
  enforce({ verb, on: 'quota', rule, attributes: {}, given: {}, target: {} }, caller, region)
}

function read(project: string, view: string | undefined, region: Region, caller: Caller): unknown {
  const { projectId } = caller
  if (project === 'tenant') return { tenant: { tenant_id: projectId } }
  if (project === 'project') return { project: { project_id: projectId } }
  if (project !== projectId) refuseMember('get', region, caller)
  if (view === undefined) return { quota: limits(project, region) }
  if (view === 'default') return { quota: region.settings.quotas }
  if (view !== 'details') throw unknownPath()
  const details = Object.entries(limits(project, region)).map(([kind, limit]) => [
    kind,
    { limit, used: usage(kind, project, region), reserved: 0 },
  ])
  return { quota: Object.fromEntries(details) }
}

function write(project: string, body: unknown, region: Region, caller: Caller): Record<string, number> {
  const quota = isDictionary(body) ? body.quota : undefined
  if (!isDictionary(quota)) throw internalError()
  const { force: _force, check_limit: isChecked, ...asked } = quota
  const attributes: Attributes = Object.fromEntries(
    Object.keys(region.settings.quotas).map(kind => [
      kind,
      { kind: integerBetween(-1, largest), set: 'always' },
    ]),
  )
  const changed: Fields = readUpdate({ quota: asked }, { name: 'quota', attributes }, caller)
  for (const [kind, limit] of Object.entries(changed)) {
    const used = usage(kind, project, region)
    if (!isChecked || used <= Number(limit)) continue
    throw malformed(`Quota limit ${limit} for ${kind} must be greater than or equal to already used ${used}`)
  }
  region.quotas.set(project, { ...region.quotas.get(project), ...(changed as Record<string, number>) })
  return limits(project, region)
}

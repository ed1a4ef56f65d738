// Limits and quotas: a project's limits and usage; set and reset by admins.

import { printed } from '../../python.ts'
import { type QuotaName, type Quotas, stockQuotas } from '../quota-names.ts'
import { quotasOf, usageOf } from '../quotas.ts'
import { badRequest, forbidden, invalidField } from '../refusals.ts'
import { type Answer, type Asked, accepted, ok, type Route, readInteger, readObject } from './asked.ts'

const path = '/os-quota-sets/:id'

export const limitRoutes: readonly Route[] = [
  { method: 'GET', path: '/limits', rule: 'limits', answer: limits },
  { method: 'GET', path, rule: 'os-quota-sets:show', answer: show },
  { method: 'GET', path: `${path}/detail`, rule: 'os-quota-sets:detail', answer: details },
  { method: 'GET', path: `${path}/defaults`, rule: 'os-quota-sets:defaults', answer: defaults },
  { method: 'PUT', path, rule: 'os-quota-sets:update', isAdmins: true, answer: update },
  { method: 'DELETE', path, rule: 'os-quota-sets:delete', isAdmins: true, answer: reset },
]

const ofNetworks: readonly QuotaName[] = [
  'fixed_ips',
  'floating_ips',
  'security_groups',
  'security_group_rules',
]
const ofFiles: readonly QuotaName[] = [
  'injected_files',
  'injected_file_content_bytes',
  'injected_file_path_bytes',
]

/** The quotas of a microversion: those of networks are gone from 2.36 on, those of files from 2.57 on. */
const namesAt = (minor: number): QuotaName[] =>
  (Object.keys(stockQuotas) as QuotaName[]).filter(
    name => !(minor >= 36 && ofNetworks.includes(name)) && !(minor >= 57 && ofFiles.includes(name)),
  )

const shown: Readonly<Partial<Record<QuotaName, readonly string[]>>> = {
  ram: ['maxTotalRAMSize'],
  instances: ['maxTotalInstances'],
  cores: ['maxTotalCores'],
  key_pairs: ['maxTotalKeypairs'],
  floating_ips: ['maxTotalFloatingIps'],
  metadata_items: ['maxServerMeta', 'maxImageMeta'],
  injected_files: ['maxPersonality'],
  injected_file_content_bytes: ['maxPersonalitySize'],
  security_groups: ['maxSecurityGroups'],
  security_group_rules: ['maxSecurityGroupRules'],
  server_groups: ['maxServerGroups'],
  server_group_members: ['maxServerGroupMembers'],
}

function limits({ region, query, caller, minor }: Asked): Answer {
  const other = query.get('tenant_id')
  if (other !== null && !caller.isAdmin) throw forbidden('limits:other_project')
  const projectId = other ?? caller.projectId
  const quotas = quotasOf(region, projectId)
  const { instances, cores, ram } = usageOf(region, projectId)
  const absolute = namesAt(minor).flatMap(name =>
    (shown[name] ?? [])
      .filter(one => one !== 'maxImageMeta' || minor < 39)
      .map(one => [one, quotas[name]] as const),
  )
  const used = {
    totalRAMUsed: ram,
    totalCoresUsed: cores,
    totalInstancesUsed: instances,
    ...(minor < 36 ? { totalFloatingIpsUsed: 0, totalSecurityGroupsUsed: 0 } : {}),
    totalServerGroupsUsed: 0,
  }
  return ok({ limits: { rate: [], absolute: { ...Object.fromEntries(absolute), ...used } } })
}

function projectOf({ params, isProject }: Asked): string {
  const id = params.id ?? ''
  if (!isProject(id)) throw badRequest(`Project ID ${id} is not a valid project.`)
  return id
}

function view({ minor }: Asked, quotas: Quotas): Partial<Quotas> {
  return Object.fromEntries(namesAt(minor).map(name => [name, quotas[name]]))
}

/** The project whose limits are asked for; another project's need an admin. */
function readable(asked: Asked, rule: string): string {
  if (!asked.caller.isAdmin && asked.params.id !== asked.caller.projectId) {
    throw forbidden(`os-quota-sets:${rule}`)
  }
  return projectOf(asked)
}

function show(asked: Asked): Answer {
  const id = readable(asked, 'show')
  return ok({ quota_set: { id, ...view(asked, quotasOf(asked.region, id)) } })
}

function defaults(asked: Asked): Answer {
  return ok({ quota_set: { id: projectOf(asked), ...view(asked, asked.region.settings.quotas) } })
}

function details(asked: Asked): Answer {
  const id = readable(asked, 'detail')
  const quotas = quotasOf(asked.region, id)
  const used = usageOf(asked.region, id)
  const sets = namesAt(asked.minor).map(name => [
    name,
    { in_use: used[name] ?? 0, limit: quotas[name], reserved: 0 },
  ])
  return ok({ quota_set: { id, ...Object.fromEntries(sets) } })
}

const largest = 2_147_483_647

function update(asked: Asked): Answer {
  const { region, minor } = asked
  const given = readObject(readObject(asked.body, 'body', ['quota_set']).quota_set, 'quota_set')
  const { force, ...wanted } = given
  const names = namesAt(minor)
  const unknown = Object.keys(wanted).filter(name => !names.includes(name as QuotaName))
  if (unknown.length > 0) {
    const listed = unknown.map(name => `'${name}'`).join(', ')
    const are = unknown.length === 1 ? 'was' : 'were'
    const why = `Additional properties are not allowed (${listed} ${are} unexpected)`
    throw invalidField('quota_set', given, why)
  }
  const asLimits = Object.entries(wanted).map(([name, value]) => [name, readLimit(name, value)] as const)
  const id = projectOf(asked)
  const used = usageOf(region, id)
  const isForced = ['true', '1', 'on', 'yes', 'y', 't'].includes(printed(force ?? false).toLowerCase())
  for (const [name, limit] of isForced ? [] : asLimits) {
    const least = used[name as QuotaName] ?? 0
    if (limit !== -1 && limit < least) {
      const words = `must be greater than or equal to already used and reserved ${least}.`
      throw badRequest(`Quota limit ${limit} for ${name} ${words}`)
    }
  }
  region.quotas.set(id, { ...region.quotas.get(id), ...Object.fromEntries(asLimits) })
  return ok({ quota_set: view(asked, quotasOf(region, id)) })
}

function readLimit(name: string, value: unknown): number {
  const limit = readInteger(value, name, -1)
  if (limit > largest) throw invalidField(name, value, `${limit} is greater than the maximum of ${largest}`)
  return limit
}

function reset(asked: Asked): Answer {
  asked.region.quotas.delete(asked.params.id ?? '')
  return accepted
}

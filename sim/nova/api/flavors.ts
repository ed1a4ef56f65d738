// Flavors, their extra specs, and who may use the private ones.

import { randomUUID } from 'node:crypto'
import { represented } from '../../python.ts'
import { badRequest, conflict, invalidField, notFound } from '../refusals.ts'
import type { Flavor } from '../rows.ts'
import {
  type Answer,
  type Asked,
  accepted,
  type Json,
  linksOf,
  ok,
  type Route,
  readBody,
  readFlag,
  readInteger,
  readObject,
  readText,
} from './asked.ts'
import { pageOf } from './pages.ts'

const admins = { isAdmins: true } as const
const specs = '/flavors/:id/os-extra_specs'

export const flavorRoutes: readonly Route[] = [
  { method: 'GET', path: '/flavors', rule: 'flavors:index', answer: asked => list(asked, viewShort) },
  { method: 'GET', path: '/flavors/detail', rule: 'flavors:detail', answer: asked => list(asked, view) },
  { method: 'POST', path: '/flavors', rule: 'os-flavor-manage:create', ...admins, answer: create },
  {
    method: 'GET',
    path: '/flavors/:id',
    rule: 'flavors:show',
    answer: asked => ok({ flavor: view(flavorOf(asked), asked) }),
  },
  { method: 'PUT', path: '/flavors/:id', rule: 'os-flavor-manage:update', ...admins, answer: update },
  { method: 'DELETE', path: '/flavors/:id', rule: 'os-flavor-manage:delete', ...admins, answer: remove },
  { method: 'GET', path: specs, rule: 'os-flavor-extra-specs:index', answer: asked => ok(viewSpecs(asked)) },
  { method: 'POST', path: specs, rule: 'os-flavor-extra-specs:create', ...admins, answer: addSpecs },
  { method: 'GET', path: `${specs}/:key`, rule: 'os-flavor-extra-specs:show', answer: showSpec },
  {
    method: 'PUT',
    path: `${specs}/:key`,
    rule: 'os-flavor-extra-specs:update',
    ...admins,
    answer: updateSpec,
  },
  {
    method: 'DELETE',
    path: `${specs}/:key`,
    rule: 'os-flavor-extra-specs:delete',
    ...admins,
    answer: removeSpec,
  },
  {
    method: 'GET',
    path: '/flavors/:id/os-flavor-access',
    rule: 'os-flavor-access',
    ...admins,
    answer: listAccess,
  },
  {
    method: 'POST',
    path: '/flavors/:id/action',
    rule: 'os-flavor-access:add_tenant_access',
    ...admins,
    answer: changeAccess,
  },
]

/** Whether the caller may use a flavor; admins may use every one. */
export function canUse({ isPublic, access }: Flavor, { caller }: Asked): boolean {
  return isPublic || caller.isAdmin || access.has(caller.projectId)
}

function flavorOf(asked: Asked): Flavor {
  const id = asked.params.id ?? ''
  const flavor = asked.region.flavors.get(id)
  if (flavor === undefined || !canUse(flavor, asked)) throw notFound(`Flavor ${id} could not be found.`)
  return flavor
}

const path = (id: string): string => `flavors/${id}`

function viewShort({ id, name, description }: Flavor, asked: Asked): object {
  const links = linksOf(asked, path(id))
  return { id, name, links, ...(asked.minor >= 55 ? { description } : {}) }
}

function view(flavor: Flavor, asked: Asked): object {
  const { minor } = asked
  return {
    id: flavor.id,
    name: flavor.name,
    ram: flavor.memoryMb,
    disk: flavor.diskGb,
    swap: flavor.swapMb === 0 && minor < 75 ? '' : flavor.swapMb,
    'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeralGb,
    'OS-FLV-DISABLED:disabled': false,
    vcpus: flavor.vcpus,
    'os-flavor-access:is_public': flavor.isPublic,
    rxtx_factor: flavor.rxtxFactor,
    links: linksOf(asked, path(flavor.id)),
    ...(minor >= 55 ? { description: flavor.description } : {}),
    ...(minor >= 61 ? { extra_specs: Object.fromEntries(flavor.extraSpecs) } : {}),
  }
}

function list(asked: Asked, viewOne: (flavor: Flavor, asked: Asked) => object): Answer {
  const { region, query, caller } = asked
  const isPublic = query.get('is_public')?.toLowerCase() ?? 'true'
  const least = { memoryMb: Number(query.get('minRam') ?? 0), diskGb: Number(query.get('minDisk') ?? 0) }
  const isAsked = (flavor: Flavor): boolean => {
    if (!caller.isAdmin) return canUse(flavor, asked)
    return isPublic === 'none' || flavor.isPublic === readFlag(isPublic, 'is_public')
  }
  const flavors = [...region.flavors.values()]
    .filter(isAsked)
    .filter(({ memoryMb, diskGb }) => memoryMb >= least.memoryMb && diskGb >= least.diskGb)
    .sort((one, other) => (one.id < other.id ? -1 : 1))
  const page = pageOf(asked, flavors, ({ id }) => id, 'flavors')
  return ok({ flavors: page.rows.map(flavor => viewOne(flavor, asked)), ...page.links })
}

function create(asked: Asked): Answer {
  const { region, body, minor } = asked
  const given = readBody(body, 'flavor', ['name', 'ram', 'vcpus', 'disk'])
  const whole = (key: string, least: number, otherwise = 0) =>
    given[key] === undefined ? otherwise : readInteger(given[key], key, least)
  const asksId = given.id !== undefined && given.id !== null && given.id !== 'auto'
  const id = asksId ? readText(String(given.id), 'id') : randomUUID()
  if (!/^[\w .-]+$/.test(id) || id !== id.trim()) {
    throw badRequest(`Invalid input for field/attribute id. Value: ${id}. '${id}' does not match.`)
  }
  const name = readText(given.name, 'name')
  const flavor: Flavor = {
    id,
    number: region.nextNumber(),
    name,
    vcpus: whole('vcpus', 1),
    memoryMb: whole('ram', 1),
    diskGb: whole('disk', 0),
    ephemeralGb: whole('OS-FLV-EXT-DATA:ephemeral', 0),
    swapMb: whole('swap', 0),
    rxtxFactor: Number(given.rxtx_factor ?? 1),
    isPublic: readFlag(given['os-flavor-access:is_public'] ?? true, 'is_public'),
    description: minor >= 55 ? ((given.description as string | null | undefined) ?? null) : null,
    extraSpecs: new Map(),
    access: new Set(),
  }
  if (region.flavors.has(id)) throw conflict(`Flavor with ID ${id} already exists.`)
  if (region.flavorsByName.has(name)) throw conflict(`Flavor with name ${name} already exists.`)
  region.flavors.set(id, flavor)
  region.flavorsByName.set(name, flavor)
  return ok({ flavor: view(flavor, asked) })
}

function update(asked: Asked): Answer {
  const given = readBody(asked.body, 'flavor', ['description'])
  const flavor = flavorOf(asked)
  flavor.description = given.description === null ? null : readText(given.description, 'description', 65_535)
  return ok({ flavor: view(flavor, asked) })
}

function remove(asked: Asked): Answer {
  const flavor = flavorOf(asked)
  asked.region.flavors.delete(flavor.id)
  asked.region.flavorsByName.delete(flavor.name)
  return accepted
}

const viewSpecs = (asked: Asked): object => ({ extra_specs: Object.fromEntries(flavorOf(asked).extraSpecs) })

const specKey = /^[a-zA-Z0-9-_:. ]{1,255}$/

function readSpecs(given: Json): [string, string][] {
  return Object.entries(given).map(([key, value]) => {
    if (!specKey.test(key)) {
      throw invalidField(
        'extra_specs',
        given,
        `'${key}' does not match any of the regexes: '${specKey.source}'`,
      )
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw invalidField(key, value, `${represented(value)} is not of type 'string', 'number'`)
    }
    return [key, String(value)]
  })
}

function addSpecs(asked: Asked): Answer {
  const { extra_specs } = readObject(asked.body, 'body', ['extra_specs'])
  const given = readObject(extra_specs, 'extra_specs')
  const pairs = readSpecs(given)
  const flavor = flavorOf(asked)
  for (const [key, value] of pairs) flavor.extraSpecs.set(key, value)
  return ok({ extra_specs: given })
}

function noSpec(asked: Asked): Error {
  return notFound(`Flavor ${asked.params.id} has no extra specs with key ${asked.params.key}.`)
}

function showSpec(asked: Asked): Answer {
  const key = asked.params.key ?? ''
  const value = flavorOf(asked).extraSpecs.get(key)
  if (value === undefined) throw noSpec(asked)
  return ok({ [key]: value })
}

function updateSpec(asked: Asked): Answer {
  const key = asked.params.key ?? ''
  const given = readObject(asked.body, 'body')
  if (!(key in given) || Object.keys(given).length !== 1) throw badRequest('Request body and URI mismatch')
  const pairs = readSpecs(given)
  const flavor = flavorOf(asked)
  for (const [name, value] of pairs) flavor.extraSpecs.set(name, value)
  return ok(given)
}

function removeSpec(asked: Asked): Answer {
  if (!flavorOf(asked).extraSpecs.delete(asked.params.key ?? '')) throw noSpec(asked)
  return { status: 200 }
}

const viewAccess = ({ id, access }: Flavor): object => ({
  flavor_access: [...access].map(project => ({ flavor_id: id, tenant_id: project })),
})

function listAccess(asked: Asked): Answer {
  const flavor = flavorOf(asked)
  if (flavor.isPublic) throw notFound('Access list not available for public flavors.')
  return ok(viewAccess(flavor))
}

function changeAccess(asked: Asked): Answer {
  const [action, given] = Object.entries(readObject(asked.body, 'body'))[0] ?? []
  if (action !== 'addTenantAccess' && action !== 'removeTenantAccess') {
    throw badRequest(`There is no such action: ${action}`)
  }
  const project = readText(readObject(given, action, ['tenant']).tenant, 'tenant')
  if (!asked.isProject(project)) throw badRequest(`Project ID ${project} is not a valid project.`)
  const flavor = flavorOf(asked)
  const { number, access } = flavor
  if (action === 'addTenantAccess') {
    if (flavor.isPublic) throw conflict('Can not add access to a public flavor.')
    if (access.has(project)) {
      const words = `Flavor access already exists for flavor ${number} and project ${project} combination.`
      throw conflict(words)
    }
    access.add(project)
  } else if (!access.delete(project)) {
    throw notFound(`Flavor access not found for ${number} / ${project} combination.`)
  }
  return ok(viewAccess(flavor))
}

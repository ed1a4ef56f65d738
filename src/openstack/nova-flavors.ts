// Nova's flavors in a region: made, described, lent to projects.
import { z } from 'zod'
import { isGone } from './fault.ts'
import { checkedId } from './names.ts'
import { callNova, listAll, unless } from './nova-call.ts'
import type { RegionClient } from './region.ts'
import { count, field, flag, many, reader, type Shape, text, written } from './wire-fields.ts'

const flavor = {
  /** The id of a flavor, which may have blanks in it. */
  id: field('id', text.min(1)),
  name: field('name', text),
  vcpus: field('vcpus', count),
  memoryMb: field('ram', count),
  diskGb: field('disk', count),
  isPublic: field('os-flavor-access:is_public', flag),
}
export type Flavor = Shape<typeof flavor>

const extraSpecs = z.record(text, text)
export type ExtraSpecs = Readonly<z.infer<typeof extraSpecs>>

/** Public and private ones. Throws as `followPages`. */
export const listFlavors = (region: RegionClient): Promise<Flavor[]> =>
  listAll(region, '/flavors/detail', 'flavors', reader(flavor), [['is_public', 'None']])

/** Null when Nova says that there is none. Throws as `RegionClient.call`, `invalid` for no id. */
export async function getFlavor(region: RegionClient, flavorId: string): Promise<Flavor | null> {
  const reply = await callNova(region, { method: 'GET', path: pathOf(flavorId), accept: isGone })
  return reply.status === 404 ? null : reply.read(reader(flavor), 'flavor')
}

/** False when its id or its name is taken. Throws as `RegionClient.call`. */
export const createFlavor = (region: RegionClient, spec: Flavor): Promise<boolean> =>
  unless(region, 409, { method: 'POST', path: '/flavors', json: { flavor: written(flavor, spec) } })

/** False when it was gone already; servers keep it. Throws as `RegionClient.call`. */
export const removeFlavor = (region: RegionClient, flavorId: string): Promise<boolean> =>
  unless(region, 404, { method: 'DELETE', path: pathOf(flavorId) })

/** Null when there is no such flavor. Throws as `RegionClient.call`. */
export async function getExtraSpecs(region: RegionClient, flavorId: string): Promise<ExtraSpecs | null> {
  const path = `${pathOf(flavorId)}/os-extra_specs`
  const reply = await callNova(region, { method: 'GET', path, accept: isGone })
  return reply.status === 404 ? null : reply.read(extraSpecs, 'extra_specs')
}

/** Sets these, and leaves others as they are. Throws as `RegionClient.call`. */
export async function setExtraSpecs(
  region: RegionClient,
  flavorId: string,
  specs: ExtraSpecs,
): Promise<void> {
  const path = `${pathOf(flavorId)}/os-extra_specs`
  await callNova(region, { method: 'POST', path, json: { extra_specs: specs } })
}

/** The projects that may use a private flavor; null for a public one and for none. Throws as `RegionClient.call`. */
export async function listFlavorAccess(
  region: RegionClient,
  flavorId: string,
): Promise<readonly string[] | null> {
  const path = `${pathOf(flavorId)}/os-flavor-access`
  const reply = await callNova(region, { method: 'GET', path, accept: isGone })
  if (reply.status === 404) return null
  return reply.read(many(z.object({ tenant_id: text })), 'flavor_access').map(one => one.tenant_id)
}

/** False when the project had it already. Throws as `RegionClient.call`. */
export const addFlavorAccess = (
  region: RegionClient,
  flavorId: string,
  projectId: string,
): Promise<boolean> => changeAccess(region, 409, flavorId, { addTenantAccess: { tenant: projectId } })

/** False when the project did not have it. Throws as `RegionClient.call`. */
export const removeFlavorAccess = (
  region: RegionClient,
  flavorId: string,
  projectId: string,
): Promise<boolean> => changeAccess(region, 404, flavorId, { removeTenantAccess: { tenant: projectId } })

const changeAccess = (region: RegionClient, done: number, flavorId: string, json: object): Promise<boolean> =>
  unless(region, done, { method: 'POST', path: `${pathOf(flavorId)}/action`, json })

const pathOf = (flavorId: string): string => `/flavors/${checkedId(flavorId)}`

// Calls to a provider's Nova, Neutron and Cinder: the project's flavors, limits and servers, as any member
// may.
import { z } from 'zod'
import { type AmountName, type Amounts, amountNames } from '../core/capacity/amounts.ts'
import type { ProviderFlavor, ProviderServer, ProviderServerSpec } from '../core/capacity/provider-cloud.ts'
import { isGone } from './fault.ts'
import { checkedId } from './names.ts'
import { followPages } from './paging.ts'
import type { RegionClient } from './region.ts'
import type { ServiceType } from './services.ts'
import { count, id, many } from './wire-fields.ts'

// No microversion is asked for: 2.1 is in every Nova, and there a server without networks gets the project's own.

/** The key of a server's metadata that holds our mark. */
export const markKey = 'atoll:instance'

const mostFlavors = 5_000
const mostServers = 20_000

/** Whether a provider's text can be stored and shown: no NUL, no half of a surrogate pair. */
export const isText = (value: string): boolean => value.length <= 255 && !/[\p{Cc}\p{Surrogate}]/u.test(value)

const words = z.string().refine(isText, 'no text')

const amount = count.min(0).max(2_147_483_647)

const flavor = z
  .object({ id: words.min(1), name: words, vcpus: amount, ram: amount, disk: amount })
  .transform(({ ram, disk, ...rest }): ProviderFlavor => ({ ...rest, memoryMb: ram, diskGb: disk }))

/** Throws as `followPages`. */
export const listFlavors = (region: RegionClient): Promise<ProviderFlavor[]> =>
  followPages(region, {
    service: 'compute',
    path: '/flavors/detail',
    query: [],
    many: 'flavors',
    rows: many(flavor),
    idOf: one => one.id,
    maxRows: mostFlavors,
  })

const server = z
  .object({
    id,
    status: z.string().regex(/^[A-Z_]{1,40}$/),
    metadata: z.record(z.string(), z.unknown()).nullish(),
  })
  .transform(({ metadata, ...rest }): ProviderServer => {
    const mark = metadata?.[markKey]
    return { ...rest, mark: typeof mark === 'string' && isText(mark) ? mark : null }
  })

/**
 * Servers that have our mark in their metadata; Nova lets no member filter by it. Throws as `followPages`.
 */
export async function listMarkedServers(region: RegionClient): Promise<ProviderServer[]> {
  const servers = await followPages(region, {
    service: 'compute',
    path: '/servers/detail',
    query: [],
    many: 'servers',
    rows: many(server),
    idOf: one => one.id,
    maxRows: mostServers,
  })
  return servers.filter(one => one.mark !== null)
}

/** Null when Nova says that there is none. Throws as `RegionClient.call`. */
export async function getServer(region: RegionClient, serverId: string): Promise<ProviderServer | null> {
  const reply = await region.call('compute', { method: 'GET', path: pathOf(serverId), accept: isGone })
  return reply.status === 404 ? null : reply.read(server, 'server')
}

/** False when it was gone already. Throws as `RegionClient.call`. */
export async function removeServer(region: RegionClient, serverId: string): Promise<boolean> {
  const reply = await region.call('compute', { method: 'DELETE', path: pathOf(serverId), accept: isGone })
  return reply.status !== 404
}

const pathOf = (serverId: string): string => `/servers/${checkedId(serverId)}`

/** Creates a server and returns its id. Throws as `RegionClient.call`. */
export async function createServer(region: RegionClient, spec: ProviderServerSpec): Promise<string> {
  const { mark, name, image, flavor: flavorId, networks } = spec
  const asked = {
    name,
    imageRef: image,
    flavorRef: flavorId,
    metadata: { [markKey]: mark },
    ...(networks.length > 0 ? { networks: networks.map(uuid => ({ uuid })) } : {}),
  }
  const reply = await region.call('compute', { method: 'POST', path: '/servers', json: { server: asked } })
  return reply.read(z.object({ id }), 'server').id
}

const network = z.object({ id, shared: z.boolean(), project_id: id.nullish(), tenant_id: id.nullish() })

/** The most networks that are asked for in one question, whose length a server limits. */
const networksAtOnce = 50

/** Of these ids those of networks that the project owns, or that are shared with all. Throws as `followPages`. */
export async function usableNetworks(
  region: RegionClient,
  projectId: string,
  asked: readonly string[],
): Promise<string[]> {
  const ids = [...new Set(asked)].filter(one => id.safeParse(one).success)
  const usable: string[] = []
  for (let at = 0; at < ids.length; at += networksAtOnce) {
    const rows = await followPages(region, {
      service: 'network',
      path: '/networks',
      query: ids.slice(at, at + networksAtOnce).map(one => ['id', one] as const),
      many: 'networks',
      rows: many(network),
      idOf: one => one.id,
      maxRows: networksAtOnce,
    })
    const own = rows.filter(one => one.shared || (one.project_id ?? one.tenant_id) === projectId)
    usable.push(...own.map(one => one.id))
  }
  return usable.filter(one => ids.includes(one))
}

const limit = count.min(-1).nullish()

const absolute = <K extends string>(...names: readonly K[]) =>
  z.object({
    absolute: z.object(Object.fromEntries(names.map(name => [name, limit])) as Record<K, typeof limit>),
  })

const novaLimits = absolute('maxTotalCores', 'maxTotalRAMSize', 'maxTotalInstances')

/** Throws as `RegionClient.call`. */
export async function getComputeLimits(region: RegionClient): Promise<Partial<Amounts>> {
  const reply = await region.call('compute', { method: 'GET', path: '/limits' })
  const { absolute: of } = reply.read(novaLimits, 'limits')
  return limited({ cores: of.maxTotalCores, ram: of.maxTotalRAMSize, instances: of.maxTotalInstances })
}

const neutronQuota = z.object({
  network: limit,
  subnet: limit,
  port: limit,
  router: limit,
  floatingip: limit,
})

/** Throws as `RegionClient.call`, `invalid` for a project that is none. */
export async function getNetworkLimits(region: RegionClient, projectId: string): Promise<Partial<Amounts>> {
  const reply = await region.call('network', { method: 'GET', path: `/quotas/${checkedId(projectId)}` })
  const { network, subnet, port, router, floatingip } = reply.read(neutronQuota, 'quota')
  return limited({
    networks: network,
    subnets: subnet,
    ports: port,
    routers: router,
    addresses: floatingip,
  })
}

const cinderLimits = absolute('maxTotalVolumeGigabytes', 'maxTotalVolumes', 'maxTotalSnapshots')

/** Throws as `RegionClient.call`, `invalid` for a project that is none. */
export async function getVolumeLimits(
  region: RegionClient,
  service: ServiceType,
  projectId: string,
): Promise<Partial<Amounts>> {
  const reply = await region.call(service, { method: 'GET', path: `/${checkedId(projectId)}/limits` })
  const { absolute: of } = reply.read(cinderLimits, 'limits')
  return limited({
    gigabytes: of.maxTotalVolumeGigabytes,
    volumes: of.maxTotalVolumes,
    snapshots: of.maxTotalSnapshots,
  })
}

/**
 * Limits as amounts: a value below zero means no limit and is left out, and one beyond the largest amount is
 * cut to that.
 */
function limited(given: Partial<Record<AmountName, number | null | undefined>>): Partial<Amounts> {
  const limits = amountNames.flatMap(name => {
    const value = given[name] ?? -1
    return value < 0 ? [] : [[name, Math.min(value, 2_147_483_647)] as const]
  })
  return Object.fromEntries(limits)
}

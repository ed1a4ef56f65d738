// Servers for the contract tests: booted as anybody, awaited, and gone at the end.
import { z } from 'zod'
import { createCatalog } from '../../src/openstack/catalog.ts'
import { getServer, removeServer, type Server } from '../../src/openstack/nova.ts'
import { createRegions, type RegionClient } from '../../src/openstack/region.ts'
import { createSession } from '../../src/openstack/session.ts'
import { until } from '../wait.ts'
import { requestId, type Target } from './target.ts'

export interface Boot {
  name: string
  flavorId: string
  imageId?: string
  availabilityZone?: string
  hints?: Record<string, string>
  /** None unless told. */
  networks?: readonly ({ uuid: string } | { port: string })[]
  /** Security groups by name or id. */
  groups?: readonly string[]
}

export interface Booter {
  readonly projectId: string
  /** The first of the region's public images. */
  readonly imageId: string
  readonly region: RegionClient
  /** Waits until it is ACTIVE or in ERROR. */
  boot(spec: Boot): Promise<Server>
  close(): Promise<void>
}

/**
 * Boots servers as a member, or as the service user, in one region, the first unless told; the service user looks what
 * became of them.
 */
export async function openBooter(
  target: Pick<Target, 'member' | 'credentials' | 'regionNames' | 'region'>,
  who: 'member' | 'service' = 'member',
  regionName = target.regionNames[0]!,
): Promise<Booter> {
  const session = createSession(who === 'member' ? target.member : target.credentials)
  const catalog = createCatalog(session)
  const regions = createRegions({ session, catalog })
  const region = regions.region(regionName, { requestId: requestId() })
  const admin = target.region(regionName)
  const made: string[] = []
  const imageId = await firstImage(session, await catalog.url(region.name, 'image'))

  async function boot({ name, flavorId, availabilityZone, hints, groups, ...rest }: Boot): Promise<Server> {
    const server = {
      name,
      flavorRef: flavorId,
      imageRef: rest.imageId ?? imageId,
      networks: rest.networks ?? 'none',
      ...(groups ? { security_groups: groups.map(group => ({ name: group })) } : {}),
      ...(availabilityZone ? { availability_zone: availabilityZone } : {}),
    }
    const reply = await region.call('compute', {
      method: 'POST',
      path: '/servers',
      headers: { 'openstack-api-version': 'compute 2.53' },
      json: { server, ...(hints ? { 'os:scheduler_hints': hints } : {}) },
    })
    const { id } = reply.read(z.object({ id: z.string() }), 'server')
    made.push(id)
    return answered(
      () => getServer(admin, id),
      one => one?.status === 'ACTIVE' || one?.status === 'ERROR',
    ) as Promise<Server>
  }

  return {
    projectId: (await session.projectId())!,
    imageId,
    region,
    boot,
    async close() {
      for (const id of made) await removeServer(admin, id)
      for (const id of made) await gone(admin, id)
      await regions.close()
      await session.close()
    },
  }
}

async function firstImage(session: ReturnType<typeof createSession>, url: string): Promise<string> {
  const reply = await session.call({
    method: 'GET',
    url: `${url}/v2/images?visibility=public`,
    timeoutMs: 10_000,
  })
  const body = z.object({ images: z.array(z.object({ id: z.string() })).min(1) }).parse(reply.body)
  return body.images[0]!.id
}

/** Asks until the answer is right, and returns that. */
export async function answered<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
  let answer: T | undefined
  const isSo = async (): Promise<boolean> => {
    answer = await ask()
    return isRight(answer)
  }
  await until(isSo, { what: `${isRight}`, seen: () => answer })
  return answer as T
}

export const gone = (region: RegionClient, serverId: string): Promise<Server | null> =>
  answered(
    () => getServer(region, serverId),
    server => server === null,
  )

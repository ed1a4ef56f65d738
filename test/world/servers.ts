// Servers in the regions of a world: booted through each region's own Nova, awaited, and gone before the world ends.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { createCatalog } from '../../src/openstack/catalog.ts'
import { getServer, removeServer, type Server } from '../../src/openstack/nova.ts'
import { createFlavor, removeFlavor } from '../../src/openstack/nova-flavors.ts'
import { createRegions, type RegionClient } from '../../src/openstack/region.ts'
import { createSession } from '../../src/openstack/session.ts'
import { until } from '../wait.ts'
import { requestId, type World } from '../world.ts'

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
  /** Removes what it has booted, and waits until it is gone; the end of the world does so too. */
  clear(): Promise<void>
}

/** Who boots in one region, the first unless told, as a user; the service user looks what became of it. */
export async function booterOf(
  w: World,
  { as = 'demo', region: name }: { as?: 'demo' | 'service'; region?: string } = {},
): Promise<Booter> {
  const session = createSession(w.logIn(as))
  const catalog = createCatalog(session)
  const regions = createRegions({ session, catalog })
  const admin = w.services(name)
  const region = regions.region(admin.name, { requestId })
  const made: string[] = []
  const clear = async (): Promise<void> => {
    const ids = made.splice(0)
    for (const id of ids) await removeServer(admin, id)
    for (const id of ids) await gone(admin, id)
  }
  w.after(async () => {
    await clear()
    await regions.close()
    await session.close()
  })
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

  return { projectId: (await session.projectId())!, imageId, region, boot, clear }
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

/** A public flavor of these regions, the first unless told, for as long as the world is there. */
export async function flavorOf(
  w: World,
  { prefix, regions = [w.regions[0]!], ...shape }: FlavorSpec,
): Promise<Flavor> {
  const id = randomUUID()
  const flavor = { id, name: `${prefix}-${id}`, vcpus: 1, memoryMb: 64, diskGb: 1, ...shape }
  for (const name of regions) {
    await createFlavor(w.services(name), { ...flavor, isPublic: true })
    w.after(() => removeFlavor(w.services(name), id))
  }
  return flavor
}

export interface Flavor {
  readonly id: string
  readonly name: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

interface FlavorSpec extends Partial<Omit<Flavor, 'id' | 'name'>> {
  readonly prefix: string
  readonly regions?: readonly string[]
}

/** A booter in each region of a world. */
export interface Servers {
  /** A small one that every region has. */
  readonly flavor: Flavor
  /** One that may be booted from. */
  imageId(region: string): string
  /** ACTIVE, or it throws what became of it instead. */
  boot(region: string, networks: NonNullable<Boot['networks']>): Promise<Server>
  /** Waits until Nova knows it no more. */
  remove(region: string, id: string): Promise<void>
}

/** Null where one of the regions has no Nova. */
export async function serversOf(w: World): Promise<Servers | null> {
  for (const name of w.regions) if (!(await w.has(['compute'], name))) return null
  const flavor = await flavorOf(w, { prefix: 'networking', regions: w.regions })
  const booters = new Map<string, Booter>()
  for (const region of w.regions) booters.set(region, await booterOf(w, { region }))
  return {
    flavor,
    imageId: name => booters.get(name)!.imageId,
    async boot(name, networks) {
      const server = await booters.get(name)!.boot({ name: 'networking', flavorId: flavor.id, networks })
      if (server.status === 'ACTIVE') return server
      throw new Error(`the server is in ${server.status}: ${server.fault?.message}`)
    },
    async remove(name, id) {
      await removeServer(w.services(name), id)
      await gone(w.services(name), id)
    },
  }
}

// A good request for every route: what must be there before it, its path and its body. For the tests that ask all of them.

import { randomUUID } from 'node:crypto'
import type { Route } from '../../src/api/route.ts'
import { createJob, type NewJob } from '../../src/core/jobs/jobs.ts'
import { createBinding } from '../../src/core/regions/bindings.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { createRegion } from '../../src/core/regions/regions.ts'
import type { Routing, RoutingSpec } from '../../src/core/routing/routing.ts'
import { createRouting } from '../../src/core/routing/routings.ts'
import { mounts } from '../../src/mounts.ts'
import type { Database } from '../../src/store/database.ts'
import type { World } from '../world.ts'
import { networkRequests } from './central.ts'
import { promiseRequests } from './promised.ts'
import { fresh, type GoodRequest, operator, reservationRequests, viewed } from './reservable.ts'

export { fresh, type GoodRequest, operator }

export interface MountedRoute {
  /** `GET /tricircle/v1.0/pods/:id` */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly route: Route
  readonly face: string
  /** The name at one mount of the face, by which requests are found whatever the mount: `GET /v1.0/pods/:id`. */
  readonly own: string
}

/** Where a face is that is mounted at several places: the mount whose paths are its routes' own names. */
const home: Readonly<Record<string, string>> = {
  tricircle: '',
  reservation: '/v1',
  network: '/v2.0',
  promise: '/promise',
}

/** Every route of every face, at every mount. */
export const allRoutes = ({ config }: Pick<World, 'config'>): MountedRoute[] =>
  mounts(config).flatMap(({ prefix, face }) =>
    face.routes.map(route => {
      const path = `${prefix}${route.path}`.replace(/(?<=.)\/$/, '').replace('::', ':')
      // An operation bears its module's name where that is how it is asked for.
      const bare = route.path.replace('opnfv-promise::', '')
      const own = face.name in home ? `${home[face.name]}${bare}`.replace(/(?<=.)\/$/, '') : path
      return {
        name: `${route.method} ${path}`,
        method: route.method,
        path,
        route,
        face: face.name,
        own: `${route.method} ${own}`,
      }
    }),
  )

export const newRegion = (w: World, dataCenter = ''): Promise<Region> =>
  createRegion(w.app, operator, {
    name: fresh('Pod'),
    availabilityZone: 'az',
    localAvailabilityZone: '',
    dataCenter,
  })

export const newRouting = async (w: World, spec: Partial<RoutingSpec> = {}): Promise<Routing> =>
  createRouting(w.app, operator, {
    centralId: randomUUID(),
    regionalId: randomUUID(),
    regionId: spec.regionId ?? (await newRegion(w)).id,
    projectId: 'p',
    resourceType: 'network',
    ...spec,
  })

const newBinding = async (w: World) =>
  createBinding(w.app, operator, { projectId: fresh('p'), regionId: (await newRegion(w)).id })

/** A job that may be asked for: of a port that is routed. */
async function possibleJob(w: World): Promise<NewJob> {
  const port = await newRouting(w, { resourceType: 'port' })
  const resource = { pod_id: port.regionId, port_id: port.centralId }
  return { projectId: port.projectId, type: 'port_delete', resource }
}

const newJob = async (w: World) => createJob(w.app, operator, await possibleJob(w))

/** A region that is suspect: twelve ports are missing. */
async function newSuspect(w: World): Promise<Region> {
  const region = await newRegion(w)
  await w.app.store.suspicions.raise({
    regionId: region.id,
    through: 'network',
    since: w.app.now(),
    reason: '12 of 15 ports are missing at once',
    counts: { port: { missing: 12, known: 15 } },
  })
  return region
}

async function goodJob(w: World): Promise<GoodRequest> {
  const { projectId, type, resource } = await possibleJob(w)
  return { body: { job: { type, project_id: projectId, resource } } }
}

/** By a route's own name: makes what it presupposes, and returns a request that it accepts. */
export const goodRequests: Readonly<Record<string, (w: World) => Promise<GoodRequest>>> = {
  'GET /': async () => ({}),
  'GET /v1.0': async () => ({}),
  'GET /v1.0/pods': async () => ({}),
  'GET /v1.0/pods/:id': async w => ({ id: (await newRegion(w)).id }),
  'POST /v1.0/pods': async () => ({
    body: { pod: { region_name: fresh('Pod'), az_name: 'az', pod_az_name: 'nova', dc_name: 'dc' } },
  }),
  'DELETE /v1.0/pods/:id': async w => ({ id: (await newRegion(w)).id }),
  'GET /v1.0/bindings': async () => ({}),
  'GET /v1.0/bindings/:id': async w => ({ id: (await newBinding(w)).id }),
  'POST /v1.0/bindings': async w => ({
    body: { pod_binding: { tenant_id: fresh('p'), pod_id: (await newRegion(w)).id } },
  }),
  'DELETE /v1.0/bindings/:id': async w => ({ id: (await newBinding(w)).id }),
  'GET /v1.0/routings': async () => ({}),
  'GET /v1.0/routings/:id': async w => ({ id: (await newRouting(w)).id }),
  'POST /v1.0/routings': async w => ({
    body: {
      routing: {
        top_id: randomUUID(),
        bottom_id: randomUUID(),
        pod_id: (await newRegion(w)).id,
        project_id: 'p',
        resource_type: 'network',
      },
    },
  }),
  'PUT /v1.0/routings/:id': async w => ({
    id: (await newRouting(w)).id,
    body: { routing: { bottom_id: randomUUID() } },
  }),
  'DELETE /v1.0/routings/:id': async w => ({ id: (await newRouting(w)).id }),
  ...jobRequests('/v1.0/jobs'),
  ...jobRequests('/v1.0/job'),
  ...reservationRequests,
  ...networkRequests,
  ...promiseRequests,
  'GET /atoll/v1/openapi.json': async () => ({}),
  'GET /atoll/v1/jobs/:id': async w => ({ id: (await newJob(w)).id }),
  'GET /atoll/v1/availability': async () => ({}),
  'GET /atoll/v1/slots': async () => ({}),
  'GET /atoll/v1/topology': async () => ({}),
  'GET /atoll/v1/events': async () => ({}),
  'GET /atoll/v1/regions': async () => ({}),
  'POST /atoll/v1/regions/:name/confirm': async w => ({
    id: (await newSuspect(w)).name,
    body: { missing: { port: 12 } },
  }),
}

/** What the path of a good request cannot do without. */
const queries: Readonly<Record<string, string>> = { '/atoll/v1/slots': '?duration=3600' }

function jobRequests(path: string): Record<string, (w: World) => Promise<GoodRequest>> {
  const one = async (w: World) => ({ id: (await newJob(w)).id })
  return {
    [`GET ${path}`]: async () => ({}),
    [`GET ${path}/detail`]: async () => ({}),
    [`GET ${path}/schemas`]: async () => ({}),
    [`GET ${path}/:id`]: one,
    [`POST ${path}`]: goodJob,
    [`PUT ${path}/:id`]: one,
    [`DELETE ${path}/:id`]: one,
  }
}

/** In a region's view, of the one region whose hosts are there (reservable.ts). */
export const pathWith = (path: string, id: string | number | undefined): string =>
  path.replace(/:(?:id|name|vimId)\b/, () => String(id ?? '')).replace(':region', viewed) +
  (queries[path] ?? '')

/** Asks every route once, by its own name, for what it accepts; returns how each has answered. */
export async function askAll(w: World): Promise<Record<string, string>> {
  const answers: Record<string, string> = {}
  for (const { own, method, path } of allRoutes(w)) {
    if (own in answers) continue
    const { id, body } = await goodRequests[own]!(w)
    const { status, json } = await w.call(method, pathWith(path, id), { body })
    answers[own] = [status, (json?.['opnfv-promise:output'] ?? json)?.result].join(' ').trim()
  }
  return answers
}

/** The rows of every table but the ones that Atoll keeps of itself. */
export async function rowCounts({ database }: Pick<World, 'database'>): Promise<Record<string, number>> {
  const text = countings.get(database) ?? countingOf(database)
  countings.set(database, text)
  // With values, though it has none, it is prepared: planning it takes longer than counting.
  const { rows } = await database.pool.query<Record<string, number>>(await text, [])
  return rows[0]!
}

const countings = new WeakMap<Database, Promise<string>>()

async function countingOf({ pool }: Database): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
  )
  return `select ${rows.map(({ name }) => `(select count(*) from "${name}") as "${name}"`).join(', ')}`
}

// A provider and what is promised of it for the tests that ask every route, and good requests for the Promise API.

import { createCapacityReservation } from '../../src/core/capacity/capacity-reservations.ts'
import { createInstance } from '../../src/core/capacity/instances.ts'
import type { World } from '../world.ts'
import { type GoodRequest, operator, sharedHost, viewed } from './reservable.ts'

const nova = ({ cloud }: World) => cloud.novas.get(viewed)!
const image = (w: World): string =>
  nova(w)
    .images()
    .find(one => one.isPublic)!.id
const tiny = 'm1.tiny'

const login = ({ cloud }: World) => ({
  endpoint: cloud.authUrl,
  username: 'admin',
  password: 'atoll',
  region: viewed,
  tenant: { name: 'admin' },
})

async function ask(w: World, operation: string, body: object, id: string): Promise<string> {
  const reply = await w.call('POST', `/promise/${operation}`, { body })
  if (!reply.json?.[id]) throw new Error(`no ${operation}: ${reply.status} ${reply.text}`)
  return reply.json[id]
}

const newProvider = (w: World): Promise<string> => ask(w, 'add-provider', login(w), 'provider-id')

const shared = new WeakMap<World, Promise<string>>()

/** By world: the provider that everything is promised of. */
export function sharedProvider(w: World): Promise<string> {
  const provider = shared.get(w) ?? firstProvider(w)
  shared.set(w, provider)
  return provider
}

const plenty = { cores: 100_000, ram: 10_000_000, instances: 10_000, gigabytes: 100_000 }

async function firstProvider(w: World): Promise<string> {
  await sharedHost(w)
  const { keystone } = w.cloud
  for (const name of ['admin', 'demo'])
    nova(w).setQuotas(keystone.projectId(name), { cores: -1, ram: -1, instances: -1 })
  const source = await newProvider(w)
  await ask(w, 'increase-capacity', { source, capacity: plenty }, 'pool-id')
  return source
}

const other = { ...operator, projectId: 'other' }

/** Of a project that nobody is in. */
export async function newPromise(w: World, zone: string | null = null, projectId = 'other'): Promise<string> {
  await sharedProvider(w)
  const { id } = await createCapacityReservation(
    w.app,
    { ...other, projectId },
    { start: null, end: null, zone, amounts: { cores: 1 }, elements: [], guarantee: 'aggregate' },
  )
  return id
}

export async function newInstance(w: World, name = 'vm', projectId = 'other'): Promise<string> {
  const providerId = await sharedProvider(w)
  const { id } = await createInstance(
    w.app,
    { ...other, projectId },
    { providerId, name, image: image(w), flavor: tiny, networks: [], reservationId: null },
  )
  return id
}

type Good = (w: World) => Promise<GoodRequest>

const nothing: Good = async w => {
  await sharedProvider(w)
  return { body: { limit: 5 } }
}
const read: Good = async w => {
  await sharedProvider(w)
  return {}
}
const pool: Good = async w => ({ body: { source: await sharedProvider(w), capacity: { cores: 1 } } })

const operations: Readonly<Record<string, Good>> = {
  'add-provider': async w => {
    await sharedHost(w)
    return { body: login(w) }
  },
  'remove-provider': async w => {
    await sharedHost(w)
    return { body: { 'provider-id': await newProvider(w) } }
  },
  'create-reservation': async w => {
    await sharedProvider(w)
    return { body: { capacity: { cores: 1 } } }
  },
  'update-reservation': async w => ({
    body: { 'reservation-id': await newPromise(w), capacity: { cores: 2 } },
  }),
  'cancel-reservation': async w => ({ body: { 'reservation-id': await newPromise(w) } }),
  'query-reservation': nothing,
  'query-capacity': nothing,
  'increase-capacity': pool,
  'decrease-capacity': pool,
  'create-instance': async w => {
    const provider = await sharedProvider(w)
    return { body: { 'provider-id': provider, name: 'vm', image: image(w), flavor: tiny } }
  },
  'destroy-instance': async w => ({ body: { 'instance-id': await newInstance(w) } }),
  'query-instance': async w => ({ body: { 'instance-id': await newInstance(w) } }),
}

const tree: Readonly<Record<string, Good>> = {
  '': read,
  '/promise': read,
  '/promise/providers': read,
  '/promise/providers/:id': async w => ({ id: await sharedProvider(w) }),
  '/promise/pools': read,
  '/promise/reservations': read,
  '/promise/reservations/:id': async w => ({ id: await newPromise(w) }),
  '/promise/allocations': read,
  '/promise/allocations/:id': async w => ({ id: await newInstance(w) }),
  '/promise/capacity': read,
  '/promise/capacity/total': read,
  '/promise/capacity/reserved': read,
  '/promise/capacity/usage': read,
  '/promise/capacity/available': read,
  '/promise/policy': read,
  '/promise/policy/reservation': read,
  '/nfvici/v1/nfvi_capacity_infos': read,
  '/nfvici/v1/nfvi_capacity_infos/:vimId': async w => {
    await sharedHost(w)
    return { id: viewed }
  },
}

const named = (names: Readonly<Record<string, Good>>, prefix: string): Record<string, Good> =>
  Object.fromEntries(Object.entries(names).map(([name, good]) => [`${prefix}${name}`, good]))

export const promiseRequests: Readonly<Record<string, Good>> = {
  ...named(operations, 'POST /promise/'),
  ...named(tree, 'GET /promise'),
}

const strangers = '401 401 401 401'
const nobodyElse = `403 403 403 403 ${strangers}`
const ofAdmins = `200 403 403 403 ${nobodyElse}`
/** What it says of another project's thing is in the answer. */
const ofMembers = `200 200 200 403 ${nobodyElse}`
const ofReaders = `200 200 200 200 ${nobodyElse}`
const ofOther = `200 404 404 404 ${nobodyElse}`

const forAdmins = ['add-provider', 'remove-provider', 'increase-capacity', 'decrease-capacity']

const statuses = (name: string): string => {
  if (name in tree) return /(reservations|allocations)\/:id$/.test(name) ? ofOther : ofReaders
  if (forAdmins.includes(name)) return ofAdmins
  return name.startsWith('query') ? ofReaders : ofMembers
}

const mountedAt = (prefix: string, method: string, names: object): string[] =>
  Object.keys(names).map(name => `${method} ${prefix}${name} ${statuses(name)}`)

/** The lines of the policy table. */
export const promiseLines = [
  ...['/promise', '/restjson/opnfv-promise'].flatMap(prefix => [
    ...mountedAt(`${prefix}/`, 'POST', operations),
    ...mountedAt(prefix, 'GET', tree),
  ]),
  ...mountedAt('/restconf/operations/opnfv-promise:', 'POST', operations),
].join('\n')

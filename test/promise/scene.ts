// A world whose simulated cloud is also a provider, and the Promise API as its clients call it.

import type { Clockwork } from '../../src/worker/clockwork.ts'
import type { Ask, Reply, World, WorldSpec } from '../world.ts'
import { startClockwork, world } from '../world.ts'

export interface Scene extends AsyncDisposable {
  readonly w: World
  /** That servers may boot from. */
  readonly image: string
  /** The id of a flavor of 1 vCPU and 512 MB without a disk. */
  readonly flavor: string
  /** Calls an operation; answers its body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  ask(operation: string, body?: object, ask?: Ask): Promise<any>
  reply(operation: string, ask?: Ask): Promise<Reply>
  /** Reads the data tree. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  read(path: string, ask?: Ask): Promise<any>
  /** The seed's own body of add-provider, with this cloud's names. */
  providerBody(more?: object): object
  addProvider(more?: object): Promise<string>
  /** A provider of which so much may be promised, from now on; its id. */
  promised(capacity: object, more?: object): Promise<string>
  /** The body of create-instance. */
  instanceBody(more?: object): object
  /** As if nobody had ever asked for anything, but that the regions are there. */
  clear(): Promise<void>
  /** Starts the clockwork, which stops with the scene. */
  startWork(): Promise<void>
}

export const hourMs = 3_600_000

/** An instant so many hours from the test's now. */
export const hoursFrom = (now: Date, hours: number): string =>
  new Date(now.getTime() + hours * hourMs).toISOString()

export async function scene(spec: WorldSpec = {}): Promise<Scene> {
  const w = await world(spec)
  for (const [region_name, az_name] of [
    ['CentralRegion', ''],
    ['Pod1', 'az1'],
    ['Pod2', 'az2'],
  ])
    await w.call('POST', '/tricircle/v1.0/pods', { body: { pod: { region_name, az_name } } })
  const admin = w.cloud.keystone.projectId('admin')
  const image = w.cloud.novas
    .get('Pod1')!
    .images()
    .find(one => one.isPublic)!.id
  const flavor = w.cloud.novas
    .get('Pod1')!
    .addFlavor({ name: 'promise.tiny', vcpus: 1, memoryMb: 512, diskGb: 0 }).id
  let clockwork: Clockwork | null = null
  const providerBody = (more = {}) => ({
    'provider-type': 'openstack',
    endpoint: `${w.cloud.authUrl.replace(/\/v3$/, '')}/v2.0/tokens`,
    username: 'admin',
    password: 'atoll',
    region: 'Pod1',
    tenant: { id: admin, name: 'admin' },
    ...more,
  })
  const reply = (operation: string, ask: Ask = {}) => w.call('POST', `/promise/${operation}`, ask)
  const s: Scene = {
    w,
    image,
    flavor,
    reply,
    async ask(operation, body = {}, ask = {}) {
      return (await reply(operation, { body, ...ask })).json
    },
    async read(path, ask = {}) {
      return (await w.call('GET', `/restjson/opnfv-promise${path}`, ask)).json
    },
    providerBody,
    async addProvider(more = {}) {
      const answer = await s.ask('add-provider', providerBody(more))
      if (answer.result !== 'ok') throw new Error(JSON.stringify(answer))
      return answer['provider-id']
    },
    async promised(capacity, more = {}) {
      const provider = await s.addProvider(more)
      const answer = await s.ask('increase-capacity', { source: provider, capacity })
      if (answer.result !== 'ok') throw new Error(JSON.stringify(answer))
      return provider
    },
    instanceBody: (more = {}) => ({ name: 'vm', image, flavor, networks: [], ...more }),
    async clear() {
      w.setTime(null)
      await clockwork?.stop(500)
      clockwork = null
      w.cloud.faults.clear()
      for (const nova of w.cloud.novas.values()) for (const one of nova.servers()) nova.region.forget(one)
      await w.database.pool.query(
        'truncate account, provider, capacity_reservation, instance, general_host, host_property, lease, turn cascade',
      )
    },
    async startWork() {
      clockwork = await startClockwork(w)
    },
    async [Symbol.asyncDispose]() {
      await clockwork?.stop(500)
      await w[Symbol.asyncDispose]()
    },
  }
  return s
}

/** All eleven amounts, of which these are not 0. */
export const amounts = (given: object = {}): object => ({
  cores: 0,
  ram: 0,
  instances: 0,
  networks: 0,
  ports: 0,
  routers: 0,
  subnets: 0,
  addresses: 0,
  gigabytes: 0,
  snapshots: 0,
  volumes: 0,
  ...given,
})

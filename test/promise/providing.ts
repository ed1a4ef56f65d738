// A world whose simulated cloud is also a provider, and the Promise API as its clients call it.

import { type Ask, type Json, type Reply, type World, type WorldSpec, world } from '../world.ts'

export interface Providing extends AsyncDisposable {
  readonly w: World
  /** That servers may boot from. */
  readonly image: string
  /** The id of a flavor of 1 vCPU and 512 MB without a disk. */
  readonly flavor: string
  /** Calls an operation; answers its body. */
  ask(operation: string, body?: object, ask?: Ask): Promise<Json>
  reply(operation: string, ask?: Ask): Promise<Reply>
  /** Reads the data tree. */
  read(path: string, ask?: Ask): Promise<Json>
  /** The seed's own body of add-provider, with this cloud's names. */
  providerBody(more?: object): object
  addProvider(more?: object): Promise<string>
  /** A provider of which so much may be promised, from now on; its id. */
  promised(capacity: object, more?: object): Promise<string>
  /** The body of create-instance. */
  instanceBody(more?: object): object
  /** As if nobody had ever asked for anything, but that the regions are there. */
  clear(): Promise<void>
}

export const hourMs = 3_600_000

/** An instant so many hours from the test's now. */
export const hoursFrom = (now: Date, hours: number): string =>
  new Date(now.getTime() + hours * hourMs).toISOString()

export async function providing(spec: WorldSpec = {}): Promise<Providing> {
  const w = await world({ joined: true, ...spec })
  const nova = w.nova('Pod1')
  const image = nova.images().find(one => one.isPublic)!.id
  const flavor = nova.addFlavor({ name: 'promise.tiny', vcpus: 1, memoryMb: 512, diskGb: 0 }).id
  const providerBody = (more = {}) => ({
    'provider-type': 'openstack',
    endpoint: `${w.cloud.authUrl.replace(/\/v3$/, '')}/v2.0/tokens`,
    username: 'admin',
    password: 'atoll',
    region: 'Pod1',
    tenant: { id: w.admin.projectId, name: 'admin' },
    ...more,
  })
  const reply = (operation: string, ask: Ask = {}) => w.call('POST', `/promise/${operation}`, ask)
  const s: Providing = {
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
      await w.stopWork(500)
      w.cloud.faults.clear()
      for (const nova of w.cloud.novas.values()) for (const one of nova.servers()) nova.region.forget(one)
      await w.database.pool.query(
        'truncate account, provider, capacity_reservation, instance, general_host, host_property, lease, turn cascade',
      )
    },
    [Symbol.asyncDispose]: () => w[Symbol.asyncDispose](),
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

/** What examples presuppose of the provider, by the names that they use for it. */
export async function presupposed(w: World): Promise<Map<string, unknown>> {
  const nova = w.cloud.novas.get('Pod1')
  if (!nova) return new Map()
  const tiny = nova.addFlavor({ name: 'promise.tiny', vcpus: 1, memoryMb: 512, diskGb: 0 })
  const big = nova.addFlavor({ name: 'promise.big', vcpus: 2, memoryMb: 5120, diskGb: 20 })
  const projectId = w.demo.projectId!
  const network = await w.region('Pod1').create('network', { projectId, name: 'net' })
  const range = { networkId: network.id, ipVersion: 4, cidr: '10.9.0.0/24' } as const
  await w.region('Pod1').create('subnet', { projectId, ...range })
  return new Map<string, unknown>([
    ['keystone', w.cloud.authUrl.replace(/\/v3$/, '')],
    ['image', nova.images().find(one => one.isPublic)!.id],
    ['tiny', tiny.id],
    ['big', big.id],
    ['network', network.id],
  ])
}

// Promises of a world in a few words: the Promise API as its clients call it, of a cloud that is also a provider.

import type { Ask, Json, World } from '../world.ts'
import { forgetServers } from './leases.ts'

export const hourMs = 3_600_000

/** An instant so many hours from the test's now. */
export const hoursFrom = (now: Date, hours: number): string =>
  new Date(now.getTime() + hours * hourMs).toISOString()

/** The Promise API of a world as its clients call it; the simulated cloud is also a provider. */
export function promisesOf(w: World) {
  const nova = w.nova('Pod1')
  /** That servers may boot from. */
  const image = nova.images().find(one => one.isPublic)!.id
  /** 1 vCPU and 512 MB without a disk. */
  const flavor = nova.addFlavor({ name: 'promise.tiny', vcpus: 1, memoryMb: 512, diskGb: 0 }).id
  /** The seed's own body of add-provider, with this cloud's names. */
  const providerBody = (more: object = {}): object => ({
    'provider-type': 'openstack',
    endpoint: `${w.cloud.authUrl.replace(/\/v3$/, '')}/v2.0/tokens`,
    username: 'admin',
    password: 'atoll',
    region: 'Pod1',
    tenant: { id: w.admin.projectId, name: 'admin' },
    ...more,
  })
  const reply = (operation: string, ask: Ask = {}) => w.call('POST', `/promise/${operation}`, ask)
  /** Calls an operation; answers its body. */
  const ask = async (operation: string, body: object = {}, more: Ask = {}): Promise<Json> =>
    (await reply(operation, { body, ...more })).json
  const good = async (operation: string, body: object): Promise<Json> => {
    const answer = await ask(operation, body)
    if (answer.result !== 'ok') throw new Error(JSON.stringify(answer))
    return answer
  }
  const addProvider = async (more: object = {}): Promise<string> =>
    (await good('add-provider', providerBody(more)))['provider-id']
  return {
    image,
    flavor,
    reply,
    ask,
    providerBody,
    addProvider,
    /** Reads the data tree. */
    read: async (path: string, ask: Ask = {}): Promise<Json> =>
      (await w.call('GET', `/restjson/opnfv-promise${path}`, ask)).json,
    /** A provider of which so much may be promised, from now on; its id. */
    async promised(capacity: object, more: object = {}): Promise<string> {
      const source = await addProvider(more)
      await good('increase-capacity', { source, capacity })
      return source
    },
    /** Makes a reservation; its id. */
    async reserve(body: object): Promise<string> {
      return (await good('create-reservation', body))['reservation-id']
    },
    /** The body of create-instance. */
    instanceBody: (more: object = {}): object => ({ name: 'vm', image, flavor, networks: [], ...more }),
    /** What is audited of an action, by its targets, oldest first. */
    async audited(action: string): Promise<string[]> {
      const lines = 'select target from audit where action = $1 order by at'
      return (await w.query<{ target: string }>(lines, [action])).map(({ target }) => target)
    },
    /** As if nobody had ever asked for anything, but that the regions are there. */
    async clear(): Promise<void> {
      w.setTime(null)
      await w.stopWork(500)
      w.cloud.faults.clear()
      forgetServers(w)
      await w.query(
        'truncate account, provider, capacity_reservation, instance, general_host, host_property, lease, turn cascade',
      )
    },
  }
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

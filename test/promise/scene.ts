// A world whose simulated cloud is also a provider, and the Promise API as its clients call it.

import type { Ask, Reply, World, WorldSpec } from '../world.ts'
import { world } from '../world.ts'

export interface Scene extends AsyncDisposable {
  readonly w: World
  /** That servers may boot from. */
  readonly image: string
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
    [Symbol.asyncDispose]: () => w[Symbol.asyncDispose](),
  }
  return s
}

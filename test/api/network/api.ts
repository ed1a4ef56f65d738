// Calls of the Networking API in one test's world, whose regions Pod1 and Pod2 have joined.

import { createRegion } from '../../../src/core/regions/regions.ts'
import { type Ask, type Reply, type World, type WorldSpec, world } from '../../world.ts'
import { tokenWith } from '../people.ts'
import { operator } from '../requests.ts'

export interface Api {
  get(path: string, ask?: Ask): Promise<Reply>
  post(path: string, body: unknown, ask?: Ask): Promise<Reply>
  put(path: string, body: unknown, ask?: Ask): Promise<Reply>
  del(path: string, ask?: Ask): Promise<Reply>
  /** Makes one thing (`network`) and returns it; throws when it is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: a resource is whatever its test looks into
  make(kind: string, fields?: object): Promise<any>
}

export interface Networked extends AsyncDisposable {
  readonly w: World
  /** An admin; a member, a reader and a stranger of a project of their own each. */
  readonly admin: Api
  readonly demo: Api
  readonly alt: Api
  readonly reader: Api
}

export async function networked(spec: WorldSpec = {}): Promise<Networked> {
  const w = await world(spec)
  for (const name of ['Pod1', 'Pod2']) {
    const zone = { availabilityZone: 'az', localAvailabilityZone: '', dataCenter: '' }
    await createRegion(w.app, operator, { name, ...zone })
  }
  return {
    w,
    admin: apiOf(w, 'admin'),
    demo: apiOf(w, 'demo'),
    alt: apiOf(w, { token: tokenWith(w, 'alt', ['member']) }),
    reader: apiOf(w, { token: tokenWith(w, 'reader', ['reader']) }),
    [Symbol.asyncDispose]: () => w[Symbol.asyncDispose](),
  }
}

/** As `/networks`, or `^/network` from the root. */
const at = (path: string): string => (path.startsWith('^') ? path.slice(1) : `/v2.0${path}`)

/** What a kind is called in paths. */
export const pathOf = (kind: string): string => `/${kind.replaceAll('_', '-')}s`

function apiOf(w: World, as: NonNullable<Ask['as']>): Api {
  const call = (method: string, path: string, ask: Ask = {}) => w.call(method, at(path), { as, ...ask })
  return {
    get: (path, ask) => call('GET', path, ask),
    post: (path, body, ask) => call('POST', path, { body, ...ask }),
    put: (path, body, ask) => call('PUT', path, { body, ...ask }),
    del: (path, ask) => call('DELETE', path, ask),
    async make(kind, fields = {}) {
      const reply = await call('POST', pathOf(kind), { body: { [kind]: fields } })
      if (reply.status !== 201) throw new Error(`no ${kind}: ${reply.status} ${reply.text}`)
      return reply.json[kind]
    },
  }
}

/** The error of an answer: its status, Neutron's name for it, and what is said. */
export const errorOf = ({ status, json }: Reply): [number, string, string] => [
  status,
  json?.NeutronError?.type,
  json?.NeutronError?.message,
]

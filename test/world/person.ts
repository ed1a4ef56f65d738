// Who is in a world: a person calls the API, and is the caller of verbs.

import type { Cloud } from '../../sim/cloud.ts'
import type { Caller } from '../../src/core/caller.ts'

export interface Ask {
  /** Who asks: one who is in every world, whoever has this token, or nobody. */
  as?: 'admin' | 'demo' | 'nobody' | { token: string } | undefined
  body?: unknown
  /** The body as it goes over the wire, instead of `body`. */
  raw?: string | Buffer | undefined
  headers?: Record<string, string> | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Json = any

export interface Reply {
  status: number
  headers: Record<string, string | undefined>
  /** The body as it came. */
  text: string
  /** The body as JSON, or undefined when it is none. */
  json: Json
}

export type Call = (method: string, path: string, ask?: Ask) => Promise<Reply>

/** A caller of verbs, who can also ask the API; the paths are those of the Networking API, such as `/networks`. */
export interface Person extends Caller {
  get(path: string, ask?: Ask): Promise<Reply>
  post(path: string, body: unknown, ask?: Ask): Promise<Reply>
  put(path: string, body: unknown, ask?: Ask): Promise<Reply>
  del(path: string, ask?: Ask): Promise<Reply>
  /** Makes one thing (`network`). This and the next three return the thing as the answer has it; a refusal is thrown. */
  make(kind: string, fields?: object): Promise<Json>
  read(path: string): Promise<Json>
  change(path: string, body: unknown): Promise<Json>
  remove(path: string): Promise<void>
  /** The same person, whose paths begin there instead of at `/v2.0`. */
  at(prefix: string): Person
}

/** A user with these roles in a project of its own, and a token for that project. */
export function newcomer({ keystone }: Cloud, name: string, roles: readonly string[]) {
  const projectId = keystone.addProject(name)
  const userId = keystone.addUser({ name, password: 'atoll', projectId, roles })
  return { userId, projectId, token: keystone.issue(userId, projectId) }
}

/** The error of an answer of the Networking API: its status, Neutron's name for it, and what is said. */
export const errorOf = ({ status, json }: Reply): [number, string, string] => [
  status,
  json?.NeutronError?.type,
  json?.NeutronError?.message,
]

/** What a kind is called in paths. */
export const pathOf = (kind: string): string => `/${kind.replaceAll('_', '-')}s`

export function personOf(call: Call, caller: Caller, as: NonNullable<Ask['as']>, prefix = '/v2.0'): Person {
  const send = (method: string, path: string, ask: Ask = {}) => call(method, prefix + path, { as, ...ask })
  const good = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const { status, text, json } = await send(method, path, { body })
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    const [key, ...more] = Object.keys(json ?? {})
    return key && more.length === 0 ? json[key] : json
  }
  return {
    ...caller,
    get: (path, ask) => send('GET', path, ask),
    post: (path, body, ask) => send('POST', path, { body, ...ask }),
    put: (path, body, ask) => send('PUT', path, { body, ...ask }),
    del: (path, ask) => send('DELETE', path, ask),
    make: (kind, fields = {}) => good('POST', pathOf(kind), { [kind]: fields }),
    read: path => good('GET', path),
    change: (path, body) => good('PUT', path, body),
    remove: path => good('DELETE', path),
    at: other => personOf(call, caller, as, other),
  }
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// A simulated Neutron for a test, and people who talk to it.

import { type Clock, createClock } from '../../sim/clock.ts'
import { createFaults, type Faults } from '../../sim/faults.ts'
import type { NeutronSpec } from '../../sim/neutron/neutron.ts'
import { type NeutronService, startNeutron } from '../../sim/neutron/service.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  body: any
}

export interface Person {
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  delete(path: string): Promise<Answer>
  /** Makes a resource and gives it back; fails when it is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  make(name: string, fields: Record<string, unknown>): Promise<any>
}

export interface TestRegion {
  neutron: NeutronService
  clock: Clock
  faults: Faults
  admin: Person
  demo: Person
  alt: Person
  close(): Promise<void>
}

/** Of two projects that are called like their member; `admin` has a third one. */
export async function startRegion(spec: Partial<NeutronSpec> = {}): Promise<TestRegion> {
  const clock = createClock()
  const faults = createFaults()
  const neutron = await startNeutron({
    region: 'Pod1',
    clock,
    faults,
    inspectToken: token =>
      ['admin', 'demo', 'alt'].includes(token)
        ? { projectId: token, roles: [token === 'admin' ? 'admin' : 'member'] }
        : null,
    ...spec,
  })
  const [admin, demo, alt] = ['admin', 'demo', 'alt'].map(token => person(neutron.url, token))
  return { neutron, clock, faults, admin: admin!, demo: demo!, alt: alt!, close: () => neutron.close() }
}

const paths: Record<string, string> = {
  security_group: 'security-groups',
  security_group_rule: 'security-group-rules',
  address_group: 'address-groups',
}

function person(url: string, token: string): Person {
  async function call(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    const response = await fetch(path.startsWith('http') ? path : `${url}/v2.0${path}`, {
      method,
      headers: { 'x-auth-token': token, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    }
  }
  return {
    get: path => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body, headers) => call('PUT', path, body, headers),
    delete: path => call('DELETE', path),
    make: async (name, fields) => {
      const { status, body } = await call('POST', `/${paths[name] ?? `${name}s`}`, { [name]: fields })
      if (status !== 201) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`)
      return body[name]
    },
  }
}

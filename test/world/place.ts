// Where the regions of a world are: in the simulator, or in the lab (ATOLL_LAB is its folder).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cloud, type CloudSpec, startCloud } from '../../sim/cloud.ts'
import type { SessionSettings } from '../../src/openstack/session.ts'

export type LogIn = SessionSettings & { readonly username: string; readonly password: string }

export interface Place {
  readonly kind: 'sim' | 'lab'
  readonly authUrl: string
  /** Those that hold things: the central one is none of them. */
  readonly regions: readonly string[]
  /** The simulated cloud; null in the lab. */
  readonly sim: Cloud | null
  /** Of the user `product` or `atoll`, who has the admin role; of others, in the project of their own name. */
  logIn(user: 'service' | 'admin' | 'demo'): LogIn
  close(): Promise<void>
}

export interface PlaceSpec {
  /** Those that hold things; beside them there is always the central one. */
  readonly regions: readonly string[]
  /** The regions are those of the lab where there is one (ATOLL_LAB). */
  readonly lab?: boolean | undefined
  /** What else the simulated cloud is like. */
  readonly cloud?: Partial<CloudSpec> | undefined
}

export const central = 'CentralRegion'
/** Under which all of a test's own questions are asked. */
export const requestId = 'req-00000000-0000-4000-8000-000000000000'

export async function openPlace({ regions, lab = false, cloud = {} }: PlaceSpec): Promise<Place> {
  const folder = lab && process.env.ATOLL_LAB
  if (folder) return theLab(folder)
  const sim = await startCloud({
    regions: [central, ...regions],
    atoll: { url: 'http://127.0.0.1:19999', region: central },
    ...cloud,
  })
  const logIn = logInOf(sim.authUrl, 'atoll', 'atoll')
  return { kind: 'sim', authUrl: sim.authUrl, regions, sim, logIn, close: () => sim.close() }
}

function theLab(folder: string): Place {
  const endpoints = JSON.parse(readFileSync(join(folder, 'etc/endpoints.json'), 'utf8'))
  const services = endpoints.regions as Record<string, Record<string, string>>
  const authUrl: string = endpoints.keystone
  const regions = Object.keys(services).filter(name => services[name]?.network)
  return {
    kind: 'lab',
    authUrl,
    regions,
    sim: null,
    logIn: logInOf(authUrl, 'product', 'secret'),
    close: async () => {},
  }
}

const logInOf =
  (authUrl: string, service: string, password: string): Place['logIn'] =>
  user =>
    user === 'service'
      ? { authUrl, username: service, password, projectName: 'service' }
      : { authUrl, username: user, password, projectName: user }

/** A token for a user, in the project of the same name. */
export async function logIn(authUrl: string, user: string, password = 'atoll'): Promise<string> {
  const domain = { id: 'default' }
  const reply = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
        scope: { project: { name: user, domain } },
      },
    }),
  })
  const token = reply.headers.get('x-subject-token')
  if (!token) throw new Error(`no token for ${user}: ${reply.status} ${await reply.text()}`)
  return token
}

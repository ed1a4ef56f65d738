// Who is asked, and who asks: Atoll, and a region's own Neutron of each release; by persons whom Keystone knows.

import { randomUUID } from 'node:crypto'
import type { Json, World } from '../world.ts'

/** From the least to the most. `owner` is a member of the project whose network is shared; all but admin and owner are of one project. */
export const personas = ['none', 'reader', 'member', 'owner', 'manager', 'admin'] as const
export type Persona = (typeof personas)[number]

export interface People {
  readonly tokens: Readonly<Record<Persona, string>>
  /** Project ids: of the members, of the network's owner, and of somebody else. */
  readonly mine: string
  readonly owners: string
  readonly others: string
  readonly admins: string
  /** Removes users and projects. */
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly json: Json
}

export interface Side {
  readonly name: string
  ask(token: string, method: string, path: string, body?: unknown): Promise<Answer>
}

interface LoggedIn {
  readonly token: string
  readonly projectId: string
  readonly catalog: readonly {
    type: string
    endpoints: { region: string; interface: string; url: string }[]
  }[]
}

async function request(url: string, method: string, token: string | undefined, body?: unknown) {
  const reply = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { 'x-auth-token': token } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  const isJson = reply.headers.get('content-type')?.includes('json') === true && text !== ''
  return { status: reply.status, json: isJson ? JSON.parse(text) : undefined, headers: reply.headers }
}

interface Account {
  readonly name: string
  readonly password: string
  readonly project: string
}

async function logIn(authUrl: string, { name, password, project }: Account): Promise<LoggedIn> {
  const domain = { id: 'default' }
  const identity = { methods: ['password'], password: { user: { name, domain, password } } }
  const scope = { project: { name: project, domain } }
  const { status, json, headers } = await request(`${authUrl}/auth/tokens`, 'POST', undefined, {
    auth: { identity, scope },
  })
  if (status !== 201) throw new Error(`no token for ${name}: ${status}`)
  return {
    token: headers.get('x-subject-token')!,
    projectId: json.token.project.id,
    catalog: json.token.catalog,
  }
}

/** What Keystone is asked for as its admin. */
function keystoneOf(authUrl: string, token: string) {
  const undo: (() => Promise<unknown>)[] = []
  const ask = async (method: string, path: string, body?: object): Promise<Json> => {
    const { status, json } = await request(`${authUrl}${path}`, method, token, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status}`)
    return json
  }
  const make = async (kind: string, fields: object): Promise<string> => {
    const { id } = (await ask('POST', `/${kind}s`, { [kind]: fields }))[kind]
    undo.unshift(() => ask('DELETE', `/${kind}s/${id}`))
    return id
  }
  return {
    make,
    /** The role of this name, which stays where it was there already. */
    async role(name: string): Promise<string> {
      const { roles } = await ask('GET', `/roles?name=${name}`)
      return roles[0]?.id ?? make('role', { name })
    },
    grant: (project: string, user: string, role: string) =>
      ask('PUT', `/projects/${project}/users/${user}/roles/${role}`),
    async close() {
      for (const one of undo) await one()
    },
  }
}

/** Each role with those that it implies, which an older Keystone does not know of a manager. */
const implied: Readonly<Record<string, readonly string[]>> = {
  manager: ['manager', 'member', 'reader'],
  member: ['member', 'reader'],
}

/** Makes everybody: a user each, with one role and what it implies. */
export async function openPeople({ logIn: logInOf }: World): Promise<People & { readonly admin: LoggedIn }> {
  const { authUrl, username, password, projectName } = logInOf('admin')
  const admin = await logIn(authUrl, { name: username, password, project: projectName! })
  const keystone = keystoneOf(authUrl, admin.token)
  const run = randomUUID().slice(0, 8)
  const project = (name: string) => keystone.make('project', { name: `${name}-${run}` })
  const [mine, owners, others] = [await project('mine'), await project('owners'), await project('others')]
  async function person(name: string, role: string, projectId: string, projectName: string): Promise<string> {
    const account = { name: `${name}-${run}`, password: run, project: `${projectName}-${run}` }
    const user = await keystone.make('user', { name: account.name, password: run })
    for (const one of implied[role] ?? [role]) await keystone.grant(projectId, user, await keystone.role(one))
    return (await logIn(authUrl, account)).token
  }
  const tokens = {
    none: await person('none', `role-that-no-rule-names-${run}`, mine, 'mine'),
    reader: await person('reader', 'reader', mine, 'mine'),
    member: await person('member', 'member', mine, 'mine'),
    owner: await person('owner', 'member', owners, 'owners'),
    manager: await person('manager', 'manager', mine, 'mine'),
    admin: admin.token,
  }
  return { tokens, mine, owners, others, admins: admin.projectId, admin, close: () => keystone.close() }
}

export function regionSide({ catalog }: LoggedIn, region: string): Side {
  const service = catalog.find(({ type }) => type === 'network')!
  const endpoint = service.endpoints.find(one => one.region === region && one.interface === 'public')!
  const root = `${endpoint.url.replace(/\/v2\.0\/?$/, '').replace(/\/$/, '')}/v2.0`
  return {
    name: region,
    ask: (token, method, path, body) => request(`${root}${path}`, method, token, body),
  }
}

export const atollSide = ({ call }: World): Side => ({
  name: 'atoll',
  ask: (token, method, path, body) =>
    call(method, `/v2.0${path}`, { as: { token }, ...(body === undefined ? {} : { body }) }),
})

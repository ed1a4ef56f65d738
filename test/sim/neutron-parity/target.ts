// The Neutrons that exchanges are played against: a simulated one, and the real one of a lab.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { createClock } from '../../../sim/clock.ts'
import { createFaults } from '../../../sim/faults.ts'
import { type NeutronService, startNeutron } from '../../../sim/neutron/service.ts'
import type { Person } from './exchange.ts'
import type { Target } from './play.ts'

const projects: Record<Exclude<Person, 'nobody'>, string> = {
  admin: 'a'.repeat(32),
  demo: 'd'.repeat(32),
  alt: 'b'.repeat(32),
}

/** Its tokens are the names of the people. */
export async function startSimulated(): Promise<Target & { neutron: NeutronService }> {
  const neutron = await startNeutron({
    region: 'Pod1',
    clock: createClock(),
    faults: createFaults(),
    // The lab's, which had a range of its own when its answers were recorded.
    vlans: { physnet1: [101, 199], bridge: [2000, 2999], extern: [1, 4094] },
    inspectToken: token => {
      const projectId = projects[token as 'admin']
      return projectId === undefined ? null : { projectId, roles: [token === 'admin' ? 'admin' : 'member'] }
    },
  })
  const { admin: adminProject, demo: project, alt: altProject } = projects
  const known = { adminProject, project, altProject, host: 'pod1-compute1' }
  return { neutron, url: neutron.url, token: person => (person === 'nobody' ? null : person), known }
}

interface CloudsYaml {
  clouds: Record<string, { auth: Record<'auth_url' | 'username' | 'password' | 'project_name', string> }>
}

/** `directory` is that of a running lab. */
export async function findReal(directory: string, region = 'Pod1'): Promise<Target> {
  const read = (name: string) => readFile(join(directory, 'etc', name), 'utf8')
  const { clouds } = parse(await read('clouds.yaml')) as CloudsYaml
  const { regions } = JSON.parse(await read('endpoints.json'))
  const logins = await Promise.all(
    ['lab-admin', 'lab-demo', 'lab-alt'].map(name => logIn(clouds[name]?.auth ?? {})),
  )
  const [admin, demo, alt] = logins as [Login, Login, Login]
  const known = {
    adminProject: admin.project,
    project: demo.project,
    altProject: alt.project,
    host: `${region.toLowerCase()}-compute1`,
  }
  const tokens = { admin: admin.token, demo: demo.token, alt: alt.token, nobody: null }
  return { url: regions[region].network, token: person => tokens[person], known }
}

interface Login {
  token: string
  project: string
}

async function logIn(auth: Partial<CloudsYaml['clouds'][string]['auth']>): Promise<Login> {
  const domain = { id: 'default' }
  const user = { name: auth.username, password: auth.password, domain }
  const identity = { methods: ['password'], password: { user } }
  const response = await fetch(`${auth.auth_url}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope: { project: { name: auth.project_name, domain } } } }),
  })
  const { token } = (await response.json()) as { token: { project: { id: string } } }
  return { token: response.headers.get('x-subject-token') ?? '', project: token.project.id }
}

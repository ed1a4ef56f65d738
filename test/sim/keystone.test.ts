// What the simulated Keystone promises; keystone-like-the-real.test.ts holds its answers against a real one's.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Cloud, startCloud } from '../../sim/cloud.ts'

let cloud: Cloud
let admin: string

beforeAll(async () => {
  cloud = await startCloud({
    regions: ['CentralRegion', 'Pod1'],
    atoll: { url: 'http://127.0.0.1:19999', region: 'CentralRegion' },
  })
})
afterAll(() => cloud.close())

beforeEach(async () => {
  cloud.faults.clear()
  cloud.clock.set(new Date('2030-01-01T12:00:00Z'))
  admin = (await login('admin', { project: 'admin' })).token
})

interface Answer {
  status: number
  headers: Headers
  token: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it wants from an answer
  json: any
}

async function ask(
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(cloud.authUrl + path, {
    method,
    headers: { 'x-auth-token': options.token ?? '', 'content-type': 'application/json', ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const text = await response.text()
  const token = response.headers.get('x-subject-token') ?? ''
  return {
    status: response.status,
    headers: response.headers,
    token,
    json: text === '' ? null : JSON.parse(text),
  }
}

function identity(method: string, proof: object, scope?: unknown): object {
  return {
    auth: { identity: { methods: [method], [method]: proof }, ...(scope === undefined ? {} : { scope }) },
  }
}

async function login(
  name: string,
  options: { project?: string; scope?: unknown; password?: string } = {},
): Promise<Answer> {
  const { project, password = 'atoll' } = options
  const domain = { id: 'default' }
  const scope = project === undefined ? options.scope : { project: { name: project, domain } }
  const body = identity('password', { user: { name, domain, password } }, scope)
  return await ask('POST', '/auth/tokens', { body })
}

const validate = (token: string, headers: Record<string, string> = {}, query = '') =>
  ask('GET', `/auth/tokens${query}`, { token: admin, headers: { 'x-subject-token': token, ...headers } })

const roleNames = (answer: Answer) => answer.json.token.roles.map((role: { name: string }) => role.name)

describe('what is there at the start', () => {
  test('a project-scoped admin is manager, member and reader too', async () => {
    expect(roleNames(await login('admin', { project: 'admin' }))).toEqual([
      'admin',
      'manager',
      'member',
      'reader',
    ])
  })

  test('demo is a member of its project, and of no other', async () => {
    expect(roleNames(await login('demo', { project: 'demo' }))).toEqual(['member', 'reader'])
    expect((await login('demo', { project: 'admin' })).status).toBe(401)
  })

  test("the product's own user is admin and service", async () => {
    expect(roleNames(await login('atoll', { project: 'service' }))).toEqual(
      expect.arrayContaining(['admin', 'service']),
    )
  })

  test("every region has the identity service, the central one has Atoll's faces, and the others their own services", async () => {
    const { json } = await login('demo', { project: 'demo' })
    const urls: string[] = json.token.catalog.flatMap(
      (service: {
        type: string
        name: string
        endpoints: { region: string; interface: string; url: string }[]
      }) =>
        service.endpoints
          .filter(endpoint => endpoint.interface === 'public')
          .map(({ region, url }) => `${service.type} ${service.name} ${region} ${url}`),
    )
    expect(urls.sort()).toEqual([
      'atoll atoll CentralRegion http://127.0.0.1:19999/atoll/v1',
      `compute nova Pod1 ${cloud.novas.get('Pod1')?.url}`,
      `identity keystone CentralRegion ${cloud.authUrl}`,
      `identity keystone Pod1 ${cloud.authUrl}`,
      `image glance Pod1 ${cloud.glances.get('Pod1')?.url}`,
      'network neutron CentralRegion http://127.0.0.1:19999/network',
      `network neutron Pod1 ${cloud.neutrons.get('Pod1')?.url}`,
      `placement placement Pod1 ${cloud.placements.get('Pod1')?.url}`,
      'promise promise CentralRegion http://127.0.0.1:19999/promise',
      'reservation blazar CentralRegion http://127.0.0.1:19999/reservation/v1',
      'reservation blazar Pod1 http://127.0.0.1:19999/reservation/Pod1/v1',
      'tricircle tricircle CentralRegion http://127.0.0.1:19999/tricircle/v1.0',
    ])
  })
})

describe('tokens', () => {
  test('carry times with microseconds, and live for an hour', async () => {
    const { json } = await login('demo', { project: 'demo' })
    expect(json.token).toMatchObject({
      methods: ['password'],
      issued_at: '2030-01-01T12:00:00.000000Z',
      expires_at: '2030-01-01T13:00:00.000000Z',
      is_domain: false,
      user: { name: 'demo', domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      project: { name: 'demo', domain: { id: 'default', name: 'Default' } },
    })
  })

  test('are of the default project when no scope is asked for, and of none on demand', async () => {
    expect((await login('demo')).json.token.project.name).toBe('demo')
    expect((await login('demo', { scope: 'unscoped' })).json.token).not.toHaveProperty('project')
  })

  test('of the system are for who has a role on it', async () => {
    const { json } = await login('admin', { scope: { system: { all: true } } })
    expect(json.token.system).toEqual({ all: true })
    expect((await login('demo', { scope: { system: { all: true } } })).status).toBe(401)
  })

  test('have no catalog when none is wanted', async () => {
    const { token } = await login('demo')
    expect((await validate(token)).json.token).toHaveProperty('catalog')
    expect((await validate(token, {}, '?nocatalog')).json.token).not.toHaveProperty('catalog')
  })

  test('made with another end with it, and belong to its chain', async () => {
    const first = await login('demo', { scope: 'unscoped' })
    cloud.clock.advance(60_000)
    const { json } = await ask('POST', '/auth/tokens', { body: identity('token', { id: first.token }) })
    expect(json.token.methods).toEqual(['token', 'password'])
    expect(json.token.expires_at).toBe(first.json.token.expires_at)
    expect(json.token.audit_ids[1]).toBe(first.json.token.audit_ids[0])
  })

  test('are refused to who gives a wrong password, without a hint', async () => {
    const answer = await login('demo', { password: 'wrong' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe(`Keystone uri="${cloud.authUrl}"`)
    expect(answer.json.error).toEqual({
      code: 401,
      message: 'The request you have made requires authentication.',
      title: 'Unauthorized',
    })
    expect((await login('nobody')).json).toEqual(answer.json)
  })

  test('expire when the clock says so, and are shown after it only on demand', async () => {
    const { token } = await login('demo')
    cloud.clock.advance(3600_000)
    admin = (await login('admin')).token
    expect((await validate(token)).status).toBe(404)
    expect((await ask('GET', '/auth/projects', { token })).status).toBe(401)
    expect((await validate(token, {}, '?allow_expired=1')).status).toBe(200)
    cloud.clock.advance(49 * 3600_000)
    admin = (await login('admin')).token
    expect((await validate(token, {}, '?allow_expired=1')).status).toBe(404)
  })

  test('are shown to an admin, to a service and to their own user, and to nobody else', async () => {
    const { token: mine } = await login('demo')
    const service = cloud.keystone.addUser({
      name: 'a-service',
      password: 'x',
      projectId: cloud.keystone.projectId('service'),
      roles: ['service'],
    })
    const ofService = cloud.keystone.issue(service, cloud.keystone.projectId('service'))
    const byWhom = (token: string, subject: string) =>
      ask('GET', '/auth/tokens', { token, headers: { 'x-subject-token': subject } })
    expect((await byWhom(ofService, mine)).status).toBe(200)
    expect((await byWhom(mine, mine)).status).toBe(200)
    expect((await byWhom(mine, admin)).status).toBe(403)
    expect((await byWhom('unknown', mine)).status).toBe(401)
    expect((await byWhom(admin, 'unknown')).status).toBe(404)
  })

  test('end when revoked', async () => {
    const { token } = await login('demo')
    const headers = { 'x-subject-token': token }
    expect((await ask('DELETE', '/auth/tokens', { token, headers })).status).toBe(204)
    expect((await validate(token)).status).toBe(404)
    expect(cloud.keystone.inspect(token)).toBeNull()
  })
})

describe('what happens to a user or project happens to its tokens', () => {
  const aUser = (name: string) => {
    const projectId = cloud.keystone.addProject(name)
    const userId = cloud.keystone.addUser({ name, password: 'atoll', projectId })
    return { userId, projectId, token: cloud.keystone.issue(userId, projectId) }
  }

  test('a disabled user has none, even when enabled again', async () => {
    const { userId, token } = aUser('disabled')
    const body = (enabled: boolean) => ({ token: admin, body: { user: { enabled } } })
    await ask('PATCH', `/users/${userId}`, body(false))
    expect((await validate(token)).status).toBe(404)
    expect((await login('disabled')).status).toBe(401)
    await ask('PATCH', `/users/${userId}`, body(true))
    expect((await validate(token)).status).toBe(404)
    expect((await login('disabled')).status).toBe(201)
  })

  test('a deleted user has none', async () => {
    const { userId, token } = aUser('deleted')
    await ask('DELETE', `/users/${userId}`, { token: admin })
    expect((await ask('GET', '/auth/projects', { token })).status).toBe(401)
  })

  test('a disabled or deleted project has none', async () => {
    const { projectId, token } = aUser('of-a-project')
    await ask('PATCH', `/projects/${projectId}`, { token: admin, body: { project: { enabled: false } } })
    expect((await validate(token)).status).toBe(404)
    await ask('DELETE', `/projects/${projectId}`, { token: admin })
    expect((await validate(token)).status).toBe(404)
  })

  test('a grant that comes or goes counts at once, and without any the token is dead', async () => {
    const { userId, projectId, token } = aUser('granted')
    const roles = await ask('GET', '/roles?name=manager', { token: admin })
    const path = `/projects/${projectId}/users/${userId}/roles`
    await ask('PUT', `${path}/${roles.json.roles[0].id}`, { token: admin })
    expect(roleNames(await validate(token))).toContain('manager')
    await ask('DELETE', `${path}/${roles.json.roles[0].id}`, { token: admin })
    expect(roleNames(await validate(token))).not.toContain('manager')
    cloud.keystone.revokeGrant(userId, 'member', projectId)
    expect((await validate(token)).status).toBe(404)
  })

  test('a new password ends them', async () => {
    const { userId, token } = aUser('forgetful')
    const user = { original_password: 'atoll', password: 'nacre' }
    expect((await ask('POST', `/users/${userId}/password`, { token, body: { user } })).status).toBe(204)
    expect((await validate(token)).status).toBe(404)
    expect((await login('forgetful', { password: 'nacre' })).status).toBe(201)
  })
})

describe('application credentials', () => {
  async function lend(body: object): Promise<{ id: string; secret: string }> {
    const { token, json } = await login('demo', { project: 'demo' })
    const path = `/users/${json.token.user.id}/application_credentials`
    const made = await ask('POST', path, { token, body: { application_credential: body } })
    return made.json.application_credential
  }
  const use = ({ id, secret }: { id: string; secret: string }) =>
    ask('POST', '/auth/tokens', { body: identity('application_credential', { id, secret }) })

  test('lend some roles of a user on a project', async () => {
    const answer = await use(await lend({ name: 'reads', roles: [{ name: 'reader' }] }))
    expect(answer.json.token).toMatchObject({
      methods: ['application_credential'],
      project: { name: 'demo' },
      user: { name: 'demo' },
      application_credential: { name: 'reads', restricted: true },
    })
    expect(roleNames(answer)).toEqual(['reader'])
  })

  test('with access rules are shown only to who says that it honours them', async () => {
    const rules = [{ service: 'tricircle', method: 'GET', path: '/v1.0/pods' }]
    const { token } = await use(await lend({ name: 'ruled', access_rules: rules }))
    expect((await validate(token)).status).toBe(404)
    const answer = await validate(token, { 'openstack-identity-access-rules': '1.0' })
    expect(answer.json.token.application_credential.access_rules).toMatchObject(rules)
    expect(cloud.keystone.inspect(token)?.accessRules).toMatchObject(rules)
  })

  test('that expire soon give tokens that expire then, and afterwards none', async () => {
    const key = await lend({ name: 'brief', expires_at: '2030-01-01T12:30:00' })
    expect((await use(key)).json.token.expires_at).toBe('2030-01-01T12:30:00.000000Z')
    cloud.clock.advance(3600_000)
    expect((await use(key)).status).toBe(401)
  })
})

describe('policy', () => {
  test('lists and writes are for admins, in the words of Keystone', async () => {
    const { token } = await login('demo')
    const answer = await ask('GET', '/users', { token })
    expect(answer.status).toBe(403)
    expect(answer.json.error).toEqual({
      code: 403,
      message: 'You are not authorized to perform the requested action: identity:list_users.',
      title: 'Forbidden',
    })
    expect((await ask('POST', '/projects', { token, body: { project: { name: 'x' } } })).status).toBe(403)
  })

  test('a user sees itself, its project and the regions', async () => {
    const { token, json } = await login('demo')
    const { user, project } = json.token
    for (const path of [
      `/users/${user.id}`,
      `/projects/${project.id}`,
      `/users/${user.id}/projects`,
      '/regions',
    ]) {
      expect((await ask('GET', path, { token })).status, path).toBe(200)
    }
  })
})

describe('the catalog', () => {
  test('shows an endpoint that was created, with the project in its address', async () => {
    const service = await ask('POST', '/services', {
      token: admin,
      body: { service: { type: 'pearl', name: 'p' } },
    })
    const endpoint = {
      service_id: service.json.service.id,
      interface: 'public',
      region_id: 'Pod1',
      url: 'http://pearl/$(project_id)s',
    }
    expect((await ask('POST', '/endpoints', { token: admin, body: { endpoint } })).status).toBe(201)
    const { json } = await login('demo')
    const pearl = json.token.catalog.find((one: { type: string }) => one.type === 'pearl')
    expect(pearl.endpoints[0]).toMatchObject({ region: 'Pod1', url: `http://pearl/${json.token.project.id}` })
    await ask('DELETE', `/services/${service.json.service.id}`, { token: admin })
    expect(JSON.stringify((await login('demo')).json)).not.toContain('pearl')
  })

  test('moves an endpoint that is registered again', async () => {
    const spec = { type: 'network', name: 'neutron', region: 'Pod7' }
    cloud.keystone.registerEndpoint({ ...spec, url: 'http://old' })
    cloud.keystone.registerEndpoint({ ...spec, url: 'http://new' })
    const { json } = await ask('GET', '/endpoints?region_id=Pod7', { token: admin })
    expect(json.endpoints.map((one: { url: string }) => one.url)).toEqual(Array(3).fill('http://new'))
  })
})

describe('from inside the process', () => {
  test('a token is inspected without a call', async () => {
    const { token, json } = await login('demo')
    const calls = cloud.faults.calls()
    expect(cloud.keystone.inspect(token)).toMatchObject({
      userId: json.token.user.id,
      projectId: json.token.project.id,
      projectName: 'demo',
      roles: ['member', 'reader'],
      isSystem: false,
      accessRules: null,
    })
    expect(cloud.keystone.inspect('unknown')).toBeNull()
    expect(cloud.faults.calls()).toBe(calls)
  })

  test('a token is expired or revoked at will', async () => {
    const expired = (await login('demo')).token
    cloud.keystone.expire(expired)
    expect((await validate(expired)).status).toBe(404)
    expect((await validate(expired, {}, '?allow_expired=1')).status).toBe(200)
    const revoked = (await login('demo')).token
    cloud.keystone.revoke(revoked)
    expect((await validate(revoked, {}, '?allow_expired=1')).status).toBe(404)
  })
})

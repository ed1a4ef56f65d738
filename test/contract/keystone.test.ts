// What src/openstack asks of Keystone, against the simulator or a real one.
import { expect, test } from 'vitest'
import { createCatalog } from '../../src/openstack/catalog.ts'
import type { Method } from '../../src/openstack/http.ts'
import { createIdentity } from '../../src/openstack/keystone.ts'
import { probe } from '../../src/openstack/probe.ts'
import { createSession } from '../../src/openstack/session.ts'
import { fileWorld, requestId } from '../world.ts'

const w = await fileWorld({ lab: true })
const member = createSession(w.logIn('demo'))
w.after(() => member.close())

/** Speaks to Keystone past src/openstack, for what it does not offer. */
async function keystone(method: Method, path: string, token: string, body?: object, headers = {}) {
  const response = await fetch(`${w.logIn('service').authUrl}${path}`, {
    method,
    headers: { 'x-auth-token': token, 'content-type': 'application/json', ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined }
}

const validate = (token: string, allowExpired = false) =>
  createIdentity(w.openstack.session).validate(token, { allowExpired, requestId })

test('the service user gets a token, and keeps it', async () => {
  const token = await w.openstack.session.token(requestId)
  expect(token).toMatch(/^[\x21-\x7e]{20,}$/)
  expect(await w.openstack.session.token()).toBe(token)
  expect(await w.openstack.session.projectId()).toMatch(/^[0-9a-f]{32}$/)
})

test('wrong credentials are refused as such', async () => {
  const session = createSession({ ...w.logIn('service'), password: 'wrong' })
  await expect(session.token()).rejects.toMatchObject({
    code: 'unavailable',
    detail: { reason: 'credentials_refused', status: 401 },
  })
  await session.close()
})

test("a member's token is described", async () => {
  const described = await validate(await member.token())
  expect(described).toMatchObject({
    userName: w.logIn('demo').username,
    projectName: w.logIn('demo').projectName,
    projectId: await member.projectId(),
    accessRules: null,
  })
  expect(described?.userId).toMatch(/^[0-9a-f]{32}$/)
  expect(described?.roles).toContain('member')
  expect(described?.roles).not.toContain('admin')
  expect(described?.serviceTypes).toContain('identity')
  expect(described!.expiresAt.getTime()).toBeGreaterThan(Date.now())
})

test("the service user's own token is described, with the admin role", async () => {
  expect((await validate(await w.openstack.session.token()))?.roles).toContain('admin')
})

test('with allowExpired a token that still lives is described all the same', async () => {
  expect(await validate(await member.token(), true)).toMatchObject({ userName: w.logIn('demo').username })
})

test.each(['gAAAAABbogus', 'x'.repeat(300), '0123456789abcdef0123456789abcdef', '%00', "';--"])(
  'no token: %s is null',
  async text => {
    expect(await validate(text)).toBeNull()
    expect(await validate(text, true)).toBeNull()
  },
)

test('a revoked token is null, with allowExpired too', async () => {
  const session = createSession(w.logIn('demo'))
  const token = await session.token()
  expect(await validate(token)).not.toBeNull()
  const revoked = await keystone('DELETE', '/auth/tokens', token, undefined, { 'x-subject-token': token })
  expect(revoked.status).toBe(204)
  expect(await validate(token)).toBeNull()
  expect(await validate(token, true)).toBeNull()
  await session.close()
})

test('a token without a scope has no project', async () => {
  const user = {
    name: w.logIn('demo').username,
    password: w.logIn('demo').password,
    domain: { name: 'Default' },
  }
  const identity = { methods: ['password'], password: { user } }
  const reply = await keystone('POST', '/auth/tokens', '', { auth: { identity, scope: 'unscoped' } })
  expect(reply.status).toBe(201)
  expect(await validate(reply.headers.get('x-subject-token')!)).toMatchObject({
    projectId: null,
    projectName: null,
    roles: [],
    serviceTypes: [],
  })
})

test('an application credential logs in, and its access rules are told', async () => {
  const token = await member.token()
  const { userId } = (await validate(token))!
  const path = `/users/${userId}/application_credentials`
  const rules = [{ service: 'network', method: 'GET', path: '/v2.0/networks/*' }]
  for (const access_rules of [undefined, rules]) {
    const name = `${w.prefix}-${access_rules ? 'restricted' : 'free'}`
    const made = await keystone('POST', path, token, { application_credential: { name, access_rules } })
    expect(made.status).toBe(201)
    const { id, secret } = made.body.application_credential
    const session = createSession({
      authUrl: w.logIn('service').authUrl,
      applicationCredentialId: id,
      applicationCredentialSecret: secret,
    })
    const described = await validate(await session.token())
    expect(described).toMatchObject({ userId, projectId: await member.projectId() })
    expect(described?.accessRules).toEqual(access_rules ?? null)
    await session.close()
    expect((await keystone('DELETE', `${path}/${id}`, token)).status).toBe(204)
  }
  const left = await keystone('GET', `/users/${userId}/access_rules`, token)
  for (const { id } of left.body.access_rules) {
    await keystone('DELETE', `/users/${userId}/access_rules/${id}`, token)
  }
})

test('a session whose token was revoked gets another for its next call', async () => {
  const session = createSession(w.logIn('service'))
  const token = await session.token()
  await keystone('DELETE', '/auth/tokens', token, undefined, { 'x-subject-token': token })
  const described = await createIdentity(session).validate(await member.token(), {
    allowExpired: false,
    requestId,
  })
  expect(described?.userName).toBe(w.logIn('demo').username)
  expect(await session.token()).not.toBe(token)
  await session.close()
})

test('somebody without the right to validate is told to be unavailable, not that a token is bad', async () => {
  const identity = createIdentity(member)
  const ask = { allowExpired: false, requestId }
  await expect(identity.validate(await w.openstack.session.token(), ask)).rejects.toMatchObject({
    code: 'unavailable',
  })
})

test('the catalog says where each region has its services', async () => {
  const catalog = createCatalog(w.openstack.session)
  for (const region of w.regions) {
    expect(await catalog.url(region, 'identity', requestId)).toBe(w.logIn('service').authUrl)
  }
  const missing = catalog.url('Nowhere', 'identity', requestId)
  await expect(missing).rejects.toMatchObject({
    code: 'upstream',
    detail: { region: 'Nowhere', reason: 'no_endpoint' },
  })
  await expect(missing).rejects.toThrow(/type identity in region Nowhere; it has one in .*Pod1/)
})

test('Keystone tells its versions', async () => {
  const { versions, url } = await probe(w.services(), 'identity')
  expect(versions).toContainEqual(
    expect.objectContaining({ id: expect.stringMatching(/^v3\./), status: 'stable' }),
  )
  expect(url).toBe(w.logIn('service').authUrl.replace(/v3$/, ''))
})

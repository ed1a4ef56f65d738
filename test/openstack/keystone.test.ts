// Validation of users' tokens against Keystones that answer well, wrongly, late or not at all.
import { expect, test } from 'vitest'
import type { Identity } from '../../src/core/identity.ts'
import { createIdentity } from '../../src/openstack/keystone.ts'
import { createSession } from '../../src/openstack/session.ts'
import { sooner } from '../wait.ts'
import { type KeystoneSpec, keystone, sendJson, tokenBody } from './servers.ts'

const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'
const ask = { allowExpired: false, requestId }

async function withKeystone(
  spec: KeystoneSpec,
  work: (identity: Identity, server: Awaited<ReturnType<typeof keystone>>) => Promise<void>,
  timeoutMs = 60_000,
): Promise<void> {
  await using server = await keystone({}, spec)
  const session = createSession({
    authUrl: server.url,
    username: 'atoll',
    password: 'secret',
    projectName: 'service',
    timeoutMs,
  })
  await work(createIdentity(session), server)
  await session.close()
}

const isUnavailable = { name: 'AppError', code: 'unavailable' }

const token = (change: object): object => {
  const body = tokenBody({ network: 'http://n', compute: 'http://c' }) as { token: object }
  return { token: { ...body.token, ...change } }
}

test('a token is described, and Keystone is told that access rules are understood', async () => {
  const expires_at = '2030-01-01T00:00:00.000000Z'
  const rule = { id: 'x', service: 'network', method: 'GET', path: '/v2.0/**' }
  const application_credential = { id: 'a', name: 'a', restricted: true, access_rules: [rule] }
  const answer: KeystoneSpec['answer'] = response =>
    sendJson(response, 200, token({ expires_at, application_credential }))
  await withKeystone({ answer }, async (identity, server) => {
    expect(await identity.validate('abc', { allowExpired: true, requestId })).toEqual({
      userId: 'u1',
      userName: 'atoll',
      projectId: 'p1',
      projectName: 'service',
      roles: ['admin'],
      expiresAt: new Date('2030-01-01T00:00:00Z'),
      serviceTypes: ['network', 'compute'],
      accessRules: [{ service: 'network', method: 'GET', path: '/v2.0/**' }],
    })
    const question = server.seen.at(-1)!
    expect(question).toMatchObject({ method: 'GET', path: '/v3/auth/tokens?allow_expired=1' })
    expect(question.headers).toMatchObject({
      'x-auth-token': 'token-1',
      'x-subject-token': 'abc',
      'openstack-identity-access-rules': '1',
      'x-openstack-request-id': requestId,
    })
  })
})

test('an unscoped token has no project; one without a catalog no service types; rules of nothing are rules', async () => {
  const bare = {
    project: undefined,
    roles: undefined,
    catalog: undefined,
    application_credential: { access_rules: [] },
  }
  await withKeystone({ answer: response => sendJson(response, 200, token(bare)) }, async identity => {
    const described = await identity.validate('abc', ask)
    expect(described).toMatchObject({ projectId: null, projectName: null, roles: [], serviceTypes: [] })
    expect(described?.accessRules).toEqual([])
  })
})

test('a token that Keystone does not know is null, after one question', async () => {
  const answer: KeystoneSpec['answer'] = response =>
    sendJson(response, 404, { error: { code: 404, message: 'no' } })
  await withKeystone({ answer }, async (identity, server) => {
    expect(await identity.validate('abc', ask)).toBeNull()
    expect(server.seen.filter(seen => seen.method === 'GET')).toHaveLength(1)
  })
})

test.each(['', ' ', 'a b', 'a\r\nx-evil: 1', 'ü', 'x'.repeat(10_000)])(
  'what cannot be a token is not asked for',
  text =>
    withKeystone({}, async (identity, server) => {
      expect(await identity.validate(text, ask)).toBeNull()
      expect(server.seen).toEqual([])
    }),
)

test('a 401 is about our own token: a new one, one more question', async () => {
  const answer: KeystoneSpec['answer'] = (response, request) =>
    request.headers['x-auth-token'] === 'token-1'
      ? sendJson(response, 401, { error: { code: 401 } })
      : sendJson(response, 200, token({}))
  await withKeystone({ answer }, async (identity, server) => {
    expect(await identity.validate('abc', ask)).toMatchObject({ userId: 'u1' })
    expect(server.seen).toHaveLength(4)
  })
})

test.each<[string, KeystoneSpec['answer']]>([
  ['answers 401 again and again', response => sendJson(response, 401, {})],
  ['answers 403', response => sendJson(response, 403, {})],
  ['answers 500', response => sendJson(response, 500, {})],
  ['answers 429', response => sendJson(response, 429, {})],
  ['answers a 404 that is not its own', response => response.writeHead(404).end('<html>')],
  ['answers a JSON 404 that is not its own', response => sendJson(response, 404, { message: 'no route' })],
  ['answers 204', response => response.writeHead(204).end()],
  ['answers HTML', response => response.writeHead(200).end('<html>')],
  ['answers half', response => response.writeHead(200).end('{"token": {')],
  ['describes no user', response => sendJson(response, 200, token({ user: undefined }))],
  ['has roles that are no list', response => sendJson(response, 200, token({ roles: 'admin' }))],
  ['has an end that is no time', response => sendJson(response, 200, token({ expires_at: 'soon' }))],
  ['says 8 MB', response => sendJson(response, 200, token({ more: 'x'.repeat(8_000_000) }))],
  ['nests 1,000 levels deep', response => response.writeHead(200).end('['.repeat(1000) + ']'.repeat(1000))],
  ['redirects', response => response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end()],
  ['resets', response => response.socket?.resetAndDestroy()],
])('a Keystone that %s is unavailable after three tries at most', (_, answer) =>
  withKeystone({ answer: answer! }, async (identity, server) => {
    await expect(identity.validate('abc', ask)).rejects.toMatchObject(isUnavailable)
    expect(server.seen.filter(seen => seen.method === 'GET').length).toBeLessThanOrEqual(3)
  }),
)

test.each<[string, KeystoneSpec['answer']]>([
  ['hangs', () => undefined],
  ['drips', response => void response.writeHead(200).write('{')],
])('a Keystone that %s is unavailable within the time-out, after three tries at most', (_, answer) => {
  const timeoutMs = 900
  return withKeystone(
    { answer: answer! },
    async (identity, server) => {
      // Logged in before, so that only timers end what follows.
      await identity.validate('abc', ask).catch(() => undefined)
      const before = server.seen.length
      await sooner(expect(identity.validate('def', ask)).rejects.toMatchObject(isUnavailable), {
        than: timeoutMs + 300,
      })
      expect(server.seen.slice(before).filter(seen => seen.method === 'GET').length).toBeLessThanOrEqual(3)
    },
    timeoutMs,
  )
})

test('a Keystone that comes back between two tries is asked again', async () => {
  let questions = 0
  const answer: KeystoneSpec['answer'] = response => {
    questions++
    if (questions < 3) response.socket?.resetAndDestroy()
    else sendJson(response, 200, token({}))
  }
  await withKeystone({ answer }, async identity => {
    expect(await identity.validate('abc', ask)).toMatchObject({ userId: 'u1' })
  })
})

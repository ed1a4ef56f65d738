// The service user's session: one log-in for all, renewed in time, and every way that Keystone can fail it.
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { AppError } from '../../src/core/error.ts'
import { createSession, type SessionSettings } from '../../src/openstack/session.ts'
import { sooner } from '../wait.ts'
import { httpServer, type KeystoneSpec, keystone, sendJson, tcpServer, tokenBody } from './servers.ts'

const user = { username: 'atoll', password: 'secret', projectName: 'service' }
const sessionOf = (authUrl: string, more: Partial<SessionSettings> = {}) =>
  createSession({ authUrl, ...user, timeoutMs: 60_000, ...more })

async function unavailable(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: Error) => thrown,
  )
  expect(error).toBeInstanceOf(AppError)
  expect(error).toMatchObject({ code: 'unavailable' })
  return error as AppError
}

const ok: KeystoneSpec['answer'] = (response, request) =>
  sendJson(response, 200, { token: request.headers['x-auth-token'] })

test('a hundred callers at once are one log-in', async () => {
  await using server = await keystone({}, { answer: ok })
  const session = sessionOf(`${server.url}/v3/`)
  const tokens = await Promise.all(Array.from({ length: 100 }, () => session.token()))
  expect(new Set(tokens)).toEqual(new Set(['token-1']))
  expect(server.seen).toHaveLength(1)
  expect(JSON.parse(server.seen[0]!.body)).toEqual({
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: 'atoll', password: 'secret', domain: { name: 'Default' } } },
      },
      scope: { project: { name: 'service', domain: { name: 'Default' } } },
    },
  })
  await session.close()
})

test('an application credential is enough, and needs no scope', async () => {
  await using server = await keystone()
  const settings = { authUrl: server.url, applicationCredentialId: 'i', applicationCredentialSecret: 's' }
  const session = createSession(settings)
  await session.token()
  expect(JSON.parse(server.seen[0]!.body)).toEqual({
    auth: {
      identity: { methods: ['application_credential'], application_credential: { id: 'i', secret: 's' } },
    },
  })
  await session.close()
})

test.each([
  [{ authUrl: 'ftp://keystone/v3', ...user }, 'is no URL of a Keystone'],
  [
    { authUrl: 'http://keystone/v3', username: 'atoll' },
    'identity needs a user name, a password and a project',
  ],
])('settings that cannot work are refused at once', (settings, words) => {
  expect(() => createSession(settings)).toThrow(words)
})

test('a token is replaced a minute before it ends, whatever the clocks say', async () => {
  const logIn = (response: ServerResponse, number: number): void => {
    const { token } = tokenBody({}) as { token: object }
    const times = { issued_at: '2001-01-01T00:00:00.000000Z', expires_at: '2001-01-01T00:01:01.200000Z' }
    sendJson(response, 201, { token: { ...token, ...times } }, { 'x-subject-token': `token-${number}` })
  }
  await using server = await keystone({}, { logIn })
  const session = sessionOf(server.url)
  expect(await session.token()).toBe('token-1')
  expect(await session.token()).toBe('token-1')
  const before = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => before + 1300)
  onTestFinished(() => clock.mockRestore())
  expect(await session.token()).toBe('token-2')
  await session.close()
})

test('a 401 brings one new token and one more try, for callers at once too', async () => {
  await using server = await keystone(
    {},
    {
      answer: (response, request) => {
        const good = request.headers['x-auth-token'] === 'token-2'
        sendJson(response, good ? 200 : 401, {})
      },
    },
  )
  const session = sessionOf(server.url)
  const request = { method: 'POST', url: `${server.url}/x`, json: {}, timeoutMs: 60_000 } as const
  const replies = await Promise.all([1, 2, 3].map(() => session.call(request)))
  expect(replies.map(reply => reply.status)).toEqual([200, 200, 200])
  expect(server.seen.filter(seen => seen.path === '/v3/auth/tokens')).toHaveLength(2)
  await session.close()
})

test('a second 401 is the answer', async () => {
  await using server = await keystone({}, { answer: response => sendJson(response, 401, {}) })
  const session = sessionOf(server.url)
  const reply = await session.call({ method: 'GET', url: `${server.url}/x`, timeoutMs: 60_000 })
  expect(reply.status).toBe(401)
  expect(server.seen.filter(seen => seen.path === '/x')).toHaveLength(2)
  await session.close()
})

test('refused credentials say so, and are not tried again', async () => {
  await using server = await keystone({}, { logIn: response => sendJson(response, 401, { error: {} }) })
  const session = sessionOf(server.url)
  const error = await unavailable(session.token())
  expect(error.detail).toMatchObject({ reason: 'credentials_refused', status: 401 })
  expect(error.message).toContain('refused the name or the password')
  expect(server.seen).toHaveLength(1)
  await session.close()
})

test('two failures are got over, three are not', async () => {
  for (const failures of [2, 3]) {
    await using server = await keystone(
      {},
      {
        logIn: (response, number) =>
          number <= failures
            ? sendJson(response, 503, {})
            : sendJson(response, 201, tokenBody({}), { 'x-subject-token': 'good' }),
      },
    )
    const session = sessionOf(server.url)
    if (failures === 2) expect(await session.token()).toBe('good')
    else expect((await unavailable(session.token())).message).toBe('Keystone answered 503')
    expect(server.seen).toHaveLength(3)
    await session.close()
  }
})

test.each<[string, NonNullable<KeystoneSpec['logIn']>]>([
  ['resets', response => void response.socket?.resetAndDestroy()],
  ['answers HTML', response => void response.writeHead(201).end('<html>')],
  [
    'answers another shape',
    response => sendJson(response, 201, { token: { user: 1 } }, { 'x-subject-token': 't' }),
  ],
  ['gives no token', response => sendJson(response, 201, tokenBody({}))],
  ['redirects', response => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['asks to wait an hour', response => void response.writeHead(429, { 'retry-after': '3600' }).end()],
])('a Keystone that %s is unavailable after three tries at most', async (_, logIn) => {
  await using server = await keystone({}, { logIn })
  const session = sessionOf(server.url)
  await unavailable(session.token())
  expect(server.seen.length).toBeLessThanOrEqual(3)
  await session.close()
})

test('a Keystone that hangs is unavailable within the time-out, after three tries at most', async () => {
  await using server = await keystone({}, { logIn: () => undefined })
  const session = sessionOf(server.url, { timeoutMs: 600 })
  await sooner(unavailable(session.token()), { than: 800 })
  expect(server.seen.length).toBeLessThanOrEqual(3)
  await session.close()
})

test('a Keystone that nobody started, and one that is something else, are unavailable', async () => {
  await using server = await tcpServer(socket => socket.end('hello\n'))
  await unavailable(sessionOf(server.url).token())
  const gone = await httpServer(() => undefined)
  await gone[Symbol.asyncDispose]()
  await unavailable(sessionOf(gone.url).token())
})

test('a call waits for a log-in no longer than its own time-out', async () => {
  await using server = await keystone({}, { logIn: () => undefined })
  const session = sessionOf(server.url, { timeoutMs: 3000 })
  const called = session.call({ method: 'GET', url: `${server.url}/x`, timeoutMs: 200 })
  await sooner(unavailable(called), { than: 400 })
  await session.close()
})

test('after an outage the next caller logs in', async () => {
  let isUp = false
  await using server = await keystone(
    {},
    {
      logIn: response =>
        isUp
          ? sendJson(response, 201, tokenBody({}), { 'x-subject-token': 'good' })
          : sendJson(response, 500, {}),
    },
  )
  const session = sessionOf(server.url)
  await unavailable(session.token())
  isUp = true
  expect(await session.token()).toBe('good')
  await session.close()
})

test('no error names the password', async () => {
  await using server = await keystone(
    {},
    { logIn: (response, n) => sendJson(response, n % 2 ? 401 : 400, {}) },
  )
  for (let n = 0; n < 2; n++) {
    const error = await unavailable(sessionOf(server.url).token())
    expect(JSON.stringify([error.message, error.detail, String(error.stack)])).not.toContain('secret')
  }
})

// How long a validated token is believed: asked for once, remembered briefly, never beyond its own end.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../src/api/auth.ts'
import type { Token } from '../../src/core/identity.ts'
import { type World, world } from '../world.ts'
import { tokenWith } from './people.ts'

const validation = { service: 'keystone', method: 'GET', path: '/v3/auth/tokens' }

describe('a token', () => {
  let w: World
  let cacheMs: number
  beforeAll(async () => {
    w = await world()
    cacheMs = w.config.identity.token_cache_seconds * 1000
    await w.call('GET', '/v1.0')
  })
  afterAll(() => w[Symbol.asyncDispose]())

  const issue = () => {
    const { keystone } = w.cloud
    return keystone.issue(keystone.userId('admin'), keystone.projectId('admin'))
  }
  const ask = async (token: string, headers = {}) =>
    (await w.call('GET', '/v1.0', { as: { token }, headers })).status
  const validations = () => w.cloud.faults.calls(validation)
  /** The clock at so many milliseconds after `start`. */
  const at = (start: number, ms: number) => w.setTime(new Date(start + ms))

  it('is asked about once, and again when the cache time is over', async () => {
    const [token, start, before] = [issue(), Date.now(), validations()]
    at(start, 0)
    for (let n = 0; n < 5; n++) expect(await ask(token)).toBe(200)
    expect(validations() - before).toBe(1)
    at(start, cacheMs - 1)
    expect(await ask(token)).toBe(200)
    expect(validations() - before).toBe(1)
    at(start, cacheMs)
    expect(await ask(token)).toBe(200)
    expect(validations() - before).toBe(2)
  })

  it('is asked about once by 1,000 requests that come at the same time', async () => {
    const [token, before] = [issue(), validations()]
    const statuses = await Promise.all(Array.from({ length: 1000 }, () => ask(token)))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(validations() - before).toBe(1)
  })

  it('works until it expires and no longer, though it is remembered', async () => {
    const [token, start] = [issue(), Date.now()]
    w.cloud.keystone.state.tokens.get(token)!.expiresAt = new Date(start + 30_000)
    at(start, 0)
    expect(await ask(token)).toBe(200)
    const before = validations()
    at(start, 29_999)
    expect(await ask(token)).toBe(200)
    at(start, 30_000)
    expect(await ask(token)).toBe(401)
    expect(validations() - before).toBe(0)
  })

  it('works no longer than the cache time after it was revoked', async () => {
    const [token, start] = [issue(), Date.now()]
    at(start, 0)
    expect(await ask(token)).toBe(200)
    w.cloud.keystone.revoke(token)
    at(start, cacheMs - 1)
    expect(await ask(token)).toBe(200)
    at(start, cacheMs)
    expect(await ask(token)).toBe(401)
  })

  it('that Keystone does not know is asked about again after five seconds, not at every try', async () => {
    const [start, before] = [Date.now(), validations()]
    at(start, 0)
    for (let n = 0; n < 5; n++) expect(await ask('gAAAAAguess')).toBe(401)
    expect(validations() - before).toBe(1)
    at(start, 5000)
    expect(await ask('gAAAAAguess')).toBe(401)
    expect(validations() - before).toBe(2)
  })

  it('that was good with a service token is not thereby good without one', async () => {
    w.setTime(new Date())
    const user = issue()
    w.cloud.keystone.expire(user)
    const service = tokenWith(w, 'cache-service', ['service'])
    expect(await ask(user, { 'x-service-token': service })).toBe(200)
    expect(await ask(user)).toBe(401)
    expect(await ask(user, { 'x-service-token': service })).toBe(200)
  })
})

describe('with a cache time of zero', () => {
  it('a revoked token is refused at once', async () => {
    await using w = await world({ settings: { ATOLL_IDENTITY_TOKEN_CACHE_SECONDS: '0' } })
    const token = await w.token('admin')
    expect((await w.call('GET', '/v1.0', { as: { token } })).status).toBe(200)
    w.cloud.keystone.revoke(token)
    expect((await w.call('GET', '/v1.0', { as: { token } })).status).toBe(401)
  })
})

describe('the memory of tokens', () => {
  /** Remembers two; a secret that begins with `x` is unknown. Tells which were asked about. */
  async function askedOf(secrets: readonly string[]): Promise<string[]> {
    const asked: string[] = []
    const token: Token = {
      userId: 'u',
      userName: 'u',
      projectId: 'p',
      projectName: 'p',
      roles: [],
      expiresAt: new Date(8.64e15),
      serviceTypes: [],
      accessRules: null,
    }
    const validate = async (secret: string) => {
      asked.push(secret)
      return secret.startsWith('x') ? null : token
    }
    const authenticate = createAuthenticator({ validate }, { cacheMs: 60_000, cacheSize: 2, now: () => 0 })
    const ask = (secret: string) =>
      authenticate({
        token: secret,
        serviceToken: undefined,
        method: 'GET',
        path: '/',
        serviceType: 'tricircle',
        requestId: 'req-1',
      })
    for (const secret of secrets) await ask(secret).catch(() => undefined)
    return asked
  }

  it('holds so many and no more: the oldest goes first', async () => {
    expect(await askedOf(['a', 'b', 'a', 'c', 'b', 'c', 'a'])).toEqual(['a', 'b', 'c', 'a'])
    expect(await askedOf(['x1', 'x2', 'x1', 'x3', 'x2', 'x3', 'x1'])).toEqual(['x1', 'x2', 'x3', 'x1'])
  })

  it('loses no good token to whoever guesses', async () => {
    expect(await askedOf(['a', 'x1', 'x2', 'x3', 'x4', 'a'])).toEqual(['a', 'x1', 'x2', 'x3', 'x4'])
  })
})

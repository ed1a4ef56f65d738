// Whose request it is: what is asked of Keystone, what is believed, and what a request cannot make us believe.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, world } from '../world.ts'
import { restricted, tokenWith } from './people.ts'
import { newRouting } from './requests.ts'

const w = await fileWorld()

const refusal = {
  error: {
    code: 401,
    title: 'Unauthorized',
    message: 'The request you have made requires authentication.',
  },
}

describe('who has no good token', () => {
  it.each([
    ['none', {}],
    ['an unknown one', { 'x-auth-token': 'gAAAAAunknown' }],
    ['an empty one', { 'x-auth-token': '' }],
    ['one with a blank inside', { 'x-auth-token': 'a b' }],
    ['one beyond ASCII', { 'x-auth-token': 'tökén' }],
    ['one of 9,000 characters', { 'x-auth-token': 'a'.repeat(9000) }],
    ['it in another header', { authorization: 'Bearer gAAAAA' }],
  ])('is told so as keystonemiddleware does: %s', async (_, headers) => {
    const reply = await w.call('GET', '/v1.0/routings', { as: 'nobody', headers })
    expect(reply.status).toBe(401)
    expect(reply.json).toEqual(refusal)
    expect(Object.keys(reply.json.error)).toEqual(['code', 'title', 'message'])
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['www-authenticate']).toBe(`Keystone uri="${w.cloud.authUrl}"`)
  })

  it('is never asked about at Keystone when it cannot be a token', async () => {
    const before = w.cloud.faults.calls()
    for (const secret of ['', 'a b', 'tökén', 'a'.repeat(9000)])
      await w.call('GET', '/v1.0', { as: 'nobody', headers: { 'x-auth-token': secret } })
    expect(w.cloud.faults.calls()).toBe(before)
  })

  it('is sent to the address that the operator names', async () => {
    const settings = { ATOLL_IDENTITY_WWW_AUTHENTICATE_URI: 'https://keystone.example.org/v3' }
    await using other = await world({ settings })
    const reply = await other.call('GET', '/', { as: 'nobody' })
    expect(reply.headers['www-authenticate']).toBe('Keystone uri="https://keystone.example.org/v3"')
  })

  it('is also named by a 401 of the API itself', async () => {
    const reply = await w.call('GET', '/v1.0/pods', { as: 'demo' })
    expect(reply.status).toBe(401)
    expect(reply.headers['www-authenticate']).toBe(`Keystone uri="${w.cloud.authUrl}"`)
  })
})

describe('identity headers of a request', () => {
  /** What keystonemiddleware hands on to an application, and a client must not. */
  const spoofed = {
    'x-identity-status': 'Confirmed',
    'x-service-identity-status': 'Confirmed',
    'x-roles': 'admin,service',
    'x-role': 'admin',
    'x-service-roles': 'service',
    'x-is-admin-project': 'True',
    'x-user-id': 'mallory',
    'x-user-name': 'mallory',
    'x-project-id': 'elsewhere',
    'x-tenant-id': 'elsewhere',
    'x-tenant': 'elsewhere',
    'x-system-scope': 'all',
    'x-domain-id': 'default',
  }

  it('let nobody in', async () => {
    const reply = await w.call('GET', '/v1.0/pods', { as: 'nobody', headers: spoofed })
    expect([reply.status, reply.json]).toEqual([401, refusal])
  })

  it('give nobody a role', async () => {
    for (const path of ['/v1.0/pods', '/v1.0/routings']) {
      const plain = await w.call('GET', path, { as: 'demo' })
      const reply = await w.call('GET', path, { as: 'demo', headers: spoofed })
      expect([reply.status, reply.text], path).toEqual([plain.status, plain.text])
    }
  })

  it('take nobody to another project', async () => {
    const own = await newRouting(w, { projectId: w.cloud.keystone.projectId('admin') })
    await newRouting(w, { projectId: 'elsewhere' })
    const reply = await w.call('GET', '/v1.0/routings', { headers: spoofed })
    expect(reply.json.routings.map((routing: { id: number }) => routing.id)).toEqual([own.id])
    const line = w.logLines.findLast(entry => entry.msg === 'request')
    expect(line).toMatchObject({
      user: w.cloud.keystone.userId('admin'),
      project: w.cloud.keystone.projectId('admin'),
    })
  })
})

describe('white space around a token', () => {
  it.each([' ', '\t', ' \t '])('does not matter: %j', async blank => {
    const secret = await w.token('admin')
    const headers = { 'x-auth-token': `${blank}${secret}${blank}` }
    expect((await w.call('GET', '/v1.0/pods', { as: 'nobody', headers })).status).toBe(200)
  })

  it('does not matter around a service token either', async () => {
    const service = tokenWith(w, 'spaced', ['service'])
    const headers = { 'x-service-token': ` ${service} ` }
    expect((await w.call('GET', '/v1.0/pods', { headers })).status).toBe(200)
  })
})

describe('a service token', () => {
  const ask = (user: string, service: string) =>
    w.call('GET', '/v1.0/pods', { as: { token: user }, headers: { 'x-service-token': service } })
  const adminToken = () => {
    const { keystone } = w.cloud
    return keystone.issue(keystone.userId('admin'), keystone.projectId('admin'))
  }
  let service: string
  beforeAll(() => {
    service = tokenWith(w, 'nova', ['service'])
  })

  it('lets a user’s token pass that has expired, for long work between services', async () => {
    const user = adminToken()
    w.cloud.keystone.expire(user)
    expect((await w.call('GET', '/v1.0/pods', { as: { token: user } })).status).toBe(401)
    expect((await ask(user, service)).status).toBe(200)
    expect((await w.call('GET', '/v1.0/pods', { as: { token: user } })).status).toBe(401)
  })

  it('does not make good a token that was revoked', async () => {
    const user = adminToken()
    w.cloud.keystone.revoke(user)
    expect((await ask(user, service)).status).toBe(401)
  })

  it('lends the user none of its roles', async () => {
    const strong = tokenWith(w, 'strong', ['service', 'admin'])
    expect((await ask(await w.token('demo'), strong)).status).toBe(401)
  })

  it('must have the role service, whoever the user is', async () => {
    expect((await ask(adminToken(), tokenWith(w, 'no-service', ['admin']))).json).toEqual(refusal)
  })

  it('must be good itself: unknown, empty, expired and revoked ones are refused', async () => {
    const expired = tokenWith(w, 'service-expired', ['service'])
    w.cloud.keystone.expire(expired)
    const revoked = tokenWith(w, 'service-revoked', ['service'])
    w.cloud.keystone.revoke(revoked)
    for (const bad of ['gAAAAAunknown', '', expired, revoked])
      expect((await ask(adminToken(), bad)).json, bad).toEqual(refusal)
  })

  it('is no token of a user', async () => {
    const reply = await w.call('GET', '/v1.0', { as: 'nobody', headers: { 'x-service-token': service } })
    expect(reply.json).toEqual(refusal)
  })

  it('lifts the access rules of an application credential: the service was let in by them already', async () => {
    const user = await restricted(w, [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }])
    expect((await w.call('GET', '/v1.0/pods', { as: { token: user } })).status).toBe(401)
    expect((await ask(user, service)).status).toBe(200)
  })
})

// Keystone does not answer, or answers nonsense: 503, never a 401 that would end a session and never a pass.

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FaultSpec } from '../../sim/faults.ts'
import { type World, world } from '../world.ts'

const sentence = 'The Keystone service is temporarily unavailable.'
const settings = { ATOLL_IDENTITY_TIMEOUT_SECONDS: '1' }

const issue = ({ cloud: { keystone } }: World) =>
  keystone.issue(keystone.userId('admin'), keystone.projectId('admin'))
const unknown = () => `gAAAAA${randomUUID()}`
const ask = (w: World, token: string, path = '/v1.0/routings') => w.call('GET', path, { as: { token } })

const outages: [string, Omit<FaultSpec, 'service'>][] = [
  ['is not there', { kind: 'reset' }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 503', { kind: 'status', status: 503 }],
  ['answers 429', { kind: 'status', status: 429 }],
  ['answers 400', { kind: 'status', status: 400 }],
  ['answers 401', { kind: 'status', status: 401 }],
  ['answers 403', { kind: 'status', status: 403 }],
  ['answers with a page of a web server', { kind: 'garbage' }],
  ['never answers', { kind: 'hang' }],
]

describe('while Keystone', () => {
  let w: World
  beforeAll(async () => {
    w = await world({ settings })
  })
  afterAll(() => w[Symbol.asyncDispose]())
  afterEach(() => w.cloud.faults.clear())

  it.each(outages)(
    '%s, nobody is refused and nobody passes; then all goes on by itself',
    async (_, fault) => {
      const known = issue(w)
      expect((await ask(w, known)).status).toBe(200)
      w.cloud.faults.add({ service: 'keystone', ...fault })

      for (const token of [issue(w), unknown()]) {
        const reply = await ask(w, token)
        expect(reply.status).toBe(503)
        expect(reply.json).toEqual({ Error: { message: sentence, code: 503 } })
        expect(reply.headers['retry-after'], 'tricircleclient breaks down on one').toBeUndefined()
        expect(reply.headers['www-authenticate']).toBeUndefined()
      }
      expect((await ask(w, known)).status, 'who is remembered goes on').toBe(200)

      w.cloud.faults.clear()
      expect((await ask(w, issue(w))).status).toBe(200)
      expect((await ask(w, unknown())).status).toBe(401)
    },
  )

  it('is away, the log says why and the answer does not', async () => {
    w.logLines.length = 0
    w.cloud.faults.add({ service: 'keystone', kind: 'status', status: 502 })
    const reply = await ask(w, issue(w))
    expect(reply.text).not.toContain('502')
    const line = w.logLines.find(entry => entry.level === 50)
    expect(JSON.stringify(line)).toContain('502')
    expect(line?.request_id).toBe(reply.headers['x-openstack-request-id'])
  })
})

describe('a Keystone that is away from the start', () => {
  it('needs no restart of ours when it comes', async () => {
    await using w = await world({ settings })
    w.cloud.faults.add({ service: 'keystone', kind: 'reset' })
    expect((await ask(w, issue(w))).status).toBe(503)
    w.cloud.faults.clear()
    expect((await ask(w, issue(w))).status).toBe(200)
  })
})

describe('a single bad moment of Keystone', () => {
  it('is not noticed: the question is asked again', async () => {
    await using w = await world({ settings: { ATOLL_IDENTITY_TIMEOUT_SECONDS: '5' } })
    w.cloud.faults.add({ service: 'keystone', kind: 'status', status: 503, times: 1 })
    expect((await ask(w, issue(w))).status).toBe(200)
  })
})

describe('our own service token', () => {
  it('is got anew when Keystone refuses it, and the caller notices nothing', async () => {
    await using w = await world()
    expect((await ask(w, issue(w))).status).toBe(200)
    const { keystone, faults } = w.cloud
    const own = [...keystone.state.tokens.values()].filter(token => token.userId === keystone.userId('atoll'))
    expect(own).toHaveLength(1)
    keystone.revoke(own[0]!.id)
    expect((await ask(w, issue(w))).status).toBe(200)
    expect(faults.calls({ method: 'POST', path: '/v3/auth/tokens' })).toBe(2)
  })

  it('that cannot be got (the password was changed) makes it a 503, not a 401', async () => {
    await using w = await world()
    w.cloud.keystone.state.passwords.set(w.cloud.keystone.userId('atoll'), 'changed')
    const reply = await ask(w, issue(w))
    expect([reply.status, reply.json]).toEqual([503, { Error: { message: sentence, code: 503 } }])
    expect(JSON.stringify(w.logLines)).toContain('refused the name or the password of the service user')
  })
})

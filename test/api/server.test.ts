// What all faces have in common: links behind a proxy, request ids, what is logged and what never is, operations.

import { Buffer } from 'node:buffer'
import { connect } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/api/metrics.ts'
import { createOperations } from '../../src/api/operations.ts'
import { type Served, type World, world } from '../world.ts'
import { tokenWith } from './people.ts'
import { allRoutes, goodRequests, newRegion, pathWith, rowCounts } from './requests.ts'

describe('the links of a version document', () => {
  const forwarded = {
    host: 'internal:19999',
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'cloud.example.org',
    'x-forwarded-port': '8443',
    'x-forwarded-prefix': '/regions',
  }
  const link = async (w: World, headers: Record<string, string>, path = '/') => {
    const { json } = await w.call('GET', path, { headers })
    return path.endsWith('/v1.0') ? json.links[0].href : json.versions[0].links[0].href
  }

  describe('behind a trusted proxy', () => {
    let w: World
    beforeAll(async () => {
      w = await world({ settings: { ATOLL_TRUSTED_PROXIES: '[192.0.2.1, 127.0.0.0/8]' } })
    })
    afterAll(() => w[Symbol.asyncDispose]())

    it.each<[Record<string, string>, string]>([
      [{}, 'https://cloud.example.org:8443/regions/v1.0/'],
      [{ 'x-forwarded-port': '' }, 'https://cloud.example.org/regions/v1.0/'],
      [{ 'x-forwarded-port': '443' }, 'https://cloud.example.org/regions/v1.0/'],
      [{ 'x-forwarded-port': 'x' }, 'https://cloud.example.org/regions/v1.0/'],
      [{ 'x-forwarded-host': 'cloud.example.org:9' }, 'https://cloud.example.org:9/regions/v1.0/'],
      [{ 'x-forwarded-host': '' }, 'https://internal:19999/regions/v1.0/'],
      [{ 'x-forwarded-host': 'evil.example, near.example' }, 'https://near.example:8443/regions/v1.0/'],
      [{ 'x-forwarded-proto': '', 'x-forwarded-port': '80' }, 'http://cloud.example.org/regions/v1.0/'],
      [{ 'x-forwarded-prefix': '' }, 'https://cloud.example.org:8443/v1.0/'],
      [{ 'x-forwarded-prefix': '/a/b/' }, 'https://cloud.example.org:8443/a/b/v1.0/'],
      [{ 'x-forwarded-prefix': '//evil.example' }, 'https://cloud.example.org:8443/v1.0/'],
      [{ 'x-forwarded-prefix': '/"><x' }, 'https://cloud.example.org:8443/v1.0/'],
      [{ 'x-forwarded-for': '' }, 'https://cloud.example.org:8443/regions/v1.0/'],
    ])('follow what it says: %o', async (changed, expected) => {
      expect(await link(w, { ...forwarded, ...changed })).toBe(expected)
    })

    it('follow it at every document', async () => {
      const base = 'https://cloud.example.org:8443/regions'
      expect(await link(w, forwarded, '/v1.0')).toBe(`${base}/v1.0`)
      expect(await link(w, forwarded, '/tricircle')).toBe(`${base}/tricircle/v1.0/`)
      expect(await link(w, forwarded, '/tricircle/v1.0')).toBe(`${base}/tricircle/v1.0`)
    })
  })

  it.each<Record<string, string>>([{}, { ATOLL_TRUSTED_PROXIES: '[10.0.0.0/8, "2001:db8::/32"]' }])(
    'are our own where whoever forwards is not trusted: %o',
    async settings => {
      await using w = await world({ settings })
      expect(await link(w, forwarded)).toBe('http://internal:19999/v1.0/')
      expect(await link(w, forwarded, '/tricircle/v1.0')).toBe('http://internal:19999/tricircle/v1.0')
    },
  )
})

describe('a request', () => {
  let w: World
  let s: Served
  beforeAll(async () => {
    w = await world()
    s = await w.listen()
  })
  afterAll(() => w[Symbol.asyncDispose]())

  it('has an id on its answer and in every line of the log about it, whatever becomes of it', async () => {
    const token = await w.token('admin')
    const auth = { 'x-auth-token': token }
    const asked: [string, Record<string, string>, string?][] = [
      ['/v1.0/pods', auth],
      ['/v1.0/pods', {}],
      ['/v1.0/nothing', auth],
      ['/v1.0/%zz', auth],
      ['/v1.0/pods', { ...auth, accept: 'text/xml' }],
      ['/healthz', {}],
      ['/readyz', {}],
      ['/metrics', {}],
    ]
    for (const [path, headers] of asked) {
      const before = s.logLines.length
      const reply = await s.ask(path, { headers })
      const id = reply.headers['x-openstack-request-id']
      expect(id, path).toMatch(/^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      const lines = s.logLines.slice(before)
      expect(lines.length, path).toBeGreaterThan(0)
      for (const line of lines) expect(line.request_id).toBe(id)
      expect(lines.at(-1)).toMatchObject({ msg: 'request', method: 'GET', path, status: reply.status })
    }
  })

  it('keeps its own id when the client sends one, and the log has both', async () => {
    const id = 'req-11111111-2222-3333-4444-555555555555'
    const reply = await w.call('GET', '/v1.0', { headers: { 'x-openstack-request-id': id } })
    expect(reply.headers['x-openstack-request-id']).not.toBe(id)
    expect(w.logLines.at(-1)).toMatchObject({
      request_id: reply.headers['x-openstack-request-id'],
      global_request_id: id,
    })
  })

  it('carries its id on to Keystone', async () => {
    const reply = await w.call('GET', '/v1.0', { as: { token: tokenWith(w, 'traced', ['reader']) } })
    const call = w.cloud.faults.log.at(-1)
    expect(call?.globalRequestId).toBe(reply.headers['x-openstack-request-id'])
  })

  it('has no two ids the same', async () => {
    const replies = await Promise.all(Array.from({ length: 50 }, () => w.call('GET', '/v1.0')))
    expect(new Set(replies.map(reply => reply.headers['x-openstack-request-id'])).size).toBe(50)
  })

  it('that fails by a fault of ours is told no more than its id', async () => {
    const regions = w.app.store.regions as { list: unknown }
    const { list } = regions
    regions.list = () => Promise.reject(new TypeError('secret detail of the inside'))
    try {
      const reply = await w.call('GET', '/v1.0/pods')
      expect(reply.status).toBe(500)
      expect(reply.json.description).toBe(
        `Something went wrong on our side; the log has more under ${reply.headers['x-openstack-request-id']}`,
      )
      expect(JSON.stringify(w.logLines.at(-2))).toContain('secret detail of the inside')
    } finally {
      regions.list = list
    }
  })

  it('with a body that never ends is cut off at the limit', async () => {
    const token = await w.token('admin')
    const before = await rowCounts(w)
    const head = `POST /v1.0/pods HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const sent = await new Promise<{ bytes: number; answer: string }>(resolve => {
      const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
      let [bytes, answer] = [0, '']
      const socket = connect(s.port, '127.0.0.1', () => socket.write(head, pump))
      const pump = () => {
        if (socket.destroyed || bytes > 64e6) return
        bytes += chunk.length
        socket.write(chunk, pump)
      }
      socket.on('data', text => {
        answer += text
      })
      socket.on('error', () => {}).on('close', () => resolve({ bytes, answer }))
    })
    expect(sent.answer).toMatch(/^HTTP\/1.1 413 /)
    expect(sent.bytes).toBeLessThan(32e6)
    expect(await rowCounts(w)).toEqual(before)
  })
})

describe('a secret', () => {
  const password = 'canary-password-7d1f'

  it('is in no line of the log and in no row of the database', async () => {
    await using w = await world({ settings: { ATOLL_IDENTITY_PASSWORD: password } })
    const { keystone, faults } = w.cloud
    keystone.state.passwords.set(keystone.userId('atoll'), password)
    const service = tokenWith(w, 'canary-service', ['service'])
    const headers = { 'x-service-token': service, authorization: `Bearer ${service}`, cookie: service }
    for (const route of allRoutes(w)) {
      const { id, body } = await goodRequests[route.own]!(w)
      await w.call(route.method, pathWith(route.path, id), { body, headers })
      await w.call(route.method, pathWith(route.path, id), { raw: '{', headers, as: 'demo' })
    }
    const guess = 'gAAAAAcanary-guess'
    await w.call('GET', '/v1.0', { as: { token: guess } })
    faults.add({ service: 'keystone', kind: 'garbage' })
    await w.call('GET', '/v1.0', { as: { token: `${guess}2` } })
    faults.clear()
    keystone.state.passwords.set(keystone.userId('atoll'), 'changed')
    for (const token of keystone.state.tokens.values())
      if (token.userId === keystone.userId('atoll')) token.isRevoked = true
    const away = await w.call('GET', '/v1.0', { as: { token: `${guess}3` } })
    expect(away.status).toBe(503)

    const secrets = [password, guess, service, ...keystone.state.tokens.keys()]
    const kept = `${JSON.stringify(w.logLines)}${await dump(w)}`
    expect(kept.length).toBeGreaterThan(20_000)
    for (const secret of secrets) expect(kept.includes(secret), secret.slice(0, 16)).toBe(false)
  })

  /** Every row of every table, as text. */
  async function dump(w: World): Promise<string> {
    const texts: string[] = []
    for (const table of Object.keys(await rowCounts(w))) {
      const { rows } = await w.database.pool.query<{ text: string }>(
        `select row_to_json(kept)::text as text from "${table}" as kept`,
      )
      texts.push(...rows.map(row => row.text))
    }
    return texts.join('\n')
  }
})

describe('operations', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  afterAll(() => w[Symbol.asyncDispose]())

  it.each(['/healthz', '/readyz', '/metrics'])('%s needs no token', async path => {
    expect((await w.call('GET', path, { as: 'nobody' })).status).toBe(200)
  })

  it.each(['/healthz', '/readyz', '/metrics'])(
    '%s opens nothing below it and takes no other method',
    async path => {
      for (const odd of [`${path}/`, `${path}/v1.0/pods`, `${path}.json`])
        expect((await w.call('GET', odd, { as: 'nobody' })).status, odd).toBe(401)
      for (const method of ['POST', 'PUT', 'DELETE'])
        expect((await w.call(method, path, { as: 'nobody' })).status, method).toBe(401)
    },
  )

  it('say that all is well', async () => {
    expect((await w.call('GET', '/healthz')).json).toEqual({ status: 'ok' })
    expect((await w.call('GET', '/readyz')).json).toEqual({ status: 'ok' })
  })

  it('count requests by face, method, route and status, and name no tenant, user or thing', async () => {
    const region = await newRegion(w)
    await w.call('GET', `/v1.0/pods/${region.id}`)
    await w.call('GET', `/v1.0/canary-path/${region.id}?canary=1`)
    await w.call('BREW' as 'GET', '/v1.0/pods').catch(() => {})
    const { text, headers } = await w.call('GET', '/metrics', { as: 'nobody' })
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(text).toMatch(
      /^atoll_http_request_duration_seconds_count\{face="tricircle",method="GET",route="\/v1.0\/pods\/:id",status="200"\} 1$/m,
    )
    const { keystone } = w.cloud
    const tenant = [
      region.id,
      region.name,
      'canary',
      keystone.projectId('admin'),
      keystone.userId('admin'),
      'admin',
    ]
    for (const word of tenant) expect(text).not.toContain(word)
  })
})

it('operations on a listener of their own have ids, and nothing beside them', async () => {
  const [metrics, log] = [createMetrics(), pino({ level: 'silent' })]
  const server = createOperations(log, { metrics, ready: () => Promise.reject(new Error('secret')) })
  for (const [url, status] of Object.entries({
    '/healthz': 200,
    '/readyz': 503,
    '/metrics': 200,
    '/v1.0': 404,
  })) {
    const reply = await server.inject({ url })
    expect(reply.statusCode, url).toBe(status)
    expect(reply.headers['x-openstack-request-id'], url).toMatch(/^req-[0-9a-f-]{36}$/)
    expect(reply.headers['cache-control'], url).toBe('no-store')
    expect(reply.body, url).not.toContain('secret')
  }
  await server.close()
})

it('bytes that are no HTTP get one answer, and the connection ends', async () => {
  await using w = await world()
  await using s = await w.listen()
  for (const bytes of [
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]),
    '\r\n\r\nhello\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
  ]) {
    const reply = await s.send(bytes)
    expect(reply.status).toBe(400)
    expect(reply.headers.connection).toBe('close')
  }
})

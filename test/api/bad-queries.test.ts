// Queries, ids, methods and Accept headers that cannot be right, at every route that takes them.

import { randomUUID } from 'node:crypto'
import { METHODS } from 'node:http'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { seed, share } from '../chance.ts'
import { fileWorld, type Served } from '../world.ts'
import { allRoutes, goodRequests, newRegion, newRouting, pathWith, rowCounts } from './requests.ts'
import { expectShape, sentenceOf } from './shapes.ts'

const maximum = 5
const w = await fileWorld({ settings: { ATOLL_API_PAGE_LIMIT: String(maximum) } })
let s: Served
let token: string
let marker: number
beforeAll(async () => {
  s = await w.listen()
  token = await w.token('admin')
  const regionId = (await newRegion(w)).id
  const projectId = w.cloud.keystone.projectId('admin')
  for (let n = 0; n < maximum + 2; n++) marker = (await newRouting(w, { regionId, projectId })).id
})

const routes = allRoutes({ config: loadConfig(undefined, {}) })
const own = routes.filter(route => route.name === route.own)

describe('a query', () => {
  const unreadable: [string, RegExp][] = [
    ['x=%zz', /^The query holds "%zz", which is not percent-encoded UTF-8$/],
    ['x=%', /not percent-encoded UTF-8$/],
    ['%c3%28=1', /not percent-encoded UTF-8$/],
    ['x=%ed%a0%80', /not percent-encoded UTF-8$/],
    ['x=%00', /^The query holds a NUL character$/],
    ['%00=x', /^The query holds a NUL character$/],
  ]

  it.each(own)('that cannot be read is refused at $name', async route => {
    const { id, body } = await goodRequests[route.own]!(w)
    const before = await rowCounts(w)
    for (const [query, sentence] of unreadable) {
      const path = pathWith(route.path, id)
      const reply = await w.call(route.method, `${path}${path.includes('?') ? '&' : '?'}${query}`, { body })
      expect([reply.status, sentenceOf(reply)], query).toEqual([400, expect.stringMatching(sentence)])
      expectShape(reply, route)
    }
    expect(await rowCounts(w)).toEqual(before)
  })
})

const list = (path: string, query: string) => w.call('GET', `/v1.0/${path}?all_projects=true&${query}`)
const lists = ['routings', 'jobs', 'job', 'jobs/detail', 'bindings']
const bindings = (query: string) => w.call('GET', `/v1.0/bindings?${query}`)
const ask = (path: string, query: string) => (path === 'bindings' ? bindings(query) : list(path, query))

describe.each(lists)('a list of %s', path => {
  it.each(['abc', '1.5', '1e2', '0x10', '', '1 2', '٣', 'NaN', '--1'])(
    'refuses the limit %j',
    async limit => {
      const reply = await ask(path, `limit=${encodeURIComponent(limit)}`)
      expect(reply.status).toBe(400)
      expect(sentenceOf(reply)).toBe(
        `Limit should be an integer or a valid literal for int() rather than '${limit}'`,
      )
    },
  )

  it.each(['-1', '0', '99999999999', '-99999999999999999999', '9'.repeat(400), String(maximum + 1)])(
    'takes the limit %s for the maximum',
    async limit => {
      const [reply, plain] = [await ask(path, `limit=${limit}`), await ask(path, '')]
      expect([reply.status, reply.text]).toEqual([200, plain.text])
    },
  )

  it.each(['limit', 'marker'])('refuses two of %s, the same or not', async name => {
    const query = `${name}=1&${name}=1`
    const reply = await ask(path, query)
    expect([reply.status, sentenceOf(reply)]).toEqual([400, `The parameter ${name} is given 2 times`])
  })
})

describe('a list of routings', () => {
  const rows = (reply: { json: { routings: unknown[] } }) => reply.json.routings.length

  it('has the maximum of rows and no more', async () => {
    expect(rows(await list('routings', 'limit=99999999999'))).toBe(maximum)
    expect(rows(await list('routings', 'limit=2'))).toBe(2)
  })

  it.each(['abc', '', '1.5', 'null', '0x1'])('refuses the marker %j, which is no integer', async text => {
    const reply = await list('routings', `marker=${text}`)
    expect([reply.status, sentenceOf(reply)]).toEqual([
      400,
      `Marker should be an integer or a valid literal for int() rather than '${text}'`,
    ])
  })

  it.each(['999999', '0', '-1', '9007199254740993', '9'.repeat(400)])(
    'refuses the marker %s, which is no routing',
    async text => {
      const reply = await list('routings', `marker=${text}`)
      expect([reply.status, reply.json]).toEqual([
        400,
        { badRequest: { message: `Marker ${text} is an invalid ID`, code: 400 } },
      ])
    },
  )

  it('goes on after a marker that is one', async () => {
    expect(rows(await list('routings', `marker=${marker}&limit=1`))).toBe(1)
  })

  it.each(['id', 'top_id', 'pod_id', 'project_id', 'resource_type', 'created_at', 'all_projects'])(
    'refuses two of %s',
    async name => {
      const reply = await list('routings', `${name}=1&${name}=2`)
      const times = name === 'all_projects' ? 3 : 2
      expect([reply.status, sentenceOf(reply)]).toEqual([
        400,
        `The parameter ${name} is given ${times} times`,
      ])
    },
  )

  it('refuses an id that is no integer', async () => {
    expect(sentenceOf(await list('routings', 'id=3x'))).toBe(
      "Id should be an integer or a valid literal for int() rather than '3x'",
    )
  })

  it.each([
    'id=9223372036854775808',
    'id=-1',
    'pod_id=nothing',
    `pod_id=${randomUUID()}`,
    'created_at=yesterday',
    'created_at=2026-13-45',
    'updated_at=9999-12-31 23:59:59',
    "top_id=' or 1=1 --",
    'resource_type=%25',
  ])('has nothing for %s', async query => {
    const reply = await list('routings', query)
    expect([reply.status, reply.json]).toEqual([200, { routings: [] }])
  })
})

describe('a filter that there is not', () => {
  it.each([
    ['routings', 'foo=1&bar=2', 'foo, bar'],
    ['routings', 'sort_key=id', 'sort_key'],
    ['routings', '__proto__=1', '__proto__'],
    ['routings', 'constructor=1', 'constructor'],
    ['routings', 'centralId=1', 'centralId'],
    ['jobs', 'foo=1', 'foo'],
    ['jobs', 'id=1', 'id'],
    ['jobs', '__proto__=1&hasOwnProperty=2', '__proto__, hasOwnProperty'],
  ])('is refused by %s: %s', async (path, query, named) => {
    const reply = await list(path, query)
    expect([reply.status, sentenceOf(reply)]).toEqual([400, `Unsupported filter type: ${named}`])
  })

  it('is ignored by pods, as the original does', async () => {
    const [reply, plain] = [
      await w.call('GET', '/v1.0/pods?limit=abc&foo=1&foo=2'),
      await w.call('GET', '/v1.0/pods'),
    ]
    expect([reply.status, reply.text]).toEqual([200, plain.text])
  })
})

describe('a marker of jobs or bindings', () => {
  it.each(['7', 'abc', '', randomUUID(), '9'.repeat(400)])('that is none is refused: %s', async text => {
    for (const path of ['jobs', 'bindings']) {
      const reply = await ask(path, `marker=${text}`)
      expect([reply.status, sentenceOf(reply)], path).toEqual([400, `Invalid marker: ${text}`])
    }
  })
})

describe('an id in a path', () => {
  const bad = ['abc', '-1', '1.5', '0x1', '1e3', '٣', '9'.repeat(30), "';--", '%20', '..%2f', randomUUID()]
  const sentences: Record<string, RegExp> = {
    '/v1.0/pods/:id': /^Pod not found$/,
    '/v1.0/bindings/:id': /^(Tenant pod|Pod) binding not found$/,
    '/v1.0/routings/:id': /^Resource routing not found$/,
    '/v1.0/jobs/:id': /^(Resource not found|Job .+ not found)$/,
    '/v1.0/job/:id': /^(Resource not found|Job .+ not found)$/,
    '/v1/leases/:id': /^Object with \{'lease_id': '.+'\} not found$/,
    '/v1/os-hosts/:id': /^Object with \{'host_id': '.+'\} not found$/,
    '/atoll/v1/jobs/:id': /^There is no job /,
    '/promise/promise/providers/:id': /^there is no provider /,
    '/promise/promise/reservations/:id': /^no reservation found for specified identifier$/,
    '/promise/promise/allocations/:id': /^no allocation found for specified identifier$/,
    '/v2.0/extensions/:id': /^Extension with alias .+ does not exist$/,
    '/v2.0/agents/:id': /^Agent .+ could not be found\.$/,
  }
  const central = /^There is no (network|subnet|port|router|floating IP|security group|security group rule) /
  // A project may have any name.
  const named = own.filter(route => route.path.endsWith(':id') && !route.path.includes('/quotas/'))

  it.each(named)('of nothing is not found: $name', async route => {
    const { body } = await goodRequests[route.own]!(w)
    const before = await rowCounts(w)
    for (const id of bad) {
      const path = pathWith(route.path, encodeURI(id).replaceAll('%25', '%'))
      const reply = await w.call(route.method, path, { body })
      expectShape(reply, route)
      expect([reply.status, sentenceOf(reply)], path).toEqual([
        404,
        expect.stringMatching(sentences[route.path] ?? central),
      ])
    }
    expect(await rowCounts(w)).toEqual(before)
  })

  it('of a pod in a body is refused by what is wrong with it', async () => {
    const { body } = await goodRequests['POST /v1.0/routings']!(w)
    for (const pod_id of ['abc', '7', randomUUID()]) {
      const routing = { ...(body!.routing as object), pod_id }
      const reply = await w.call('POST', '/v1.0/routings', { body: { routing } })
      expect([reply.status, sentenceOf(reply)]).toEqual([400, `The pod ${pod_id} doesn't exist`])
      const binding = await w.call('POST', '/v1.0/bindings', {
        body: { pod_binding: { tenant_id: 't', pod_id } },
      })
      expect([binding.status, binding.text]).toEqual([422, 'pod_id not found in pod'])
    }
  })
})

describe('a method that a path has not', () => {
  const allowed = new Map<string, string[]>()
  for (const { path, method } of routes) allowed.set(path, [...(allowed.get(path) ?? []), method])
  // CONNECT asks for a tunnel, not for a path.
  const methods = METHODS.filter(method => method !== 'CONNECT')
  const drawn = seed()
  beforeAll(() => console.log(`methods that paths have not: SEED=${drawn}`))

  const noSuchMethod =
    /^(The method .+ is not allowed for this resource\.|The method is not allowed for the requested URL\.|[Tt]his path has no such method|The server could not comply with the request since it is either malformed or otherwise incorrect\.)$/

  it.each([...allowed].map(([path, has], at) => [path, has, at] as const))(
    'is refused at %s, which has %j',
    async (path, has, at) => {
      const hasNot = methods.filter(method => !has.includes(method))
      for (const method of share(hasNot, drawn + at)) {
        const headers = { 'x-auth-token': token, accept: 'application/json' }
        const reply = await s.ask(pathWith(path, 7), { method, headers })
        expect(reply.status, method).toBe(405)
        expect(reply.headers.allow).toBe(has.join(', '))
        if (method === 'HEAD') expect(reply.text).toBe('')
        else if (/^\/reservation(\/versions)?$/.test(path))
          expect(reply.json.title).toBe('Method Not Allowed')
        else expect(sentenceOf(reply)).toMatch(noSuchMethod)
      }
    },
  )

  it('is refused though it carries a body that is none', async () => {
    const headers = { 'x-auth-token': token, accept: 'application/json', 'content-type': 'application/json' }
    const reply = await s.ask('/v1.0/pods', { method: 'PATCH', headers, body: '{"pod": ' })
    expect(reply.status).toBe(405)
  })

  it('tells a stranger nothing, not even that', async () => {
    const reply = await s.ask('/v1.0/pods', { method: 'PROPFIND' })
    expect([reply.status, reply.headers.allow]).toEqual([401, undefined])
  })

  it.each(['FOO', 'get', 'G\u00cbT', ''])(
    'that HTTP does not know either is no request: %j',
    async method => {
      const reply = await s.send(`${method} /v1.0/pods HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\n\r\n`)
      expect(reply.status).toBe(400)
      expect(reply.headers['x-openstack-request-id']).toMatch(/^req-/)
      expect(reply.json).toEqual({ code: 400, title: 'Bad Request', description: 'This is no HTTP request' })
    },
  )

  it('asks for no tunnel: CONNECT is hung up on', async () => {
    const reply = await s.send('CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n')
    expect(reply.status).toBe(0)
  })
})

describe('a path that there is not', () => {
  it.each([
    '/v1.0/pod',
    '/v1.0/pods/a/b',
    '/v2',
    '/v1.0/nothing',
    '/tricircle/v2.0',
    '/tricircle/nothing',
    '/atoll',
    '/atoll/v2',
    '/nothing',
  ])('is not found: %s', async path => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      const reply = await w.call(method, path)
      expect(reply.status).toBe(404)
      expectShape(reply, null)
    }
  })
})

it.each(['/atoll/v1', '/atoll/v1/', '/atoll/v1/nothing', '/atoll/v1/jobs/a/b'])(
  'a path that the native API has not is not found in its own shape: %s',
  async path => {
    const reply = await w.call('GET', path)
    expect([reply.status, reply.json]).toEqual([
      404,
      { error: { code: 'not_found', message: 'There is nothing at this path' } },
    ])
  },
)

describe('an Accept header without JSON', () => {
  // Blazar and Neutron answer in JSON whatever they are asked for.
  const negotiating = own.filter(route => !/^(reservation|network)/.test(route.face))
  it.each(negotiating)('is a 406 at $name, and nothing is done', async route => {
    const { id, body } = await goodRequests[route.own]!(w)
    const before = await rowCounts(w)
    for (const accept of ['text/xml', 'application/xml', 'image/*', 'text/html;q=0.9']) {
      const reply = await w.call(route.method, pathWith(route.path, id), { body, headers: { accept } })
      expect(reply.status, accept).toBe(406)
      expectShape(reply, route)
    }
    expect(await rowCounts(w)).toEqual(before)
  })

  it.each([
    '*/*',
    'application/*',
    'application/json, */*',
    'text/html, application/json;q=0.1',
    'APPLICATION/JSON',
  ])('is none when it is %s', async accept => {
    expect((await w.call('GET', '/v1.0/pods', { headers: { accept } })).status).toBe(200)
  })
})

// Requests that HTTP allows, or nearly, and that no client of ours sends: each gets one answer, and none holds us for long.

import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { every } from '../wait.ts'
import { fileWorld, type Served } from '../world.ts'
import { fresh, rowCounts } from './requests.ts'

/** Of the server for requests that never end. */
const requestMs = 600

const w = await fileWorld()
let s: Served
let hasty: Served
let token: string
beforeAll(async () => {
  s = await w.listen()
  hasty = await w.listen({ requestMs })
  token = await w.token('admin')
})

const pod = () => JSON.stringify({ pod: { region_name: fresh('Pod'), az_name: 'az' } })
const head = (first: string, ...headers: string[]) =>
  [first, 'Host: x', `X-Auth-Token: ${token}`, 'Accept: application/json', ...headers, '', ''].join('\r\n')
const close = 'Connection: close'
const get = (path: string, ...headers: string[]) => head(`GET ${path} HTTP/1.1`, close, ...headers)
const asNobody = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${close}\r\n\r\n`
const post = (...headers: string[]) => head('POST /v1.0/pods HTTP/1.1', ...headers)
const pods = async () => (await rowCounts(w)).region

/** All that comes back until the server hangs up; the client never does. */
function sendAndWait(bytes: string, { port } = s, drip = ''): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(bytes))
    const dripping = every(50, () => drip && socket.writable && socket.write(drip))
    const done = () => {
      dripping()
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', chunk => {
      answer += chunk
    })
    // A client that goes on sending learns by a reset that nobody listens any more.
    socket.on('error', () => done())
    socket.on('end', () => (drip ? undefined : done()))
  })
}

describe('every answer', () => {
  it.each<[string, () => string]>([
    ['to a good request', () => get('/v1.0/pods')],
    ['of a list', () => get('/v2.0/networks')],
    ['to a stranger', () => asNobody('/v1/leases')],
    ['to a page of nothing', () => get('/nothing', 'Accept: text/html')],
    ['to a path that is none', () => get('/%zz')],
    ['to a method that is none', () => head('PATCH /v1.0/pods HTTP/1.1', close)],
    ['to too much', () => post('Content-Length: 9000000')],
    ['to no HTTP', () => 'hello\r\n\r\n'],
    ['to health', () => asNobody('/healthz')],
    ['to metrics', () => asNobody('/metrics')],
  ])('%s has an id, and tells browsers and caches what not to do', async (_, request) => {
    const { headers } = await s.send(request())
    expect(headers).toMatchObject({
      'x-openstack-request-id': expect.stringMatching(/^req-[0-9a-f-]{36}$/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    })
    expect(headers).not.toHaveProperty('server')
    expect(headers).not.toHaveProperty('x-powered-by')
  })

  it('opens nothing to pages of other origins', async () => {
    const cors = ['Origin: http://evil.example', 'Access-Control-Request-Method: GET']
    for (const first of ['OPTIONS /v1.0/pods HTTP/1.1', 'GET /v1.0/pods HTTP/1.1']) {
      const { headers } = await s.send(head(first, close, ...cors))
      expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('a request', () => {
  it('without a host is refused by us, not by Node', async () => {
    const reply = await s.send(`GET /v1.0/pods HTTP/1.1\r\nAccept: application/json\r\n${close}\r\n\r\n`)
    expect([reply.status, reply.json]).toEqual([
      400,
      { code: 400, title: 'Bad Request', description: 'The request names no host' },
    ])
    expect(reply.headers['x-openstack-request-id']).toMatch(/^req-/)
  })

  it('that expects what nobody promised is answered all the same', async () => {
    const reply = await s.send(get('/v1.0/pods', 'Expect: a-miracle'))
    expect(reply.status).toBe(200)
    expect(reply.headers['x-openstack-request-id']).toMatch(/^req-/)
  })

  it('whose body comes compressed is none that we can read', async () => {
    const before = await pods()
    const body = gzipSync(pod())
    const reply = await s.ask('/v1.0/pods', {
      method: 'POST',
      headers: { 'x-auth-token': token, accept: 'application/json', 'content-encoding': 'gzip' },
      body,
    })
    expect([reply.status, reply.json.description]).toEqual([400, 'The body is not UTF-8 text'])
    expect(await pods()).toBe(before)
  })

  it.each<[string, (body: string) => string]>([
    ['two lengths', body => `${post(`Content-Length: ${body.length}`, 'Content-Length: 1')}${body}`],
    [
      'a length and chunks',
      body => `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${body}`,
    ],
    ['a length that is no number', body => `${post('Content-Length: +5')}${body}`],
    ['a chunk that is none', body => `${post('Transfer-Encoding: chunked')}xyz\r\n${body}`],
    ['an encoding that there is not', body => `${post('Transfer-Encoding: gzip')}${body}`],
    ['a header over two lines', body => `${post('X-Odd: a\r\n b', `Content-Length: ${body.length}`)}${body}`],
    ['a name with a blank', body => `${post('X-Odd : a', `Content-Length: ${body.length}`)}${body}`],
  ])('with %s is refused, and nothing is stored', async (_, make) => {
    const before = await pods()
    const answer = await sendAndWait(make(pod()))
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*X-Openstack-Request-Id: req-/i)
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1)
    expect(await pods()).toBe(before)
  })

  it('with more than its length says is answered for itself, and what comes after it is nothing', async () => {
    const before = await pods()
    const body = pod()
    const answer = await sendAndWait(`${post(`Content-Length: ${body.length}`)}${body}${body}`)
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1)
    expect(await pods()).toBe(before! + 1)
  })

  it('with thousands of headers, or with long ones, is refused', async () => {
    const many = Array.from({ length: 3000 }, (_, n) => `X-${n}: y`)
    for (const headers of [many, [`X-Long: ${'y'.repeat(20_000)}`]]) {
      const answer = await sendAndWait(get('/v1.0/pods', ...headers))
      expect(answer).toMatch(/^HTTP\/1.1 431 /)
    }
  })
})

describe('a request that never ends', () => {
  it.each<[string, () => string, string]>([
    ['whose first line does not come', () => 'GET /v1.0', ''],
    ['whose headers drip', () => 'GET /v1.0/pods HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'],
    ['whose body does not come', () => post('Content-Length: 100'), ''],
    ['whose body drips', () => post('Content-Length: 100000'), ' '],
    ['whose chunks drip', () => post('Transfer-Encoding: chunked'), '1\r\n \r\n'],
  ])('%s is a 408 however long it drips, and the connection ends', async (_, request, drip) => {
    const before = await pods()
    const answer = await sendAndWait(request(), hasty, drip)
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[\s\S]*X-Openstack-Request-Id: req-/i)
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1)
    expect(await pods()).toBe(before)
  })
})

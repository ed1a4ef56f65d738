// Odd ways to write a path, over a real socket: none of them opens what the plain way does not.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Served } from '../world.ts'
import { restricted } from './people.ts'
import { newRegion } from './requests.ts'
import { sharedHost } from './reservable.ts'

const w = await fileWorld()
let s: Served
let admin: string
let demo: string
let secret: string
beforeAll(async () => {
  s = await w.listen()
  ;[admin, demo] = await Promise.all([w.token('admin'), w.token('demo')])
  secret = (await newRegion(w)).name
  await sharedHost(w)
})

const get = (path: string, token?: string) =>
  s.ask(path, { headers: { accept: 'application/json', ...(token ? { 'x-auth-token': token } : {}) } })

/** What the admin gets for each; everybody else is refused or finds nothing. */
const paths: [string, number][] = [
  ['/v1.0/pods', 200],
  ['/v1.0/pods/', 200],
  ['/v1.0/pods.json', 200],
  ['/v1.0/p%6fds', 200],
  ['/v1.0/pods?', 200],
  ['/v1.0/pods?x=/../../', 200],
  ['/tricircle/v1.0/pods/', 200],
  ['//v1.0/pods', 404],
  ['/v1.0//pods', 404],
  ['/v1.0/pods//', 404],
  ['///', 404],
  ['/v1.0%2fpods', 404],
  ['/v1.0%2Fpods', 404],
  ['/v1.0/pods%2f', 404],
  ['/v1.0%252fpods', 404],
  ['/v1.0%5cpods', 404],
  ['/V1.0/pods', 404],
  ['/v1.0/PODS', 404],
  ['/Tricircle/v1.0/pods', 404],
  ['/v1.0/pods/../pods', 404],
  ['/v1.0/./pods', 404],
  ['/healthz/../v1.0/pods', 404],
  ['/healthz/v1.0/pods', 404],
  ['/metrics%2f..%2fv1.0/pods', 404],
  ['/v1.0/routings/%2e%2e/pods', 404],
  ['/v1.0/pods.json/', 200],
  ['/v1.0/pods.json.json', 404],
  ['/v1.0/pods.xml', 404],
  ['/v1.0.json', 404],
  ['/v1.0/pods;x=1', 404],
  ['/v1.0/pods%3Flimit=1', 404],
  ['/v1.0/pods%23', 404],
  ['/v1.0/pods#', 404],
  ['/v1.0/pods#/more', 404],
  ['/v1.0/#/../pods', 404],
  ['/v1.0/pods%00', 404],
  ['/v1.0/pods/%00', 404],
  ['/v1.0/pods%20', 404],
  ['/v1.0/pods/%c3%28', 400],
  ['/v1.0/%', 400],
  ['/v1.0/%zz', 400],
  ['/v1/pods', 404],
  ['/v2.0/pods', 404],
  [`/v1.0/pods/${'a'.repeat(8000)}`, 404],
  [`/v1.0/${'a/'.repeat(4000)}`, 404],
  [`/v1.0/pods/${'%61'.repeat(2000)}`, 404],
  ['/__proto__', 404],
  ['/v1.0/constructor', 404],
]

describe('a path', () => {
  it.each(paths.map(([path, status]) => ({ path, status, name: path.slice(0, 40) })))(
    '$name',
    async ({ path, status }) => {
      const reply = await get(path, admin)
      expect(reply.status).toBe(status)
      expect(reply.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
      expect(reply.text.includes(secret)).toBe(status === 200)

      for (const token of [demo, undefined]) {
        const refused = await get(path, token)
        expect(refused.status).toBeGreaterThanOrEqual(400)
        expect(refused.status).toBeLessThan(500)
        expect(refused.text).not.toContain(secret)
      }
      if (status === 404)
        expect((await get(path)).status, 'who has no token is not told what is there').toBe(401)
    },
  )

  it('as a whole URL is the same path', async () => {
    expect((await get('http://127.0.0.1:19999/v1.0/pods', admin)).status).toBe(200)
    expect((await get('http://127.0.0.1:19999/v1.0/pods', demo)).status).toBe(401)
    for (const [path, status] of [
      ['HTTP://[::1]:1/v1.0/pods.json?x=/', 200],
      ['http://elsewhere.example/tricircle/v1.0/pods/', 200],
      ['http://elsewhere.example', 200],
      ['http://elsewhere.example//v1.0/pods', 404],
      ['ftp://elsewhere.example/v1.0/pods', 400],
      ['*v1.0/pods', 400],
      ['*', 400],
    ] as const)
      expect((await get(path, admin)).status, path).toBe(status)
  })

  it('that is longer than any header may be is refused in the face’s shape', async () => {
    const reply = await get(`/v1.0/pods/${'a'.repeat(20_000)}`, admin)
    expect(reply.status).toBe(431)
    expect(reply.headers['x-openstack-request-id']).toMatch(/^req-/)
    expect(reply.json).toEqual({
      code: 431,
      title: 'Request Header Fields Too Large',
      description: expect.any(String),
    })
  })

  it('is what an access rule is matched with, dots and all', async () => {
    const token = await restricted(w, [{ service: 'tricircle', method: 'GET', path: '/v1.0/routings/**' }])
    for (const path of [
      '/v1.0/routings/../pods',
      '/v1.0/routings/%2e%2e/pods',
      'http://elsewhere.example/v1.0/pods',
      '/v1.0/pods',
    ]) {
      const reply = await get(path, token)
      expect([401, 404], path).toContain(reply.status)
      expect(reply.text).not.toContain(secret)
    }
  })
})

it('with what looks like a fragment is no way around an access rule', async () => {
  const token = await restricted(w, [{ service: 'tricircle', method: 'GET', path: '/v1.0/*/more' }])
  expect((await get('/v1.0/pods#/more', token)).status).toBe(404)
})

/** Of every face at every prefix a path that is there; below it, nothing is. */
const elsewhere = [
  '/tricircle/v1.0/routings',
  '/reservation/v1/leases',
  '/reservation/Pod1/v1/leases',
  '/v1/leases',
  '/network/v2.0/networks',
  '/v2.0/networks',
  '/promise/promise/reservations',
  '/restjson/opnfv-promise/promise/reservations',
  '/atoll/v1/availability',
]

describe.each(elsewhere)('the path %s', path => {
  const [, first = ''] = path.split('/')
  it.each([
    path,
    `/${path}`,
    `${path}//`,
    `${path}%2f`,
    `${path}%00`,
    `${path}/%00`,
    `${path}/..`,
    `${path}/../x`,
    `${path};x=1`,
    `${path}#`,
    `${path}%20`,
    path.replace(/\/(?=[^/]+$)/, '//'),
    path.replace(/\/(?=[^/]+$)/, '%2f'),
    path.replace(/\/(?=[^/]+$)/, '/./'),
    path.replace(first, first.toUpperCase()),
    `/${first}/..${path}`,
  ])('written %s', async odd => {
    expect((await get(odd, admin)).status).toBe(odd === path ? 200 : 404)
    expect((await get(odd)).status).toBe(401)
  })

  it('badly encoded is a 400', async () => {
    for (const odd of ['%', '%zz', '%c3%28', '%ed%a0%80'])
      expect((await get(`${path}/${odd}`, admin)).status).toBe(400)
  })
})

describe('a method in a header', () => {
  it.each(['x-http-method-override', 'x-http-method', 'x-method-override'])(
    'is not looked at: %s',
    async name => {
      const region = await newRegion(w)
      const headers = { accept: 'application/json', 'x-auth-token': admin, [name]: 'DELETE' }
      const path = `/v1.0/pods/${region.id}`
      expect((await s.ask(path, { headers })).status).toBe(200)
      expect((await s.ask(path, { headers, method: 'POST' })).status).toBe(405)
      expect((await get(path, admin)).status).toBe(200)
    },
  )
})

describe('an id of another project’s thing', () => {
  it('and an id of nothing get the same answer from who may not see it', async () => {
    const region = await newRegion(w)
    const [there, absent] = await Promise.all([
      get(`/v1.0/pods/${region.id}`, demo),
      get(`/v1.0/pods/${randomUUID()}`, demo),
    ])
    expect([there!.status, there!.text]).toEqual([absent!.status, absent!.text])
  })
})

// The Networking API as a whole: its versions, its paths, its errors, and which extensions it says it has.

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })
const reader = w.person('reader', ['reader'])

const nobody = { as: 'nobody' } as const
const headers = { host: 'cloud.example.org' }

describe('the versions', () => {
  it.each(['/network', '/network/'])('are told to whoever asks: %s', async path => {
    const reply = await w.admin.at('').get(path, { ...nobody, headers })
    expect([reply.status, reply.json]).toEqual([
      200,
      {
        versions: [
          {
            id: 'v2.0',
            status: 'CURRENT',
            links: [{ rel: 'self', href: 'http://cloud.example.org/network/v2.0/' }],
          },
        ],
      },
    ])
  })

  it.each(['/network/v2.0', '/v2.0'])('have their resources told to those with a token: %s', async at => {
    for (const path of [at, `${at}/`]) {
      expect((await w.admin.at('').get(path, nobody)).status).toBe(401)
      const { status, json } = await reader.at('').get(path, { headers })
      expect(status).toBe(200)
      expect(json.resources).toContainEqual({
        name: 'network',
        collection: 'networks',
        links: [{ rel: 'self', href: `http://cloud.example.org${at}/networks` }],
      })
    }
  })
})

describe('a path', () => {
  it.each(['/networks', '/networks/', '/networks.json', '/networks?name=x', '/networks.json?name=x'])(
    'is the same with a slash or .json at its end: %s',
    async path => {
      const reply = await w.demo.get(path)
      expect([reply.status, reply.json]).toEqual([200, { networks: [] }])
      expect((await w.demo.at('').get(`/network/v2.0${path}`)).json).toEqual({ networks: [] })
    },
  )

  it.each([
    '/v2.0/bogus',
    '/v2.0/networks/a/b',
    '/v2.0/networks/a/b/c',
    '/v2.0/quotas',
    '/network/bogus',
    '/v2.0/networks//',
  ])('that leads nowhere is not found: %s', async path => {
    expect(errorOf(await w.demo.at('').get(path))).toEqual([
      404,
      'HTTPNotFound',
      'The resource could not be found.',
    ])
    expect((await w.demo.at('').get(path, nobody)).status).toBe(401)
  })

  it.each([
    ['PATCH', '/networks', 'GET, POST'],
    ['PUT', '/networks', 'GET, POST'],
    ['POST', `/networks/${randomUUID()}`, 'GET, DELETE, PUT'],
    ['PUT', `/security-group-rules/${randomUUID()}`, 'GET, DELETE'],
    ['PUT', '/quotas/demo', 'GET'],
    ['POST', '/agents', 'GET'],
  ])('takes no method that it has not: %s %s', async (method, path, allow) => {
    const reply = await w.call(method, `/v2.0${path}`)
    expect(errorOf(reply).slice(0, 2)).toEqual([405, 'HTTPMethodNotAllowed'])
    expect(reply.headers.allow).toBe(allow)
  })
})

describe('an error', () => {
  it('is the middleware’s to who has no token', async () => {
    const reply = await w.admin.get('/networks', nobody)
    expect([reply.status, reply.json.error.title]).toEqual([401, 'Unauthorized'])
  })

  it('names the rule that does not let the caller pass', async () => {
    const body = { network: { name: 'x' } }
    expect(errorOf(await reader.post('/networks', body))).toEqual([
      403,
      'PolicyNotAuthorized',
      'rule:create_network is disallowed by policy',
    ])
    expect(errorOf(await w.demo.get('/agents'))[0]).toBe(403)
  })

  it.each([
    ['networks', 'NetworkNotFound'],
    ['subnets', 'SubnetNotFound'],
    ['ports', 'PortNotFound'],
    ['routers', 'RouterNotFound'],
    ['floatingips', 'FloatingIPNotFound'],
    ['security-groups', 'SecurityGroupNotFound'],
    ['security-group-rules', 'SecurityGroupRuleNotFound'],
  ])('says of what kind is not there what was asked for: %s', async (path, type) => {
    for (const id of [randomUUID(), 'nope', '%00', 'a'.repeat(300)]) {
      expect(errorOf(await w.demo.get(`/${path}/${id}`)).slice(0, 2), id).toEqual([404, type])
      expect(errorOf(await w.demo.del(`/${path}/${id}`)).slice(0, 2), id).toEqual([404, type])
    }
    const reply = await w.demo.get(`/${path}?limit=2&marker=nope`)
    expect(errorOf(reply).slice(0, 2)).toEqual([404, type])
  })

  it('says what is wrong with a body that is none', async () => {
    const says = async (raw: string) =>
      errorOf(await w.demo.post('/networks', undefined, { raw })).slice(0, 3)
    expect(await says('{bad')).toEqual([400, 'HTTPBadRequest', expect.stringMatching(/line 1, column 2/)])
    expect((await says(`{"x": "${'a'.repeat(2_000_000)}"}`)).slice(0, 2)).toEqual([
      413,
      'HTTPRequestEntityTooLarge',
    ])
  })
})

describe('the extensions', () => {
  it('are those that there are, and ours', async () => {
    const { json } = await reader.get('/extensions')
    const aliases = json.extensions.map(({ alias }: { alias: string }) => alias)
    expect(aliases).toContain('atoll-regions')
    expect(aliases).toContain('router')
    for (const absent of ['qos', 'trunk', 'subnet_allocation', 'rbac-policies', 'standard-attr-tag'])
      expect(aliases).not.toContain(absent)
  })

  it('are shown one by one by their alias', async () => {
    const { json } = await reader.get('/extensions/security-group')
    expect(json.extension).toMatchObject({ alias: 'security-group', name: 'security-group', links: [] })
    expect(errorOf(await reader.get('/extensions/bogus'))).toEqual([
      404,
      'ExtensionNotFound',
      'Extension with alias bogus does not exist',
    ])
  })
})

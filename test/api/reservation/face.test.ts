// The Reservation API as a whole: its paths, headers, versions and the three shapes of its errors.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Served, world } from '../../world.ts'

const w = await fileWorld()
let s: Served
beforeAll(async () => {
  s = await w.listen()
})

const missing =
  'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.'

describe('the versions', () => {
  it.each(['/reservation', '/reservation/', '/reservation/versions'])(
    'are told to whoever asks: %s',
    async path => {
      const headers = { host: 'cloud.example.org' }
      const reply = await w.call('GET', path, { as: 'nobody', headers })
      expect([reply.status, reply.headers['content-type']]).toEqual([300, 'application/json'])
      expect(reply.json).toEqual({
        versions: [
          {
            id: 'v1.0',
            status: 'CURRENT',
            links: [{ href: 'http://cloud.example.org/reservation/v1', rel: 'self' }],
            min_version: '1.0',
            max_version: '1.0',
          },
        ],
      })
      expect((await w.call('GET', path, { headers })).text).toBe(reply.text)
      expect((await w.call('GET', path, { as: { token: 'bad' }, headers })).text).toBe(reply.text)
    },
  )

  it('are told no more when the operator says so', async () => {
    await using closed = await world({ settings: { ATOLL_POLICY: '{"blazar:versions:get": any}' } })
    expect((await closed.call('GET', '/reservation', { as: 'nobody' })).status).toBe(401)
    expect((await closed.call('GET', '/reservation')).status).toBe(300)
  })

  it.each(['/reservation/nope', '/reservation/versions/', '/reservation/a/b'])(
    'are all that there is beside the API: %s',
    async path => {
      const reply = await w.call('GET', path)
      expect([reply.status, reply.json]).toEqual([404, { code: 404, title: 'Not Found', description: null }])
      expect((await w.call('GET', path, { as: 'nobody' })).status).toBe(401)
    },
  )

  it('take no other method', async () => {
    const reply = await w.call('POST', '/reservation')
    expect([reply.status, reply.json]).toEqual([
      405,
      { code: 405, title: 'Method Not Allowed', description: '' },
    ])
  })
})

describe('a path', () => {
  it.each(['/v1/leases', '/v1/leases.json', '/reservation/v1/leases', '/reservation/v1/leases.json?x=1'])(
    'may end in .json: %s',
    async path => {
      const reply = await w.call('GET', path)
      expect([reply.status, reply.json]).toEqual([200, { leases: [] }])
    },
  )

  it.each([
    '/v1',
    '/v1/',
    '/v1/leases/',
    '/v1/leases.json/',
    '/v1/leases.json.json',
    '/v1/.json',
    '/v1/nope',
    '/v1/plugins',
    '/v1/floatingips',
    '/reservation/v1',
    '/reservation/v1/',
    '/reservation/v1/leases/',
    '/reservation/Pod1/v1',
    '/reservation/Pod1/v1/nope',
  ])('that there is not is a 404 in the face’s shape: %s', async path => {
    const reply = await w.call('GET', path)
    expect([reply.status, reply.json]).toEqual([404, { error: 404, error_message: missing }])
    expect(reply.headers['openstack-api-version']).toBeUndefined()
    expect((await w.call('GET', path, { as: 'nobody' })).status).toBe(401)
  })

  it.each([
    ['PATCH', '/v1/leases', 'GET, POST'],
    ['DELETE', '/v1/leases.json', 'GET, POST'],
    ['POST', '/reservation/v1/os-hosts/1', 'GET, PUT, DELETE'],
    ['PUT', '/v1/os-hosts/allocations', 'GET'],
    ['DELETE', '/v1/os-hosts/properties/gpu', 'PATCH'],
  ])('has its methods and no others: %s %s', async (method, path, allowed) => {
    const reply = await w.call(method, path, { raw: '{' })
    expect([reply.status, reply.headers.allow, reply.json]).toEqual([
      405,
      allowed,
      { error: 405, error_message: 'The method is not allowed for the requested URL.' },
    ])
  })

  it('names a region’s view, and there must be such a region', async () => {
    for (const name of ['Nowhere', 'v1']) {
      const reply = await w.call('GET', `/reservation/${name}/v1/leases`)
      expect([reply.status, reply.json]).toEqual([
        404,
        { error_code: 404, error_message: `There is no region ${name}`, error_name: 404 },
      ])
    }
    await w.call('POST', '/v1.0/pods', { body: { pod: { region_name: 'Öst 1', az_name: 'az' } } })
    const reply = await w.call('GET', `/reservation/${encodeURIComponent('Öst 1')}/v1/leases.json`)
    expect([reply.status, reply.json]).toEqual([200, { leases: [] }])
  })

  it('leaves Tricircle its own', async () => {
    expect((await w.call('GET', '/v1.0')).json.version).toBe('1.0')
    expect((await w.call('GET', '/v1.0/leases')).json).toMatchObject({ code: 404, title: 'Not Found' })
  })
})

describe('a header', () => {
  const list = (headers: Record<string, string>) => w.call('GET', '/v1/leases', { headers })

  it.each(['text/html', 'text/xml', 'image/*', 'application/json', '*/*', 'nonsense', ''])(
    'Accept: %s is answered in JSON',
    async accept => {
      const reply = await list({ accept })
      expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json'])
    },
  )

  it('Accept may be left out', async () => {
    const reply = await s.ask('/v1/leases', { headers: { 'x-auth-token': await w.token('admin') } })
    expect([reply.status, reply.json]).toEqual([200, { leases: [] }])
  })

  it.each([
    'reservation 1.0',
    'reservation latest',
    '1.0',
    'compute 2.1',
    'compute 2.1, reservation 1.0',
    '',
  ])('OpenStack-API-Version: %s is 1.0', async version => {
    const { status, headers } = await list({ 'openstack-api-version': version })
    expect(status).toBe(200)
    expect(headers['openstack-api-version']).toBe('reservation 1.0')
    expect(headers.vary).toBe('OpenStack-API-Version')
  })

  it.each([
    ['reservation 1.1', 406, 'Version 1.1 is not supported by the API. Minimum is 1.0 and maximum is 1.0.'],
    [
      'compute 2.1, reservation 2.0',
      406,
      'Version 2.0 is not supported by the API. Minimum is 1.0 and maximum is 1.0.',
    ],
    [
      'reservation abc',
      400,
      'API Version String abc is of invalid format. Must be of format MajorNum.MinorNum.',
    ],
  ])('OpenStack-API-Version: %s is a %i', async (version, status, error_message) => {
    const reply = await list({ 'openstack-api-version': version })
    expect([reply.status, reply.json]).toEqual([status, { error: status, error_message }])
    expect(reply.headers['openstack-api-version']).toBeUndefined()
  })

  const post = (type: string, path = '/v1/leases') =>
    w.call('POST', path, { raw: '{"name": "x"}', headers: { 'content-type': type } })

  it.each(['text/plain', 'application/xml; charset=utf-8', 'application/x-www-form-urlencoded', 'nonsense'])(
    'Content-Type: %s is refused',
    async type => {
      const reply = await post(type)
      const error_message = `Content type '${type.split(';')[0]}' isn't supported`
      expect([reply.status, reply.json]).toEqual([400, { error: 400, error_message }])
    },
  )

  it.each(['application/json', 'Application/JSON; charset=utf-8'])('Content-Type: %s is JSON', async type => {
    expect((await post(type)).json.error_message).toBe('Missing parameter end_date, start_date')
  })

  it.each(['text/plain', 'application/json', 'application/x-www-form-urlencoded'])(
    'Content-Type: %s is JSON where the path says so (003:33-42)',
    async type => {
      expect((await post(type, '/v1/leases.json')).json.error_message).toBe(
        'Missing parameter end_date, start_date',
      )
    },
  )

  it('Content-Type may be left out', async () => {
    const headers = { 'x-auth-token': await w.token('admin') }
    const reply = await s.ask('/v1/leases', { method: 'POST', headers, body: '{"name": "x"}' })
    expect(reply.json.error_message).toBe('Missing parameter end_date, start_date')
  })

  it('Content-Type is not looked at where nothing is read', async () => {
    expect((await list({ 'content-type': 'text/plain' })).status).toBe(200)
  })
})

describe('an error', () => {
  it('of a handler has a code, a message and a name, and says which version answers', async () => {
    const reply = await w.call('GET', '/v1/leases/nope')
    expect(reply.status).toBe(404)
    expect(reply.text).toBe(
      `{"error_code":404,"error_message":"Object with {'lease_id': 'nope'} not found","error_name":404}`,
    )
    expect(reply.headers['openstack-api-version']).toBe('reservation 1.0')
    expect(reply.headers.vary).toBe('OpenStack-API-Version')
  })

  it('in the JSON of a body says where it is', async () => {
    const reply = await w.call('POST', '/v1/leases', { raw: '{"name": "x",}' })
    expect([reply.status, reply.json]).toEqual([
      400,
      {
        error: 400,
        error_message:
          'The body is not acceptable JSON: expected a key in double quotes at line 1, column 14',
      },
    ])
  })

  it('of a body that is too large is a 413', async () => {
    const reply = await w.call('POST', '/v1/leases', {
      raw: `"${'x'.repeat(w.config.api.body_limit_bytes)}"`,
    })
    expect([reply.status, Object.keys(reply.json)]).toEqual([413, ['error', 'error_message']])
  })

  it('of who has no token is the middleware’s', async () => {
    const reply = await w.call('GET', '/v1/leases', { as: 'nobody' })
    expect(reply.status).toBe(401)
    expect(reply.headers['www-authenticate']).toMatch(/^Keystone uri=/)
    expect(reply.json).toEqual({
      error: {
        code: 401,
        title: 'Unauthorized',
        message: 'The request you have made requires authentication.',
      },
    })
  })

  it('of ours names itself, and is told no more', async () => {
    const leases = w.app.store.leases as { list: unknown }
    const { list } = leases
    leases.list = () => Promise.reject(new TypeError('secret detail of the inside'))
    try {
      const reply = await w.call('GET', '/v1/leases')
      expect([reply.status, reply.json]).toEqual([
        500,
        {
          error_code: 500,
          error_message: expect.stringMatching(
            /^Something went wrong on our side; the log has more under req-/,
          ),
          error_name: 'INTERNAL_SERVER_ERROR',
        },
      ])
    } finally {
      leases.list = list
    }
  })

  it('of policy names the rule', async () => {
    const reply = await w.call('GET', '/v1/os-hosts', { as: 'demo' })
    expect([reply.status, reply.json]).toEqual([
      403,
      {
        error_code: 403,
        error_message: "Policy doesn't allow blazar:oshosts:get to be performed",
        error_name: 403,
      },
    ])
  })
})

// How the Promise API is spoken: paths, wrappers, bodies and forms (the reference's 1.1 and 1.4).

import { beforeAll, describe, expect, it } from 'vitest'
import { amounts, hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld, type Reply, type Served } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let wire: Served
let token: string
beforeAll(async () => {
  wire = await w.listen()
  token = await w.token('admin')
  await s.promised({ cores: 1000, ram: 100_000, instances: 1000, gigabytes: 1000 })
})

const create = (body: object, headers: Record<string, string> = {}): Promise<Reply> =>
  s.reply('create-reservation', { body, headers })
const raw = (text: string | Buffer, headers: Record<string, string> = {}): Promise<Reply> =>
  s.reply('create-reservation', { raw: text, headers })
const recordOf = (reply: Reply) => s.read(`/promise/reservations/${reply.json['reservation-id']}`)
const message400 = (message: string | RegExp) => ({
  result: 'error',
  message: expect.stringMatching(message),
  error: expect.stringMatching(message),
})
const one = { capacity: { cores: 1 } }

describe('an operation', () => {
  it.each(['/promise', '/restjson/opnfv-promise'])(
    'is a POST below %s, and its answer is bare',
    async prefix => {
      const reply = await w.call('POST', `${prefix}/create-reservation`, { body: one })
      expect([reply.status, Object.keys(reply.json)]).toEqual([
        200,
        ['reservation-id', 'result', 'message', 'guarantee'],
      ])
    },
  )

  it('is a POST to /restconf/operations/opnfv-promise:…, and its answer is in the module’s output', async () => {
    const reply = await w.call('POST', '/restconf/operations/opnfv-promise:create-reservation', {
      body: { 'opnfv-promise:input': one },
    })
    expect([reply.status, reply.json]).toEqual([
      200,
      { 'opnfv-promise:output': expect.objectContaining({ result: 'ok' }) },
    ])
    const refused = await w.call('POST', '/restconf/operations/opnfv-promise:create-reservation', {
      body: { input: { capacity: { cores: 1001 } } },
    })
    expect([refused.status, refused.json]).toEqual([
      200,
      { 'opnfv-promise:output': expect.objectContaining({ result: 'conflict' }) },
    ])
  })

  it.each(['/promise/', '/restjson/opnfv-promise/', '/restconf/operations/opnfv-promise:'])(
    'takes both wrappers and none at %s…',
    async prefix => {
      for (const body of [one, { input: one }, { 'opnfv-promise:input': one }]) {
        const { json } = await w.call('POST', `${prefix}create-reservation`, { body })
        expect(json['opnfv-promise:output'] ?? json).toMatchObject({ result: 'ok' })
      }
    },
  )

  it('does not take a wrapper off that is beside something else, or in another', async () => {
    expect((await create({ input: one, zone: null })).json).toMatchObject({ result: 'error' })
    expect((await create({ input: { input: one } })).json).toMatchObject({ result: 'error' })
  })

  it('that there is not is a 404 in JSON', async () => {
    for (const path of [
      '/promise/nosuch-op',
      '/restjson/opnfv-promise/nosuch-op',
      '/restconf/operations/opnfv-promise:nosuch-op',
      '/restconf/operations/create-reservation',
    ]) {
      const reply = await w.call('POST', path, { body: {} })
      expect([reply.status, reply.headers['content-type'], reply.json], path).toEqual([
        404,
        'application/json',
        message400(/^there is nothing at this path$/),
      ])
    }
  })

  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'is no %s: a 405 in JSON that says what it is',
    async method => {
      const reply = await w.call(method, '/restjson/opnfv-promise/query-capacity')
      expect([reply.status, reply.headers.allow, reply.json]).toEqual([
        405,
        'POST',
        message400(/^this path has no such method$/),
      ])
    },
  )

  it('without a token is a 401', async () => {
    const reply = await s.reply('query-capacity', { as: 'nobody', body: {} })
    expect(reply.status).toBe(401)
    expect(reply.headers['www-authenticate']).toMatch(/^Keystone uri=/)
  })
})

describe('a body', () => {
  const send = (body: string | Buffer, headers: Record<string, string> = {}) =>
    wire.ask('/promise/create-reservation', {
      method: 'POST',
      body,
      headers: { 'x-auth-token': token, accept: 'application/json', ...headers },
    })

  it('is JSON without a Content-Type, and with any other than that of forms', async () => {
    const text = JSON.stringify(one)
    expect((await send(text)).json).toMatchObject({ result: 'ok' })
    for (const type of ['text/plain', 'application/json; charset=utf-8', 'application/yang-data+json'])
      expect((await send(text, { 'content-type': type })).json).toMatchObject({ result: 'ok' })
  })

  it('may begin with a byte order mark', async () => {
    expect((await send(`\ufeff${JSON.stringify(one)}`)).json).toMatchObject({ result: 'ok' })
    expect((await send('\ufeff\ufeff{}')).status).toBe(400)
  })

  it.each(['', ' \n', 'null', '{}'])('that is %j is one without fields', async text => {
    const reply = await send(text)
    expect([reply.status, reply.json]).toEqual([
      200,
      {
        result: 'error',
        message: 'unable to validate reservation record without anything being reserved',
      },
    ])
  })

  it.each([
    ['[{"capacity": {"cores": 1}}]', 'an array'],
    ['"str"', 'a string'],
    ['5', 'a number'],
    ['true', 'a boolean'],
  ])('that is no object is a 400: %s', async (text, kind) => {
    const reply = await send(text)
    expect([reply.status, reply.json]).toEqual([
      400,
      message400(new RegExp(`^the body must be an object, not ${kind}$`)),
    ])
  })

  it.each([
    ['{"capacity": {"cores": "5", "ram": 0 "instances": 0}}', /a comma.* at line 1, column 38$/],
    ['{"capacity":{"cores":1,}}', /expected a key in double quotes at line 1, column 24$/],
    ['{\n  "capacity": {"cores": "10,\n}}', /closing quote at line 2, column \d+$/],
    ['{"capacity": {"cores": 1}} {}', /expected nothing after the value at line 1, column 28$/],
    ['{"capacity": {"cores": 3, ...}}', /expected a key in double quotes at line 1, column 27$/],
  ])(
    'that is no JSON is a 400 with the line, the column and what was expected: %s',
    async (text, sentence) => {
      const reply = await send(text)
      expect([reply.status, reply.json]).toEqual([400, message400(sentence)])
    },
  )

  it('of 16 levels is read, of 17 refused', async () => {
    const nested = (levels: number) => `${'{"x":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
    expect((await send(nested(16))).status).toBe(200)
    const reply = await send(nested(17))
    expect([reply.status, reply.json]).toEqual([400, message400(/more than 16 levels of nesting at line 1/)])
  })

  it('of 64 KiB is read, of a byte more refused, announced or not', async () => {
    const sized = (bytes: number) => `{"x": "${'a'.repeat(bytes - 9)}"}`
    expect(sized(65_536)).toHaveLength(65_536)
    expect((await send(sized(65_536))).status).toBe(200)
    const reply = await send(sized(65_537))
    expect([reply.status, reply.json]).toEqual([413, message400(/too large/)])
    const chunked = ['POST /promise/create-reservation HTTP/1.1', 'Host: x', `X-Auth-Token: ${token}`]
    const rest = ['Transfer-Encoding: chunked', '', (200_000).toString(16), sized(200_000), '0', '', '']
    expect((await wire.send([...chunked, ...rest].join('\r\n'))).status).toBe(413)
  })
})

describe('a form', () => {
  const form = (text: string) => raw(text, { 'content-type': 'application/x-www-form-urlencoded' })

  it('says what JSON would: amounts, lists, windows', async () => {
    const end = hoursFrom(w.app.now(), 5)
    const reply = await form(`capacity[cores]=1&capacity%5Bram%5D=512&end=${encodeURIComponent(end)}`)
    expect(await recordOf(reply)).toMatchObject({ end, capacity: amounts({ cores: 1, ram: 512 }) })
    const id = reply.json['reservation-id']
    const found = await w.call('POST', '/promise/query-reservation', {
      raw: `show-utilization=false&without[]=x&without[]=${id}&window[end]=${encodeURIComponent(end)}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
    })
    expect(found.json.utilization).toEqual([])
    expect(found.json.reservations).not.toContain(id)
  })

  it.each([
    ['capacity[cores]=1&capacity[cores]=2', /more than once/],
    ['capacity=5&capacity[cores]=1', /both capacity and something in it/],
    ['capacity[cores]=1&capacity=5', /more than once/],
    ['capacity[cores=1', /no field that could be called "capacity\[cores"/],
    ['[cores]=1', /no field that could be called/],
    ['capacity[][cores]=1', /no field that could be called/],
    [`a${'[b]'.repeat(20)}=1`, /no field that could be called/],
    ['capacity[cores]=%zz', /not percent-encoded UTF-8/],
    ['capacity[cores]=%00', /NUL/],
    ['capacity[cores]=-1', /'cores' must be a whole number/],
    ['capacity[cores]=', /'cores' must be a whole number/],
  ])('that could mean two things, or nothing, is a 400: %s', async (text, sentence) => {
    const reply = await form(text)
    expect([reply.status, reply.json]).toEqual([400, message400(sentence)])
  })

  it('touches the prototype of nothing', async () => {
    const reply = await form('capacity[cores]=1&__proto__[polluted]=1&constructor[prototype][polluted]=1')
    expect(reply.json).toMatchObject({ result: 'ok', warnings: [expect.anything(), expect.anything()] })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

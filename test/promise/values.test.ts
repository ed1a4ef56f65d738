// What values the Promise API takes: amounts, times, ids, unknown keys, choices (the reference's 1.2 and 1.4).

import { beforeAll, describe, expect, it } from 'vitest'
import { amounts, promisesOf } from '../world/promises.ts'
import { fileWorld, type Reply } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let provider: string
beforeAll(async () => {
  provider = await s.promised({ cores: 1000, ram: 100_000, instances: 1000, gigabytes: 1000 })
})

const create = (body: object, headers: Record<string, string> = {}): Promise<Reply> =>
  s.reply('create-reservation', { body, headers })
const raw = (text: string): Promise<Reply> => s.reply('create-reservation', { raw: text })
const recordOf = (reply: Reply) => s.read(`/promise/reservations/${reply.json['reservation-id']}`)
const message400 = (message: string | RegExp) => ({
  result: 'error',
  message: expect.stringMatching(message),
  error: expect.stringMatching(message),
})
const one = { capacity: { cores: 1 } }

describe('an amount', () => {
  it.each([
    ['5', 5],
    ['" 7 "', 7],
    ['"005"', 5],
    ['0', 0],
    ['5.0', 5],
  ])('%s is %i', async (text, cores) => {
    const reply = await raw(`{"capacity": {"ram": 1, "cores": ${text}}}`)
    expect((await recordOf(reply)).capacity).toEqual(amounts({ cores, ram: 1 }))
  })

  it('that is null is absent', async () => {
    expect((await recordOf(await create({ capacity: { cores: 1, ram: null } }))).capacity.ram).toBe(0)
  })

  it.each(['"5"', '5', '[]', 'true'])('all of them together are an object: %s is a 400', async text => {
    const reply = await raw(`{"capacity": ${text}}`)
    expect([reply.status, reply.json]).toEqual([400, message400(/^'capacity' must be an object, not /)])
  })
})

describe('a date and time', () => {
  it.each([
    ['2040-02-21T20:00:00Z', '2040-02-21T20:00:00.000Z'],
    ['2040-02-21T20:00:00.5Z', '2040-02-21T20:00:00.500Z'],
    ['2040-02-21T20:00:00+02:00', '2040-02-21T18:00:00.000Z'],
    ['2040-02-21T00:00:00-05:30', '2040-02-21T05:30:00.000Z'],
  ])('%s is the instant %s', async (start, shown) => {
    expect((await recordOf(await create({ start, ...one }))).start).toBe(shown)
  })

  it.each([
    '2040-12-24',
    'garbage',
    '2040-12-24T10:00:00',
    '2040-12-24 10:00:00Z',
    '2040-02-30T10:00:00Z',
    '2040-13-01T10:00:00Z',
    '2040-12-24T24:00:00Z',
    '2040-12-24T10:00Z',
    '9999-12-31T23:59:59Z',
    '',
    '1792022400',
  ])('%j is none: a 400', async start => {
    const reply = await create({ start, ...one })
    expect([reply.status, reply.json]).toEqual([
      400,
      message400(/^'start' must be a date and time with its offset/),
    ])
  })

  it('a number is none either, and null is absent', async () => {
    expect((await raw('{"start": 1792022400, "capacity": {"cores": 1}}')).status).toBe(400)
    expect((await create({ start: null, end: null, ...one })).json).toMatchObject({ result: 'ok' })
  })
})

describe('an id', () => {
  it.each(['', 'ResourceReservation:'])('of a reservation may be written %s…', async type => {
    const id = (await create(one)).json['reservation-id']
    expect(
      await s.ask('update-reservation', { 'reservation-id': `${type}${id}`, capacity: { cores: 2 } }),
    ).toMatchObject({ result: 'ok' })
    expect(await s.ask('cancel-reservation', { 'reservation-id': `${type}${id}` })).toMatchObject({
      result: 'ok',
    })
  })

  it.each(['', 'ResourceProvider:'])('of a provider may be written %s…', async type => {
    const source = `${type}${provider}`
    const answer = await s.ask('increase-capacity', { source, capacity: { cores: 1 } })
    expect(answer).toMatchObject({ result: 'ok' })
    const pools = await s.read('/promise/pools')
    expect(pools.at(-1)).toMatchObject({ id: answer['pool-id'], source })
    for (const pool of ['', 'ResourcePool:'])
      expect(
        await s.ask('decrease-capacity', { source: `${pool}${answer['pool-id']}`, capacity: { cores: 1 } }),
      ).toMatchObject({ result: 'ok' })
  })

  it.each(['', 'ResourceAllocation:'])('of an instance may be written %s…', async type => {
    const made = await s.ask(
      'create-instance',
      s.instanceBody({ 'provider-id': `ResourceProvider:${provider}` }),
    )
    const id = `${type}${made['instance-id']}`
    expect(await s.ask('query-instance', { 'instance-id': id })).toMatchObject({ id: made['instance-id'] })
    expect(await s.ask('destroy-instance', { 'instance-id': id })).toMatchObject({ result: 'ok' })
  })

  it('of nothing is an error that says so', async () => {
    const id = 'f6f7d56a-4740-48fe-b197-42a7001beb95'
    const noReservation = { result: 'error', message: 'no reservation found for specified identifier' }
    const noInstance = { result: 'error', message: 'no allocation found for specified identifier' }
    for (const bad of [id, 'x', "';--"])
      expect(await s.ask('cancel-reservation', { 'reservation-id': bad })).toEqual(noReservation)
    expect(await s.ask('update-reservation', { 'reservation-id': id })).toEqual(noReservation)
    expect(await s.ask('destroy-instance', { 'instance-id': id })).toEqual(noInstance)
    expect(await s.ask('query-instance', { 'instance-id': id })).toEqual(noInstance)
    expect(await s.ask('remove-provider', { 'provider-id': id })).toMatchObject({
      result: 'error',
      message: `no matching provider found for specified identifier: ${id}`,
    })
    expect(await s.ask('increase-capacity', { source: id, capacity: { cores: 1 } })).toMatchObject({
      result: 'error',
      message: 'no provider or pool found for specified source',
    })
    expect(await s.ask('create-instance', s.instanceBody({ 'reservation-id': id }))).toEqual({
      result: 'error',
      message: 'no valid reservation found for specified identifier',
    })
  })

  it.each([
    ['cancel-reservation', 'reservation-id'],
    ['destroy-instance', 'instance-id'],
    ['query-instance', 'instance-id'],
    ['remove-provider', 'provider-id'],
    ['increase-capacity', 'source'],
  ])('that is missing is a 400: %s without %s', async (operation, key) => {
    for (const body of [{}, { [key]: null }, { [key]: '' }]) {
      const reply = await s.reply(operation, { body })
      expect([reply.status, reply.json.message]).toEqual([400, expect.stringContaining(`'${key}'`)])
    }
    const reply = await s.reply(operation, { body: { [key]: { id: 'x' } } })
    expect([reply.status, reply.json.message]).toEqual([400, `'${key}' must be a string, not an object`])
  })

  it('of no reservation at all is the error of the original in update-reservation', async () => {
    expect(await s.ask('update-reservation', one)).toEqual({
      result: 'error',
      message: "must provide 'reservation-id' parameter",
    })
  })
})

describe('a key that there is not', () => {
  const body = { ...one, bogus: 1, capacity: { cores: 1, rams: 5 }, constructor: 2 }
  const told = ['bogus', 'capacity.rams', 'constructor']

  it('is ignored, and the answer says so, inside objects too', async () => {
    const { json } = await create(body)
    expect(json).toMatchObject({ result: 'ok' })
    expect(json.warnings.sort()).toEqual(told.map(key => `there is no parameter '${key}': it was ignored`))
    expect((await create(one)).json.warnings).toBeUndefined()
  })

  it.each(['handling=strict', 'respond-async, handling=strict'])(
    'is a 400 with Prefer: %s, and nothing is reserved',
    async prefer => {
      const before = (await s.ask('query-reservation', {})).reservations
      const reply = await create(body, { prefer })
      expect([reply.status, reply.json]).toEqual([
        400,
        message400(/^there is no such parameter: (bogus|capacity\.rams|constructor)(, |$)/),
      ])
      expect((await s.ask('query-reservation', {})).reservations).toEqual(before)
      expect((await create(one, { prefer })).json).toMatchObject({ result: 'ok' })
    },
  )

  it('is none of the eleven amounts, of the window or of the elements', async () => {
    const asked = { window: { start: null, end: null, scope: null }, elements: { some: [], every: [] } }
    expect((await s.ask('query-reservation', asked)).warnings).toBeUndefined()
    const { warnings } = await s.ask('query-reservation', {
      window: { from: null },
      elements: { any: [] },
    })
    expect(warnings).toHaveLength(2)
  })
})

describe('a choice', () => {
  it.each([
    [
      'query-capacity',
      { capacity: 'bogus' },
      /^'capacity' must be one of total, reserved, usage, available$/,
    ],
    ['query-reservation', { window: { scope: 'bogus' } }, /^'scope' must be one of inclusive, exclusive$/],
    ['query-reservation', { 'show-utilization': 'no' }, /^'show-utilization' must be true or false$/],
    ['query-reservation', { 'show-utilization': 0 }, /^'show-utilization' must be true or false$/],
    ['add-provider', { 'provider-type': 'nope' }, /^'provider-type' must be one of openstack, hp, /],
    ['add-provider', { strategy: 'nope' }, /^'strategy' must be one of keystone, oauth$/],
    ['create-reservation', { guarantee: 'maybe' }, /^'guarantee' must be one of aggregate, placed$/],
    ['query-capacity', { limit: 0 }, /^'limit' must be a whole number from 1 to 1000, not 0$/],
    ['query-capacity', { points: 1001 }, /^'points' must be a whole number from 1 to 1000, not 1001$/],
    ['query-capacity', { marker: 'x' }, /^'marker' must be the last collection of the page before$/],
    ['query-capacity', { window: 'x' }, /^'window' must be an object, not a string$/],
    ['query-capacity', { elements: [] }, /^'elements' must be an object, not an array$/],
    ['query-capacity', { without: [{}] }, /^'without' must be a string, not an object$/],
    ['query-capacity', { without: Array(1001).fill('x') }, /^'without' has more than 1000 items$/],
    ['create-instance', { flavor: 'x' }, /^'image' is required$/],
    ['create-instance', { image: 'x' }, /^'flavor' is required$/],
  ])('that there is not is a 400: %s %j', async (operation, body, sentence) => {
    const reply = await s.reply(operation, { body })
    expect([reply.status, reply.json]).toEqual([400, message400(sentence)])
  })

  it.each(['hp', 'rackspace', 'amazon', 'joyent', 'azure'])(
    'of the type %s is an error: it is not offered',
    async type => {
      expect(await s.ask('add-provider', s.providerBody({ 'provider-type': type }))).toEqual({
        result: 'error',
        message: `provider-type ${type} is not offered: only openstack is`,
      })
    },
  )

  it('true and false may be texts', async () => {
    const { utilization } = await s.ask('query-capacity', { 'show-utilization': 'false' })
    expect(utilization).toEqual([])
    expect((await s.ask('query-capacity', { 'show-utilization': 'true' })).utilization).not.toEqual([])
  })
})

describe('add-provider', () => {
  it.each(['username', 'password', 'endpoint'])('without %s is a 400, and nobody is called', async key => {
    const calls = w.cloud.faults.calls({ path: '/v3/auth/tokens' })
    const reply = await s.reply('add-provider', { body: s.providerBody({ [key]: undefined }) })
    expect([reply.status, reply.json]).toEqual([400, message400(new RegExp(`^'${key}' is required$`))])
    expect(w.cloud.faults.calls({ path: '/v3/auth/tokens' })).toBe(calls)
  })

  it('takes the project by the names of the later release', async () => {
    const body = s.providerBody({
      tenant: undefined,
      project: { name: 'admin', 'domain-name': 'Default' },
      'user-domain-name': 'Default',
    })
    const answer = await s.ask('add-provider', body)
    expect(answer).toEqual({
      'provider-id': expect.any(String),
      result: 'ok',
      guarantee: 'aggregate',
      warnings: [expect.stringContaining('has the role admin')],
    })
    expect(await s.ask('remove-provider', { 'provider-id': answer['provider-id'] })).toMatchObject({
      result: 'ok',
    })
  })

  it('with a wrong password is an error that says no more than that', async () => {
    expect(await s.ask('add-provider', s.providerBody({ password: 'wrong' }))).toEqual({
      result: 'error',
      message: 'The provider’s Keystone refuses the credentials',
    })
  })

  it.each(['http://169.254.169.254/v2.0', 'file:///etc/passwd', 'http://127.0.0.1:1/v3', 'nothing'])(
    'of %s, which nobody allowed, is an error',
    async endpoint => {
      const answer = await s.ask('add-provider', s.providerBody({ endpoint }))
      expect(answer).toMatchObject({ result: 'error', message: expect.stringContaining('may not be called') })
    },
  )
})

describe('remove-provider', () => {
  it('with anything promised of it is a conflict', async () => {
    await create(one)
    expect(await s.ask('remove-provider', { 'provider-id': provider })).toMatchObject({
      result: 'conflict',
      message: expect.stringMatching(/cancel and destroy them first$/),
    })
  })
})

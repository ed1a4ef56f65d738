// What requests may say, many at once, and a restart: A17, A19 and A20.

import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { createApp, openCloud } from '../../src/compose.ts'
import { openProviders } from '../../src/configured.ts'
import { openDatabase } from '../../src/store/database.ts'
import { amounts, hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
beforeEach(() => s.clear())

const now = (hours = 0) => hoursFrom(w.app.now(), hours)
const ids = async (): Promise<string[]> => (await s.ask('query-reservation', {})).reservations

describe('A17 amounts that are none', () => {
  it.each([
    ['negative', '-1'],
    ['fractional', '1.5'],
    ['hexadecimal', '"0x10"'],
    ['negative as a text', '"-1"'],
    ['with its unit', '"5 cores"'],
    ['an empty text', '""'],
    ['beyond 2147483647', '2147483648'],
    ['beyond all', '1e400'],
    ['beyond all as a text', '"99999999999999999999"'],
    ['an exponent as a text', '"1e3"'],
    ['a boolean', 'true'],
    ['a list', '[1]'],
    ['an object', '{}'],
    ['NaN', 'NaN'],
  ])('%s is a 400 that says so, and nothing is reserved: %s', async (_what, cores) => {
    await s.promised({ cores: 20 })
    const reply = await s.reply('create-reservation', { raw: `{"capacity": {"cores": ${cores}, "ram": 0}}` })
    expect([reply.status, reply.json]).toEqual([
      400,
      {
        result: 'error',
        message: expect.stringMatching(/'cores' must be a whole number|at line 1, column/),
        error: reply.json.message,
      },
    ])
    expect(await ids()).toEqual([])
  })

  it('2147483647 is an amount, and nobody has so much', async () => {
    await s.promised({ cores: 20 })
    const answer = await s.ask('create-reservation', { capacity: { cores: 2147483647 } })
    expect(answer).toMatchObject({ result: 'conflict', available: { cores: 20 } })
  })

  it('a key twice is a 400: which of the two is never guessed', async () => {
    await s.promised({ cores: 20 })
    const raw = '{"capacity": {"cores": 1}, "capacity": {"cores": 2}}'
    const reply = await s.reply('create-reservation', { raw })
    expect(reply.status).toBe(400)
    expect(reply.json.message).toMatch(/the key "capacity" a second time at line 1, column 28$/)
    expect(await ids()).toEqual([])
  })

  it.each(['input', 'opnfv-promise:input'])('the wrapper %s is taken off', async wrapper => {
    await s.promised({ cores: 20 })
    const answer = await s.ask('create-reservation', { [wrapper]: { capacity: { cores: 1 } } })
    expect(answer).toMatchObject({ result: 'ok' })
    expect(await ids()).toEqual([answer['reservation-id']])
  })
})

describe('A19 many at once for the last unit', () => {
  it('20 reservations of it: exactly one is ok, the others are conflicts', async () => {
    await s.promised({ instances: 1 })
    const body = { start: now(1), end: now(2), capacity: { instances: 1 } }
    const answers = await Promise.all(Array.from({ length: 20 }, () => s.ask('create-reservation', body)))
    const results = answers.map(answer => answer.result as string)
    expect(results.filter(result => result === 'ok')).toHaveLength(1)
    expect(results.filter(result => result === 'conflict')).toHaveLength(19)
    expect(await ids()).toHaveLength(1)
  })

  it('20 instances of a reservation for one: exactly one is ok', async () => {
    await s.promised({ cores: 20, ram: 51200, instances: 20 })
    const capacity = { cores: 1, ram: 512, instances: 1 }
    const id = (await s.ask('create-reservation', { capacity }))['reservation-id']
    const body = s.instanceBody({ 'reservation-id': id })
    const answers = await Promise.all(Array.from({ length: 20 }, () => s.ask('create-instance', body)))
    expect(answers.filter(answer => answer.result === 'ok')).toHaveLength(1)
    expect(answers.filter(answer => answer.result === 'conflict')).toHaveLength(19)
    expect((await s.read(`/promise/reservations/${id}`)).remaining).toEqual(amounts())
    expect(w.nova('Pod1').servers()).toHaveLength(1)
  })

  it('20 updates of two reservations that fit one at a time: never both', async () => {
    await s.promised({ cores: 10 })
    const window = { start: now(1), end: now(2) }
    const made: string[] = []
    for (let n = 0; n < 2; n++) {
      const answer = await s.ask('create-reservation', { ...window, capacity: { cores: 1 } })
      made.push(answer['reservation-id'])
    }
    const change = (id: string, cores: number) =>
      s.ask('update-reservation', { 'reservation-id': id, capacity: { cores } })
    await Promise.all(Array.from({ length: 20 }, (_none, n) => change(made[n % 2]!, n % 4 < 2 ? 9 : 1)))
    const held = await Promise.all(
      made.map(async id => (await s.read(`/promise/reservations/${id}`)).capacity),
    )
    expect(held[0].cores + held[1].cores).toBeLessThanOrEqual(10)
  })
})

describe('A20 a restart', () => {
  const tree = async (ask: (path: string) => Promise<{ json: unknown }>) =>
    Promise.all(
      ['promise', 'promise/reservations', 'promise/capacity'].map(
        async path => (await ask(`/restjson/opnfv-promise/${path}`)).json,
      ),
    )

  it('all records are as they were, and go on', async () => {
    w.setTime(new Date('2020-03-01T00:00:00Z'))
    const provider = await s.promised({ cores: 20, ram: 51200, instances: 10 })
    const capacity = { cores: 5, ram: 5120, instances: 3 }
    const id = (await s.ask('create-reservation', { capacity }))['reservation-id']
    for (const more of [{}, { 'reservation-id': id }]) await s.ask('create-instance', s.instanceBody(more))
    const before = await tree(path => w.call('GET', path))

    const log = pino({ level: 'silent' })
    const database = openDatabase(w.databaseUrl, { connections: 5, name: 'again', onError: () => {} })
    const cloud = openCloud(w.config)
    const providers = openProviders(w.config, w.databaseUrl, log)
    try {
      const app = { ...createApp(w.config, database, cloud.regions, log, providers), now: w.app.now }
      await using again = await w.listen({ app, database })
      const headers = { 'x-auth-token': await w.token('admin'), accept: 'application/json' }
      expect(await tree(path => again.ask(path, { headers }))).toEqual(before)
      const body = JSON.stringify(s.instanceBody({ 'reservation-id': id, 'provider-id': provider }))
      const made = await again.ask('/promise/create-instance', { method: 'POST', headers, body })
      expect(made.json).toMatchObject({ result: 'ok' })
    } finally {
      await providers.close()
      await cloud.close()
      await database.close()
    }
    expect(await s.read(`/promise/reservations/${id}`)).toMatchObject({ remaining: { instances: 1 } })
  })
})

// Another project's reservations and instances: not there for anybody but their project and admins, whatever is asked.

import { beforeAll, describe, expect, it } from 'vitest'
import { tokenWith } from '../api/people.ts'
import { rowCounts } from '../api/requests.ts'
import { amounts, promisesOf } from '../world/promises.ts'
import { type Ask, fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let owner: Ask
let stranger: Ask
let reader: Ask
let pool: string
let reservation: string
let later: string
let drawn: string
let free: string
let server: string
/** What a stranger was answered before there was anything, by what was asked. */
let before: Record<string, unknown>

const reads = ['', '/promise', '/promise/pools', '/promise/reservations', '/promise/allocations']
const metrics = ['total', 'reserved', 'usage'] as const
const queries: [string, object][] = [
  ['query-reservation', {}],
  ['query-reservation', { window: { start: '2020-01-01T00:00:00Z' } }],
  [
    'query-reservation',
    { window: { start: '2020-01-01T00:00:00Z', end: '2098-01-01T00:00:00Z', scope: 'exclusive' } },
  ],
  ...metrics.map(capacity => ['query-capacity', { capacity }] as [string, object]),
]

/** All that a stranger can ask, but for what is available to everybody. */
async function allAsked(): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {}
  for (const path of reads) answers[path] = withoutAvailable(await s.read(path, stranger))
  for (const metric of metrics) answers[metric] = await s.read(`/promise/capacity/${metric}`, stranger)
  for (const [operation, body] of queries)
    answers[`${operation} ${JSON.stringify(body)}`] = await s.ask(operation, body, stranger)
  return answers
}

const withoutAvailable = (tree: object): unknown =>
  JSON.parse(JSON.stringify(tree, (key, value) => (key === 'available' ? undefined : value)))

beforeAll(async () => {
  owner = { as: { token: tokenWith(w, 'owner', ['member']) } }
  stranger = { as: { token: tokenWith(w, 'stranger', ['member']) } }
  reader = { as: { token: tokenWith(w, 'watcher', ['reader']) } }
  w.setTime(new Date('2020-03-01T00:00:00Z'))
  const provider = await s.promised({ cores: 20, ram: 51200, instances: 10 })
  pool = (await s.read('/promise/pools'))[0].id
  before = await allAsked()
  const make = async (operation: string, body: object, id: string): Promise<string> => {
    const answer = await s.ask(operation, body, owner)
    expect(answer).toMatchObject({ result: 'ok' })
    return answer[id]
  }
  const capacity = { cores: 5, ram: 5120, instances: 3 }
  free = await make('create-instance', s.instanceBody({ 'provider-id': provider }), 'instance-id')
  server = (await s.read(`/promise/allocations/${free}`))['instance-ref'].server
  const elements = [`ServerInstance:${server}`]
  reservation = await make('create-reservation', { capacity, elements }, 'reservation-id')
  drawn = await make('create-instance', s.instanceBody({ 'reservation-id': reservation }), 'instance-id')
  w.setTime(new Date('2020-03-01T00:00:01Z'))
  later = await make('create-reservation', { capacity: { cores: 1 } }, 'reservation-id')
  w.setTime(new Date('2020-03-01T00:00:00Z'))
})

describe('a stranger', () => {
  it('reads and is told the same as when there was nothing', async () => {
    expect(await allAsked()).toEqual(before)
  })

  it('sees what is available, and of whom it is counted nothing', async () => {
    const { collections, utilization } = await s.ask('query-capacity', {}, stranger)
    expect(collections).toEqual([`ResourcePool:${pool}`])
    expect(utilization[0]).toEqual({
      timestamp: '2020-03-01T00:00:00.000Z',
      count: 1,
      capacity: amounts({ cores: 14, ram: 45568, instances: 6 }),
    })
    expect(utilization.every((point: { count: number }) => point.count === 1)).toBe(true)
    expect(await s.read('/promise/capacity', stranger)).toMatchObject({
      reserved: amounts(),
      usage: amounts(),
    })
  })

  it('leaves nothing out of it by another’s id', async () => {
    const plain = await s.ask('query-capacity', {}, stranger)
    const without = [reservation, `ResourceReservation:${later}`, free, `ResourceAllocation:${drawn}`]
    expect(await s.ask('query-capacity', { without }, stranger)).toEqual(plain)
  })

  it('finds nothing by another’s server', async () => {
    for (const elements of [{ some: [server] }, { every: [server] }, { some: [`ServerInstance:${server}`] }])
      for (const capacity of [...metrics, 'available'])
        expect(await s.ask('query-capacity', { capacity, elements }, stranger)).toEqual({
          collections: [],
          utilization: [],
        })
  })

  it('begins no page after another’s id: it is as one that there never was', async () => {
    const never = 'f6f7d56a-4740-48fe-b197-42a7001beb95'
    for (const id of [reservation, later])
      for (const operation of ['query-reservation', 'query-capacity']) {
        const ask = (one: string) => s.ask(operation, { marker: `ResourceReservation:${one}` }, stranger)
        expect(await ask(id)).toEqual(await ask(never))
      }
    for (const [list, id] of [
      ['reservations', reservation],
      ['allocations', free],
    ])
      expect(await s.read(`/promise/${list}?marker=${id}`, stranger)).toEqual(
        await s.read(`/promise/${list}?marker=${never}`, stranger),
      )
  })

  const noReservation = { result: 'error', message: 'no reservation found for specified identifier' }
  const noInstance = { result: 'error', message: 'no allocation found for specified identifier' }
  const noValid = { result: 'error', message: 'no valid reservation found for specified identifier' }
  it.each<[string, () => object, object]>([
    ['update-reservation', () => ({ 'reservation-id': reservation, capacity: { cores: 1 } }), noReservation],
    ['update-reservation', () => ({ 'reservation-id': later, capacity: { cores: 999 } }), noReservation],
    ['cancel-reservation', () => ({ 'reservation-id': reservation }), noReservation],
    ['destroy-instance', () => ({ 'instance-id': free }), noInstance],
    ['destroy-instance', () => ({ 'instance-id': drawn }), noInstance],
    ['query-instance', () => ({ 'instance-id': drawn }), noInstance],
    ['create-instance', () => s.instanceBody({ 'reservation-id': reservation }), noValid],
    ['create-instance', () => s.instanceBody({ 'reservation-id': later }), noValid],
  ])('is told by %s that there is no such thing, and changes nothing', async (operation, body, refusal) => {
    const counts = await rowCounts(w)
    const things = [await s.read('/promise/reservations', owner), await s.read('/promise/allocations', owner)]
    expect(await s.ask(operation, body(), stranger)).toEqual(refusal)
    expect(await rowCounts(w)).toEqual(counts)
    expect([
      await s.read('/promise/reservations', owner),
      await s.read('/promise/allocations', owner),
    ]).toEqual(things)
  })

  it('reserves no element of another’s', async () => {
    const answer = await s.ask('create-reservation', { elements: [server] }, stranger)
    expect(answer).toEqual({ result: 'error', message: `no element found for ${server}` })
  })

  it.each(['reservations', 'allocations'])('finds none of the %s by its id in the tree', async list => {
    for (const id of [reservation, later, free, drawn])
      expect((await w.call('GET', `/promise/promise/${list}/${id}`, stranger)).status).toBe(404)
  })
})

describe('everybody but admins', () => {
  it.each(['add-provider', 'remove-provider', 'increase-capacity', 'decrease-capacity'])(
    'is refused %s',
    async operation => {
      for (const who of [owner, stranger, reader])
        expect((await s.reply(operation, { body: {}, ...who })).status).toBe(403)
    },
  )

  it('who may only read makes nothing', async () => {
    for (const operation of [
      'create-reservation',
      'update-reservation',
      'cancel-reservation',
      'create-instance',
      'destroy-instance',
    ])
      expect((await s.reply(operation, { body: {}, ...reader })).status).toBe(403)
    expect((await s.reply('query-reservation', { body: {}, ...reader })).status).toBe(200)
  })
})

describe('the project itself, and admins', () => {
  it('see all of it', async () => {
    for (const who of [owner, { as: 'admin' } as Ask]) {
      expect((await s.ask('query-reservation', {}, who)).reservations).toEqual([reservation, later])
      const { collections } = await s.ask('query-capacity', { capacity: 'usage' }, who)
      expect(collections.toSorted()).toEqual([free, drawn].map(id => `ResourceAllocation:${id}`).toSorted())
      expect(await s.read('/promise/capacity', who)).toMatchObject({
        reserved: { cores: 4, instances: 2 },
        usage: { cores: 2, instances: 2 },
      })
    }
    const { utilization } = await s.ask('query-reservation', {}, owner)
    expect(utilization[0]).toMatchObject({ count: 1, capacity: { cores: 5, ram: 5120, instances: 3 } })
    const found = await s.ask('query-reservation', { elements: { some: [server] } }, owner)
    expect(found.reservations).toEqual([reservation])
  })
})

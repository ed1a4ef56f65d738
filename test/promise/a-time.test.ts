// Windows of reservations, to the millisecond and not to the day: A7 to A10, A15 and A16.

import { beforeEach, describe, expect, it } from 'vitest'
import { promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let provider: string
beforeEach(async () => {
  await s.clear()
  w.setTime(new Date('2020-03-01T00:00:00Z'))
  provider = await s.promised({ cores: 20 })
})

const reserve = (start: string, end: string, cores = 15) =>
  s.ask('create-reservation', { start, end, capacity: { cores } })

describe('A7 the same day', () => {
  it('15 of 20 cores from 10 to 12 and again from 11 to 13: the second is a conflict', async () => {
    expect(await reserve('2020-03-05T10:00:00Z', '2020-03-05T12:00:00Z')).toMatchObject({ result: 'ok' })
    expect(await reserve('2020-03-05T11:00:00Z', '2020-03-05T13:00:00Z')).toMatchObject({
      result: 'conflict',
      message:
        'requested cores=15 exceeds available 5 between 2020-03-05T11:00:00.000Z and 2020-03-05T12:00:00.000Z',
    })
  })
})

describe('A8 windows that touch', () => {
  it('15 of 20 cores from 10 to 12 and from 12 to 14: both are ok', async () => {
    expect(await reserve('2020-03-05T10:00:00Z', '2020-03-05T12:00:00Z')).toMatchObject({ result: 'ok' })
    expect(await reserve('2020-03-05T12:00:00Z', '2020-03-05T14:00:00Z')).toMatchObject({ result: 'ok' })
  })

  it('a millisecond more, and the second is a conflict', async () => {
    await reserve('2020-03-05T10:00:00Z', '2020-03-05T12:00:00.001Z')
    expect(await reserve('2020-03-05T12:00:00Z', '2020-03-05T14:00:00Z')).toMatchObject({
      result: 'conflict',
    })
  })
})

describe('A9 overnight', () => {
  beforeEach(async () => {
    expect(await reserve('2020-03-05T10:00:00Z', '2020-03-06T01:00:00Z')).toMatchObject({ result: 'ok' })
  })

  it('from 10:00 to 01:00 the next day, then from 00:30 to 02:00 that day: a conflict', async () => {
    expect(await reserve('2020-03-06T00:30:00Z', '2020-03-06T02:00:00Z')).toMatchObject({
      result: 'conflict',
    })
  })

  it('from 01:00 to 02:00 that day: ok', async () => {
    expect(await reserve('2020-03-06T01:00:00Z', '2020-03-06T02:00:00Z')).toMatchObject({ result: 'ok' })
  })

  it('from 01:00 to 02:00 the first day: ok', async () => {
    expect(await reserve('2020-03-05T01:00:00Z', '2020-03-05T02:00:00Z')).toMatchObject({ result: 'ok' })
  })
})

describe('A10 times with an offset', () => {
  it('are instants: 12:00+02:00 is 10:00Z', async () => {
    const answer = await reserve('2020-03-05T08:00:00Z', '2020-03-05T12:00:00+02:00')
    const record = await s.read(`/promise/reservations/${answer['reservation-id']}`)
    expect(record.end).toBe('2020-03-05T10:00:00.000Z')
    expect(await reserve('2020-03-05T10:00:00Z', '2020-03-05T11:00:00Z')).toMatchObject({ result: 'ok' })
    expect(await reserve('2020-03-05T11:59:00+02:00', '2020-03-05T10:30:00Z')).toMatchObject({
      result: 'conflict',
    })
  })

  it('cross the end of a day and of a year', async () => {
    await reserve('2020-12-31T23:00:00-05:00', '2021-01-01T01:00:00-05:00')
    expect(await reserve('2021-01-01T05:30:00Z', '2021-01-01T05:31:00Z')).toMatchObject({
      result: 'conflict',
    })
    expect(await reserve('2021-01-01T03:30:00Z', '2021-01-01T04:00:00Z')).toMatchObject({ result: 'ok' })
  })
})

describe('A15 without', () => {
  it.each(['', 'ResourceReservation:'])('leaves out a reservation by its id, written %s…', async type => {
    const one = (await reserve('2020-03-05T10:00:00Z', '2020-03-05T12:00:00Z'))['reservation-id']
    const other = (await reserve('2020-03-05T12:00:00Z', '2020-03-05T14:00:00Z'))['reservation-id']
    expect(await s.ask('query-reservation', { without: [`${type}${one}`] })).toMatchObject({
      reservations: [other],
    })
    // One that is no list is a list of one.
    expect((await s.ask('query-reservation', { without: `${type}${other}` })).reservations).toEqual([one])
    const { collections, utilization } = await s.ask('query-capacity', { without: [`${type}${one}`] })
    expect(collections).not.toContain(`ResourceReservation:${one}`)
    expect(collections).toContain(`ResourceReservation:${other}`)
    const levels = utilization.map((point: { capacity: { cores: number } }) => point.capacity.cores)
    // What it held is available in this question; the instants at which it would have held it stay in the curve.
    expect(levels).toEqual([20, 20, 5, 20])
  })

  it.each(['', 'ResourcePool:'])('leaves out a pool by its id, written %s…', async type => {
    const [pool] = await s.read('/promise/pools')
    const answer = await s.ask('query-capacity', { capacity: 'total', without: [`${type}${pool.id}`] })
    expect(answer).toEqual({ collections: [], utilization: [] })
  })
})

describe('A16 a window with a start', () => {
  it('has the pools that have no end', async () => {
    const [pool] = await s.read('/promise/pools')
    const window = { start: '2020-03-05T10:00:00Z' }
    for (const capacity of ['total', 'available']) {
      const { collections, utilization } = await s.ask('query-capacity', { capacity, window })
      expect(collections).toEqual([`ResourcePool:${pool.id}`])
      expect(utilization).toMatchObject([
        { timestamp: '2020-03-05T10:00:00.000Z', count: 1, capacity: { cores: 20 } },
      ])
    }
  })

  it('has nothing that began and ended before, and what ends just then', async () => {
    const ids = [
      await reserve('2020-03-05T08:00:00Z', '2020-03-05T09:00:00Z'),
      await reserve('2020-03-05T09:00:00Z', '2020-03-05T10:00:00Z'),
    ].map(answer => answer['reservation-id'])
    const { reservations } = await s.ask('query-reservation', { window: { start: '2020-03-05T10:00:00Z' } })
    expect(reservations).toEqual([ids[1]])
  })

  it('that is exclusive has what lies in it whole, and no pool without an end once it has an end', async () => {
    const inside = (await reserve('2020-03-05T10:00:00Z', '2020-03-05T12:00:00Z'))['reservation-id']
    await reserve('2020-03-05T08:00:00Z', '2020-03-05T09:30:00Z')
    const window = { start: '2020-03-05T09:00:00Z', end: '2020-03-05T12:00:00Z', scope: 'exclusive' }
    expect((await s.ask('query-reservation', { window })).reservations).toEqual([inside])
    expect((await s.ask('query-capacity', { capacity: 'total', window })).collections).toEqual([])
    expect(provider).toBeDefined()
  })
})

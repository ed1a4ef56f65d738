// The life of a reservation and of what is made of it: A1 to A5, A11 and A12.

import { beforeEach, describe, expect, it } from 'vitest'
import { until } from '../wait.ts'
import { amounts, hourMs, hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true, settings: { ATOLL_PROMISES_EXPIRY_MINUTES: '10' } })
const s = promisesOf(w)
beforeEach(() => s.clear())

const now = (hours = 0) => hoursFrom(w.app.now(), hours)
const { reserve, audited } = s
const available = async () => s.read('/promise/capacity/available')

describe('A1 the use case of the documentation', () => {
  it('monitors, reserves ahead, moves the start to now and allocates with the id right after it', async () => {
    const provider = await s.promised({ cores: 4, ram: 4096, instances: 4 })
    const { utilization } = await s.ask('query-capacity', { capacity: 'available' })
    expect(utilization.at(-1).capacity).toEqual(amounts({ cores: 4, ram: 4096, instances: 4 }))
    const capacity = { cores: 1, ram: 512, instances: 1 }
    const id = await reserve({ start: now(24), end: now(48), capacity })
    const body = s.instanceBody({ 'provider-id': provider, 'reservation-id': id })
    expect(await s.ask('create-instance', body)).toEqual({
      result: 'error',
      message: 'reservation is currently not active',
    })
    expect(await s.ask('update-reservation', { 'reservation-id': id, start: now() })).toMatchObject({
      result: 'ok',
    })
    expect(await s.ask('create-instance', body)).toMatchObject({ result: 'ok' })
    expect(await s.read(`/promise/reservations/${id}`)).toMatchObject({ capacity, remaining: amounts() })
  })
})

describe('A2 a reservation for immediate use of which nothing is made', () => {
  it('is given back when it expires: the capacity is available again, and the trail says why', async () => {
    w.setTime(new Date(Date.now() - 11 * 60_000))
    await s.promised({ cores: 4 })
    const unused = await reserve({ end: now(20), capacity: { cores: 1 } })
    w.setTime(null)
    const lasting = await reserve({ capacity: { cores: 2 } })
    expect((await available()).cores).toBe(1)
    await w.startWork()
    await until(async () => (await s.ask('query-reservation', {})).reservations.length === 1, {
      what: 'one is left',
    })
    expect((await s.ask('query-reservation', {})).reservations).toEqual([lasting])
    expect((await available()).cores).toBe(2)
    expect(await audited('reservation.expire')).toEqual([unused])
    expect(await s.ask('cancel-reservation', { 'reservation-id': unused })).toEqual({
      result: 'error',
      message: 'no reservation found for specified identifier',
    })
  })

  it('does not expire once an instance has been made of it', async () => {
    await s.promised({ cores: 4, ram: 4096, instances: 4 })
    const id = await reserve({ start: now(-1), end: now(20), capacity: { cores: 1, ram: 512, instances: 1 } })
    await s.ask('create-instance', s.instanceBody({ 'reservation-id': id }))
    await w.startWork()
    await until(
      async () => {
        const rows = await w.query(
          `select from turn where kind = 'capacity-reservation' and due_at > now() + interval '1 hour'`,
        )
        return rows.length === 1
      },
      { what: 'it has come about' },
    )
    expect((await s.ask('query-reservation', {})).reservations).toEqual([id])
  })

  it('is over at its end, and what it held is available from then on', async () => {
    w.setTime(new Date(Date.now() - hourMs))
    await s.promised({ cores: 4 })
    const id = await reserve({ start: now(0.9), end: now(0.95), capacity: { cores: 1 } })
    w.setTime(null)
    await w.startWork()
    await until(async () => (await audited('reservation.end')).includes(id), { what: 'its end is noted' })
    expect((await available()).cores).toBe(4)
    expect(await s.read(`/promise/reservations/${id}`)).toMatchObject({ active: false })
  })
})

describe('A3 an instance without a reservation and without an end', () => {
  it('is a conflict where a later reservation needs what it would take', async () => {
    await s.promised({ cores: 1, ram: 4096, instances: 4 })
    await reserve({ start: now(7), end: now(8), capacity: { cores: 1 } })
    expect(await s.ask('create-instance', s.instanceBody())).toMatchObject({
      result: 'conflict',
      message: expect.stringMatching(/^required cores=1 exceeds available 0 between /),
      available: { cores: 0, ram: 4096 },
    })
    expect(w.nova('Pod1').servers()).toEqual([])
  })
})

describe('A4 how many of a flavor fit', () => {
  it('is told by query-capacity, at present and in a window', async () => {
    await s.promised({ cores: 5, ram: 1536, instances: 10 })
    expect(await s.ask('query-capacity', { flavor: s.flavor })).toMatchObject({ fits: 3 })
    await reserve({ start: now(7), end: now(8), capacity: { ram: 1024 } })
    expect(await s.ask('query-capacity', { flavor: 'promise.tiny' })).toMatchObject({ fits: 1 })
    const window = { start: now(8), end: now(9) }
    const { fits } = await s.ask('query-capacity', { flavor: s.flavor, window })
    expect(fits).toBe(3)
    for (let n = 0; n < fits; n++)
      await reserve({ ...window, capacity: { cores: 1, ram: 512, instances: 1 } })
    expect(await s.ask('query-capacity', { flavor: s.flavor, window })).toMatchObject({ fits: 0 })
  })

  it('of a flavor that there is not is an error', async () => {
    await s.promised({ cores: 5 })
    expect(await s.ask('query-capacity', { flavor: 'none' })).toEqual({
      result: 'error',
      message: 'no such flavor found for specified identifier: none',
    })
  })
})

describe('A5 a refusal', () => {
  it('carries the most that can be had in the window, and it can be had', async () => {
    await s.promised({ cores: 20, ram: 51200, instances: 10 })
    await reserve({ start: now(2), end: now(6), capacity: { cores: 12, ram: 1024 } })
    const window = { start: now(1), end: now(5) }
    const refused = await s.ask('create-reservation', { ...window, capacity: { cores: 9, ram: 512 } })
    expect(refused).toMatchObject({
      result: 'conflict',
      available: amounts({ cores: 8, ram: 50176, instances: 10 }),
    })
    await reserve({ ...window, capacity: refused.available })
    expect(await s.ask('create-reservation', { ...window, capacity: { cores: 1 } })).toMatchObject({
      result: 'conflict',
      available: { cores: 0 },
    })
  })

  it('carries the next window of that length that fits, and it does: not a moment earlier', async () => {
    await s.promised({ cores: 20 })
    await reserve({ start: now(2), end: now(6), capacity: { cores: 12 } })
    await reserve({ start: now(7), end: now(9), capacity: { cores: 12 } })
    const ask = { start: now(3), end: now(5), capacity: { cores: 9 } }
    const refused = await s.ask('create-reservation', ask)
    const next = refused['next-window']
    expect(Date.parse(next.end) - Date.parse(next.start)).toBe(Date.parse(ask.end) - Date.parse(ask.start))
    const earlier = (time: string) => new Date(Date.parse(time) - 1).toISOString()
    expect(
      await s.ask('create-reservation', { ...ask, start: earlier(next.start), end: earlier(next.end) }),
    ).toMatchObject({ result: 'conflict' })
    await reserve({ ...ask, ...next })
  })

  it('of an update counts what the reservation holds itself, and both are true again', async () => {
    await s.promised({ cores: 20 })
    await reserve({ start: now(2), end: now(6), capacity: { cores: 12 } })
    const own = await reserve({ start: now(3), end: now(5), capacity: { cores: 5 } })
    const change = { 'reservation-id': own, capacity: { cores: 9 } }
    const refused = await s.ask('update-reservation', change)
    expect(refused).toMatchObject({
      result: 'conflict',
      message: expect.stringMatching(/^requested cores=9 exceeds available 8 between /),
      available: { cores: 8 },
    })
    const most = { 'reservation-id': own, capacity: { cores: 8 } }
    expect(await s.ask('update-reservation', most)).toMatchObject({ result: 'ok' })
    const later = { ...change, ...refused['next-window'] }
    expect(await s.ask('update-reservation', later)).toMatchObject({ result: 'ok' })
  })

  it('says that no window fits what is more than there ever is', async () => {
    await s.promised({ cores: 20 })
    const refused = await s.ask('create-reservation', { end: now(1), capacity: { cores: 21 } })
    expect(refused).toMatchObject({ available: { cores: 20 }, 'next-window': null })
  })
})

describe('A11 update-reservation', () => {
  it('of the end alone keeps the capacity', async () => {
    await s.promised({ cores: 20, ram: 2048 })
    const id = await reserve({ start: now(1), end: now(2), capacity: { cores: 5, ram: 1024 } })
    const end = now(3)
    expect(await s.ask('update-reservation', { 'reservation-id': id, end })).toMatchObject({ result: 'ok' })
    const record = await s.read(`/promise/reservations/${id}`)
    expect(record).toMatchObject({ end, capacity: amounts({ cores: 5, ram: 1024 }) })
  })

  it('of one amount keeps the others, and an amount of 0 is 0', async () => {
    await s.promised({ cores: 20, ram: 2048 })
    const id = await reserve({ start: now(1), end: now(2), capacity: { cores: 5, ram: 1024 } })
    await s.ask('update-reservation', { 'reservation-id': id, capacity: { cores: 6 } })
    expect((await s.read(`/promise/reservations/${id}`)).capacity).toEqual(amounts({ cores: 6, ram: 1024 }))
    await s.ask('update-reservation', { 'reservation-id': id, capacity: { ram: 0 } })
    expect((await s.read(`/promise/reservations/${id}`)).capacity).toEqual(amounts({ cores: 6 }))
  })

  it.each([
    ['too much', 'conflict', { capacity: { cores: 21 } }],
    ['nothing at all', 'error', { capacity: { cores: 0, ram: 0 } }],
    ['an end before the start', 'error', { end: '2020-01-01T00:00:00Z' }],
    ['more than its longest', 'error', { end: '2099-01-01T00:00:00Z' }],
    ['an element that there is not', 'error', { elements: ['ServerInstance:none'] }],
    ['a zone that there is not', 'error', { zone: 'nowhere' }],
    ['hosts of its own, which it cannot have', 'error', { guarantee: 'placed' }],
  ])('to %s is refused, and nothing of it is changed', async (_what, result, change) => {
    await s.promised({ cores: 20, ram: 2048 })
    const id = await reserve({ start: now(1), end: now(2), capacity: { cores: 5, ram: 1024 } })
    const before = await s.read(`/promise/reservations/${id}`)
    const levels = await s.ask('query-capacity', {})
    expect(await s.ask('update-reservation', { 'reservation-id': id, ...change })).toMatchObject({ result })
    expect(await s.read(`/promise/reservations/${id}`)).toEqual(before)
    expect(await s.ask('query-capacity', {})).toEqual(levels)
  })

  it('below what instances have drawn is a conflict', async () => {
    await s.promised({ cores: 20, ram: 2048, instances: 4 })
    const id = await reserve({ capacity: { cores: 5, ram: 1024, instances: 2 } })
    await s.ask('create-instance', s.instanceBody({ 'reservation-id': id }))
    const change = { 'reservation-id': id, capacity: { cores: 0 } }
    expect(await s.ask('update-reservation', change)).toEqual({
      result: 'conflict',
      message: 'requested cores=0 is less than the 1 that instances have drawn',
    })
  })
})

describe('A12 cancel-reservation with instances that live', () => {
  it('charges them by themselves: what is available is never more than there is', async () => {
    await s.promised({ cores: 20, ram: 51200, instances: 10 })
    const id = await reserve({ capacity: { cores: 5, ram: 25600, instances: 3 } })
    const made: string[] = []
    for (let n = 0; n < 2; n++)
      made.push((await s.ask('create-instance', s.instanceBody({ 'reservation-id': id })))['instance-id'])
    expect(await available()).toEqual(amounts({ cores: 15, ram: 25600, instances: 7 }))
    expect(await s.ask('cancel-reservation', { 'reservation-id': id })).toMatchObject({ result: 'ok' })
    const left = amounts({ cores: 18, ram: 50176, instances: 8 })
    expect(await available()).toEqual(left)
    expect((await s.ask('query-capacity', {})).utilization.at(-1).capacity).toEqual(left)
    for (const instance of made) {
      const record = await s.read(`/promise/allocations/${instance}`)
      expect(record).toMatchObject({ priority: 'low', active: true })
      expect(record.reservation).toBeUndefined()
    }
    expect(await s.ask('create-reservation', { capacity: { cores: 19 } })).toMatchObject({
      result: 'conflict',
      available: { cores: 18 },
    })
    for (const instance of made) await s.ask('destroy-instance', { 'instance-id': instance })
  })
})

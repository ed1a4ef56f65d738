// The original's own suite, step by step against one world: TC-01 to TC-15.

import { beforeAll, describe, expect, it } from 'vitest'
import { hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const w = await fileWorld({ joined: true })
const s = promisesOf(w)

describe('the original’s own suite', () => {
  const now = new Date()
  const at = (hours: number) => hoursFrom(now, hours)
  let provider: string
  let pool: string
  let reservation: string
  let later: string
  beforeAll(() => w.setTime(now))

  const find = async (list: string, id: string) => {
    const records: { id: string }[] = await s.read(`/promise/${list}`)
    return records.find(one => one.id === id)
  }

  it('TC-01 add-provider is ok, and the provider is the one that there is', async () => {
    const answer = await s.ask('add-provider', s.providerBody())
    expect(answer).toMatchObject({ 'provider-id': expect.stringMatching(uuid), result: 'ok' })
    provider = answer['provider-id']
    expect(await s.read('/promise/providers')).toHaveLength(1)
    expect(await find('providers', provider)).toMatchObject({ name: 'admin' })
  })

  it('TC-02 increase-capacity of 20 cores, 51200 MB, 10 instances and 10 addresses makes a pool', async () => {
    const capacity = { cores: 20, ram: 51200, instances: 10, addresses: 10 }
    const answer = await s.ask('increase-capacity', { source: provider, capacity })
    expect(answer).toEqual({
      'pool-id': expect.stringMatching(uuid),
      result: 'ok',
      message: 'capacity increase successful',
    })
    pool = answer['pool-id']
    expect(await s.read('/promise/pools')).toHaveLength(1)
    expect(await find('pools', pool)).toMatchObject({ capacity, source: provider, active: true })
  })

  it('TC-03 query-capacity of the total names the pool, with a utilization', async () => {
    const { collections, utilization } = await s.ask('query-capacity', { capacity: 'total' })
    expect(collections).toEqual([`ResourcePool:${pool}`])
    expect(utilization).toEqual([
      {
        timestamp: now.toISOString(),
        count: 1,
        capacity: expect.objectContaining({ cores: 20, ram: 51200 }),
      },
    ])
  })

  it('TC-04 create-instance without a reservation is ok, with a low priority', async () => {
    const answer = await s.ask('create-instance', s.instanceBody({ 'provider-id': provider }))
    expect(answer).toEqual({
      'instance-id': expect.stringMatching(uuid),
      result: 'ok',
      message: 'create-instance request accepted',
    })
    expect(await s.read('/promise/allocations')).toHaveLength(1)
    expect(await find('allocations', answer['instance-id'])).toMatchObject({
      'instance-ref': { provider, server: expect.stringMatching(uuid) },
      priority: 'low',
    })
  })

  it('TC-05 create-reservation of 5 cores, 25600 MB, 3 addresses and 3 instances from now is ok', async () => {
    const capacity = { cores: 5, ram: 25600, addresses: 3, instances: 3 }
    const answer = await s.ask('create-reservation', { capacity })
    expect(answer).toMatchObject({
      'reservation-id': expect.stringMatching(uuid),
      result: 'ok',
      message: 'reservation request accepted',
    })
    reservation = answer['reservation-id']
    expect((await s.ask('query-reservation', {})).reservations).toEqual([reservation])
    expect(await find('reservations', reservation)).toMatchObject({ capacity, active: true, pools: [pool] })
  })

  it('TC-06 create-instance with the reservation is drawn on it, with a high priority', async () => {
    const body = s.instanceBody({ 'provider-id': provider, 'reservation-id': reservation })
    const answer = await s.ask('create-instance', body)
    expect(answer.result).toBe('ok')
    const id = answer['instance-id']
    expect(await find('allocations', id)).toMatchObject({ reservation, priority: 'high' })
    expect(await find('reservations', reservation)).toMatchObject({
      allocations: [id],
      remaining: { cores: 4, ram: 25088, instances: 2, addresses: 3 },
    })
  })

  it('TC-07 create-reservation from 7 to 8 hours ahead is ok', async () => {
    const capacity = { cores: 1, ram: 12800, addresses: 1, instances: 1 }
    const answer = await s.ask('create-reservation', { start: at(7), end: at(8), capacity })
    expect(answer.result).toBe('ok')
    later = answer['reservation-id']
    expect((await s.ask('query-reservation', {})).reservations.toSorted()).toEqual(
      [reservation, later].toSorted(),
    )
    expect(await find('reservations', later)).toMatchObject({ start: at(7), end: at(8), active: false })
  })

  it('TC-08 query-reservation of that window finds it', async () => {
    const { reservations } = await s.ask('query-reservation', { window: { start: at(7), end: at(8) } })
    expect(reservations).toContain(later)
  })

  it('TC-09 update-reservation to 3 cores, 2 addresses and 2 instances is ok', async () => {
    const capacity = { cores: 3, ram: 12800, addresses: 2, instances: 2 }
    const answer = await s.ask('update-reservation', { 'reservation-id': later, capacity })
    expect(answer).toEqual({ result: 'ok', message: 'reservation update successful' })
    expect(await find('reservations', later)).toMatchObject({ capacity })
  })

  it('TC-10 cancel-reservation is ok, and it is gone', async () => {
    const answer = await s.ask('cancel-reservation', { 'reservation-id': later })
    expect(answer).toEqual({ result: 'ok', message: 'reservation canceled' })
    expect(await find('reservations', later)).toBeUndefined()
    expect((await s.ask('query-reservation', {})).reservations).toEqual([reservation])
  })

  it('TC-11 decrease-capacity from 30 to 45 hours ahead is ok', async () => {
    const capacity = { cores: 5, ram: 17920, instances: 5 }
    const answer = await s.ask('decrease-capacity', {
      source: provider,
      start: at(30),
      end: at(45),
      capacity,
    })
    expect(answer).toEqual({
      'pool-id': expect.stringMatching(uuid),
      result: 'ok',
      message: 'capacity decrease successful',
    })
    expect(await find('pools', answer['pool-id'])).toMatchObject({
      capacity: { cores: -5, ram: -17920, instances: -5 },
    })
  })

  it('TC-12 (called “increase”, and a decrease) from 14 to 21 hours ahead is ok', async () => {
    const capacity = { cores: 1, ram: 3584, instances: 1 }
    const answer = await s.ask('decrease-capacity', {
      source: provider,
      start: at(14),
      end: at(21),
      capacity,
    })
    expect(answer.result).toBe('ok')
  })

  it('TC-13 query-capacity of what is available has collections and a utilization', async () => {
    const { collections, utilization } = await s.ask('query-capacity', { capacity: 'available' })
    expect(collections).toHaveLength(5)
    const shown = utilization.map((one: { timestamp: string; capacity: { instances: number } }) => [
      (Date.parse(one.timestamp) - now.getTime()) / 3_600_000,
      one.capacity.instances,
    ])
    expect(shown.slice(0, 5)).toEqual([
      [0, 6],
      [14, 5],
      [21, 6],
      [30, 1],
      [45, 6],
    ])
  })

  it('TC-14a create-reservation of 10 instances from now is a conflict: over its year there is 1, not 6', async () => {
    const capacity = { cores: 5, ram: 17920, instances: 10 }
    const answer = await s.ask('create-reservation', { capacity })
    expect(answer).toMatchObject({
      result: 'conflict',
      message: `requested ram=17920 exceeds available 7168 between ${at(30)} and ${at(45)}`,
      available: { cores: 9, ram: 7168, instances: 1 },
    })
  })

  it('TC-14b the same from 30 hours ahead is a conflict: from 30 to 45 hours there is 1 and not 6, which forgot the decrease', async () => {
    const capacity = { instances: 10 }
    const answer = await s.ask('create-reservation', { start: at(30), capacity })
    expect(answer).toMatchObject({
      result: 'conflict',
      message: `requested instances=10 exceeds available 1 between ${at(30)} and ${hoursFrom(now, 30 + 8760)}`,
      available: { instances: 1 },
    })
    const all = await s.ask('create-reservation', {
      start: at(30),
      capacity: { cores: 5, ram: 17920, instances: 10 },
    })
    expect(all).toMatchObject({ result: 'conflict', available: { cores: 9, ram: 7168, instances: 1 } })
  })

  it('TC-15 destroy-instance of every allocation is ok', async () => {
    const allocations: { id: string }[] = await s.read('/promise/allocations')
    expect(allocations).toHaveLength(2)
    for (const { id } of allocations) {
      expect(await s.ask('destroy-instance', { 'instance-id': id })).toEqual({
        result: 'ok',
        message: 'instance destroyed and resource released back to pool',
      })
    }
  })
})

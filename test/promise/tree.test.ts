// The data tree of the Promise API: read as a whole, in parts and page by page, and never written.

import { beforeAll, describe, expect, it } from 'vitest'
import { amounts, hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let provider: string
let pool: string
let reservation: string
let free: string
let drawn: string
const started = new Date('2020-03-01T00:00:00Z')
beforeAll(async () => {
  w.setTime(started)
  provider = await s.promised({ cores: 20, ram: 51200, instances: 10, addresses: 10 })
  pool = (await s.read('/promise/pools'))[0].id
  const capacity = { cores: 5, ram: 25600, instances: 3, addresses: 3 }
  reservation = (await s.ask('create-reservation', { capacity }))['reservation-id']
  free = (await s.ask('create-instance', s.instanceBody()))['instance-id']
  drawn = (await s.ask('create-instance', s.instanceBody({ 'reservation-id': reservation })))['instance-id']
})

const common = { enabled: true, protected: false, visibility: 'user', tags: [], members: [], progress: 0 }
const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/)

describe('a record', () => {
  it('of a pool', async () => {
    expect(await s.read('/promise/pools')).toEqual([
      {
        id: pool,
        ...common,
        capacity: amounts({ cores: 20, ram: 51200, instances: 10, addresses: 10 }),
        start: started.toISOString(),
        active: true,
        source: provider,
        elements: [],
      },
    ])
  })

  it('of a reservation, by its bare id', async () => {
    const record = await s.read(`/promise/reservations/${reservation}`)
    expect(record).toEqual({
      id: reservation,
      ...common,
      capacity: amounts({ cores: 5, ram: 25600, instances: 3, addresses: 3 }),
      elements: [],
      start: started.toISOString(),
      end: hoursFrom(started, 8760),
      active: true,
      'created-on': started.toISOString(),
      'modified-on': started.toISOString(),
      pools: [pool],
      allocations: [drawn],
      remaining: amounts({ cores: 4, ram: 25088, instances: 2, addresses: 3 }),
      provider,
      zone: null,
      guarantee: 'aggregate',
      'at-risk': false,
    })
    expect(await s.read('/promise/reservations')).toEqual([record])
  })

  it('of an instance, drawn and not', async () => {
    const records: { id: string }[] = await s.read('/promise/allocations')
    const [one, other] = [free, drawn].map(id => records.find(record => record.id === id)!)
    const instance = { ...common, active: true, 'instance-ref': { provider, server: uuid } }
    expect(one).toMatchObject({ ...instance, priority: 'low' })
    expect(Object.keys(one!)).not.toContain('reservation')
    expect(Object.keys(one!)).not.toContain('end')
    expect(other).toMatchObject({ ...instance, priority: 'high', reservation })
    expect(await s.read(`/promise/allocations/${drawn}`)).toEqual(other)
    expect(await s.ask('query-instance', { 'instance-id': drawn })).toEqual(other)
  })

  it('of a provider, with its flavors and by its id and its name; for others without its address', async () => {
    const [record] = await s.read('/promise/providers')
    expect(record).toMatchObject({ id: provider, name: 'admin', ...common, region: 'Pod1' })
    expect(record.services.compute.endpoint).toMatch(/^http/)
    expect(record.services.compute.flavors).toContainEqual({
      id: s.flavor,
      name: 'promise.tiny',
      disk: 0,
      ram: 512,
      vcpus: 1,
    })
    expect(await s.read(`/promise/providers/${provider}`)).toEqual(record)
    expect(await s.read('/promise/providers/admin')).toEqual(record)
    const [shown] = await s.read('/promise/providers', { as: 'demo' })
    expect(shown.services.compute).toEqual({ flavors: record.services.compute.flavors })
    expect(Object.keys(shown)).not.toContain('last-error')
  })
})

describe('the capacity of this moment', () => {
  const now = {
    total: amounts({ cores: 20, ram: 51200, instances: 10, addresses: 10 }),
    reserved: amounts({ cores: 4, ram: 25088, instances: 2, addresses: 3 }),
    usage: amounts({ cores: 2, ram: 1024, instances: 2 }),
    available: amounts({ cores: 14, ram: 25088, instances: 6, addresses: 7 }),
  }

  it('is what is left: the total less what is reserved and what is used', async () => {
    expect(await s.read('/promise/capacity')).toEqual(now)
    for (const [metric, of] of Object.entries(now))
      expect(await s.read(`/promise/capacity/${metric}`)).toEqual(of)
  })

  it('is the same in query-capacity, at this moment', async () => {
    for (const metric of ['total', 'usage', 'available'] as const) {
      const { utilization } = await s.ask('query-capacity', { capacity: metric })
      expect(utilization[0].capacity, metric).toEqual(now[metric])
    }
    // There it is all that reservations hold, drawn or not.
    const { utilization } = await s.ask('query-capacity', { capacity: 'reserved' })
    expect(utilization).toMatchObject([
      { count: 1, capacity: amounts({ cores: 5, ram: 25600, instances: 3, addresses: 3 }) },
      { timestamp: hoursFrom(started, 8760), count: 0, capacity: amounts() },
    ])
  })
})

describe('the tree', () => {
  it('as a whole is the sum of its parts', async () => {
    const parts = ['providers', 'pools', 'reservations', 'allocations', 'capacity', 'policy']
    const read = await Promise.all(parts.map(async part => [part, await s.read(`/promise/${part}`)]))
    expect(await s.read('/promise')).toEqual(Object.fromEntries(read))
    expect(await s.read('')).toEqual({ promise: await s.read('/promise') })
    expect((await w.call('GET', '/promise/promise')).json).toEqual(await s.read('/promise'))
  })

  it('has the rules that are in force', async () => {
    const rules = { 'max-duration': 8760, expiry: 600 }
    expect(await s.read('/promise/policy')).toEqual({ reservation: rules })
    expect(await s.read('/promise/policy/reservation')).toEqual(rules)
  })

  it.each([
    '/promise/nosuch',
    '/promise/reservations/nosuch',
    '/promise/reservations/f6f7d56a-4740-48fe-b197-42a7001beb95',
    '/promise/reservations/f6f7d56a-4740-48fe-b197-42a7001beb95%00',
    '/promise/allocations/nosuch',
    '/promise/allocations/%00',
    '/promise/providers/%00',
    '/promise/providers/nosuch',
    '/promise/pools/nosuch',
    '/promise/capacity/nosuch',
  ])('has nothing at %s: a 404 in JSON', async path => {
    const reply = await w.call('GET', `/restjson/opnfv-promise${path}`)
    expect([reply.status, reply.headers['content-type'], Object.keys(reply.json)]).toEqual([
      404,
      'application/json',
      ['result', 'message', 'error'],
    ])
  })

  it('is not written: PUT, POST and DELETE would pass by what is admitted', async () => {
    const before = await s.read('/promise')
    for (const [method, path] of [
      ['PUT', `/promise/reservations/${reservation}`],
      ['DELETE', `/promise/reservations/${reservation}`],
      ['POST', '/promise/reservations'],
      ['PUT', '/promise/policy/reservation'],
      ['DELETE', '/promise/pools'],
      ['PATCH', '/promise'],
    ]) {
      const reply = await w.call(method!, `/restjson/opnfv-promise${path}`, {
        body: { capacity: { cores: 19 } },
      })
      expect([reply.status, reply.headers.allow], `${method} ${path}`).toEqual([405, 'GET'])
    }
    expect(await s.read('/promise')).toEqual(before)
  })
})

describe('page by page', () => {
  const ids: string[] = []
  beforeAll(async () => {
    for (let n = 0; n < 5; n++) {
      w.setTime(new Date(started.getTime() + (n + 1) * 1000))
      const answer = await s.ask('create-reservation', { capacity: { cores: 1 } })
      ids.push(answer['reservation-id'])
    }
  })

  it('the records of a list go on after the last of the page before', async () => {
    const seen: string[] = []
    for (let marker = ''; ; ) {
      const page: { id: string }[] = await s.read(`/promise/reservations?limit=2${marker}`)
      if (page.length === 0) break
      expect(page.length).toBeLessThanOrEqual(2)
      seen.push(...page.map(one => one.id))
      marker = `&marker=${seen.at(-1)}`
    }
    expect(seen).toEqual([reservation, ...ids])
  })

  it('the collections of a query do, and the last page has no marker', async () => {
    const seen: string[] = []
    let marker: string | undefined
    do {
      const page = await s.ask('query-capacity', {
        limit: 3,
        'show-utilization': false,
        ...(marker ? { marker } : {}),
      })
      seen.push(...page.collections)
      marker = page.marker
    } while (marker)
    expect(seen).toEqual([
      `ResourcePool:${pool}`,
      ...[reservation, ...ids].map(id => `ResourceReservation:${id}`),
      `ResourceAllocation:${free}`,
    ])
    const { marker: last } = await s.ask('query-reservation', { limit: 2 })
    expect((await s.ask('query-reservation', { limit: 2, marker: last })).reservations).toEqual(
      ids.slice(1, 3),
    )
    // By its bare id, too.
    expect((await s.ask('query-reservation', { marker: ids[3] })).reservations).toEqual([ids[4]])
  })

  it.each(['abc', '1.5', '1e2', ''])('a limit that is %j is a 400', async limit => {
    const reply = await w.call('GET', `/promise/promise/reservations?limit=${limit}`)
    expect([reply.status, reply.json.message]).toEqual([400, "'limit' must be a whole number"])
  })

  it.each(['0', '-1', '1001', '99999999999'])(
    'a limit that is %s is the most that there may be',
    async limit => {
      expect(await s.read(`/promise/reservations?limit=${limit}`)).toHaveLength(6)
    },
  )

  it('a timeline has as many points as are asked for: the least of what is available, the most of what is not', async () => {
    const all = (await s.ask('query-capacity', {})).utilization
    expect(all.length).toBeGreaterThan(5)
    const few = (await s.ask('query-capacity', { points: 2 })).utilization
    expect(few.length).toBeLessThanOrEqual(2)
    const lowest = (points: { capacity: { cores: number } }[]) =>
      Math.min(...points.map(point => point.capacity.cores))
    expect(lowest(few)).toBe(lowest(all))
  })
})

describe('what is gone', () => {
  it('is in no list any more: an instance that was destroyed, a reservation that was cancelled', async () => {
    await s.ask('destroy-instance', { 'instance-id': free })
    expect((await s.read('/promise/allocations')).map((one: { id: string }) => one.id)).toEqual([drawn])
    expect((await s.ask('query-capacity', { capacity: 'usage' })).collections).toEqual([
      `ResourceAllocation:${drawn}`,
    ])
    expect(await s.ask('destroy-instance', { 'instance-id': free })).toEqual({
      result: 'error',
      message: 'no allocation found for specified identifier',
    })
    await s.ask('cancel-reservation', { 'reservation-id': reservation })
    expect((await w.call('GET', `/promise/promise/reservations/${reservation}`)).status).toBe(404)
    expect((await s.ask('query-reservation', {})).reservations).not.toContain(reservation)
  })
})

// Availability and slots: what is free when, and when so much will be.

import { beforeAll, describe, expect, it } from 'vitest'
import { createLease } from '../../../src/core/leases/leases.ts'
import { hostsFor } from '../../world/leases.ts'
import { fileWorld, type Reply } from '../../world.ts'

// Two regions of two hosts each, of 16 vCPU, 64 GB and 1000 GB of disk. In Pod1 both are taken on the 2nd from noon to
// midnight and one on the 4th; in Pod2 one is taken on the 2nd and the 3rd.
const w = await fileWorld({ regions: ['Pod1', 'Pod2'], hosts: 2 })
beforeAll(async () => {
  w.setTime(now)
  w.cloud.clock.set(now)
  await lease('Pod1', 2, '2030-01-02T12:00Z', '2030-01-03T00:00Z')
  await lease('Pod1', 1, '2030-01-04T00:00Z', '2030-01-05T00:00Z')
  await lease('Pod2', 1, '2030-01-02T00:00Z', '2030-01-04T00:00Z')
})

const now = new Date('2030-01-01T10:20:30.400Z')

const lease = (region: string, count: number, from: string, to: string) =>
  createLease(
    w.app,
    w.demo,
    hostsFor(
      w,
      count,
      { region, startAt: new Date(from), endAt: new Date(to) },
      `["==", "$region", "${region}"]`,
    ),
  )

const ask = (path: string, query: Record<string, string> = {}, as: 'admin' | 'demo' = 'demo') =>
  w.call('GET', `/atoll/v1${path}?${new URLSearchParams(query)}`, { as })

const pointsOf = (reply: Reply): string[] => {
  expect(reply.status, reply.text).toBe(200)
  return reply.json.availability.map(
    ({ at, hosts }: { at: string; hosts: number }) => `${short(at)} ${hosts}`,
  )
}
const slotsOf = (reply: Reply): string[] => {
  expect(reply.status, reply.text).toBe(200)
  return reply.json.slots.map(({ start, end, region }: Record<string, string>) =>
    [short(start!), short(end!), region].join(' '),
  )
}
const short = (at: string): string => at.replace('2030-01-', '').replace(':00.000Z', '')

const refused = (reply: Reply) => [reply.status, reply.json?.error?.message]

describe('the availability', () => {
  it('is one point where the time begins, and one at every change', async () => {
    const reply = await ask('/availability', { from: '2030-01-01T12:00Z', to: '2030-01-06T00:00:00Z' })
    expect(pointsOf(reply)).toEqual([
      '01T12:00 4',
      '02T00:00 3',
      '02T12:00 1',
      '03T00:00 3',
      '04T00:00 3',
      '05T00:00 4',
    ])
  })

  it('has of every class what the free hosts have together', async () => {
    const { json } = await ask('/availability', { from: '2030-01-02T00:00:00Z', to: '2030-01-02T12:00:00Z' })
    expect(json).toEqual({
      availability: [
        {
          at: '2030-01-02T00:00:00.000Z',
          hosts: 3,
          amounts: expect.objectContaining({ DISK_GB: expect.any(Number) }),
        },
      ],
    })
    const all = (await ask('/availability', { from: '2030-01-01T12:00Z', to: '2030-01-01T13:00Z' })).json
    const [before] = all.availability
    for (const [name, amount] of Object.entries(before.amounts))
      expect(json.availability[0].amounts[name], name).toBe(((amount as number) / 4) * 3)
  })

  it('is that of a region, or of hosts that match', async () => {
    const time = { from: '2030-01-02T00:00:00Z', to: '2030-01-03T00:00:00Z' }
    expect(pointsOf(await ask('/availability', { ...time, region: 'Pod1' }))).toEqual([
      '02T00:00 2',
      '02T12:00 0',
    ])
    const filter = '["and", ["==", "$region", "Pod2"], [">=", "$vcpus", 16]]'
    expect(pointsOf(await ask('/availability', { ...time, filter }))).toEqual(['02T00:00 1'])
    expect(pointsOf(await ask('/availability', { ...time, filter: '[">", "$vcpus", 16]' }))).toEqual([
      '02T00:00 0',
    ])
  })

  it('begins with the current minute and is that of seven days, unless told', async () => {
    const week = { from: '2030-01-01T10:20:00Z', to: '2030-01-08T10:20:00.000Z' }
    expect((await ask('/availability')).json).toEqual((await ask('/availability', week)).json)
    expect(pointsOf(await ask('/availability', { from: '2030-01-04T00:00Z' }))).toEqual([
      '04T00:00 3',
      '05T00:00 4',
    ])
  })

  it('of a time that ends before it begins is none', async () => {
    for (const to of ['2030-01-01T00:00:00Z', '2030-01-01T10:20:00Z'])
      expect(refused(await ask('/availability', { to }))).toEqual([
        400,
        'It is to end after it begins, at 2030-01-01T10:20:00.000Z',
      ])
  })
})

const hours = (count: number): string => String(count * 3600)

describe('slots', () => {
  it('are the earliest in any region, each after the one before', async () => {
    const reply = await ask('/slots', { duration: hours(24), hosts: '2', limit: '3' })
    expect(slotsOf(reply)).toEqual([
      '01T10:20 02T10:20 Pod1',
      '03T00:00 04T00:00 Pod1',
      '04T00:00 05T00:00 Pod2',
    ])
    expect(reply.json.slots[0]).toEqual({
      start: '2030-01-01T10:20:00.000Z',
      end: '2030-01-02T10:20:00.000Z',
      region: 'Pod1',
      hosts: 2,
    })
  })

  it('are of one host, and ten, unless told', async () => {
    const { json } = await ask('/slots', { duration: '60' })
    expect(json.slots).toHaveLength(10)
    expect(json.slots.map((slot: { hosts: number }) => slot.hosts)).toEqual(Array(10).fill(1))
  })

  it('are not before, and end not after, what is asked', async () => {
    const asked = { duration: hours(24), hosts: '2', not_before: '2030-01-02T00:00:00Z' }
    expect(slotsOf(await ask('/slots', { ...asked, limit: '1' }))).toEqual(['03T00:00 04T00:00 Pod1'])
    expect(slotsOf(await ask('/slots', { ...asked, not_after: '2030-01-04T00:00:00Z' }))).toEqual([
      '03T00:00 04T00:00 Pod1',
    ])
    expect(slotsOf(await ask('/slots', { ...asked, not_after: '2030-01-03T23:59:00Z' }))).toEqual([])
  })

  it('are not in the past, and within a year unless told', async () => {
    const past = { duration: hours(1), not_before: '2029-01-01T00:00:00Z', limit: '1' }
    expect(slotsOf(await ask('/slots', past))).toEqual(['01T10:20 01T11:20 Pod1'])
    expect((await ask('/slots', { duration: hours(366 * 24) })).json).toEqual({ slots: [] })
    const longer = { duration: hours(366 * 24), not_after: '2040-01-01T00:00:00Z', limit: '1' }
    expect((await ask('/slots', longer)).json.slots).toHaveLength(1)
    expect(refused(await ask('/slots', { duration: '60', not_after: '2029-12-31T00:00:00Z' }))).toEqual([
      400,
      'Slots that begin at 2030-01-01T10:20:00.000Z or later end after that',
    ])
  })

  it('are in a region, or of hosts that match', async () => {
    const asked = { duration: hours(24), limit: '1', not_before: '2030-01-02T00:00:00Z', hosts: '2' }
    expect(slotsOf(await ask('/slots', { ...asked, region: 'Pod2' }))).toEqual(['04T00:00 05T00:00 Pod2'])
    expect(slotsOf(await ask('/slots', { ...asked, filter: '["==", "$region", "Pod2"]' }))).toEqual([
      '04T00:00 05T00:00 Pod2',
    ])
  })

  it('of more hosts than any region has are none', async () => {
    expect((await ask('/slots', { duration: '60', hosts: '3' })).json).toEqual({ slots: [] })
  })

  it('are where a lease of as many hosts succeeds', async () => {
    const [slot] = (await ask('/slots', { duration: hours(24), hosts: '2', not_before: '2030-01-02T00:00Z' }))
      .json.slots
    const [startAt, endAt] = [new Date(slot.start), new Date(slot.end)]
    const made = await createLease(w.app, w.demo, hostsFor(w, 2, { startAt, endAt, region: slot.region }))
    expect(made.reservations[0]!.regionName).toBe('Pod1')
    const next = await ask('/slots', {
      duration: hours(24),
      hosts: '2',
      not_before: '2030-01-02T00:00Z',
      limit: '1',
    })
    expect(slotsOf(next)).toEqual(['04T00:00 05T00:00 Pod2'])
  })
})

describe('what cannot be asked', () => {
  it.each(['from', 'to'])('is a time that is none: %s', async name => {
    for (const text of badTimes)
      expect(refused(await ask('/availability', { [name]: text })), text).toEqual([400, badTime(name, text)])
  })
  it.each(['not_before', 'not_after'])('is a time that is none: %s', async name => {
    for (const text of badTimes)
      expect(refused(await ask('/slots', { duration: '60', [name]: text })), text).toEqual([
        400,
        badTime(name, text),
      ])
  })
  const badTimes = [
    '',
    'now',
    '2030-01-01',
    '2030-01-01 10:00',
    '2030-01-01T10:00:00',
    '2030-01-01T10:00:00+01:00',
    '2030-02-30T10:00:00Z',
    '2030-01-01T24:00:00Z',
    '2030-13-01T00:00:00Z',
    '1999-12-31T23:59:59Z',
    '3000-01-01T00:00:00Z',
    '1893456000',
  ]
  const badTime = (name: string, text: string) =>
    `The parameter ${name} is a time in UTC (ISO 8601) such as 2026-11-21T12:00:00Z, of the years 2000 to 2999, not "${text}"`

  it.each([
    ['duration', 1, 315360000],
    ['hosts', 1, 100000],
    ['limit', 1, 100],
  ])('is a number that is none or out of bounds: %s', async (name, least, most) => {
    for (const text of ['', 'abc', '1.5', '1e2', '0', '-1', String(most + 1), '9'.repeat(400)]) {
      const [status, message] = refused(await ask('/slots', { duration: '60', [name]: text }))
      expect([status, message], text).toEqual([
        400,
        expect.stringContaining(`The parameter ${name} is a whole number from ${least} to ${most}, not "`),
      ])
    }
  })

  it('is a slot of no duration', async () => {
    expect(refused(await ask('/slots'))).toEqual([
      400,
      'The parameter duration is missing: How long, in seconds',
    ])
  })

  it.each(['vcpus', 'memory_mb', 'disk_gb', 'amount'])('is a slot for %s, so far', async name => {
    expect(refused(await ask('/slots', { duration: '60', [name]: '4' }))).toEqual([
      400,
      `Slots are searched for whole hosts only so far: leave ${name} out and say how many hosts`,
    ])
  })

  it.each(['/availability', '/slots'])('is what %s does not know', async path => {
    const query: Record<string, string> = path === '/slots' ? { duration: '60' } : {}
    const names = path === '/slots' ? 'duration, hosts, not_before, not_after' : 'from, to'
    expect(refused(await ask(path, { ...query, foo: '1' }))).toEqual([
      400,
      expect.stringContaining(`There is no parameter foo; there are ${names}, region, filter`),
    ])
    expect(refused(await ask(path, { ...query, __proto__2: '1' }))[0]).toBe(400)
    expect(refused(await ask(path, { ...query, region: 'Nowhere' }))).toEqual([
      404,
      'There is no region Nowhere',
    ])
    expect(refused(await ask(path, { ...query, filter: '["==", "$gpu", "yes"]' }))).toEqual([
      400,
      expect.stringMatching(/^No host has a property "gpu"/),
    ])
    expect(refused(await ask(path, { ...query, filter: '["==", "$vcpus"' }))).toEqual([
      400,
      expect.stringContaining('character'),
    ])
    const twice = await w.call(
      'GET',
      `/atoll/v1${path}?region=Pod1&region=Pod1&${new URLSearchParams(query)}`,
    )
    expect(refused(twice)).toEqual([400, 'The parameter region is given 2 times'])
  })
})

it('the document describes every parameter of both', async () => {
  const { paths } = (await ask('/openapi.json')).json
  const named = (path: string) =>
    paths[`/atoll/v1${path}`].get.parameters.map(
      ({ in: place, name }: Record<string, string>) => `${place} ${name}`,
    )
  expect(named('/availability')).toEqual(['query from', 'query to', 'query region', 'query filter'])
  expect(named('/slots')).toEqual(
    ['duration', 'hosts', 'not_before', 'not_after', 'region', 'filter', 'limit'].map(
      name => `query ${name}`,
    ),
  )
  const [duration, hosts] = paths['/atoll/v1/slots'].get.parameters
  expect(duration).toEqual({
    name: 'duration',
    in: 'query',
    required: true,
    description: 'How long, in seconds',
    schema: { type: 'integer', minimum: 1, maximum: 315360000 },
  })
  expect(hosts.schema).toEqual({ type: 'integer', minimum: 1, maximum: 100000, default: 1 })
})

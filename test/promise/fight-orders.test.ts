// A lease of hosts and a promise over the same capacity: whichever comes second and does not fit is refused (A21).

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
/** What one host of the region has, and what all of them have. */
const host = { cores: 0, ram: 0 }
const all = { cores: 0, ram: 0 }
const hosts = 8

const generalOf = async (name: string): Promise<number> => {
  const rows = await w.query<{ amount: string }>(
    `select coalesce(sum(amount), 0) as amount from supply join account on account.id = account_id
     where scope = 'general' and class = $1`,
    [name],
  )
  return Number(rows[0]!.amount)
}

beforeAll(async () => {
  const source = await s.addProvider()
  Object.assign(all, { cores: await generalOf('VCPU'), ram: await generalOf('MEMORY_MB') })
  Object.assign(host, { cores: all.cores / hosts, ram: all.ram / hosts })
  // As much as hosts have may be promised: what is refused is refused by the hosts.
  await s.ask('increase-capacity', { source, capacity: { cores: 2 * all.cores, ram: 2 * all.ram } })
})

const enrol = (n: number) => w.call('POST', '/reservation/v1/os-hosts', { body: { name: `pod1-host${n}` } })

const dateText = (at: string): string => at.slice(0, 16).replace('T', ' ')

const lease = (min: number) =>
  w.call('POST', '/reservation/v1/leases', {
    body: {
      name: 'in either order',
      start_date: dateText(hoursFrom(w.app.now(), 1)),
      end_date: dateText(hoursFrom(w.app.now(), 5)),
      reservations: [
        {
          resource_type: 'physical:host',
          min,
          max: min,
          hypervisor_properties: '["==", "$region", "Pod1"]',
          resource_properties: '',
        },
      ],
      events: [],
    },
  })

const promise = (capacity: object) =>
  s.ask('create-reservation', {
    zone: 'Pod1',
    start: hoursFrom(w.app.now(), 2),
    end: hoursFrom(w.app.now(), 3),
    capacity,
  })

/** Nothing is promised, leased or enrolled. */
beforeEach(async () => {
  const { reservations } = await s.ask('query-reservation')
  for (const id of reservations) await s.ask('cancel-reservation', { 'reservation-id': id })
  const { leases } = (await w.call('GET', '/reservation/v1/leases')).json
  for (const { id } of leases) await w.call('DELETE', `/reservation/v1/leases/${id}`)
  const { hosts: enrolled } = (await w.call('GET', '/reservation/v1/os-hosts')).json
  for (const { id } of enrolled) await w.call('DELETE', `/reservation/v1/os-hosts/${id}`)
  expect(await generalOf('VCPU')).toBe(all.cores)
})

describe('a lease of hosts and a promise over the same capacity', () => {
  it('leaves the promise what is not for leases, when it comes second', async () => {
    for (const n of [1, 2]) expect((await enrol(n)).status).toBe(201)
    expect((await lease(2)).status).toBe(201)
    const left = { cores: all.cores - 2 * host.cores, ram: all.ram - 2 * host.ram }
    const refused = await promise({ cores: left.cores + 1, ram: left.ram })
    expect(refused).toMatchObject({ result: 'conflict', available: { cores: left.cores } })
    expect(await promise(left)).toMatchObject({ result: 'ok' })
    expect(await promise({ cores: 1 })).toMatchObject({ result: 'conflict' })
  })

  it('leaves leases no host that the promise needs, when that comes first', async () => {
    const held = await promise({ cores: all.cores - host.cores })
    expect(held).toMatchObject({ result: 'ok' })
    expect((await enrol(1)).status).toBe(201)
    expect((await enrol(2)).status).toBe(409)
    expect((await lease(2)).status).not.toBe(201)
    expect((await lease(1)).status).toBe(201)
    await s.ask('cancel-reservation', { 'reservation-id': held['reservation-id'] })
    expect((await enrol(2)).status).toBe(201)
    expect((await promise({ cores: all.cores - host.cores })).result).toBe('conflict')
  })

  it('has room for both where both fit', async () => {
    expect((await enrol(1)).status).toBe(201)
    expect(await promise({ cores: all.cores - host.cores })).toMatchObject({ result: 'ok' })
    expect((await lease(1)).status).toBe(201)
  })
})

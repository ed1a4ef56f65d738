// Changes of leases: what they do to hosts and regions, and what is left when they are refused.

import { afterEach, describe, expect, it } from 'vitest'
import type { Lease, LeaseChange } from '../../src/core/leases/lease.ts'
import { createLease, updateLease } from '../../src/core/leases/leases.ts'
import { boot, clearLeases, hourMs, leaseIs, leaseOf, quiet, shortly, traces } from '../world/leases.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({
  hosts: 4,
  workers: true,
  regions: ['Pod1', 'Pod2'],
  settings: { ATOLL_LEASES_RETRY_FOR_SECONDS: '1' },
})
afterEach(async () => {
  await clearLeases(w)
  expect([...traces(w, 'Pod1'), ...traces(w, 'Pod2')]).toEqual([])
})

const create = (spec: Parameters<typeof shortly>[1]): Promise<Lease> =>
  createLease(w.app, w.demo, shortly(w, spec))
const change = (lease: Lease, wanted: Omit<LeaseChange, 'id'>): Promise<Lease> =>
  updateLease(w.app, w.demo, { id: lease.id, ...wanted })
const later = (at: Date, ms: number): Date => new Date(at.getTime() + ms)
const resized = ({ reservations: [one] }: Lease, min: number, max: number) => [{ id: one!.id, min, max }]
const hostsOf = (lease: Lease): number[] => lease.reservations.flatMap(one => [...one.hosts])

describe('an active lease', () => {
  it('grows, is UPDATING meanwhile, and its servers land on what it has got', async () => {
    const lease = await create({ forMs: hourMs, region: 'Pod1' })
    await leaseIs(w, lease.id, 'ACTIVE')
    const flavor = lease.reservations[0]!.id
    await boot(w, { region: 'Pod1', flavor })
    const growing = await change(lease, { reservations: resized(lease, 2, 2) })
    expect(growing).toMatchObject({ status: 'UPDATING', action: 'update' })
    expect(hostsOf(growing)).toEqual([...hostsOf(lease), expect.any(Number)])
    const grown = await leaseIs(w, lease.id, 'ACTIVE')
    expect(grown).toMatchObject({ action: null, statusReason: null })
    const server = await boot(w, { region: 'Pod1', flavor })
    const added = w.hosts.find(host => host.id === hostsOf(growing)[1])!
    expect(server.host).toBe(added.hypervisorHostname)
  })

  it('does not grow beyond what is free, and is as it was', async () => {
    const lease = await create({ forMs: hourMs, region: 'Pod1' })
    await leaseIs(w, lease.id, 'ACTIVE')
    const before = await quiet(w, lease.id)
    await expect(change(lease, { reservations: resized(lease, 5, 5) })).rejects.toMatchObject({
      code: 'no_capacity',
      message: expect.stringContaining('Not enough hosts available'),
    })
    expect(await leaseOf(w, lease.id)).toEqual(before)
    // And nothing of it is held.
    await create({ forMs: hourMs, region: 'Pod1', count: 3 })
  })

  it('gives no host back', async () => {
    const lease = await create({ forMs: hourMs, region: 'Pod1', count: 2 })
    await leaseIs(w, lease.id, 'ACTIVE')
    const active = await quiet(w, lease.id)
    await expect(change(lease, { reservations: resized(lease, 1, 1) })).rejects.toMatchObject({
      code: 'conflict',
      detail: { reason: 'active_shrinks' },
    })
    expect(await leaseOf(w, lease.id)).toEqual(active)
  })

  it('is prolonged on its hosts, unless somebody else has one of them by then', async () => {
    const lease = await create({ forMs: hourMs, region: 'Pod1', count: 3 })
    await leaseIs(w, lease.id, 'ACTIVE')
    const longer = await change(lease, { endAt: later(lease.endAt, hourMs) })
    expect(longer.status).toBe('ACTIVE')
    expect(hostsOf(longer)).toEqual(hostsOf(lease))
    await createLease(w.app, w.demo, {
      ...shortly(w, { forMs: hourMs, region: 'Pod1', count: 2 }),
      startAt: longer.endAt,
      endAt: later(longer.endAt, hourMs),
    })
    const before = await leaseOf(w, lease.id)
    await expect(change(lease, { endAt: later(longer.endAt, hourMs) })).rejects.toMatchObject({
      code: 'no_capacity',
      message: expect.stringMatching(/3 matching hosts free .*, 1 at most/),
    })
    expect(await leaseOf(w, lease.id)).toEqual(before)
  })

  it('is shortened whatever has become of its hosts, and the time is free', async () => {
    const lease = await create({ forMs: 2 * hourMs, region: 'Pod1', count: 4 })
    await leaseIs(w, lease.id, 'ACTIVE')
    for (const id of hostsOf(lease)) await w.app.store.hosts.setReservable(id, false)
    const endAt = later(lease.endAt, -hourMs)
    const shorter = await change(lease, { endAt })
    expect(hostsOf(shorter)).toEqual(hostsOf(lease))
    for (const id of hostsOf(lease)) await w.app.store.hosts.setReservable(id, true)
    const next = await createLease(w.app, w.demo, {
      ...shortly(w, { forMs: hourMs, region: 'Pod1', count: 4 }),
      startAt: endAt,
      endAt: later(endAt, hourMs),
    })
    expect(hostsOf(next)).toEqual(hostsOf(lease))
  })

  it('ends at once when that is asked for, and ends at its new end', async () => {
    const lease = await create({ forMs: hourMs, region: 'Pod1' })
    await leaseIs(w, lease.id, 'ACTIVE')
    await change(lease, { endAt: new Date(w.app.now().getTime() + 1_000) })
    await leaseIs(w, lease.id, 'TERMINATED')
  })
})

describe('a pending lease', () => {
  it('is moved, and takes other hosts (of another region even) where its own are taken by then', async () => {
    const at = (hours: number) => ({ startAt: new Date(Date.now() + hours * hourMs), forMs: hourMs })
    const lease = await create({ inMs: 5 * hourMs, forMs: hourMs, count: 2 })
    expect(lease.reservations[0]!.regionName).toBe('Pod1')
    const earlier = await change(lease, at(3))
    expect(hostsOf(earlier)).toEqual(hostsOf(lease))
    await create({ inMs: 10 * hourMs, forMs: 10 * hourMs, count: 3, region: 'Pod1' })
    const startAt = new Date(Date.now() + 12 * hourMs)
    const moved = await change(lease, { startAt, endAt: later(startAt, hourMs) })
    expect(moved).toMatchObject({ status: 'PENDING', reservations: [{ regionName: 'Pod2' }] })
    expect((await leaseOf(w, lease.id)).reservations).toEqual(moved.reservations)
  })

  it('is picked anew when it wants other hosts, and may want fewer', async () => {
    const lease = await create({ inMs: hourMs, forMs: hourMs, count: 3, region: 'Pod1' })
    const fewer = await change(lease, { reservations: resized(lease, 1, 1) })
    expect(hostsOf(fewer)).toEqual(hostsOf(lease).slice(0, 1))
    const [id] = fewer.reservations.map(one => one.id)
    const elsewhere = await change(lease, {
      reservations: [{ id: id!, hypervisorProperties: '["==", "$region", "Pod2"]' }],
    })
    expect(elsewhere.reservations).toMatchObject([{ regionName: 'Pod2', hosts: [expect.any(Number)] }])
  })

  it('begins at once when it is moved to now', async () => {
    const lease = await create({ inMs: hourMs, forMs: hourMs })
    await change(lease, { startAt: 'now' })
    await leaseIs(w, lease.id, 'ACTIVE')
  })
})

describe('a lease in ERROR', () => {
  it('is brought back by a good change, from where it failed', async () => {
    const fault = w.cloud.faults.add({ kind: 'status', status: 400, method: 'POST', path: '/v2.1/flavors' })
    const lease = await create({ forMs: hourMs, region: 'Pod1' })
    await leaseIs(w, lease.id, 'ERROR')
    await expect(change(lease, { endAt: later(lease.startAt, -hourMs) })).rejects.toMatchObject({
      code: 'invalid',
    })
    expect((await leaseOf(w, lease.id)).status).toBe('ERROR')
    fault.remove()
    const again = await change(lease, { endAt: later(lease.endAt, hourMs) })
    expect(again).toMatchObject({ status: 'STARTING', statusReason: null })
    const active = await leaseIs(w, lease.id, 'ACTIVE')
    expect(active!.events.map(({ type, status }) => `${type} ${status}`)).toContain('start_lease DONE')
    await boot(w, { region: 'Pod1', flavor: lease.reservations[0]!.id })
  })

  it('because it could not grow, is brought back by its new name', async () => {
    const lease = await create({ forMs: hourMs, region: 'Pod1' })
    await leaseIs(w, lease.id, 'ACTIVE')
    const fault = w.cloud.faults.add({ kind: 'status', status: 400, service: 'placement', method: 'PUT' })
    await change(lease, { reservations: resized(lease, 2, 2) })
    expect((await leaseIs(w, lease.id, 'ERROR'))!.statusReason).toContain('Pod1')
    fault.remove()
    expect((await change(lease, { name: 'another' })).status).toBe('UPDATING')
    await leaseIs(w, lease.id, 'ACTIVE')
    expect(traces(w, 'Pod1').filter(trace => trace.includes(' on '))).toHaveLength(2)
  })
})

it('many changes at once are made one after the other, beside what the clockwork does', async () => {
  const lease = await create({ forMs: hourMs, region: 'Pod1' })
  await leaseIs(w, lease.id, 'ACTIVE')
  const ends = [1, 2, 3].map(hours => later(lease.endAt, hours * hourMs))
  const done = await Promise.allSettled(ends.map(endAt => change(lease, { endAt })))
  const accepted = done.filter(one => one.status === 'fulfilled').length
  expect(accepted).toBeGreaterThan(0)
  await leaseIs(w, lease.id, 'ACTIVE')
  expect(ends).toContainEqual((await leaseOf(w, lease.id)).endAt)
})

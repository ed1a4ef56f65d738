// The life of a lease, through the regions and back.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { HostReservationSpec, Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease, updateLease } from '../../src/core/leases/leases.ts'
import { leasing, quiet, shortly, traces, untilSo } from './leasing.ts'

const w = await leasing({
  regions: ['Pod1', 'Pod2'],
  settings: { ATOLL_LEASES_RETRY_FOR_SECONDS: '2' },
})
afterEach(async () => {
  w.setTime(null)
  for (const region of ['Pod1', 'Pod2']) {
    w.nova(region).region.settings.deleteMs = 0
    for (const id of w.nova(region).region.undying) w.nova(region).letDie(id)
  }
  await w.clear()
  expect([...traces(w, 'Pod1'), ...traces(w, 'Pod2')]).toEqual([])
})
afterAll(() => w[Symbol.asyncDispose]())

const remove = (lease: Lease) => removeLease(w.app, w.demo, { id: lease.id, region: null })
const flavorOf = (lease: Lease): string => lease.reservations[0]!.id
const events = ({ events }: Lease): string[] => events.map(({ type, status }) => `${type} ${status}`)
const hostnamesOf = (lease: Lease): string[] =>
  lease.reservations.flatMap(one =>
    one.hosts.map(id => w.hosts.find(host => host.id === id)!.hypervisorHostname),
  )
/** `snapshot`, or nothing, for the one reservation of a lease. */
const withBeforeEnd = (spec: ReturnType<typeof shortly>, beforeEnd: HostReservationSpec['beforeEnd']) => ({
  ...spec,
  reservations: spec.reservations.map(one => ({ ...one, beforeEnd })),
})

describe('the start of a lease', () => {
  it('comes within a second of its time', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { inMs: 1_200, forMs: 60_000 }))
    expect(lease.status).toBe('PENDING')
    await w.until(lease.id, 'ACTIVE')
    const lateMs = Date.now() - lease.startAt.getTime()
    const active = await quiet(w, lease.id)
    console.log(`a lease was ACTIVE ${lateMs} ms after its time`)
    expect(lateMs).toBeGreaterThanOrEqual(0)
    expect(lateMs).toBeLessThan(3_000)
    expect(active.reservations).toMatchObject([{ status: 'active', regionName: 'Pod1' }])
    expect(events(active)).toEqual(['start_lease DONE', 'end_lease UNDONE', 'before_end_lease DONE'])
  })

  it('lets its project’s servers land on its hosts', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 60_000 }))
    await w.until(lease.id, 'ACTIVE')
    const server = await w.boot({ region: 'Pod1', flavor: flavorOf(lease) })
    expect(hostnamesOf(lease)).toEqual([server.host])
  })

  it('is tried again when the region refuses, and is ERROR with a reason when that lasts', async () => {
    w.cloud.faults.add({ kind: 'status', status: 400, region: 'Pod1', method: 'POST', path: '/v2.1/flavors' })
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 60_000, region: 'Pod1' }))
    expect((await w.until(lease.id, 'STARTING'))!.reservations[0]!.status).toBe('pending')
    const failed = await w.until(lease.id, 'ERROR')
    expect(failed!.statusReason).toContain("Pod1's Nova answered 400 to POST /v2.1/flavors")
    expect(failed!.reservations[0]!.status).toBe('error')
    expect(events(failed!)).toContain('start_lease ERROR')
  })
})

describe('the end of a lease', () => {
  it('takes away what the lease placed, and only that', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 3_000, region: 'Pod1' }))
    const other = await createLease(w.app, w.demo, shortly(w, { forMs: 60_000, region: 'Pod1' }))
    await w.until(lease.id, 'ACTIVE')
    await w.until(other.id, 'ACTIVE')
    const placed = await w.boot({ region: 'Pod1', flavor: flavorOf(lease), name: 'placed' })
    const kept = await w.boot({ region: 'Pod1', flavor: flavorOf(other), name: 'of another lease' })
    const plain = await w.boot({ region: 'Pod1', name: 'plain' })
    const foreign = await w.boot({ region: 'Pod1', as: 'admin', name: 'of another project' })
    expect(placed.host).not.toBe(kept.host)
    const ended = await w.until(lease.id, 'TERMINATED')
    console.log(`a lease was TERMINATED ${Date.now() - lease.endAt.getTime()} ms after its time`)
    expect(ended!.reservations[0]!.status).toBe('deleted')
    expect(events(ended!)).toEqual(['start_lease DONE', 'end_lease DONE', 'before_end_lease DONE'])
    const left = w.nova('Pod1').servers()
    expect(left.map(({ id }) => id).sort()).toEqual([kept.id, plain.id, foreign.id].sort())
    expect(traces(w, 'Pod1').filter(trace => trace.includes(flavorOf(lease)))).toEqual([])
    expect(traces(w, 'Pod1').filter(trace => trace.includes(keyOf(lease)))).toEqual([])
  })

  it('takes images of its servers first, each once, even when the answer got lost', async () => {
    const spec = withBeforeEnd(shortly(w, { forMs: 5_000, region: 'Pod1', count: 2 }), 'snapshot')
    const beforeEndAt = new Date(Date.now() + 2_000)
    const lease = await createLease(w.app, w.demo, { ...spec, beforeEndAt })
    await w.until(lease.id, 'ACTIVE')
    for (const name of ['one', 'two']) await w.boot({ region: 'Pod1', flavor: flavorOf(lease), name })
    await w.boot({ region: 'Pod1', name: 'plain' })
    w.cloud.faults.add({ kind: 'lost', method: 'POST', path: '/v2.1/servers/*/action', times: 1 })
    await w.until(lease.id, 'TERMINATED')
    const images = w.nova('Pod1').images()
    const taken = images.map(image => image.name).filter(name => name.startsWith('reserved_'))
    expect(taken.sort()).toEqual(['reserved_one', 'reserved_two'])
  })

  it('takes images anew when it comes later than it was told', async () => {
    const spec = withBeforeEnd(shortly(w, { forMs: 3_600_000, region: 'Pod1' }), 'snapshot')
    const lease = await createLease(w.app, w.demo, { ...spec, beforeEndAt: new Date(Date.now() + 1_000) })
    await w.until(lease.id, 'ACTIVE')
    await w.boot({ region: 'Pod1', flavor: flavorOf(lease), name: 'again' })
    const images = () =>
      w
        .nova('Pod1')
        .images()
        .filter(image => image.name === 'reserved_again').length
    await untilSo(() => images() === 1)
    const beforeEndAt = new Date(Date.now() + 1_800_000)
    const armed = await updateLease(w.app, w.demo, { id: lease.id, beforeEndAt })
    expect(events(armed)).toContain('before_end_lease UNDONE')
    w.setTime(beforeEndAt)
    await w.app.store.turns.ask([{ kind: 'lease', key: lease.id, lane: '' }])
    await untilSo(() => images() === 2)
    w.setTime(null)
  })

  it('comes for a lease whose user is no more as for any other', async () => {
    const gone = { ...w.demo, userId: 'somebody-who-is-no-more' }
    const lease = await createLease(w.app, gone, shortly(w, { forMs: 2_000 }))
    expect((await w.until(lease.id, 'TERMINATED'))!.userId).toBe('somebody-who-is-no-more')
  })

  it('comes for a lease that never started as well', async () => {
    w.cloud.faults.add({
      kind: 'status',
      status: 400,
      region: 'Pod1',
      path: '/v2.1/flavors*',
      method: 'POST',
    })
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 6_000, region: 'Pod1' }))
    await w.until(lease.id, 'ERROR')
    await untilSo(async () => events(await w.lease(lease.id)).includes('end_lease DONE'))
    const ended = await w.lease(lease.id)
    expect([ended.status, ended.reservations[0]!.status]).toEqual(['ERROR', 'deleted'])
    expect(traces(w, 'Pod1')).toEqual([])
  })

  it('waits for a server that will not die, and says which', async () => {
    const [host = ''] = hostnamesIn('Pod1')
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 2_000, host, region: 'Pod1' }))
    const next = await createLease(
      w.app,
      w.demo,
      shortly(w, { inMs: 2_100, forMs: 60_000, host, region: 'Pod1' }),
    )
    const beside = await createLease(
      w.app,
      w.demo,
      shortly(w, { inMs: 2_100, forMs: 60_000, region: 'Pod1' }),
    )
    await w.until(lease.id, 'ACTIVE')
    const server = await w.boot({ region: 'Pod1', flavor: flavorOf(lease), name: 'stubborn' })
    w.nova('Pod1').makeUndying(server.id)
    await w.until(beside.id, 'ACTIVE')
    console.log(`a lease beside it was ACTIVE ${Date.now() - beside.startAt.getTime()} ms after its time`)
    await untilSo(
      async () => (await w.lease(lease.id)).statusReason?.includes(`stubborn (${server.id})`) ?? false,
    )
    expect((await w.lease(lease.id)).status).toBe('TERMINATING')
    await untilSo(async () => (await w.lease(next.id)).statusReason !== null)
    expect(await w.lease(next.id)).toMatchObject({
      status: 'PENDING',
      statusReason: 'waits until the lease before it has left its hosts',
    })
    w.nova('Pod1').letDie(server.id)
    expect((await w.until(lease.id, 'TERMINATED'))!.statusReason).toBeNull()
    expect((await w.until(next.id, 'ACTIVE'))!.statusReason).toBeNull()
  })

  it('comes before the start of the next one on its host', async () => {
    w.nova('Pod1').region.settings.deleteMs = 700
    const [host = ''] = hostnamesIn('Pod1')
    const startAt = new Date(Date.now() + 2_000)
    const first = await createLease(w.app, w.demo, { ...shortly(w, { forMs: 1, host }), endAt: startAt })
    const second = await createLease(w.app, w.demo, { ...shortly(w, { forMs: 60_000, host }), startAt })
    await w.until(first.id, 'ACTIVE')
    const server = await w.boot({ region: 'Pod1', flavor: flavorOf(first) })
    await w.until(second.id, 'ACTIVE')
    expect((await w.lease(first.id)).status).toBe('TERMINATED')
    expect(w.nova('Pod1').server(server.id)).toBeUndefined()
    const calls = w.cloud.faults.log.filter(call => call.path.startsWith('/resource_classes/'))
    expect(
      calls.map(call => `${call.method} ${call.path.endsWith(keyOf(second)) ? 'second' : 'first'}`),
    ).toEqual(['PUT first', 'DELETE first', 'PUT second'])
  })
})

describe('the deletion of a lease', () => {
  it('that is pending leaves nothing, and asks nothing of its region', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { inMs: 60_000, forMs: 60_000, count: 4 }))
    await remove(lease)
    expect(await w.app.store.leases.get(lease.id)).toBeNull()
    const again = await createLease(w.app, w.demo, shortly(w, { inMs: 60_000, forMs: 60_000, count: 4 }))
    expect(hostnamesOf(again)).toEqual(hostnamesOf(lease))
    expect(w.cloud.faults.log).toEqual([])
  })

  it('that is active frees its hosts at once, and waits for its servers', async () => {
    w.nova('Pod1').region.settings.deleteMs = 700
    const spec = shortly(w, { forMs: 600_000, region: 'Pod1', count: 4 })
    const lease = await createLease(w.app, w.demo, spec)
    await w.until(lease.id, 'ACTIVE')
    const server = await w.boot({ region: 'Pod1', flavor: flavorOf(lease) })
    await remove(lease)
    expect((await w.lease(lease.id)).status).toBe('DELETING')
    const next = await createLease(w.app, w.demo, spec)
    expect(hostnamesOf(next)).toEqual(hostnamesOf(lease))
    await w.until(next.id, 'ACTIVE')
    expect(await w.app.store.leases.get(lease.id)).toBeNull()
    expect(w.nova('Pod1').server(server.id)).toBeUndefined()
  })

  it('that is starting leaves nothing in its region', async () => {
    w.cloud.faults.add({ kind: 'latency', ms: 700, region: 'Pod1', path: '/v2.1/flavors*' })
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 60_000, region: 'Pod1' }))
    await w.until(lease.id, 'STARTING')
    await sleep(200)
    const removedAt = Date.now()
    await remove(lease)
    await w.until(lease.id, null)
    console.log(`a lease that was starting was gone ${Date.now() - removedAt} ms after its deletion`)
    expect(Date.now() - removedAt).toBeLessThan(10_000)
    expect(traces(w, 'Pod1')).toEqual([])
  })
})

describe('events', () => {
  it('that the user gives are done at their time, each for itself', async () => {
    const at = (ms: number) => new Date(Date.now() + ms)
    const given = [
      { type: 'hello', at: at(700) },
      { type: 'hello', at: at(30_000) },
    ]
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: 60_000, events: given }))
    await untilSo(async () => events(await w.lease(lease.id)).includes('hello DONE'))
    expect(events(await w.lease(lease.id)).slice(3)).toEqual(['hello DONE', 'hello UNDONE'])
  })

  it('that are overdue run at once and in order after a restart', async () => {
    const [host = '', other = ''] = hostnamesIn('Pod1')
    const startAt = new Date(Date.now() + 1_500)
    const first = await createLease(w.app, w.demo, { ...shortly(w, { forMs: 1, host }), endAt: startAt })
    const second = await createLease(w.app, w.demo, { ...shortly(w, { forMs: 60_000, host }), startAt })
    const missed = await createLease(w.app, w.demo, shortly(w, { inMs: 1_500, forMs: 500, host: other }))
    await w.until(first.id, 'ACTIVE')
    await w.stopWork()
    // As after a night: longer than anybody has patience.
    await sleep(2_500)
    const hourLater = new Date(Date.now() + 3_000_000)
    await updateLease(w.app, w.demo, { id: second.id, endAt: new Date(hourLater.getTime() + 3_600_000) })
    w.setTime(hourLater)
    w.cloud.faults.clear()
    const startedAt = Date.now()
    await w.startWork()
    await w.until(missed.id, 'TERMINATED')
    await w.until(second.id, 'ACTIVE')
    console.log(`what was overdue was done ${Date.now() - startedAt} ms after the restart`)
    w.setTime(null)
    const order = w.cloud.faults.log.filter(call => call.path.startsWith('/resource_classes/'))
    expect(order.map(call => call.method)).toEqual(['DELETE', 'PUT'])
    expect((await w.lease(first.id)).status).toBe('TERMINATED')
    expect(w.cloud.faults.log.some(call => call.path.includes(flavorOf(missed)))).toBe(false)
    expect(events(await w.lease(missed.id)).every(event => event.endsWith('DONE'))).toBe(true)
  })
})

describe('regions', () => {
  it('that are slow delay only their own leases', async () => {
    w.cloud.faults.add({ kind: 'latency', ms: 1_500, region: 'Pod1' })
    const slow: Lease[] = []
    for (let n = 0; n < 4; n++)
      slow.push(await createLease(w.app, w.demo, shortly(w, { inMs: 1_000, forMs: 60_000, region: 'Pod1' })))
    const quick = await createLease(w.app, w.demo, shortly(w, { inMs: 1_000, forMs: 60_000, region: 'Pod2' }))
    await w.until(quick.id, 'ACTIVE')
    console.log(
      `beside a slow region a lease was ACTIVE ${Date.now() - quick.startAt.getTime()} ms after its time`,
    )
    expect(Date.now() - quick.startAt.getTime()).toBeLessThan(3_000)
    for (const lease of slow) expect((await w.lease(lease.id)).status).toBe('STARTING')
    for (const lease of slow) await w.until(lease.id, 'ACTIVE')
  })

  it('give all that a lease wants, or nothing is taken of any', async () => {
    const whole = shortly(w, { forMs: 60_000, region: 'Pod1', count: 4 }).reservations[0]!
    const tooMuch = shortly(w, { forMs: 60_000, region: 'Pod2', count: 5 }).reservations[0]!
    const refused = { ...shortly(w, { forMs: 60_000 }), reservations: [whole, tooMuch] }
    await expect(createLease(w.app, w.demo, refused)).rejects.toMatchObject({ code: 'no_capacity' })
    const lease = await createLease(w.app, w.demo, { ...refused, reservations: [whole] })
    expect(lease.reservations[0]!.hosts).toHaveLength(4)
  })

  it('share a lease that no single one could take', async () => {
    const three = shortly(w, { forMs: 3_000, count: 3 }).reservations[0]!
    const lease = await createLease(w.app, w.demo, {
      ...shortly(w, { forMs: 3_000 }),
      reservations: [three, three],
    })
    expect(lease.reservations.map(one => one.regionName).sort()).toEqual(['Pod1', 'Pod2'])
    await w.until(lease.id, 'ACTIVE')
    for (const { id, regionName } of lease.reservations) {
      const server = await w.boot({ region: regionName, flavor: id })
      expect(server.host).not.toBeNull()
    }
    await w.until(lease.id, 'TERMINATED')
  })

  it('of a lease are left each for itself: one that refuses does not keep the other from it', async () => {
    const one = (region: string) => shortly(w, { forMs: 2_000, region }).reservations[0]!
    const lease = await createLease(w.app, w.demo, {
      ...shortly(w, { forMs: 2_000 }),
      reservations: [one('Pod1'), one('Pod2')],
    })
    await w.until(lease.id, 'ACTIVE')
    w.cloud.faults.add({ kind: 'status', status: 500, region: 'Pod1' })
    await untilSo(() => traces(w, 'Pod2').length === 0)
    expect(await w.lease(lease.id)).toMatchObject({ status: 'TERMINATING' })
    w.cloud.faults.clear()
    await w.until(lease.id, 'TERMINATED')
  })
})

const hostnamesIn = (region: string): string[] =>
  w.hosts.filter(host => host.regionName === region).map(host => host.hypervisorHostname)
const keyOf = (lease: Lease): string => flavorOf(lease).toUpperCase().replaceAll('-', '_')

// The life of a lease, through the regions and back.

import { afterEach, describe, expect, it } from 'vitest'
import type { HostReservationSpec, Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease, updateLease } from '../../src/core/leases/leases.ts'
import { until } from '../wait.ts'
import {
  boot,
  clearLeases,
  comes,
  hourMs,
  leaseIs,
  leaseOf,
  quiet,
  shortly,
  traces,
} from '../world/leases.ts'
import { fileWorld, world } from '../world.ts'

const settings = { ATOLL_LEASES_RETRY_FOR_SECONDS: '2' }
const own = () => world({ hosts: 4, workers: true, regions: ['Pod1'], settings })

const w = await fileWorld({ hosts: 4, workers: true, regions: ['Pod1', 'Pod2'], settings })
afterEach(async () => {
  w.setTime(null)
  for (const region of ['Pod1', 'Pod2']) {
    w.nova(region).region.settings.deleteMs = 0
    for (const id of w.nova(region).region.undying) w.nova(region).letDie(id)
  }
  await clearLeases(w)
  expect([...traces(w, 'Pod1'), ...traces(w, 'Pod2')]).toEqual([])
})

/** Brings the end of a lease near, once all is ready for it. */
const endSoon = ({ id }: Lease) =>
  updateLease(w.app, w.demo, { id, endAt: new Date(w.app.now().getTime() + 1_000) })
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
  it('is due at its time, and comes then and not before', async () => {
    // A cloud of its own: what has started by a clock that was set holds its hosts for when the real one comes there.
    await using w = await own()
    const lease = await createLease(w.app, w.demo, shortly(w, { inMs: hourMs, forMs: hourMs }))
    expect(lease.status).toBe('PENDING')
    const due = async () => {
      const { rows } = await w.database.pool.query(
        `select due_at, worker from turn where kind = 'lease' and key = $1`,
        [lease.id],
      )
      return rows[0]
    }
    const dueMs = (await due()).due_at.getTime() - lease.startAt.getTime()
    expect(dueMs).toBeGreaterThanOrEqual(0)
    expect(dueMs).toBeLessThanOrEqual(1)
    await comes(w, new Date(lease.startAt.getTime() - 60_000), lease.id)
    await until(async () => (await due()).worker === null && (await due()).due_at > new Date(), {
      what: 'a turn before its time is over',
      seen: due,
    })
    expect((await leaseOf(w, lease.id)).status).toBe('PENDING')
    await comes(w, lease.startAt, lease.id)
    await leaseIs(w, lease.id, 'ACTIVE')
    const active = await quiet(w, lease.id)
    expect(active.reservations).toMatchObject([{ status: 'active', regionName: 'Pod1' }])
    expect(events(active)).toEqual(['start_lease DONE', 'end_lease UNDONE', 'before_end_lease DONE'])
  })

  it('lets its project’s servers land on its hosts', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs }))
    await leaseIs(w, lease.id, 'ACTIVE')
    const server = await boot(w, { region: 'Pod1', flavor: flavorOf(lease) })
    expect(hostnamesOf(lease)).toEqual([server.host])
  })

  it('is tried again when the region refuses, and is ERROR with a reason when that lasts', async () => {
    w.cloud.faults.add({ kind: 'status', status: 400, region: 'Pod1', method: 'POST', path: '/v2.1/flavors' })
    const now = w.app.now()
    w.setTime(now)
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1' }))
    expect((await leaseIs(w, lease.id, 'STARTING'))!.reservations[0]!.status).toBe('pending')
    await until(() => w.cloud.faults.calls({ path: '/v2.1/flavors', method: 'POST' }) >= 2, {
      what: 'it is tried again',
    })
    w.setTime(new Date(now.getTime() + 2_001))
    const failed = await leaseIs(w, lease.id, 'ERROR')
    expect(failed!.statusReason).toContain("Pod1's Nova answered 400 to POST /v2.1/flavors")
    expect(failed!.reservations[0]!.status).toBe('error')
    expect(events(failed!)).toContain('start_lease ERROR')
  })
})

describe('the end of a lease', () => {
  it('takes away what the lease placed, and only that', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1' }))
    const other = await createLease(w.app, w.demo, shortly(w, { forMs: 2 * hourMs, region: 'Pod1' }))
    await leaseIs(w, lease.id, 'ACTIVE')
    await leaseIs(w, other.id, 'ACTIVE')
    const placed = await boot(w, { region: 'Pod1', flavor: flavorOf(lease), name: 'placed' })
    const kept = await boot(w, { region: 'Pod1', flavor: flavorOf(other), name: 'of another lease' })
    const plain = await boot(w, { region: 'Pod1', name: 'plain' })
    const foreign = await boot(w, { region: 'Pod1', as: 'admin', name: 'of another project' })
    expect(placed.host).not.toBe(kept.host)
    await endSoon(lease)
    const ended = await leaseIs(w, lease.id, 'TERMINATED')
    expect(ended!.reservations[0]!.status).toBe('deleted')
    expect(events(ended!)).toEqual(['start_lease DONE', 'end_lease DONE', 'before_end_lease DONE'])
    const left = w.nova('Pod1').servers()
    expect(left.map(({ id }) => id).sort()).toEqual([kept.id, plain.id, foreign.id].sort())
    expect(traces(w, 'Pod1').filter(trace => trace.includes(flavorOf(lease)))).toEqual([])
    expect(traces(w, 'Pod1').filter(trace => trace.includes(keyOf(lease)))).toEqual([])
  })

  it('takes images of its servers first, each once, even when the answer got lost', async () => {
    const spec = withBeforeEnd(shortly(w, { forMs: hourMs, region: 'Pod1', count: 2 }), 'snapshot')
    const beforeEndAt = new Date(w.app.now().getTime() + hourMs / 2)
    const lease = await createLease(w.app, w.demo, { ...spec, beforeEndAt })
    await leaseIs(w, lease.id, 'ACTIVE')
    for (const name of ['one', 'two']) await boot(w, { region: 'Pod1', flavor: flavorOf(lease), name })
    await boot(w, { region: 'Pod1', name: 'plain' })
    w.cloud.faults.add({ kind: 'lost', method: 'POST', path: '/v2.1/servers/*/action', times: 1 })
    const soon = new Date(w.app.now().getTime() + 1_000)
    await updateLease(w.app, w.demo, { id: lease.id, beforeEndAt: soon })
    await until(async () => events(await leaseOf(w, lease.id)).includes('before_end_lease DONE'), {
      what: 'its images are taken',
    })
    await endSoon(lease)
    await leaseIs(w, lease.id, 'TERMINATED')
    const images = w.nova('Pod1').images()
    const taken = images.map(image => image.name).filter(name => name.startsWith('reserved_'))
    expect(taken.sort()).toEqual(['reserved_one', 'reserved_two'])
  })

  it('takes images anew when it comes later than it was told', async () => {
    const spec = withBeforeEnd(shortly(w, { forMs: hourMs, region: 'Pod1' }), 'snapshot')
    const now = w.app.now().getTime()
    const early = new Date(now + hourMs / 4)
    const lease = await createLease(w.app, w.demo, { ...spec, beforeEndAt: early })
    await leaseIs(w, lease.id, 'ACTIVE')
    await boot(w, { region: 'Pod1', flavor: flavorOf(lease), name: 'again' })
    const images = () =>
      w
        .nova('Pod1')
        .images()
        .filter(image => image.name === 'reserved_again').length
    await comes(w, early, lease.id)
    await until(() => images() === 1, { what: 'an image is taken' })
    const beforeEndAt = new Date(now + hourMs / 2)
    const armed = await updateLease(w.app, w.demo, { id: lease.id, beforeEndAt })
    expect(events(armed)).toContain('before_end_lease UNDONE')
    await comes(w, beforeEndAt, lease.id)
    await until(() => images() === 2, { what: 'an image is taken anew' })
  })

  it('comes for a lease whose user is no more as for any other', async () => {
    const gone = { ...w.demo, userId: 'somebody-who-is-no-more' }
    const lease = await createLease(w.app, gone, shortly(w, { forMs: hourMs }))
    await leaseIs(w, lease.id, 'ACTIVE')
    await endSoon(lease)
    expect((await leaseIs(w, lease.id, 'TERMINATED'))!.userId).toBe('somebody-who-is-no-more')
  })

  it('comes for a lease that never started as well', async () => {
    // A cloud of its own: what has ended by a clock that was set holds its hosts until the real one comes there.
    await using w = await own()
    w.cloud.faults.add({
      kind: 'status',
      status: 400,
      region: 'Pod1',
      path: '/v2.1/flavors*',
      method: 'POST',
    })
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1' }))
    await leaseIs(w, lease.id, 'ERROR')
    await comes(w, lease.endAt, lease.id)
    await until(async () => events(await leaseOf(w, lease.id)).includes('end_lease DONE'), {
      what: 'it has ended',
    })
    const ended = await leaseOf(w, lease.id)
    expect([ended.status, ended.reservations[0]!.status]).toEqual(['ERROR', 'deleted'])
    expect(traces(w, 'Pod1')).toEqual([])
  })

  it('waits for a server that will not die, and says which', async () => {
    // A cloud of its own: what has ended by a clock that was set holds its hosts until the real one comes there.
    await using w = await own()
    const [host = ''] = hostnamesIn('Pod1')
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, host, region: 'Pod1' }))
    const next = await createLease(
      w.app,
      w.demo,
      shortly(w, { inMs: hourMs + 60_000, forMs: hourMs, host, region: 'Pod1' }),
    )
    const beside = await createLease(
      w.app,
      w.demo,
      shortly(w, { inMs: hourMs + 60_000, forMs: hourMs, region: 'Pod1' }),
    )
    await leaseIs(w, lease.id, 'ACTIVE')
    const server = await boot(w, { region: 'Pod1', flavor: flavorOf(lease), name: 'stubborn' })
    w.nova('Pod1').makeUndying(server.id)
    await comes(w, beside.startAt, lease.id, next.id, beside.id)
    await leaseIs(w, beside.id, 'ACTIVE')
    const told = async () => (await leaseOf(w, lease.id)).statusReason
    await until(async () => (await told())?.includes(`stubborn (${server.id})`), {
      what: 'it says which server',
      seen: told,
    })
    expect((await leaseOf(w, lease.id)).status).toBe('TERMINATING')
    await until(async () => (await leaseOf(w, next.id)).statusReason !== null, {
      what: 'the next says why it waits',
    })
    expect(await leaseOf(w, next.id)).toMatchObject({
      status: 'PENDING',
      statusReason: 'waits until the lease before it has left its hosts',
    })
    w.nova('Pod1').letDie(server.id)
    expect((await leaseIs(w, lease.id, 'TERMINATED'))!.statusReason).toBeNull()
    expect((await leaseIs(w, next.id, 'ACTIVE'))!.statusReason).toBeNull()
  })

  it('comes before the start of the next one on its host', async () => {
    // A cloud of its own: what has ended by a clock that was set holds its hosts until the real one comes there.
    await using w = await own()
    w.nova('Pod1').region.settings.deleteMs = 700
    const [host = ''] = hostnamesIn('Pod1')
    const startAt = new Date(w.app.now().getTime() + hourMs)
    const first = await createLease(w.app, w.demo, { ...shortly(w, { forMs: 1, host }), endAt: startAt })
    const second = await createLease(w.app, w.demo, { ...shortly(w, { forMs: hourMs, host }), startAt })
    await leaseIs(w, first.id, 'ACTIVE')
    const server = await boot(w, { region: 'Pod1', flavor: flavorOf(first) })
    await comes(w, startAt, first.id, second.id)
    await leaseIs(w, second.id, 'ACTIVE')
    expect((await leaseOf(w, first.id)).status).toBe('TERMINATED')
    expect(w.nova('Pod1').server(server.id)).toBeUndefined()
    const calls = w.cloud.faults.log.filter(call => call.path.startsWith('/resource_classes/'))
    expect(
      calls.map(call => `${call.method} ${call.path.endsWith(keyOf(second)) ? 'second' : 'first'}`),
    ).toEqual(['PUT first', 'DELETE first', 'PUT second'])
  })
})

describe('the deletion of a lease', () => {
  it('that is pending leaves nothing, and asks nothing of its region', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { inMs: hourMs, forMs: hourMs, count: 4 }))
    await remove(lease)
    expect(await w.app.store.leases.get(lease.id)).toBeNull()
    const again = await createLease(w.app, w.demo, shortly(w, { inMs: hourMs, forMs: hourMs, count: 4 }))
    expect(hostnamesOf(again)).toEqual(hostnamesOf(lease))
    expect(w.cloud.faults.log).toEqual([])
  })

  it('that is active frees its hosts at once, and waits for its servers', async () => {
    const spec = shortly(w, { forMs: hourMs, region: 'Pod1', count: 4 })
    const lease = await createLease(w.app, w.demo, spec)
    await leaseIs(w, lease.id, 'ACTIVE')
    const server = await boot(w, { region: 'Pod1', flavor: flavorOf(lease) })
    w.nova('Pod1').makeUndying(server.id)
    await remove(lease)
    expect((await leaseOf(w, lease.id)).status).toBe('DELETING')
    const next = await createLease(w.app, w.demo, spec)
    expect(hostnamesOf(next)).toEqual(hostnamesOf(lease))
    w.nova('Pod1').letDie(server.id)
    await leaseIs(w, next.id, 'ACTIVE')
    expect(await w.app.store.leases.get(lease.id)).toBeNull()
    expect(w.nova('Pod1').server(server.id)).toBeUndefined()
  })

  it('that is starting leaves nothing in its region', async () => {
    const slow = { kind: 'latency', ms: 700, region: 'Pod1', path: '/v2.1/flavors*' } as const
    const fault = w.cloud.faults.add(slow)
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1' }))
    await leaseIs(w, lease.id, 'STARTING')
    await until(() => fault.hits > 0, { what: 'its start is under way' })
    await remove(lease)
    await leaseIs(w, lease.id, null)
    expect(traces(w, 'Pod1')).toEqual([])
  })
})

describe('events', () => {
  it('that the user gives are done at their time, each for itself', async () => {
    const now = w.app.now().getTime()
    const [early, late] = [new Date(now + hourMs / 4), new Date(now + hourMs / 2)]
    const given = [
      { type: 'hello', at: early },
      { type: 'hello', at: late },
    ]
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, events: given }))
    await leaseIs(w, lease.id, 'ACTIVE')
    await comes(w, early, lease.id)
    await until(async () => events(await leaseOf(w, lease.id)).includes('hello DONE'), {
      what: 'the first is done',
    })
    expect(events(await leaseOf(w, lease.id)).slice(3)).toEqual(['hello DONE', 'hello UNDONE'])
  })

  it('that are overdue run at once and in order after a restart', async () => {
    // A cloud of its own: what has ended by a clock that was set holds its hosts until the real one comes there.
    await using w = await own()
    const [host = '', other = ''] = hostnamesIn('Pod1')
    const startAt = new Date(w.app.now().getTime() + hourMs)
    const first = await createLease(w.app, w.demo, { ...shortly(w, { forMs: 1, host }), endAt: startAt })
    const second = await createLease(w.app, w.demo, { ...shortly(w, { forMs: hourMs, host }), startAt })
    const missed = await createLease(w.app, w.demo, shortly(w, { inMs: hourMs, forMs: 60_000, host: other }))
    await leaseIs(w, first.id, 'ACTIVE')
    await w.stopWork()
    // As after a night: longer than anybody has patience.
    const hourLater = new Date(startAt.getTime() + 3_000_000)
    await updateLease(w.app, w.demo, { id: second.id, endAt: new Date(hourLater.getTime() + 3_600_000) })
    await comes(w, hourLater, first.id, second.id, missed.id)
    w.cloud.faults.clear()
    await w.startWork()
    await leaseIs(w, missed.id, 'TERMINATED')
    await leaseIs(w, second.id, 'ACTIVE')
    const order = w.cloud.faults.log.filter(call => call.path.startsWith('/resource_classes/'))
    expect(order.map(call => call.method)).toEqual(['DELETE', 'PUT'])
    expect((await leaseOf(w, first.id)).status).toBe('TERMINATED')
    expect(w.cloud.faults.log.some(call => call.path.includes(flavorOf(missed)))).toBe(false)
    expect(events(await leaseOf(w, missed.id)).every(event => event.endsWith('DONE'))).toBe(true)
  })
})

describe('regions', () => {
  it('that are slow delay only their own leases', async () => {
    w.cloud.faults.add({ kind: 'latency', ms: 5_000, region: 'Pod1' })
    const slow: Lease[] = []
    for (let n = 0; n < 4; n++)
      slow.push(await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1' })))
    const quick = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod2' }))
    await leaseIs(w, quick.id, 'ACTIVE')
    for (const lease of slow) expect((await leaseOf(w, lease.id)).status).toBe('STARTING')
    w.cloud.faults.clear()
    for (const lease of slow) await leaseIs(w, lease.id, 'ACTIVE')
  })

  it('give all that a lease wants, or nothing is taken of any', async () => {
    const whole = shortly(w, { forMs: hourMs, region: 'Pod1', count: 4 }).reservations[0]!
    const tooMuch = shortly(w, { forMs: hourMs, region: 'Pod2', count: 5 }).reservations[0]!
    const refused = { ...shortly(w, { forMs: hourMs }), reservations: [whole, tooMuch] }
    await expect(createLease(w.app, w.demo, refused)).rejects.toMatchObject({ code: 'no_capacity' })
    const lease = await createLease(w.app, w.demo, { ...refused, reservations: [whole] })
    expect(lease.reservations[0]!.hosts).toHaveLength(4)
  })

  it('share a lease that no single one could take', async () => {
    const three = shortly(w, { forMs: hourMs, count: 3 }).reservations[0]!
    const lease = await createLease(w.app, w.demo, {
      ...shortly(w, { forMs: hourMs }),
      reservations: [three, three],
    })
    expect(lease.reservations.map(one => one.regionName).sort()).toEqual(['Pod1', 'Pod2'])
    await leaseIs(w, lease.id, 'ACTIVE')
    for (const { id, regionName } of lease.reservations) {
      const server = await boot(w, { region: regionName, flavor: id })
      expect(server.host).not.toBeNull()
    }
    await endSoon(lease)
    await leaseIs(w, lease.id, 'TERMINATED')
  })

  it('of a lease are left each for itself: one that refuses does not keep the other from it', async () => {
    const one = (region: string) => shortly(w, { forMs: hourMs, region }).reservations[0]!
    const lease = await createLease(w.app, w.demo, {
      ...shortly(w, { forMs: hourMs }),
      reservations: [one('Pod1'), one('Pod2')],
    })
    await leaseIs(w, lease.id, 'ACTIVE')
    w.cloud.faults.add({ kind: 'status', status: 500, region: 'Pod1' })
    await endSoon(lease)
    await until(() => traces(w, 'Pod2').length === 0, { what: 'Pod2 is left', seen: () => traces(w, 'Pod2') })
    expect(await leaseOf(w, lease.id)).toMatchObject({ status: 'TERMINATING' })
    w.cloud.faults.clear()
    await leaseIs(w, lease.id, 'TERMINATED')
  })
})

const hostnamesIn = (region: string): string[] =>
  w.hosts.filter(host => host.regionName === region).map(host => host.hypervisorHostname)
const keyOf = (lease: Lease): string => flavorOf(lease).toUpperCase().replaceAll('-', '_')

// The life of a lease, through the regions and back.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLease, getLease, removeLease, updateLease } from '../../src/core/leases/leases.ts'
import { hostsFor, hourMs, type Leasing, leasing } from './leasing.ts'

let w: Leasing

beforeAll(async () => {
  w = await leasing({ regions: ['CentralRegion', 'Pod1', 'Pod2'] })
})
afterAll(() => w?.[Symbol.asyncDispose]())

describe('a lease of hosts', () => {
  it('starts at once when it is due, and is gone from its region after it was removed', async () => {
    const lease = await createLease(w.app, w.demo, hostsFor(w, 2))
    expect(lease.status).toBe('PENDING')
    const active = await w.until(lease.id, 'ACTIVE')
    expect(active!.reservations).toMatchObject([{ status: 'active', regionName: 'Pod1' }])
    expect(active!.events.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'start_lease DONE',
      'end_lease UNDONE',
      'before_end_lease UNDONE',
    ])
    const flavors = () =>
      w.cloud.novas
        .get('Pod1')!
        .flavors()
        .map(flavor => flavor.name)
    expect(flavors()).toContain(`reservation:${lease.reservations[0]!.id}`)
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await w.until(lease.id, null)
    expect(flavors()).not.toContain(`reservation:${lease.reservations[0]!.id}`)
  })

  it('is prolonged, and ends at its new end', async () => {
    const lease = await createLease(w.app, w.demo, hostsFor(w, 1))
    await w.until(lease.id, 'ACTIVE')
    const endAt = new Date(lease.endAt.getTime() + hourMs)
    const longer = await updateLease(w.app, w.demo, { id: lease.id, endAt })
    expect(longer).toMatchObject({ status: 'ACTIVE', endAt })
    expect((await getLease(w.app, w.demo, { id: lease.id, region: null })).reservations[0]!.hosts).toEqual(
      lease.reservations[0]!.hosts,
    )
    w.setTime(endAt)
    await w.app.store.turns.ask([{ kind: 'lease', key: lease.id, lane: '' }])
    await w.until(lease.id, 'TERMINATED')
    w.setTime(new Date())
  })
})

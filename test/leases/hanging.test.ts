// A region that gives no answer keeps its own leases waiting, and nobody else's.

import { expect, it } from 'vitest'
import type { Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease } from '../../src/core/leases/leases.ts'
import { leasing, shortly, untilSo } from './leasing.ts'

it('leases in other regions start in time, and a lease that hangs is deleted and its hosts are free at once', async () => {
  await using w = await leasing({ regions: ['Pod1', 'Pod2', 'Pod3'], hosts: 8 })
  w.cloud.faults.add({ kind: 'hang', region: 'Pod1' })
  const create = (region: string): Promise<Lease> =>
    createLease(w.app, w.demo, shortly(w, { forMs: 600_000, region }))
  const hanging: Lease[] = []
  for (let n = 0; n < 8; n++) hanging.push(await create('Pod1'))
  await untilSo(async () => (await w.lease(hanging[0]!.id)).status === 'STARTING')

  const askedAt = Date.now()
  const parts = ['Pod2', 'Pod3'].map(region => shortly(w, { forMs: 600_000, region }).reservations[0]!)
  const spread = { ...shortly(w, { forMs: 600_000 }), reservations: parts }
  const others = [await create('Pod2'), await create('Pod3'), await createLease(w.app, w.demo, spread)]
  for (const { id } of others) await w.until(id, 'ACTIVE')
  console.log(
    `beside a region that hangs three leases were ACTIVE ${Date.now() - askedAt} ms after they were asked for`,
  )
  expect(Date.now() - askedAt).toBeLessThan(10_000)

  const removedAt = Date.now()
  await removeLease(w.app, w.demo, { id: hanging[0]!.id, region: null })
  console.log(`the deletion of one that hangs was answered after ${Date.now() - removedAt} ms`)
  expect(Date.now() - removedAt).toBeLessThan(5_000)
  const next = await create('Pod1')
  expect(next.reservations[0]!.hosts).toEqual(hanging[0]!.reservations[0]!.hosts)
})

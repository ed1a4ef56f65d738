// A region that gives no answer keeps its own leases waiting, and nobody else's.

import { expect, it } from 'vitest'
import type { Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease } from '../../src/core/leases/leases.ts'
import { until } from '../wait.ts'
import { hourMs, leaseIs, leaseOf, shortly } from '../world/leases.ts'
import { world } from '../world.ts'

it('leases in other regions start while it hangs, and a lease that hangs is deleted and its hosts are free at once', async () => {
  await using w = await world({ workers: true, regions: ['Pod1', 'Pod2', 'Pod3'], hosts: 8 })
  w.cloud.faults.add({ kind: 'hang', region: 'Pod1' })
  const create = (region: string): Promise<Lease> =>
    createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region }))
  const hanging: Lease[] = []
  for (let n = 0; n < 8; n++) hanging.push(await create('Pod1'))
  const calls = () => w.cloud.faults.calls({ region: 'Pod1' })
  await until(() => calls() > 0, { what: 'the first of them hangs' })

  const parts = ['Pod2', 'Pod3'].map(region => shortly(w, { forMs: hourMs, region }).reservations[0]!)
  const spread = { ...shortly(w, { forMs: hourMs }), reservations: parts }
  const others = [await create('Pod2'), await create('Pod3'), await createLease(w.app, w.demo, spread)]
  for (const { id } of others) await leaseIs(w, id, 'ACTIVE')
  for (const { id } of hanging) expect(['PENDING', 'STARTING']).toContain((await leaseOf(w, id)).status)

  const [first] = hanging
  await removeLease(w.app, w.demo, { id: first!.id, region: null })
  // Whoever waited for the region would come back when it is given up, and by then what hangs is tried again.
  expect((await leaseOf(w, first!.id)).status).toBe('DELETING')
  const next = await create('Pod1')
  expect(next.reservations[0]!.hosts).toEqual(first!.reservations[0]!.hosts)
})

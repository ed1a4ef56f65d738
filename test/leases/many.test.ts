// Leases that end and as many that start in the same second, back to back on the same hosts, over several regions: every
// end comes before the start on its host, and none fails. `npm run bench -- leases` does the same with thousands.
//
// SOAK=1: 200 of each instead of 20.

import { expect, it } from 'vitest'
import { createLease } from '../../src/core/leases/leases.ts'
import { sized } from '../chance.ts'
import { comes, hourMs, leaseIs, shortly } from '../world/leases.ts'
import { world } from '../world.ts'

const count = sized(200)
const perRegion = 4
const regions = Array.from({ length: count / perRegion }, (_, index) => `Pod${index + 1}`)

it(`${count} leases end and ${count} start in the same second`, { timeout: 1_800_000 }, async () => {
  await using w = await world({ workers: true, regions, hosts: perRegion })
  expect(w.hosts).toHaveLength(count)
  const at = new Date(Math.ceil(w.app.now().getTime() / 1000) * 1000 + hourMs)
  const create = (host: string, region: string, startAt: Date | 'now', endAt: Date) =>
    createLease(w.app, w.demo, { ...shortly(w, { forMs: hourMs, host, region }), startAt, endAt })
  const pairs = []
  for (const { hypervisorHostname: host, regionName } of w.hosts) {
    const first = await create(host, regionName, 'now', at)
    pairs.push({ first, second: await create(host, regionName, at, new Date(at.getTime() + hourMs)) })
  }
  for (const { first } of pairs) await leaseIs(w, first.id, 'ACTIVE')
  w.cloud.faults.clear()
  await comes(w, at, ...pairs.flatMap(({ first, second }) => [first.id, second.id]))
  const called = (id: string) =>
    w.cloud.faults.log.flatMap(({ path }, index) =>
      path.toUpperCase().includes(id.replaceAll('-', '_').toUpperCase()) ? [index] : [],
    )
  for (const { first, second } of pairs) {
    await leaseIs(w, second.id, 'ACTIVE')
    await leaseIs(w, first.id, 'TERMINATED')
    const [ended, begun] = [first, second].map(one => called(one.reservations[0]!.id))
    expect(ended!.length).toBeGreaterThan(0)
    expect(begun!.length).toBeGreaterThan(0)
    expect(ended!.at(-1), 'the last call of the end').toBeLessThan(begun![0]!)
  }
})

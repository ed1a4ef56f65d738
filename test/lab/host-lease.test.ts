// A lease of a host on a real Nova and Placement: it starts, takes a server by its flavor, keeps others out, ends.

import { expect, test } from 'vitest'
import { enrolHost, removeHost } from '../../src/core/hosts/enrolment.ts'
import type { Lease, LeaseSpec } from '../../src/core/leases/lease.ts'
import { createLease, updateLease } from '../../src/core/leases/leases.ts'
import { getServer, listHypervisors, listServers } from '../../src/openstack/nova.ts'
import { getFlavor } from '../../src/openstack/nova-flavors.ts'
import { until } from '../wait.ts'
import { booterOf, flavorOf } from '../world/servers.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ lab: true, joined: true, workers: true })
const isThere = await w.has(['compute'])

test.skipIf(!isThere)('a lease of a host from its start to its end', async () => {
  const { app, admin, demo: member } = w
  const region = w.services()
  const booter = await booterOf(w)
  const plain = await flavorOf(w, { prefix: w.prefix })

  const hypervisors = await listHypervisors(region)
  const busy = new Set((await listServers(region)).map(server => server.host))
  const free = hypervisors.find(one => one.state === 'up' && !busy.has(one.service.host))!
  const host = await enrolHost(app, admin, { nameOrId: free.hostname, region: region.name, capabilities: {} })
  w.after(() => removeHost(app, admin, { id: host.id, region: null }).catch(() => {}))

  const lease = await createLease(app, member, wholeHost())
  const now = () => app.store.leases.get(lease.id)
  const comesTo = (status: Lease['status']) =>
    until(async () => (await now())?.status === status, { what: `the lease is ${status}`, seen: now })
  const askedAt = Date.now()
  await comesTo('ACTIVE')
  console.log(`the lease was ACTIVE ${Date.now() - askedAt} ms after it was asked for`)

  const mine = await booter.boot({ name: `${w.prefix}-mine`, flavorId: lease.reservations[0]!.id })
  expect([mine.status, mine.host]).toEqual(['ACTIVE', free.service.host])
  for (const name of ['one', 'two']) {
    const other = await booter.boot({ name: `${w.prefix}-${name}`, flavorId: plain.id })
    expect([other.status, other.host === free.service.host]).toEqual(['ACTIVE', false])
  }

  const endedAt = Date.now()
  await updateLease(app, member, { id: lease.id, endAt: new Date(endedAt + 1_000) })
  await comesTo('TERMINATED')
  console.log(`the lease was TERMINATED ${Date.now() - endedAt - 1_000} ms after its end`)
  expect(await getServer(region, mine.id)).toBeNull()
  expect(await getFlavor(region, lease.reservations[0]!.id)).toBeNull()
  const stillClosed = await booter.boot({ name: `${w.prefix}-three`, flavorId: plain.id })
  expect(stillClosed.host).not.toBe(free.service.host)
  await removeHost(app, admin, { id: host.id, region: null })
})

const wholeHost = (): LeaseSpec => ({
  name: 'lab',
  startAt: 'now',
  endAt: new Date(Date.now() + 3_600_000),
  beforeEndAt: null,
  events: [],
  region: null,
  reservations: [
    {
      kind: 'physical:host',
      min: 1,
      max: 1,
      hypervisorProperties: '',
      resourceProperties: '',
      beforeEnd: '',
    },
  ],
})

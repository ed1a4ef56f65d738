// Hosts and leases at work while their region cannot be seen: servers stay on their hosts, nothing is removed there, and
// model and region have at the end what they had at the beginning.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FaultSpec } from '../../sim/faults.ts'
import type { App } from '../../src/core/app.ts'
import { AppError } from '../../src/core/error.ts'
import type { Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease } from '../../src/core/leases/leases.ts'
import { reconcileHosts } from '../../src/core/leases/reconcile.ts'
import { until } from '../wait.ts'
import { boot, hostsFor, hourMs, leaseIs, leaseOf, stateOf } from '../world/leases.ts'
import { fileWorld } from '../world.ts'

let lease: Lease
const region = 'Pod1'
const w = await fileWorld({ workers: true, regions: [region], hosts: 4 })

beforeAll(async () => {
  w.cloud.faults.remember()
  lease = await createLease(w.app, w.demo, hostsFor(w, 4, { endAt: new Date(Date.now() + 90 * 24 * hourMs) }))
  await leaseIs(w, lease.id, 'ACTIVE')
  await boot(w, { region, flavor: lease.reservations[0]!.id })
  w.cloud.clock.advance(2 * hourMs)
  await w.stopWork()
})
beforeEach(() => {
  w.cloud.faults.clear()
  w.cloud.keystone.grant(w.cloud.keystone.userId('atoll'), 'admin', w.cloud.keystone.projectId('service'))
})

const model = async () => {
  const { rows } = await w.database.pool.query(
    `select (select jsonb_agg(to_jsonb(host) - 'inventory' order by id) from host) as hosts,
            (select jsonb_agg(to_jsonb(usage) order by id) from usage) as usage,
            (select jsonb_agg(jsonb_build_object('id', id, 'status', status, 'version', version)) from lease) as leases`,
  )
  return rows[0]
}

/** Calls that take something away. */
const removals = (): number =>
  w.cloud.faults.log.filter(
    ({ method, path, service }) =>
      service !== 'keystone' &&
      (method === 'DELETE' || (method === 'PUT' && path.includes('resource_providers'))),
  ).length

/** One look, as the survey's turn takes it: a region that refuses is asked again later. */
async function look(app: App): Promise<string | null> {
  try {
    return (await reconcileHosts(app, region)).verdict?.doubt ?? null
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.message
  }
}

const plagues: [string, readonly FaultSpec[] | 'revoked'][] = [
  ['a Nova that is blind for the service user', [{ kind: 'blind', region, service: 'nova', user: 'atoll' }]],
  ['a Nova that is blind for all', [{ kind: 'blind', region, service: 'nova' }]],
  ['a Placement that is blind', [{ kind: 'blind', region, service: 'placement' }]],
  [
    'a Nova that takes it for no administrator',
    [{ kind: 'demoted', region, service: 'nova', user: 'atoll' }],
  ],
  [
    'a Placement that takes it for no administrator',
    [{ kind: 'demoted', region, service: 'placement', user: 'atoll' }],
  ],
  ['a lost role', 'revoked'],
  ['an emptied Nova', [{ kind: 'empty', region, service: 'nova' }]],
  ['an emptied Placement', [{ kind: 'empty', region, service: 'placement' }]],
  ['an emptied region', [{ kind: 'empty', region }]],
]

async function during(plague: (typeof plagues)[number][1], work: () => Promise<void>): Promise<void> {
  const { keystone, faults } = w.cloud
  const planted = plague === 'revoked' ? [] : plague.map(fault => faults.add(fault))
  const who = [keystone.userId('atoll'), 'admin', keystone.projectId('service')] as const
  if (plague === 'revoked') keystone.revokeGrant(...who)
  await work()
  for (const fault of planted) fault.remove()
  if (plague === 'revoked') keystone.grant(...who)
}

describe('hosts and a lease at work under', () => {
  it.each(plagues)('%s are what they were: for one look, and for a day', async (_what, plague) => {
    const before = { model: await model(), region: stateOf(w, region, [lease]) }
    for (const looks of [1, 24]) {
      await during(plague, async () => {
        for (let at = 0; at < looks; at++) {
          w.setTime(new Date(w.app.now().getTime() + (looks > 1 ? hourMs : 0)))
          expect(await look(w.app)).not.toBeNull()
        }
      })
      expect(await look(w.app)).toBeNull()
      expect(removals()).toBe(0)
      expect({ model: await model(), region: stateOf(w, region, [lease]) }).toEqual(before)
    }
    expect(await w.app.store.suspicions.list()).toEqual([])
    w.setTime(null)
  })

  it('a region of an hour ago are what they were', async () => {
    const before = { model: await model(), region: stateOf(w, region, [lease]) }
    await during([{ kind: 'restore', region, seconds_ago: 3_600 }], async () => {
      expect(await look(w.app)).toBeNull()
    })
    expect(await look(w.app)).toBeNull()
    expect(removals()).toBe(0)
    expect({ model: await model(), region: stateOf(w, region, [lease]) }).toEqual(before)
  })
})

describe('a proof that is not asked for', () => {
  it('is seen: hosts that an administrator has said are gone take no reservation, and their lease is enacted anew', async () => {
    const get = w.app.store.suspicions.get
    const said = { reason: '', since: w.app.now(), counts: {}, confirmed: { host: 4 } }
    const suspicions: typeof w.app.store.suspicions = {
      ...w.app.store.suspicions,
      get: async (regionId, through) => (await get(regionId, through)) ?? { regionId, through, ...said },
    }
    await during([{ kind: 'empty', region, service: 'nova' }], async () => {
      expect(await look({ ...w.app, store: { ...w.app.store, suspicions } })).toBeNull()
    })
    expect((await w.app.store.hosts.list(region)).filter(host => host.reservable)).toEqual([])
    expect((await leaseOf(w, lease.id)).status).toBe('UPDATING')
    await w.startWork()
    await leaseIs(w, lease.id, 'ACTIVE')
    await w.stopWork()
    expect(await look(w.app)).toBeNull()
    expect((await w.app.store.hosts.list(region)).every(host => host.reservable)).toBe(true)
  })
})

describe('what is gone indeed', () => {
  it('is gone: a host that its region lost takes no reservation', async () => {
    const nova = w.nova(region)
    const [server] = nova.servers()
    const host = w.hosts.find(one => one.serviceName !== server!.host)
    nova.region.removeHost(nova.host(host!.hypervisorHostname))
    expect(await look(w.app)).toBeNull()
    expect((await w.app.store.hosts.get(host!.id))!.reservable).toBe(false)
  })
})

describe('the end of a lease', () => {
  it('one of whose hosts is lost waits while its region shows nothing, and then its server is gone too', async () => {
    const { id } = lease

    const fault = w.cloud.faults.add({ kind: 'empty', region })
    await w.startWork()

    await removeLease(w.app, w.demo, { id, region: null })
    await until(async () => /is not believed/.test((await leaseOf(w, id)).statusReason ?? ''), {
      what: 'the lease says why it waits',
    })
    expect((await leaseOf(w, id)).status).toBe('DELETING')
    fault.remove()
    expect(
      w
        .nova(region)
        .flavors()
        .map(flavor => flavor.id),
    ).toContain(lease.reservations[0]!.id)
    await reconcileHosts(w.app, region)
    await leaseIs(w, id, null)
    expect(
      w
        .nova(region)
        .flavors()
        .map(flavor => flavor.id),
    ).not.toContain(lease.reservations[0]!.id)
    expect(w.nova(region).servers()).toEqual([])
  })
})

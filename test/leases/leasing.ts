// A whole Atoll with hosts enrolled in its regions and its clockwork running.

import { pino } from 'pino'
import { createClockwork } from '../../src/compose.ts'
import type { Caller } from '../../src/core/caller.ts'
import type { Host } from '../../src/core/hosts/host.ts'
import { enrolHost } from '../../src/core/hosts/hosts.ts'
import type { Lease, LeaseSpec, LeaseStatus } from '../../src/core/leases/lease.ts'
import { createRegion } from '../../src/core/regions/regions.ts'
import type { Clockwork } from '../../src/worker/clockwork.ts'
import { type World, type WorldSpec, world } from '../world.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs

export interface Leasing extends World {
  readonly admin: Caller
  readonly demo: Caller
  readonly hosts: readonly Host[]
  readonly clockwork: Clockwork
  /** The lease once it has this status (or, with null, is gone). */
  until(id: string, status: LeaseStatus | null): Promise<Lease | null>
}

/** `enrolled` hosts in each region that is not central. */
export async function leasing(spec: WorldSpec & { enrolled?: number } = {}): Promise<Leasing> {
  const w = await world(spec)
  const caller = (name: 'admin' | 'demo', roles: string[]): Caller => ({
    userId: name,
    userName: name,
    projectId: w.cloud.keystone.projectId(name),
    projectName: name,
    roles,
    requestId: 'req-00000000-0000-4000-8000-000000000000',
  })
  const admin = caller('admin', ['admin'])
  const hosts: Host[] = []
  for (const name of w.cloud.regions) {
    const isCentral = name === 'CentralRegion'
    const zone = {
      availabilityZone: isCentral ? '' : `az-${name}`,
      localAvailabilityZone: '',
      dataCenter: '',
    }
    await createRegion(w.app, admin, { name, ...zone })
    const there = w.cloud.novas.get(name)?.hosts() ?? []
    for (const host of there.slice(0, spec.enrolled ?? 4)) {
      hosts.push(await enrolHost(w.app, admin, { nameOrId: host.name, region: name, capabilities: {} }))
    }
  }
  const clockwork = createClockwork({
    config: w.config,
    log: pino({ level: 'warn' }),
    app: w.app,
    databaseUrl: w.databaseUrl,
    metrics: { observeJob: () => {}, countSurplus: () => {} },
  })
  await clockwork.start()
  return {
    ...w,
    admin,
    demo: caller('demo', ['member']),
    hosts,
    clockwork,
    async until(id, status) {
      const deadline = Date.now() + 20_000
      for (;;) {
        const lease = await w.app.store.leases.get(id)
        if ((lease?.status ?? null) === status) return lease
        if (Date.now() > deadline)
          throw new Error(`lease ${id} is ${lease?.status} (${lease?.statusReason}), not ${status}`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
    async [Symbol.asyncDispose]() {
      await clockwork.stop()
      await w[Symbol.asyncDispose]()
    },
  }
}

/** Whole hosts for two hours from now, unless told otherwise. */
export function hostsFor(w: World, count: number, spec: Partial<LeaseSpec> = {}, properties = ''): LeaseSpec {
  return {
    name: 'lease',
    startAt: 'now',
    endAt: new Date(Math.floor(w.app.now().getTime() / minuteMs) * minuteMs + 2 * hourMs),
    beforeEndAt: null,
    events: [],
    region: null,
    reservations: [
      {
        kind: 'physical:host',
        min: count,
        max: count,
        hypervisorProperties: properties,
        resourceProperties: '',
        beforeEnd: 'default',
      },
    ],
    ...spec,
  }
}

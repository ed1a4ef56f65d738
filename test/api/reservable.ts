// Hosts and leases for the tests that ask every route, and good requests for those of the Reservation API.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Caller } from '../../src/core/caller.ts'
import { enrolHost } from '../../src/core/hosts/enrolment.ts'
import { createLease } from '../../src/core/leases/leases.ts'
import { createRegion } from '../../src/core/regions/regions.ts'
import type { World } from '../world.ts'

export interface GoodRequest {
  /** For `:id`, or for `:name`. */
  readonly id?: string | number
  readonly body?: Record<string, unknown>
}

/** Who makes what a request needs. */
export const operator: Caller = {
  userId: 'operator',
  userName: 'operator',
  projectId: null,
  projectName: null,
  roles: [],
  requestId: 'req-operator',
}

/** Names that no other test of this world uses. */
export const fresh = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`

/** The region with hosts, which has a view of its own. */
export const viewed = 'Pod1'

/** By world: its host that leases take turns on, once it is enrolled. */
const shared = new WeakMap<World, Promise<number>>()

export function sharedHost(w: World): Promise<number> {
  const host = shared.get(w) ?? firstHost(w)
  shared.set(w, host)
  return host
}

async function firstHost(w: World): Promise<number> {
  const pod = { name: viewed, availabilityZone: 'az', localAvailabilityZone: '', dataCenter: '' }
  await createRegion(w.app, operator, pod)
  return newHost(w)
}

/** Enrols a hypervisor that was not there before. */
async function newHost(w: World): Promise<number> {
  const { name } = w.nova(viewed).addHost({ name: fresh('host') })
  const capabilities = { gpu: 'no' }
  return (await enrolHost(w.app, operator, { nameOrId: name, region: viewed, capabilities })).id
}

const anotherHost = async (w: World): Promise<number> => {
  await sharedHost(w)
  return newHost(w)
}

const hour = 3_600_000
let hours = 0
/** An hour that no other lease has; the clock of a test may be anywhere before. */
const nextHour = (): Date => new Date(Date.UTC(2040, 0, 1) + hours++ * hour)

const reservation = async (w: World) => ({
  min: 1,
  max: 1,
  hypervisorProperties: `["==", "$id", "${await sharedHost(w)}"]`,
  resourceProperties: '',
  beforeEnd: 'default' as const,
})

/** A lease of a project that nobody is in. */
export async function newLease(w: World, name = fresh('lease'), projectId = 'other'): Promise<string> {
  const startAt = nextHour()
  const caller = { ...operator, projectId }
  const lease = await createLease(w.app, caller, {
    name,
    startAt,
    endAt: new Date(startAt.getTime() + hour),
    beforeEndAt: null,
    reservations: [{ kind: 'physical:host', ...(await reservation(w)) }],
    events: [],
    region: null,
  })
  return lease.id
}

const asked = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ')

async function goodLease(w: World): Promise<GoodRequest> {
  const startAt = nextHour()
  const { hypervisorProperties } = await reservation(w)
  return {
    body: {
      name: fresh('lease'),
      start_date: asked(startAt),
      end_date: asked(new Date(startAt.getTime() + hour)),
      reservations: [
        {
          resource_type: 'physical:host',
          min: 1,
          max: 1,
          hypervisor_properties: hypervisorProperties,
          resource_properties: '',
        },
      ],
    },
  }
}

async function goodHost(w: World): Promise<GoodRequest> {
  await sharedHost(w)
  return { body: { name: w.nova(viewed).addHost({ name: fresh('host') }).name, gpu: 'yes' } }
}

const nothing = async (w: World): Promise<GoodRequest> => {
  await sharedHost(w)
  return {}
}
const oneLease = async (w: World): Promise<GoodRequest> => ({ id: await newLease(w) })
const oneHost = async (w: World): Promise<GoodRequest> => ({ id: await sharedHost(w) })

export const reservationRequests: Readonly<Record<string, (w: World) => Promise<GoodRequest>>> = {
  'GET /reservation': async () => ({}),
  'GET /reservation/versions': async () => ({}),
  'GET /v1/leases': nothing,
  'POST /v1/leases': goodLease,
  'GET /v1/leases/:id': oneLease,
  'PUT /v1/leases/:id': async w => ({ id: await newLease(w), body: { name: fresh('lease') } }),
  'DELETE /v1/leases/:id': oneLease,
  'GET /v1/leases/:id/hosts': oneLease,
  'GET /v1/os-hosts': nothing,
  'POST /v1/os-hosts': goodHost,
  'GET /v1/os-hosts/:id': oneHost,
  'PUT /v1/os-hosts/:id': async w => ({ id: await sharedHost(w), body: { [fresh('key')]: 'value' } }),
  'DELETE /v1/os-hosts/:id': async w => ({ id: await anotherHost(w) }),
  'GET /v1/os-hosts/allocations': nothing,
  'GET /v1/os-hosts/:id/allocation': oneHost,
  'GET /v1/os-hosts/properties': nothing,
  'PATCH /v1/os-hosts/properties/:name': async w => {
    await sharedHost(w)
    return { id: 'gpu', body: { private: true } }
  },
}

/** A hypervisor of the viewed region as an example tells of it. */
export const hypervisor = z.strictObject({
  name: z.string(),
  vcpus: z.int().optional(),
  memory_mb: z.int().optional(),
  local_gb: z.int().optional(),
  /** When it was enrolled; it is not where this is not given. */
  enrolled: z.string().optional(),
  capabilities: z.record(z.string(), z.string()).optional(),
})

/** The host's id once it is enrolled; null where it is not to be. The region is there. */
export async function storeHypervisor(
  w: World,
  { name, vcpus, memory_mb, local_gb, enrolled, capabilities = {} }: z.infer<typeof hypervisor>,
): Promise<string | null> {
  const nova = w.nova(viewed)
  if (!nova.hosts().some(host => host.name === name)) {
    const size = Object.entries({ vcpus, memoryMb: memory_mb, diskGb: local_gb })
    nova.addHost({ name, ...Object.fromEntries(size.filter(([, value]) => value !== undefined)) })
  }
  if (enrolled === undefined) return null
  w.setTime(new Date(`${enrolled}Z`))
  const host = await enrolHost(w.app, operator, { nameOrId: name, region: viewed, capabilities })
  return String(host.id)
}

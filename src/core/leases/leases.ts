// The verbs of leases: create, list, get, update, remove, and the hosts of one.

import type { App, Transaction } from '../app.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import type { TurnAsk } from '../clockwork.ts'
import { AppError, invalid, notFound } from '../error.ts'
import type { Host } from '../hosts/host.ts'
import { type Note, noteOf } from '../note.ts'
import { type Page, toPage } from '../page.ts'
import { changed, reclaimed } from './change.ts'
import { type Claiming, changedMeanwhile, claimAnew, explained, type Found, heldWindow } from './claiming.ts'
import {
  type HostReservation,
  type Lease,
  type LeaseChange,
  type LeaseEvent,
  type LeaseFilter,
  type LeaseQuery,
  type LeaseSpec,
  leaseKind,
  type ReservationSpec,
} from './lease.ts'
import { isBegun, isOver, nextDue, type Times, timesOf } from './timing.ts'

export interface LeaseRef {
  readonly id: string
  /** The region in whose view it is; null for all. */
  readonly region: string | null
}

/** The new lease, its capacity held. Throws `invalid`, `forbidden` (too long), `no_capacity`. */
export async function createLease(app: App, caller: Caller, spec: LeaseSpec): Promise<Lease> {
  const now = app.now()
  const times = timesOf(spec, now, app.leaseRules)
  const most = app.leaseRules.mostReservations
  if (spec.reservations.length > most)
    throw invalid(`A lease has at most ${most} reservations, not ${spec.reservations.length}`, 'too_many')
  for (const event of spec.events) {
    if (event.at < times.startAt || event.at > times.endAt)
      throw invalid(`Event ${event.type} is at ${event.at.toISOString()}, outside the lease`, 'event_outside')
  }
  const { reservations } = spec
  const id = app.newId()
  const claiming: Claiming = {
    claim: {
      id,
      projectId: caller.projectId!,
      kind: 'lease',
      window: heldWindow(app, { ...times, createdAt: now }),
    },
    parts: reservations.map(one => ({
      id: app.newId(),
      spec: one,
      has: [],
      regionId: null,
      keepsAll: false,
    })),
    region: spec.region,
  }
  return explained(app, claiming, () =>
    claimAnew(app, claiming, noteOf(app, caller, 'lease.create'), async (tx, found) => {
      const lease = newLease(app, caller, spec, times, id, now)
      const made = {
        ...lease,
        reservations: claiming.parts.map(part => newReservation(part.id, part.spec, found(part.id), now)),
      }
      await tx.leases.insert(made, noteOf(app, caller, 'lease.create'), askFor(made))
      return made
    }),
  )
}

function newLease(app: App, caller: Caller, spec: LeaseSpec, times: Times, id: string, now: Date): Lease {
  const event = (type: string, at: Date): LeaseEvent => ({
    id: app.newId(),
    type,
    at,
    status: 'UNDONE',
    createdAt: now,
    updatedAt: null,
  })
  const { startAt, endAt, beforeEndAt } = times
  return {
    id,
    name: spec.name,
    projectId: caller.projectId!,
    userId: caller.userId,
    startAt,
    endAt,
    status: 'PENDING',
    statusReason: null,
    action: null,
    degraded: false,
    reservations: [],
    events: [
      event('start_lease', startAt),
      event('end_lease', endAt),
      ...(beforeEndAt ? [event('before_end_lease', beforeEndAt)] : []),
      ...spec.events.map(({ type, at }) => event(type, at)),
    ],
    version: 0,
    createdAt: now,
    updatedAt: null,
  }
}

const newReservation = (id: string, spec: ReservationSpec, found: Found, now: Date): HostReservation => ({
  ...spec,
  ...found,
  id,
  status: 'pending',
  missingResources: false,
  resourcesChanged: false,
  createdAt: now,
  updatedAt: null,
})

/**
 * The turn of a lease, in the lane of its region; leases in the same several regions share a lane of their
 * own.
 */
export function askFor(lease: Lease): TurnAsk {
  const regions = new Set(lease.reservations.map(reservation => reservation.regionName))
  const ask = { kind: leaseKind, key: lease.id, lane: [...regions].sort().join('+') }
  // A lease with an action is due at once: a request waits for it.
  if (lease.action !== null) return ask
  const at = nextDue(lease) ?? lease.endAt
  // Of leases that are due at the same time those that end are taken first: starts may have to wait for their
  // hosts.
  return { ...ask, at: isBegun(lease) ? at : new Date(at.getTime() + 1) }
}

/**
 * The leases of the caller's project; of every project for an admin. Throws `not_found` for an unknown
 * marker.
 */
export async function listLeases(
  app: Pick<App, 'store'>,
  caller: Caller,
  query: Omit<LeaseQuery, 'filter'> & { filter: Omit<LeaseFilter, 'projectId'> & { projectId?: string } },
): Promise<Page<Lease>> {
  const projectId = isAtLeast(caller, 'admin') ? (query.filter.projectId ?? null) : caller.projectId
  const isElsewhere = query.filter.projectId !== undefined && projectId !== query.filter.projectId
  const found = await app.store.leases.list({ ...query, filter: { ...query.filter, projectId } })
  if (!found) throw notFound(`There is no lease ${query.marker}`, 'no_marker')
  if (isElsewhere) return { items: [], more: false }
  return toPage(found, query.limit ?? Number.POSITIVE_INFINITY)
}

/** Throws `not_found`; `forbidden` for another project's. */
export async function getLease(
  app: Pick<App, 'store'>,
  caller: Caller,
  { id, region }: LeaseRef,
): Promise<Lease> {
  const lease = await app.store.leases.get(id)
  const isSeen = region === null || lease?.reservations.some(one => one.regionName === region)
  if (!lease || !isSeen) throw notFound(`Object with {'lease_id': '${id}'} not found`, 'no_lease')
  if (lease.projectId !== caller.projectId && !isAtLeast(caller, 'admin')) {
    const rule = 'blazar:leases:get'
    throw new AppError('forbidden', `Policy doesn't allow ${rule} to be performed`, { rule, needs: 'admin' })
  }
  return lease
}

/** The hosts of a lease that the caller may see. */
export async function listLeaseHosts(
  app: Pick<App, 'store'>,
  caller: Caller,
  ref: LeaseRef,
): Promise<Host[]> {
  const lease = await getLease(app, caller, ref)
  return app.store.hosts.getMany(lease.reservations.flatMap(reservation => reservation.hosts))
}

/**
 * The lease after the whole change, or the error and no change. Throws `invalid`, `forbidden`, `conflict`
 * (busy), `no_capacity`.
 */
export async function updateLease(app: App, caller: Caller, change: LeaseChange): Promise<Lease> {
  for (let left = updateTries - 1; ; left--) {
    const lease = await getLease(app, caller, { id: change.id, region: change.region ?? null })
    try {
      return await updateFrom(app, caller, lease, change)
    } catch (error) {
      const isMeanwhile = error instanceof AppError && error.detail.reason === 'changed_meanwhile'
      if (left === 0 || !isMeanwhile) throw error
    }
  }
}

/**
 * How often a change is made anew because the lease has changed in the meantime, mostly by its own events.
 */
const updateTries = 3

async function updateFrom(app: App, caller: Caller, lease: Lease, change: LeaseChange): Promise<Lease> {
  const wanted = changed(lease, change, app.now(), app.leaseRules)
  if (wanted === lease) return lease
  const about = noteOf(app, caller, 'lease.update')
  const claiming = reclaimed(app, lease, wanted)
  if (claiming === null) return rewrite(app, wanted, about, null)
  if (claiming === 'shorter') return rewrite(app, wanted, about, heldWindow(app, wanted).to)
  return explained(app, claiming, () =>
    claimAnew(
      app,
      claiming,
      about,
      async (tx, found) => {
        const reservations = wanted.reservations.map(one => ({ ...one, ...found(one.id) }))
        const made = enlarged(lease, { ...wanted, reservations })
        await tx.leases.replace(made, about, askFor(made))
        return made
      },
      lease.version,
    ),
  )
}

/** An active lease that has got more hosts is UPDATING until its regions have opened them. */
function enlarged(was: Lease, wanted: Lease): Lease {
  const isSame = wanted.reservations.every((one, at) => sameHosts(one, was.reservations[at]!))
  if (isSame || wanted.status !== 'ACTIVE') return wanted
  return { ...wanted, status: 'UPDATING', action: 'update' }
}

const sameHosts = (a: HostReservation, b: HostReservation): boolean =>
  a.hosts.length === b.hosts.length && a.hosts.every(host => b.hosts.includes(host))

/** Writes a lease that claims nothing new; from `until` on its holds are given back. */
const rewrite = (app: App, lease: Lease, about: Note, until: Date | null): Promise<Lease> =>
  app.store.transact(async tx => {
    const now = await tx.leases.lock(lease.id)
    if (now?.version !== lease.version) throw changedMeanwhile(lease.id)
    if (until) await giveBack(tx, lease, about, until)
    await tx.leases.replace(lease, about, askFor(lease))
    return lease
  })

/** Gives back the holds of a lease from an instant on (null: all of them). */
async function giveBack(tx: Transaction, lease: Lease, about: Note, since: Date | null): Promise<void> {
  const regions = [...new Set(lease.reservations.map(one => one.regionId))]
  const scopes: number[] = []
  for (const region of regions) scopes.push(await tx.ledger.scope(region, 'reservable'))
  await tx.ledger.lock(scopes)
  await tx.ledger.release(lease.id, about, ...(since ? [since] : []))
}

/**
 * Removes a lease at once when it never began or is over; else it is DELETING until its regions have nothing
 * left of it. Its capacity is free from now on. Throws as getLease.
 */
export async function removeLease(app: App, caller: Caller, ref: LeaseRef): Promise<void> {
  await getLease(app, caller, ref)
  const about = noteOf(app, caller, 'lease.delete')
  await app.store.transact(async tx => {
    const lease = await tx.leases.lock(ref.id)
    if (!lease || lease.status === 'DELETING') return
    if (isOver(lease)) return tx.leases.remove(lease.id, about)
    if (!isBegun(lease)) {
      await giveBack(tx, lease, about, null)
      return tx.leases.remove(lease.id, about)
    }
    // The holds up to now stay as history; at least their first moment stays, since the lease's hosts are
    // known by it.
    const first = heldWindow(app, lease).from.getTime() + 1
    await giveBack(tx, lease, about, new Date(Math.max(app.now().getTime(), first)))
    const leaving: Lease = { ...lease, status: 'DELETING', action: 'delete', updatedAt: app.now() }
    await tx.leases.replace(leaving, about, askFor(leaving))
  })
}

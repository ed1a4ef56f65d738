// What the clockwork does for a lease: whatever is due of it, one step after the other, each of which may be repeated.

import { ownCaller } from '../caller.ts'
import type { RegionCompute } from '../cloud.ts'
import { AppError } from '../error.ts'
import type { Note } from '../note.ts'
import type { App } from '../ports.ts'
import { placementOf, snapshotAll, vacate } from '../reservations/physical-host.ts'
import { type Lease, leaseKind, type TakenLease } from './lease.ts'
import { lapsed, type Step, stepOf, stepped } from './steps.ts'
import { nextDue } from './timing.ts'

export interface LeaseRun {
  readonly regionAnswered: boolean | null
}

/** How soon a failed step is tried again, at first and at last. */
const retryMs = { first: 500, last: 30_000 }
/** How soon a server that is going is looked for again. */
const goingMs = 1_000
/** A lease waits for the one before it, but not for ever. */
const patienceMs = 600_000
/** It is told when that one is done; this is for the case that the word gets lost. */
const waitingMs = 15_000

/** Does what is due of a lease. Its result is written under the turn's epoch, or not at all. */
export async function runLease(app: App, taken: TakenLease): Promise<LeaseRun> {
  const { turn } = taken
  let { lease } = taken
  if (!lease) {
    await app.store.turns.finish(turn, null)
    return { regionAnswered: null }
  }
  let regionAnswered: boolean | null = null
  for (;;) {
    const step = stepOf(lease, app.now())
    if (step === null) {
      await app.store.turns.finish(turn, untilNext(app, lease))
      return { regionAnswered }
    }
    if (step === 'start' && waits(app, taken, lease)) {
      await app.store.turns.finish(turn, waitingMs)
      return { regionAnswered }
    }
    const done = await take(app, taken, lease, step)
    regionAnswered = done.regionAnswered ?? regionAnswered
    if (done.lease === null) return { regionAnswered }
    lease = done.lease
  }
}

const waits = (app: App, { waitsFor }: TakenLease, lease: Lease): boolean =>
  waitsFor.length > 0 && app.now().getTime() - lease.startAt.getTime() < patienceMs

const untilNext = (app: App, lease: Lease): number | null => {
  const next = nextDue(lease)
  return next && Math.max(0, next.getTime() - app.now().getTime())
}

interface Taken {
  /** As it is after the step; null when the turn is over. */
  readonly lease: Lease | null
  readonly regionAnswered: boolean | null
}

const over = (regionAnswered: boolean | null): Taken => ({ lease: null, regionAnswered })

/** One step: said, done, and written down. */
async function take(app: App, taken: TakenLease, was: Lease, step: Step): Promise<Taken> {
  const begun = stepped(was, step, 'begun', app.now())
  const lease = begun === was ? was : await write(app, taken, begun)
  if (!lease) return over(null)
  try {
    const left = await act(app, taken, lease, step)
    if (left.length > 0)
      return over(await hold(app, taken, lease, `waits until these are gone: ${left.join(', ')}`, goingMs))
  } catch (error) {
    return failed(app, taken, lease, step, error)
  }
  if (step === 'remove') return over(await dismiss(app, taken, lease))
  const done = stepped(lease, step, 'done', app.now())
  const next = stepOf(done, app.now())
  const written = await write(app, taken, done, next === null ? untilNext(app, done) : undefined)
  if (written && step === 'end') await wakeWaiting(app, lease)
  const regionAnswered = lease.reservations.length > 0 && step !== 'tell' ? true : null
  return { lease: next === null ? null : written, regionAnswered }
}

/** Null when it is not ours any more. */
async function write(
  app: App,
  taken: TakenLease,
  lease: Lease,
  againInMs?: number | null,
): Promise<Lease | null> {
  const written = await app.store.leases.settle(taken, lease, againInMs)
  return written ? { ...lease, version: lease.version + 1 } : null
}

/** The effects of a step in the lease's regions. Returns the names of servers that are still on their way out. */
async function act(app: App, { places }: TakenLease, lease: Lease, step: Step): Promise<string[]> {
  const left: string[] = []
  for (const reservation of lease.reservations) {
    if (reservation.status === 'deleted' || reservation.hosts.length === 0) continue
    const compute = (): RegionCompute => app.cloud.compute(reservation.regionName, `req-${app.newId()}`)
    const placement = placementOf(lease, reservation, places)
    const { beforeEnd } = reservation
    const action = beforeEnd === 'default' ? app.leaseRules.beforeEnd : beforeEnd
    if (step === 'start' || step === 'update') await compute().openPlacement(placement)
    else if (step === 'end' || step === 'remove') left.push(...(await vacate(compute(), placement)))
    else if (step === 'before_end' && action === 'snapshot') await snapshotAll(compute(), placement)
  }
  return left
}

/** Leaves the turn for later, with a word about why. */
async function hold(
  app: App,
  taken: TakenLease,
  lease: Lease,
  statusReason: string,
  againInMs: number,
): Promise<boolean | null> {
  await app.store.leases.settle(taken, { ...lease, statusReason }, againInMs)
  return true
}

async function failed(app: App, taken: TakenLease, lease: Lease, step: Step, error: unknown): Promise<Taken> {
  const now = app.now()
  const isOurs = !(error instanceof AppError)
  if (isOurs) app.report(error, `lease ${lease.id} (${step})`)
  const why = isOurs
    ? 'something went wrong on our side; the log has more under the lease’s id'
    : error.message
  const since = now.getTime() - dueAt(lease, step).getTime()
  const given = lapsed(lease, step, since, app.leaseRules.retryForMs, now)
  if (given) {
    const written = await write(app, taken, { ...given, statusReason: why }, untilNext(app, given))
    return { lease: null, regionAnswered: written ? answerIn(error) : null }
  }
  const wait = Math.min(retryMs.last, Math.max(retryMs.first, since / 2)) * (0.75 + app.chance() / 2)
  await app.store.leases.settle(taken, { ...lease, statusReason: `${why}; it is tried again` }, wait)
  return over(answerIn(error))
}

const dueAt = (lease: Lease, step: Step): Date => {
  const type = { start: 'start_lease', before_end: 'before_end_lease', end: 'end_lease' }[step as string]
  return lease.events.find(event => event.type === type)?.at ?? lease.updatedAt ?? lease.createdAt
}

/** False for no answer, or one that says that the region is not at work; null when it came from elsewhere. */
function answerIn(error: unknown): boolean | null {
  if (!(error instanceof AppError) || error.code !== 'upstream') return null
  return (error.detail.status ?? 500) < 500
}

/** Nothing of it is left in any region: now it is gone here as well. */
async function dismiss(app: App, { turn }: TakenLease, lease: Lease): Promise<boolean> {
  const note: Note = { caller: ownCaller(`req-${app.newId()}`), at: app.now(), action: 'lease.gone' }
  await wakeWaiting(app, lease)
  await app.store.transact(tx => tx.leases.remove(lease.id, note))
  await app.store.turns.finish(turn, null)
  return true
}

/** Those that come next on its hosts need wait no longer. */
async function wakeWaiting(app: App, lease: Lease): Promise<void> {
  const ids = await app.store.leases.waitingFor(lease.id)
  if (ids.length > 0) await app.store.turns.ask(ids.map(key => ({ kind: leaseKind, key, lane: '' })))
}

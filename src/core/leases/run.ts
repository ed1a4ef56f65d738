// The turn of a lease: every step that is due, one after the other. Each step may be repeated.

import type { App } from '../app.ts'
import { AppError } from '../error.ts'
import { checkHostsSeen } from '../hosts/believed.ts'
import { ownNote } from '../note.ts'
import { type HostReservation, type Lease, leaseKind, type TakenLease } from './lease.ts'
import { type LeaseStep, lapsed, stepOf, stepped } from './lease-steps.ts'
import { type Enacted, placementOf, snapshotAll, vacate } from './physical-host.ts'
import { eventOf, nextDue } from './timing.ts'

export interface LeaseRun {
  readonly regionAnswered: boolean | null
}

/** The shortest and the longest pause before a failed step is tried again. */
const retryMs = { first: 500, last: 30_000 }
/** The shortest and the longest pause before a server that is being deleted is looked for again. */
const goingMs = { first: 1_000, last: 30_000 }
/** How long a lease waits for the lease before it on a host: not for ever. */
const patienceMs = 600_000
/** How soon a waiting lease looks again, in case the word that the lease before it has ended gets lost. */
const waitingMs = 15_000

/** Runs a lease's turn. Its results are written under the turn's epoch, or not at all. */
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
      await wait(app, taken, lease)
      return { regionAnswered }
    }
    const done = await take(app, taken, lease, step)
    regionAnswered = done.regionAnswered ?? regionAnswered
    if (done.lease === null) return { regionAnswered }
    lease = done.lease
  }
}

const waiting = 'wait'

/**
 * Whether a lease has to wait for another one that is still on its hosts; it gives up after its patience,
 * counted from when it began to wait.
 */
function waits(app: App, { waitsFor }: TakenLease, { action, updatedAt }: Lease): boolean {
  const since = action === waiting ? updatedAt : null
  return waitsFor.length > 0 && (since === null || app.now().getTime() - since.getTime() < patienceMs)
}

async function wait(app: App, taken: TakenLease, lease: Lease): Promise<void> {
  const isNew = lease.action !== waiting
  const held = isNew ? { ...lease, action: waiting, updatedAt: app.now() } : lease
  await postpone(app, taken, held, 'waits until the lease before it has left its hosts', waitingMs)
}

const untilNext = (app: App, lease: Lease): number | null => {
  const next = nextDue(lease)
  return next && Math.max(0, next.getTime() - app.now().getTime())
}

interface Taken {
  /** The lease after the step; null when the turn is over. */
  readonly lease: Lease | null
  readonly regionAnswered: boolean | null
}

const over = (regionAnswered: boolean | null): Taken => ({ lease: null, regionAnswered })

/** One step: written as begun, done in the regions, and written as done. */
async function take(app: App, taken: TakenLease, was: Lease, step: LeaseStep): Promise<Taken> {
  const begun = stepped(was, step, 'begun', app.now())
  const lease = begun === was ? was : await write(app, taken, begun)
  if (!lease) return over(null)
  let left: string[] | null
  try {
    left = await act(app, taken, lease, step)
  } catch (error) {
    return failed(app, taken, lease, step, error)
  }
  const regionAnswered = left === null ? null : true
  if (left && left.length > 0) {
    const ms = between(goingMs, (app.now().getTime() - begunAt(lease, step).getTime()) / 10)
    await postpone(app, taken, lease, `waits until these are gone: ${left.join(', ')}`, ms)
    return over(regionAnswered)
  }
  if (step === 'remove') {
    await dismiss(app, taken, lease)
    return over(regionAnswered)
  }
  const done = stepped(lease, step, 'done', app.now())
  const next = stepOf(done, app.now())
  const written = await write(app, taken, done, next === null ? untilNext(app, done) : undefined)
  if (written && (step === 'end' || step === 'lapse')) await wakeWaiting(app, lease)
  return { lease: next === null ? null : written, regionAnswered }
}

/**
 * Writes a lease. Null when the turn is another worker's by now, or the lease was changed in the meantime:
 * then it is looked at anew.
 */
async function write(
  app: App,
  taken: TakenLease,
  lease: Lease,
  againInMs?: number | null,
): Promise<Lease | null> {
  const written = await app.store.leases.writeOutcome(taken, lease, againInMs)
  if (!written && againInMs === undefined) await app.store.turns.finish(taken.turn, 0)
  return written ? { ...lease, version: lease.version + 1 } : null
}

/**
 * Does a step in all regions of the lease at once: none waits for another, and where it fails in one it is
 * done in the others. Returns the names of servers that are still being deleted; null when no region was
 * asked.
 */
async function act(
  app: App,
  { places }: TakenLease,
  lease: Lease,
  step: LeaseStep,
): Promise<string[] | null> {
  const effects = lease.reservations.flatMap(reservation => {
    const effect = effectOf(app, lease, reservation, step)
    if (!effect || reservation.status === 'deleted' || reservation.hosts.length === 0) return []
    const compute = app.cloud.compute(reservation.regionName, `req-${app.newId()}`)
    const region = { id: reservation.regionId, name: reservation.regionName }
    const placement = placementOf(lease, reservation, places)
    return [effect({ compute, placement, checkSeen: () => checkHostsSeen(app, region, compute) })]
  })
  const ended = await Promise.allSettled(effects)
  const failure = ended.find(end => end.status === 'rejected')
  if (failure) throw failure.reason
  const left = ended.flatMap(end => (end.status === 'fulfilled' ? (end.value ?? []) : []))
  return effects.length === 0 ? null : left
}

type Effect = (enacted: Enacted) => Promise<string[] | undefined>

function effectOf(app: App, lease: Lease, { beforeEnd }: HostReservation, step: LeaseStep): Effect | null {
  if (step === 'start' || step === 'update')
    return ({ compute, placement }) => compute.openPlacement(placement).then(() => undefined)
  if (step === 'end' || step === 'remove') return vacate
  const action = beforeEnd === 'default' ? app.leaseRules.beforeEnd : beforeEnd
  if (step !== 'before_end' || action !== 'snapshot') return null
  const since = eventOf(lease, 'before_end_lease')!.at
  return enacted => snapshotAll(enacted, since).then(() => undefined)
}

/** Puts the lease's turn off, with the reason as its status reason. */
async function postpone(
  app: App,
  taken: TakenLease,
  lease: Lease,
  statusReason: string,
  againInMs: number,
): Promise<void> {
  await app.store.leases.writeOutcome(taken, { ...lease, statusReason }, againInMs)
}

async function failed(
  app: App,
  taken: TakenLease,
  lease: Lease,
  step: LeaseStep,
  error: unknown,
): Promise<Taken> {
  const now = app.now()
  const isOurs = !(error instanceof AppError)
  if (isOurs) app.report(error, `lease ${lease.id} (${step})`)
  const why = isOurs
    ? 'something went wrong on our side; the log has more under the lease’s id'
    : error.message
  const since = now.getTime() - begunAt(lease, step).getTime()
  const given = lapsed(lease, step, since, app.leaseRules.retryForMs, now)
  if (given) {
    const written = await write(app, taken, { ...given, statusReason: why }, untilNext(app, given))
    return { lease: null, regionAnswered: written ? answerIn(error) : null }
  }
  const next = nextDue(lease, now)
  const pause = between(retryMs, since / 2) * (0.75 + app.chance() / 2)
  const ms = Math.min(pause, next ? next.getTime() - now.getTime() : pause)
  await postpone(app, taken, lease, `${why}; it is tried again`, ms)
  return over(answerIn(error))
}

const between = ({ first, last }: { first: number; last: number }, ms: number): number =>
  Math.min(last, Math.max(first, ms))

/** Since when a step is being tried. */
function begunAt(lease: Lease, step: LeaseStep): Date {
  const type = { start: 'start_lease', before_end: 'before_end_lease', end: 'end_lease' }[step as string]
  const event = type === undefined ? undefined : eventOf(lease, type)
  return event?.updatedAt ?? event?.at ?? lease.updatedAt ?? lease.createdAt
}

/**
 * Whether an error is an answer of a region that is at work: false for no answer or a server error; null when
 * the error is not a region's.
 */
function answerIn(error: unknown): boolean | null {
  if (!(error instanceof AppError) || error.code !== 'upstream') return null
  return (error.detail.status ?? 500) < 500
}

/** Removes a lease from the store, since no region has anything left of it. */
async function dismiss(app: App, { turn }: TakenLease, lease: Lease): Promise<void> {
  await app.store.transact(tx => tx.leases.remove(lease.id, ownNote(app, 'lease.gone')))
  await wakeWaiting(app, lease)
  await app.store.turns.finish(turn, null)
}

/** Asks for the turns of the leases that come next on its hosts: they need wait no longer. */
async function wakeWaiting(app: App, lease: Lease): Promise<void> {
  const ids = await app.store.leases.waitingFor(lease.id, app.now())
  if (ids.length > 0) await app.store.turns.ask(ids.map(key => ({ kind: leaseKind, key, lane: '' })))
}

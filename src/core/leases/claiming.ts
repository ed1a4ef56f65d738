// Claiming hosts for all parts of a lease at once: the search for regions before the lock, the decision under it.

import type { App, Transaction } from '../app.ts'
import { AppError, conflict, notFound } from '../error.ts'
import type { Filter } from '../filter/filter.ts'
import { checkProperties } from '../hosts/hosts.ts'
import type { Claim, Window } from '../ledger/ledger.ts'
import type { Note } from '../note.ts'
import type { Lease, ReservationSpec } from './lease.ts'
import { filterOf, findHosts, type HostsAsked, NotEnoughHosts } from './physical-host.ts'

export interface Part {
  readonly id: string
  readonly spec: ReservationSpec
  readonly has: readonly number[]
  /** The region where the part's reservation is already; null for a new one. */
  readonly regionId: string | null
  readonly keepsAll: boolean
}

export interface Claiming {
  readonly claim: Claim
  readonly parts: readonly Part[]
  /** The only region that it may use; null for any. */
  readonly region: string | null
}

/** The region and hosts that a part has been given. */
export interface Found {
  readonly regionId: string
  readonly regionName: string
  readonly hosts: readonly number[]
}

/**
 * The window that a lease's claim holds: its time and, after it, the hosts' cleaning. A lease that begins
 * with the current minute holds nothing before its creation: another lease may have given back the first
 * seconds just then.
 */
export const heldWindow = (
  app: Pick<App, 'leaseRules'>,
  { startAt, endAt, createdAt }: Pick<Lease, 'startAt' | 'endAt' | 'createdAt'>,
): Window => ({
  from: startAt < createdAt ? createdAt : startAt,
  to: new Date(endAt.getTime() + app.leaseRules.cleaningMs),
})

export const changedMeanwhile = (id: string) =>
  conflict(
    `Lease ${id} was changed by somebody else in this moment: look at it and ask again`,
    'changed_meanwhile',
  )

type Write<T> = (tx: Transaction, found: (part: string) => Found) => Promise<T>

/** How often regions are chosen anew because the chosen ones did not have enough hosts. */
const rounds = 5

/**
 * Claims hosts for all parts and writes what `write` stores, or neither. With a version, the claim is that of
 * an existing lease, whose holds are given back first. Throws NotEnoughHosts, `invalid`, `conflict`.
 */
export async function claimAnew<T>(
  app: Pick<App, 'store'>,
  claiming: Claiming,
  note: Note,
  write: Write<T>,
  version?: number,
): Promise<T> {
  const filters = new Map(claiming.parts.map(part => [part.id, filterOf(part.spec)]))
  await checkProperties(app, [...filters.values()])
  // The names are read before the transaction: a transaction that waits for a second connection, while those
  // that wait for its locks have all connections, waits for ever.
  const names = new Map((await app.store.regions.list()).map(region => [region.id, region.name]))
  const full = new Set<string>()
  for (let round = 1; ; round++) {
    const asked = await chooseRegions(app, claiming, filters, full)
    try {
      return await app.store.transact(tx => claimIn(tx, { claiming, asked, names, note, write, version }))
    } catch (error) {
      if (!(error instanceof NotEnoughHosts) || error.asked.keepsAll || round === rounds) throw error
      full.add(fullKey(error.asked))
    }
  }
}

const fullKey = ({ id, regionId }: { id: string; regionId: string }): string => `${id} ${regionId}`

/**
 * For each part the region that has the most hosts for it beside the parts before it; a part that has a
 * region keeps it as long as it can.
 */
async function chooseRegions(
  app: Pick<App, 'store'>,
  { claim, parts, region }: Claiming,
  filters: ReadonlyMap<string, Filter>,
  full: ReadonlySet<string>,
): Promise<HostsAsked[]> {
  const asked: HostsAsked[] = []
  const isFull = (id: string, regionId: string): boolean => full.has(fullKey({ id, regionId }))
  for (const { id, spec, has, regionId, keepsAll } of parts) {
    const filter = filters.get(id)!
    const one = { id, filter, min: spec.min, max: spec.max, regionId: regionId ?? '', has, keepsAll }
    if (keepsAll && regionId !== null) {
      asked.push(one)
      continue
    }
    const given = new Map<string, number>()
    for (const other of asked) given.set(other.regionId, (given.get(other.regionId) ?? 0) + other.max)
    const most = spec.max + Math.max(0, ...given.values())
    const found = await app.store.hosts.regionsWithFree(filter, claim.window, most, region)
    const room = (at: string): number => {
      const free = found.find(other => other.regionId === at)?.free ?? 0
      return Math.min(spec.max, free - (given.get(at) ?? 0) + (at === regionId ? has.length : 0))
    }
    const open = found.filter(other => !isFull(id, other.regionId))
    const best = open.toSorted((a, b) => room(b.regionId) - room(a.regionId))[0]
    const stays =
      regionId !== null && !isFull(id, regionId) && (!best || room(best.regionId) <= room(regionId))
    if (!stays && (!best || best.free < spec.min)) throw new NotEnoughHosts(one, best?.free ?? 0)
    asked.push(stays ? one : { ...one, regionId: best!.regionId })
  }
  return asked
}

interface ClaimIn<T> {
  readonly claiming: Claiming
  readonly asked: readonly HostsAsked[]
  /** The names of regions, by their ids. */
  readonly names: ReadonlyMap<string, string>
  readonly note: Note
  readonly write: Write<T>
  readonly version: number | undefined
}

async function claimIn<T>(
  tx: Transaction,
  { claiming: { claim, parts }, asked, names, note, write, version }: ClaimIn<T>,
): Promise<T> {
  if (version !== undefined) {
    const lease = await tx.leases.lock(claim.id)
    if (!lease) throw notFound(`Object with {'lease_id': '${claim.id}'} not found`, 'no_lease')
    if (lease.version !== version) throw changedMeanwhile(claim.id)
  }
  const before = parts.flatMap(part => part.regionId ?? [])
  const regions = [...new Set([...asked.map(one => one.regionId), ...before])]
  const scopes = new Map<string, number>()
  for (const id of regions) scopes.set(id, await tx.ledger.scope(id, 'reservable'))
  await tx.ledger.lock([...scopes.values()])
  if (version !== undefined) await tx.ledger.release(claim.id, note)
  const { hosts, holds, hostHolds } = await findHosts(tx.ledger, asked, claim.window, scopes)
  await tx.ledger.claim(claim, holds, hostHolds, note)
  return write(tx, id => {
    const { regionId } = asked.find(one => one.id === id)!
    return { regionId, regionName: names.get(regionId)!, hosts: hosts.get(id)! }
  })
}

/**
 * Runs the work. Where it finds not enough hosts, its error says how many were short, where, when, and when
 * there will be enough.
 */
export async function explained<T>(
  app: Pick<App, 'store'>,
  claiming: Claiming,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotEnoughHosts)) throw error
    throw await shortage(app, claiming, error)
  }
}

async function shortage(
  app: Pick<App, 'store'>,
  { claim, region }: Claiming,
  { asked, found }: NotEnoughHosts,
): Promise<AppError> {
  const { from, to } = claim.window
  const lengthMs = to.getTime() - from.getTime()
  const next = await app.store.capacity.earliestHosts({
    filter: asked.filter,
    hosts: asked.min,
    lengthMs,
    notBefore: from,
    notAfter: new Date(from.getTime() + horizonMs),
    region,
  })
  const where = region === null ? 'no region has' : `${region} has not`
  const when = `from ${from.toISOString()} to ${to.toISOString()}`
  const then = next
    ? `The next window that would do begins at ${next.at.toISOString()} in ${next.region}`
    : 'No window within a year would do'
  return new AppError(
    'no_capacity',
    `Not enough hosts available: ${where} ${asked.min} matching hosts free ${when}, ${found} at most. ${then}.`,
    { reason: 'not_enough_hosts' },
  )
}

const horizonMs = 366 * 86_400_000

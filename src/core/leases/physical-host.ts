// Reservations of whole hosts: how one claims its hosts, and how it is enacted in its region.

import type { HostPlace, HostPlacement, RegionCompute } from '../cloud.ts'
import { AppError } from '../error.ts'
import { bothOf, type Filter, parseFilter } from '../filter/filter.ts'
import {
  admit,
  type Hold,
  type HostHold,
  type Ledger,
  type Shortage,
  type Window,
  wholeHost,
} from '../ledger/ledger.ts'
import type { HostReservation, HostReservationSpec, Lease } from './lease.ts'

/** What its hosts must be; throws `invalid` (`malformed_filter`). */
export const filterOf = (
  spec: Pick<HostReservationSpec, 'hypervisorProperties' | 'resourceProperties'>,
): Filter => bothOf(parseFilter(spec.hypervisorProperties), parseFilter(spec.resourceProperties))

/** What one reservation asks of the ledger. */
export interface HostsAsked {
  readonly id: string
  readonly filter: Filter
  readonly min: number
  readonly max: number
  readonly regionId: string
  /** The hosts that it has: kept when they can be. */
  readonly has: readonly number[]
  /** It is at work there: none may be lost. */
  readonly keepsAll: boolean
}

/** There are not as many hosts as were asked for, in this region at least. */
export class NotEnoughHosts extends Error {
  readonly asked: HostsAsked
  readonly found: number

  constructor(asked: HostsAsked, found: number) {
    super('not enough hosts')
    this.asked = asked
    this.found = found
  }
}

export interface HostsClaimed {
  readonly hosts: ReadonlyMap<string, readonly number[]>
  readonly holds: readonly Hold[]
  readonly hostHolds: readonly HostHold[]
}

/**
 * Finds hosts for all of these, no host twice, and what they take of their regions' scopes. The scopes (by region) are
 * locked already. Throws NotEnoughHosts.
 */
export async function findHosts(
  ledger: Ledger,
  asked: readonly HostsAsked[],
  window: Window,
  scopes: ReadonlyMap<string, number>,
): Promise<HostsClaimed> {
  const hosts = new Map<string, readonly number[]>()
  for (const one of asked) {
    const { regionId, filter, max, has } = one
    // Neither what the parts before it got nor what those after it have.
    const others = asked.filter(other => other !== one).flatMap(other => hosts.get(other.id) ?? other.has)
    const found = await ledger.freeHosts({
      regionId,
      filter,
      window,
      most: max,
      preferred: has,
      without: others,
    })
    const kept = has.filter(host => found.includes(host)).length
    if (one.keepsAll && kept < has.length)
      throw new NotEnoughHosts({ ...one, min: Math.max(one.min, has.length) }, kept)
    if (found.length < one.min) throw new NotEnoughHosts(one, found.length)
    hosts.set(one.id, found)
  }
  const holds = asked.map<Hold>(({ id, regionId }) => ({
    line: id,
    account: scopes.get(regionId)!,
    class: 'TENANCY',
    amount: wholeHost * hosts.get(id)!.length,
    window,
  }))
  const shortage = admit(holds, await ledger.levels(holds))
  if (shortage) throw new AppError('no_capacity', scopeSentence(shortage), { reason: 'scope_is_full' })
  const hostHolds = [...hosts].flatMap(([line, ids]) =>
    ids.map<HostHold>(host => ({ line, host, window, whole: true })),
  )
  return { hosts, holds, hostHolds }
}

const scopeSentence = ({ asked, available, at }: Shortage): string =>
  `The region's reservable capacity is taken: ${asked / wholeHost} hosts were asked for, ` +
  `${Math.floor(available / wholeHost)} are left at ${at.toISOString()}`

export function placementOf(
  lease: Lease,
  { id, hosts }: HostReservation,
  places: ReadonlyMap<number, HostPlace>,
): HostPlacement {
  return {
    reservationId: id,
    projectId: lease.projectId,
    hosts: hosts.flatMap(host => places.get(host) ?? []),
  }
}

/** A reservation in its region. */
export interface Enacted {
  readonly compute: RegionCompute
  readonly placement: HostPlacement
  /** Throws `unavailable` (`suspect`) where it says nothing that the region does not show something. */
  checkSeen(): Promise<void>
}

/**
 * Takes away what the reservation placed, and what let it. Returns the names of servers that are still there. Throws as
 * `checkSeen` where there seems to be nothing.
 */
export async function vacate({ compute, placement, checkSeen }: Enacted): Promise<string[]> {
  // Mostly there is no server any more, and that is all.
  let clearing = await compute.clearPlacement(placement)
  if (clearing === 'cleared') return []
  if (clearing === 'held') await compute.closePlacement(placement)
  const servers = await compute.placedServers(placement)
  if (servers.length > 0) {
    await Promise.all(servers.map(server => compute.removeServer(server.id)))
    const left = await compute.placedServers(placement)
    if (left.length > 0) return left.map(server => `${server.name} (${server.id})`)
  }
  if (clearing === 'held') clearing = await compute.clearPlacement(placement)
  if (clearing === 'held') return ['a server that has not let go of its place yet']
  if (clearing === 'unseen') await checkSeen()
  return []
}

/** An image of every server that the reservation placed, made since then. Throws as `checkSeen` where there seems to be none. */
export async function snapshotAll({ compute, placement, checkSeen }: Enacted, since: Date): Promise<void> {
  const servers = await compute.placedServers(placement)
  if (servers.length === 0) await checkSeen()
  await Promise.all(servers.map(server => compute.snapshot(server, `reserved_${server.name}`, since)))
}

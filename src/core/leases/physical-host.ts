// Reservations of whole hosts: how one claims its hosts, and how it is placed in its region.

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

/** The filter of a reservation's hosts; throws `invalid` (`malformed_filter`). */
export const filterOf = (
  spec: Pick<HostReservationSpec, 'hypervisorProperties' | 'resourceProperties'>,
): Filter => bothOf(parseFilter(spec.hypervisorProperties), parseFilter(spec.resourceProperties))

/** The hosts that one reservation asks of the ledger. */
export interface HostsAsked {
  readonly id: string
  readonly filter: Filter
  readonly min: number
  readonly max: number
  readonly regionId: string
  /** The hosts that the reservation has: kept when they still match and are free. */
  readonly has: readonly number[]
  /** True for a reservation that is at work on its hosts: it may lose none of them. */
  readonly keepsAll: boolean
}

/** One region has not as many free hosts as a reservation asks for. */
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
 * Finds hosts for all of these reservations, no host twice, and the holds on the scopes of their regions. The
 * scopes are locked already. Throws NotEnoughHosts.
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
    // Neither hosts that the reservations before it got, nor those that the ones after it have.
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

/** A reservation as it is enacted in its region. */
export interface Enacted {
  readonly compute: RegionCompute
  readonly placement: HostPlacement
  /**
   * Called where the region shows nothing of the reservation. Throws `unavailable` (`suspect`) where that
   * proves nothing.
   */
  checkSeen(): Promise<void>
}

/**
 * Removes a reservation's servers and its placement. Returns the names of servers that are still there.
 * Throws as `checkSeen` where the region shows nothing of it.
 */
export async function vacate({ compute, placement, checkSeen }: Enacted): Promise<string[]> {
  // Mostly the reservation has no server left, and removing its placement is all.
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

/**
 * Makes an image of every server of a reservation that has none since then. Throws as `checkSeen` where the
 * region shows no server.
 */
export async function snapshotAll({ compute, placement, checkSeen }: Enacted, since: Date): Promise<void> {
  const servers = await compute.placedServers(placement)
  if (servers.length === 0) await checkSeen()
  await Promise.all(servers.map(server => compute.snapshot(server, `reserved_${server.name}`, since)))
}

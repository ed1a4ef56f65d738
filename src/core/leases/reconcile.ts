// Comparing a region's survey with the hosts and reservations that the ledger has: lost ones are made again,
// what late calls have left of ended ones is removed, and foreign servers are told of. From a survey that is
// not believed nothing follows.

import type { App } from '../app.ts'
import { dayMs, inBatches } from '../batches.ts'
import type { RegionCompute, RegionSurvey, SurveyedHost } from '../cloud.ts'
import { believeHosts, checkHostsSeen, hasProviders } from '../hosts/believed.ts'
import type { Host } from '../hosts/host.ts'
import { ownNote } from '../note.ts'
import { believe, type Verdict } from '../regions/belief.ts'
import type { Region } from '../regions/region.ts'
import { askFor } from './leases.ts'
import { vacate } from './physical-host.ts'

export interface Reconciled {
  /** Hosts that had to be closed again. */
  readonly closed: readonly string[]
  /** Reservations that had to be let in again. */
  readonly opened: readonly string[]
  /** Reservations that are over, of which the region had something left. */
  readonly cleared: readonly string[]
  /**
   * Reservations that bear Atoll's marks and that the store does not know: they may be another Atoll's, and
   * stay.
   */
  readonly unknown: readonly string[]
  /** Servers on enrolled hosts that no reservation placed. */
  readonly foreign: readonly { readonly host: string; readonly server: string }[]
  /** Whether the region is believed; null where it was not looked at. */
  readonly verdict: Verdict | null
}

const nothing: Reconciled = { closed: [], opened: [], cleared: [], unknown: [], foreign: [], verdict: null }

/** Surveys a region, and mends its hosts and reservations as far as it can. Throws `upstream`. */
export async function reconcileHosts(app: App, name: string): Promise<Reconciled> {
  const region = (await app.store.regions.list()).find(one => one.name === name)
  if (!region) return nothing
  const hosts = (await app.store.hosts.list(name)).filter(host => host.state === 'enrolled')
  if (hosts.length === 0) return { ...nothing, verdict: await withoutHosts(app, region) }
  const compute = app.cloud.compute(name, `req-${app.newId()}`)
  const before = await app.cloud.login()
  const surveyedAt = app.now()
  const survey = await compute.survey()
  const seen = survey.hosts.map(one => one.hypervisorHostname)
  const verdict = await believeHosts(app, region, before, seen)
  if (verdict.doubt !== null) return { ...nothing, verdict }
  const closed = await closeAgain(app, compute, hosts, survey)
  const opened = await openAgain(app, name, survey, surveyedAt)
  const left = await clearLeft(app, compute, region, survey)
  return { closed, opened, ...left, foreign: await noteForeign(app, hosts, survey), verdict }
}

/** Lowers the suspicion of a region without hosts, since none can be missing there. */
const withoutHosts = async (app: App, region: Region): Promise<Verdict | null> =>
  (await hasProviders(app, region.id)) ? null : believe(app, region, 'compute', { blind: null, counts: {} })

/**
 * Closes hosts that are open. A host that registered anew with Nova has another provider in Placement, and a
 * region may have forgotten that it was closed.
 */
async function closeAgain(
  app: App,
  compute: RegionCompute,
  hosts: readonly Host[],
  survey: RegionSurvey,
): Promise<string[]> {
  const seen = new Map<string, SurveyedHost>(survey.hosts.map(one => [one.hypervisorHostname, one]))
  const closed: string[] = []
  for (const host of hosts) {
    const there = seen.get(host.hypervisorHostname)
    const isUp = there?.isUp ?? false
    if (isUp !== host.reservable) await app.store.hosts.setReservable(host.id, isUp)
    if (!there) continue
    const isAnother = there.providerId !== host.providerId || there.serviceName !== host.serviceName
    const [facts] = isAnother ? await compute.findHosts(host.hypervisorHostname) : [host]
    if (isAnother && facts) await app.store.hosts.setFacts(host.id, facts)
    if (there.isClosed || !facts) continue
    await compute.closeHost(facts)
    closed.push(host.hypervisorHostname)
  }
  return closed
}

/** Places active reservations again that the survey lacks. */
async function openAgain(
  app: App,
  region: string,
  survey: RegionSurvey,
  surveyedAt: Date,
): Promise<string[]> {
  const filter = { projectId: null, region, status: 'ACTIVE' } as const
  const leases = await app.store.leases.list({
    filter,
    sort: 'id',
    descending: false,
    limit: null,
    marker: null,
  })
  const opened: string[] = []
  for (const lease of leases ?? []) {
    // A lease that has begun after the survey could not be in it yet.
    if ((lease.updatedAt ?? lease.createdAt) >= surveyedAt) continue
    const lost = lease.reservations.filter(
      one => one.regionName === region && one.status === 'active' && !survey.reservations.includes(one.id),
    )
    if (lost.length > 0 && (await enactAnew(app, lease.id))) opened.push(...lost.map(one => one.id))
  }
  return opened
}

/**
 * Enacts a lease anew by its own turn, so that this cannot get in the way of its end. False when it is not
 * active any more.
 */
function enactAnew(app: App, id: string): Promise<boolean> {
  return app.store.transact(async tx => {
    const lease = await tx.leases.lock(id)
    if (lease?.status !== 'ACTIVE') return false
    await tx.leases.replace(
      { ...lease, status: 'UPDATING', action: 'update', updatedAt: app.now() },
      ownNote(app, 'lease.enact_anew'),
      {
        ...askFor(lease),
        at: app.now(),
      },
    )
    return true
  })
}

/**
 * Removes what is left of reservations that are over: a late call, from a worker that was stopped, may have
 * placed one again. Only reservations that the store knows as over are removed: another Atoll may use the
 * region, and this one's database may be yesterday's.
 */
async function clearLeft(
  app: App,
  compute: RegionCompute,
  region: Region,
  survey: RegionSurvey,
): Promise<Pick<Reconciled, 'cleared' | 'unknown'>> {
  const cleared: string[] = []
  const unknown: string[] = []
  if (survey.reservations.length === 0) return { cleared, unknown }
  const states = await app.store.leases.reservationStates(survey.reservations)
  const hosts = await app.store.hosts.list(region.name)
  const checkSeen = (): Promise<void> => checkHostsSeen(app, region, compute)
  for (const reservationId of survey.reservations) {
    const state = states.get(reservationId)
    if (state === 'living' || !(await compute.isOurs(reservationId))) continue
    if (state === 'over') {
      await vacate({ compute, placement: { reservationId, projectId: '', hosts }, checkSeen })
      cleared.push(reservationId)
    } else unknown.push(reservationId)
  }
  return { cleared, unknown }
}

/** How long after a lease is removed a call for its reservations can come late. */
const lateForMs = dayMs

/** Forgets reservations whose leases were removed longer ago; returns how many. */
export function forgetEndedReservations(app: App): Promise<number> {
  const before = new Date(app.now().getTime() - lateForMs)
  return inBatches(limit => app.store.leases.forgetEnded(before, limit))
}

/** Notes foreign servers as usage of their hosts: such a host is not free until they are gone. */
async function noteForeign(
  app: App,
  hosts: readonly Host[],
  { plainServers }: RegionSurvey,
): Promise<Reconciled['foreign']> {
  const foreign: { host: string; server: string }[] = []
  const usage = hosts.map(host => {
    const servers = plainServers.filter(server => server.host === host.serviceName)
    foreign.push(...servers.map(server => ({ host: host.hypervisorHostname, server: server.id })))
    return { hostId: host.id, consumers: servers.map(server => server.id) }
  })
  await app.store.hosts.setForeign(usage, app.now())
  return foreign
}

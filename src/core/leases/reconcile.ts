// What a region has of hosts and reservations against what is known here: what was lost is made again, what a late call
// has left is removed, and what should not be there is told.

import type { App } from '../app.ts'
import type { RegionCompute, RegionSurvey, SurveyedHost } from '../cloud.ts'
import type { Host } from '../hosts/host.ts'
import { ownNote } from '../note.ts'
import { askFor } from './leases.ts'
import { vacate } from './physical-host.ts'

export interface Reconciled {
  /** Hosts that had to be closed again. */
  readonly closed: readonly string[]
  /** Reservations that had to be let in again. */
  readonly opened: readonly string[]
  /** Reservations that are over, of which something was left. */
  readonly cleared: readonly string[]
  /** Servers on enrolled hosts that came by no reservation. */
  readonly foreign: readonly { readonly host: string; readonly server: string }[]
}

/** Looks at a region's hosts and reservations, and mends what it can. Throws `upstream`. */
export async function reconcileHosts(app: App, region: string): Promise<Reconciled> {
  const hosts = (await app.store.hosts.list(region)).filter(host => host.state === 'enrolled')
  if (hosts.length === 0) return { closed: [], opened: [], cleared: [], foreign: [] }
  const compute = app.cloud.compute(region, `req-${app.newId()}`)
  const surveyedAt = app.now()
  const survey = await compute.survey()
  const closed = await closeAgain(app, compute, hosts, survey)
  const opened = await openAgain(app, region, survey, surveyedAt)
  const cleared = await clearLeft(app, compute, region, survey)
  return { closed, opened, cleared, foreign: await noteForeign(app, hosts, survey) }
}

/** A host that registered anew has another provider; one whose region forgot about it is open. */
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

/** What is active here and unknown there. */
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
    // What has begun meanwhile could not be seen yet.
    if ((lease.updatedAt ?? lease.createdAt) >= surveyedAt) continue
    const lost = lease.reservations.filter(
      one => one.regionName === region && one.status === 'active' && !survey.reservations.includes(one.id),
    )
    if (lost.length > 0 && (await enactAnew(app, lease.id))) opened.push(...lost.map(one => one.id))
  }
  return opened
}

/** By the lease's own turn, so that it cannot come in the way of its end. False when it is not active any more. */
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

/** A call that came late, from a worker that was stopped, may have opened what was closed already. */
async function clearLeft(
  app: App,
  compute: RegionCompute,
  region: string,
  survey: RegionSurvey,
): Promise<string[]> {
  if (survey.reservations.length === 0) return []
  const living = new Set(await app.store.leases.livingReservations(survey.reservations))
  const hosts = await app.store.hosts.list(region)
  const cleared: string[] = []
  for (const reservationId of survey.reservations) {
    if (living.has(reservationId) || !(await compute.isOurs(reservationId))) continue
    await vacate(compute, { reservationId, projectId: '', hosts })
    cleared.push(reservationId)
  }
  return cleared
}

/** They take part of a host that nobody gave them: it is not free any more, until they are gone. */
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

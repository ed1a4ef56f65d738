// How a host becomes reservable, and how it leaves again: the verbs enrol and remove, and what the clockwork finishes.

import type { App, Transaction } from '../app.ts'
import type { Caller } from '../caller.ts'
import { conflict, notFound } from '../error.ts'
import { type ClassAmounts, promisedOf } from '../ledger/general-host.ts'
import { forever, type ScopeName, type SupplyPosting, wholeHost } from '../ledger/ledger.ts'
import { postSupply } from '../ledger/supply.ts'
import { minuteOf } from '../minute.ts'
import { type Note, noteOf, ownNote } from '../note.ts'
import { checkBelieved } from '../regions/belief.ts'
import { isCentral, type Region } from '../regions/region.ts'
import { type Host, type HostFacts, hostKind, supplyOf } from './host.ts'
import { checkNames, getHost, type HostRef } from './hosts.ts'

export interface HostSpec {
  /** The hypervisor's name, or its id in Nova. */
  readonly nameOrId: string
  readonly region: string | null
  readonly capabilities: Readonly<Record<string, string>>
}

/** How long an enrolment may take before it is undone: whoever asked for it has got no answer. */
const enrolmentMs = 120_000

const hostAsk = (id: number, region: string, at: Date) => ({
  kind: hostKind,
  key: String(id),
  lane: region,
  at,
})

/**
 * Takes a host out of general use: from now to its removal it takes no server but those of leases. Throws `invalid`
 * (a name that is not free), `not_found`, `conflict` (several, enrolled already, servers on it), `upstream`, `unavailable`
 * (`suspect`).
 */
export async function enrolHost(app: App, caller: Caller, spec: HostSpec): Promise<Host> {
  checkNames(Object.keys(spec.capabilities))
  const { region, facts } = await discover(app, caller, spec)
  const compute = app.cloud.compute(region.name, caller.requestId)
  // A host on which no server is seen may have some there.
  await checkBelieved(app, region, 'compute')
  await refuseServers(facts, await compute.serversOn(facts))
  const about = noteOf(app, caller, 'host.enrol')
  const host = await app.store.transact(async tx => {
    const made: Host = {
      ...facts,
      // A lease that begins now begins with the minute.
      id: await tx.ledger.addHost(region.id, minuteOf(app.now())),
      regionId: region.id,
      regionName: region.name,
      state: 'enrolling',
      reservable: true,
      capabilities: spec.capabilities,
      createdAt: app.now(),
      updatedAt: null,
    }
    // Known before anything is done in the region: what gets lost on the way is undone.
    await tx.hosts.insert(
      made,
      about,
      hostAsk(made.id, region.name, new Date(app.now().getTime() + enrolmentMs)),
    )
    return made
  })
  try {
    await compute.closeHost(facts)
    // Whatever came in the meantime was there before the door was shut.
    await refuseServers(facts, await compute.serversOn(facts))
    return await admitHost(app, host, about)
  } catch (error) {
    await withdraw(app, host, caller.requestId, about).catch(problem =>
      app.report(problem, `host ${host.id} could not be opened again; that is tried later`),
    )
    throw error
  }
}

/** The one host that is meant. With no region told, all that are not central are asked. */
async function discover(
  app: App,
  caller: Caller,
  spec: HostSpec,
): Promise<{ region: Region; facts: HostFacts }> {
  const all = await app.store.regions.list()
  const regions = all.filter(one => (spec.region === null ? !isCentral(one) : one.name === spec.region))
  const asked = await Promise.allSettled(
    regions.map(async region => {
      const found = await app.cloud.compute(region.name, caller.requestId).findHosts(spec.nameOrId)
      return found.map(facts => ({ region, facts }))
    }),
  )
  const found = asked.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
  if (found.length > 1) {
    const places = found.map(({ region }) => region.name).join(', ')
    throw conflict(`Multiple Hosts found for pattern '${spec.nameOrId}' (in ${places})`, 'several_hosts')
  }
  if (found[0]) return found[0]
  const silent = asked.find(answer => answer.status === 'rejected')
  if (silent) throw silent.reason
  throw notFound(`Host '${spec.nameOrId}' not found!`, 'no_hypervisor')
}

async function refuseServers(facts: HostFacts, servers: readonly { id: string }[]): Promise<void> {
  if (servers.length === 0) return
  const ids = servers.map(server => `'${server.id}'`).join(', ')
  throw conflict(`Servers [${ids}] found for host ${facts.hypervisorHostname}`, 'has_servers')
}

/** Its supply moves from the region's general scope to the reservable one. Throws `conflict` when a promise needs it. */
const admitHost = (app: App, host: Host, about: Note): Promise<Host> =>
  app.store.transact(async tx => {
    await transfer(tx, host, 'reservable', about)
    if (!(await tx.hosts.move(host.id, ['enrolling'], 'enrolled', about)))
      throw conflict(`The enrolment of ${host.hypervisorHostname} took too long and was undone`, 'too_late')
    return { ...host, state: 'enrolled' }
  })

/** Both scopes of its region, kept from all others at once: one after the other is another order than theirs. */
async function lockScopes(tx: Transaction, { regionId }: Host): Promise<Record<ScopeName, number>> {
  const scopes = {
    general: await tx.ledger.scope(regionId, 'general'),
    reservable: await tx.ledger.scope(regionId, 'reservable'),
  }
  await tx.ledger.lock(Object.values(scopes))
  return scopes
}

async function transfer(tx: Transaction, host: Host, to: ScopeName, about: Note): Promise<void> {
  // What the general scope is made of is read and written under its lock: discovery does so, too.
  const scopes = await lockScopes(tx, host)
  // A lease that begins now begins with the minute; what is given back was held until this very moment.
  const since = { reservable: to === 'reservable' ? minuteOf(about.at) : about.at, general: about.at }
  const posting = (scope: ScopeName, [name, amount]: [string, number]): SupplyPosting => ({
    account: scopes[scope],
    class: name,
    amount,
    window: { from: since[scope], to: forever },
    origin: 'enrolment',
  })
  // TENANCY is what reservable hosts are counted by; general capacity has none.
  const sign = to === 'reservable' ? 1 : -1
  const supply = supplyOf(host).filter(([, amount]) => amount > 0)
  const general = await generalOf(tx, host, to)
  await postSupply(
    tx,
    [
      ...supply.map(([name, amount]) => posting('reservable', [name, sign * amount])),
      ...Object.entries(general).map(([name, amount]) => posting('general', [name, -sign * amount])),
      posting('reservable', ['TENANCY', sign * wholeHost]),
    ],
    about,
  )
}

/** What the general scope loses of a host, as far as it knew of it, or gets. */
async function generalOf(tx: Transaction, host: Host, to: ScopeName): Promise<ClassAmounts> {
  const { regionId, hypervisorHostname } = host
  if (to === 'reservable') return (await tx.general.take(regionId, hypervisorHostname)) ?? {}
  const amounts = promisedOf(Object.fromEntries(supplyOf(host)))
  await tx.general.put(regionId, [...(await tx.general.hosts(regionId)), { hypervisorHostname, amounts }])
  return amounts
}

/** Undoes an enrolment or ends a removal. From the first word of it on nobody can make the host an enrolled one. */
async function withdraw(app: App, host: Host, requestId: string, about: Note): Promise<void> {
  const isLeaving = await app.store.transact(async tx => {
    if (!(await tx.hosts.move(host.id, ['enrolling', 'leaving'], 'leaving', about))) return false
    await tx.ledger.closeHost(host.id, about.at)
    return true
  })
  // What was undone already may have been closed after that; unless it is somebody else's by now.
  if (!isLeaving && (await app.store.hosts.find(host.regionId, host.hypervisorHostname))) return
  await app.cloud.compute(host.regionName, requestId).openHost(host)
  await app.store.transact(tx => tx.hosts.remove(host.id, ['leaving'], about))
}

/** Gives a host back to general use. Throws `not_found`, `conflict` (`reserved`), `upstream`. */
export async function removeHost(app: App, caller: Caller, ref: HostRef): Promise<void> {
  const host = await getHost(app, caller, ref)
  if (host.state === 'enrolling')
    throw conflict(`Host ${host.id} is being enrolled in this moment: try again when that is done`, 'busy')
  const about = noteOf(app, caller, 'host.remove')
  await app.store.transact(async tx => {
    await lockScopes(tx, host)
    const held = await tx.ledger.claimsOn(host.id, { from: about.at, to: forever })
    // What is over may have servers there still.
    const claims = [...new Set([...held, ...(await tx.hosts.leasesOn(host.id))])]
    if (claims.length > 0)
      throw conflict(
        `Can't delete host ${host.id}. The host is reserved. Leases on it: ${claims.slice(0, 10).join(', ')}`,
        'reserved',
      )
    if (!(await tx.hosts.move(host.id, ['enrolled'], 'leaving', about))) return
    await transfer(tx, host, 'general', about)
    await tx.ledger.closeHost(host.id, about.at)
    await tx.hosts.ask(hostAsk(host.id, host.regionName, app.now()))
  })
  await withdraw(app, host, caller.requestId, about)
}

/** What the clockwork does for a host whose enrolment or removal nobody finished. Throws `upstream`. */
export async function runHost(app: App, id: number): Promise<void> {
  const host = await app.store.hosts.get(id)
  if (!host || host.state === 'enrolled') return
  const about = ownNote(app, 'host.withdraw')
  await withdraw(app, host, about.caller.requestId, about)
}

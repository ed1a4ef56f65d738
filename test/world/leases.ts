// Leases of a world in a few words, and servers that land on their hosts.

import type { Server } from '../../sim/nova/rows.ts'
import type { Lease, LeaseSpec, LeaseStatus } from '../../src/core/leases/lease.ts'
import { listLeases, removeLease } from '../../src/core/leases/leases.ts'
import { until } from '../wait.ts'
import type { World } from '../world.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs

export interface Boot {
  readonly region: string
  /** A user, in the project of the same name. */
  readonly as?: string
  readonly name?: string
  /** The id of a flavor; a plain one unless told. */
  readonly flavor?: string
  readonly imageId?: string
  readonly hints?: Readonly<Record<string, string>>
}

/** The lease once it has this status (or, with null, is gone). */
export async function leaseIs(w: World, id: string, status: LeaseStatus | null): Promise<Lease | null> {
  let lease: Lease | null = null
  const isSo = async (): Promise<boolean> => {
    lease = await w.app.store.leases.get(id)
    return (lease?.status ?? null) === status
  }
  const seen = () => [lease?.status, lease?.statusReason]
  await until(isSo, { what: `lease ${id} is ${status ?? 'gone'}`, seen })
  return lease
}

export async function leaseOf({ app }: World, id: string): Promise<Lease> {
  const lease = await app.store.leases.get(id)
  if (!lease) throw new Error(`there is no lease ${id}`)
  return lease
}

/** The clock says this from now on, and what these leases are due for by then is done. */
export async function comes(w: World, at: Date, ...ids: readonly string[]): Promise<void> {
  w.setTime(at)
  await w.app.store.turns.ask(ids.map(key => ({ kind: 'lease', key, lane: '' })))
}

/** Removes all leases, servers and faults, and waits until nothing is left of them. */
export async function clearLeases(w: World): Promise<void> {
  w.cloud.faults.clear()
  const all = { filter: {}, sort: 'id', descending: false, limit: null, marker: null } as const
  const { items } = await listLeases(w.app, w.admin, all)
  for (const { id } of items) await removeLease(w.app, w.admin, { id, region: null })
  for (const { id } of items) await leaseIs(w, id, null)
  forgetServers(w)
  w.cloud.faults.clear()
}

export function forgetServers({ cloud }: World): void {
  for (const { region, servers } of cloud.novas.values()) for (const one of servers()) region.forget(one)
}

/** A server as Nova has it once it is active or in error. */
export async function boot(
  w: World,
  { region, as = 'demo', name = 'server', flavor, imageId, hints }: Boot,
): Promise<Server> {
  const nova = w.nova(region)
  const image = imageId ?? nova.images().find(one => one.isPublic)!.id
  const plain = nova.flavors().find(one => one.name === 'm1.tiny')!.id
  const reply = await fetch(`${nova.url}/servers`, {
    method: 'POST',
    headers: {
      // Fresh: the cloud's clock may have gone on.
      'x-auth-token': w.cloud.keystone.issue(w.cloud.keystone.userId(as), w.cloud.keystone.projectId(as)),
      'content-type': 'application/json',
      'openstack-api-version': 'compute 2.53',
    },
    body: JSON.stringify({
      server: { name, flavorRef: flavor ?? plain, imageRef: image, networks: 'none' },
      ...(hints ? { 'os:scheduler_hints': hints } : {}),
    }),
  })
  if (reply.status !== 202) throw new Error(`no server ${name}: ${reply.status} ${await reply.text()}`)
  const { server } = (await reply.json()) as { server: { id: string } }
  const isAtRest = (): boolean => {
    const { taskState, vmState } = nova.server(server.id)!
    return taskState === null && vmState !== 'building'
  }
  await until(isAtRest, { what: 'the server is at rest', seen: () => nova.server(server.id) })
  return nova.server(server.id)!
}

/** What there is of reservations in a region: flavors, classes, places. */
export function traces(w: World, region: string): string[] {
  const nova = w.nova(region)
  const { placement } = nova.region
  const flavors = nova.flavors().filter(flavor => flavor.name.startsWith('reservation:'))
  const classes = [...placement.classes].filter(name => name.startsWith('CUSTOM_RESERVATION_'))
  const places = [...placement.providers.values()].flatMap(({ name, inventories }) =>
    [...inventories.keys()].filter(key => key.startsWith('CUSTOM_')).map(key => `${key} on ${name}`),
  )
  return [...flavors.map(flavor => flavor.name), ...classes, ...places]
}

/** Whole hosts for two hours from now, unless told otherwise. */
export function hostsFor(w: World, count: number, spec: Partial<LeaseSpec> = {}, properties = ''): LeaseSpec {
  return {
    name: 'lease',
    startAt: 'now',
    endAt: new Date(Math.floor(w.app.now().getTime() / minuteMs) * minuteMs + 2 * hourMs),
    beforeEndAt: null,
    events: [],
    region: null,
    reservations: [
      {
        kind: 'physical:host',
        min: count,
        max: count,
        hypervisorProperties: properties,
        resourceProperties: '',
        beforeEnd: 'default',
      },
    ],
    ...spec,
  }
}

/** From so long from now (or now) and for so long, on hosts of this region (or of any). */
export function shortly(w: World, { inMs, forMs, count = 1, region, host, ...spec }: Shortly): LeaseSpec {
  const startAt = new Date(w.app.now().getTime() + (inMs ?? 0))
  const terms = [
    ...(region ? [`["==", "$region", "${region}"]`] : []),
    ...(host ? [`["==", "$hypervisor_hostname", "${host}"]`] : []),
  ]
  const properties = terms.length > 1 ? `["and", ${terms.join(', ')}]` : (terms[0] ?? '')
  return hostsFor(
    w,
    count,
    { startAt: inMs === undefined ? 'now' : startAt, endAt: new Date(startAt.getTime() + forMs), ...spec },
    properties,
  )
}

export interface Shortly extends Partial<Omit<LeaseSpec, 'region'>> {
  readonly inMs?: number
  readonly forMs: number
  readonly count?: number
  readonly region?: string
  readonly host?: string
}

/** Once nothing is being done for it, not even what goes by quickly. */
export async function quiet(w: World, id: string): Promise<Lease> {
  const isQuiet = async (): Promise<boolean> => {
    const { action, events } = await leaseOf(w, id)
    return action === null && events.every(({ at, status }) => at > w.app.now() || status !== 'UNDONE')
  }
  await until(isQuiet, { what: `nothing is done for lease ${id}`, seen: () => leaseOf(w, id) })
  return leaseOf(w, id)
}

/** All that a region's Nova and Placement hold, without what is chosen anew each time; ids of these leases by their order. */
export function stateOf(w: World, region: string, leases: readonly Lease[]): unknown {
  const nova = w.nova(region)
  const { placement } = nova.region
  const named = (text: string): string =>
    leases
      .flatMap(lease => lease.reservations)
      .reduce(
        (known, { id }, at) =>
          known.replaceAll(id, `reservation-${at}`).replaceAll(placeOf(id), `RESERVATION_${at}`),
        text,
      )
  const aggregates = nova.aggregates().map(({ name, hosts, metadata }) => ({
    name: named(name),
    hosts: [...hosts].sort(),
    metadata: [...metadata].map(([key, value]) => `${key}=${named(value)}`).sort(),
  }))
  const names = new Map(nova.aggregates().map(({ uuid, name }) => [uuid, named(name)]))
  const providers = [...placement.providers.values()].map(one => ({
    name: one.name,
    parent: one.parent?.name ?? null,
    traits: [...one.traits].sort(),
    aggregates: [...one.aggregates].map(uuid => names.get(uuid) ?? uuid).sort(),
    inventories: Object.fromEntries([...one.inventories].map(([key, value]) => [named(key), value])),
    used: Object.fromEntries(
      [...one.used].filter(([, used]) => used > 0).map(([key, used]) => [named(key), used]),
    ),
  }))
  const flavors = nova.flavors().map(flavor => ({
    name: named(flavor.name),
    size: [flavor.vcpus, flavor.memoryMb, flavor.diskGb],
    isPublic: flavor.isPublic,
    extraSpecs: [...flavor.extraSpecs].map(([key, value]) => `${named(key)}=${value}`).sort(),
    access: [...flavor.access],
  }))
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
  return {
    aggregates: aggregates.sort(byName),
    providers: providers.sort(byName),
    flavors: flavors.sort(byName),
    classes: [...placement.classes].map(named).sort(),
    servers: nova
      .servers()
      .map(({ name, host }) => ({ name, host }))
      .sort(byName),
    images: nova
      .images()
      .map(({ name }) => name)
      .sort(),
  }
}

const placeOf = (id: string): string => id.toUpperCase().replaceAll('-', '_')

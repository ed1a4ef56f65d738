// A simulated region with three hosts for a test, people who boot there, and hosts that are enrolled and leased as the
// recipe has it.

import { randomUUID } from 'node:crypto'
import { type Cloud, type CloudSpec, startCloud } from '../../sim/cloud.ts'
import type { NovaService } from '../../sim/nova/service.ts'
import type { PlacementService } from '../../sim/placement/service.ts'

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  body: any
}

export interface Booted {
  id: string
  status: string
  host: string | null
  fault?: string
}

export interface BootSpec {
  /** Its id or its name. */
  flavor?: string
  image?: string
  zone?: string
  host?: string
  hint?: Record<string, string>
}

export interface Person {
  readonly projectId: string
  nova(method: string, path: string, body?: unknown): Promise<Answer>
  placement(method: string, path: string, body?: unknown): Promise<Answer>
  neutron(method: string, path: string, body?: unknown): Promise<Answer>
  /** Boots, and looks what became of it. Throws what refuses the request. */
  boot(spec?: BootSpec): Promise<Booted>
}

export interface TestRegion extends AsyncDisposable {
  readonly cloud: Cloud
  readonly nova: NovaService
  readonly placement: PlacementService
  readonly admin: Person
  readonly demo: Person
  readonly alt: Person
}

/** Hosts H1, H2 and H3, and a plain flavor `plain` of one vCPU. */
export async function startRegion(spec: Partial<CloudSpec> = {}): Promise<TestRegion> {
  const cloud = await startCloud({ regions: ['CentralRegion', 'Pod1'], hosts: { count: 0 }, ...spec })
  const nova = cloud.novas.get('Pod1')!
  const placement = cloud.placements.get('Pod1')!
  for (const name of ['H1', 'H2', 'H3']) nova.addHost({ name })
  const person = (user: string) => personOf(cloud, user)
  const admin = person('admin')
  const project = cloud.keystone.addProject('alt')
  cloud.keystone.addUser({ name: 'alt', password: 'alt', projectId: project })
  await makeFlavor(admin, { id: 'plain' })
  return {
    cloud,
    nova,
    placement,
    admin,
    demo: person('demo'),
    alt: person('alt'),
    [Symbol.asyncDispose]: () => cloud.close(),
  }
}

function personOf(cloud: Cloud, user: string): Person {
  const nova = cloud.novas.get('Pod1')!
  const placement = cloud.placements.get('Pod1')!
  const neutron = cloud.neutrons.get('Pod1')!
  const projectId = cloud.keystone.projectId(user)
  const token = cloud.keystone.issue(cloud.keystone.userId(user), projectId)

  async function call(url: string, method: string, body?: unknown): Promise<Answer> {
    const headers = { 'x-auth-token': token, 'openstack-api-version': 'compute 2.90, placement 1.39' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(url, { method, headers, ...sent })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }

  async function boot({ flavor = 'plain', image, zone, host, hint }: BootSpec = {}): Promise<Booted> {
    const server = {
      name: 'server',
      flavorRef: nova.flavor(flavor)?.id ?? flavor,
      imageRef: image ?? nova.images()[0]!.id,
      networks: 'none',
      ...(zone === undefined ? {} : { availability_zone: zone }),
      ...(host === undefined ? {} : { host }),
    }
    const hints = hint === undefined ? {} : { 'os:scheduler_hints': hint }
    const made = await call(`${nova.url}/servers`, 'POST', { server, ...hints })
    if (made.status !== 202) throw new Error(made.body.badRequest?.message ?? JSON.stringify(made.body))
    return lookAt(nova, made.body.server.id)
  }

  return {
    projectId,
    nova: (method, path, body) => call(`${nova.url}${path}`, method, body),
    placement: (method, path, body) => call(`${placement.url}${path}`, method, body),
    neutron: (method, path, body) => call(`${neutron.url}/v2.0${path}`, method, body),
    boot,
  }
}

/** As it is now: in a test everything has happened once the answer is there. */
export function lookAt(nova: NovaService, id: string): Booted {
  const server = nova.server(id)
  if (server === undefined) return { id, status: 'DELETED', host: null }
  const { host, fault } = server
  const statuses: Record<string, string> = { active: 'ACTIVE', error: 'ERROR', stopped: 'SHUTOFF' }
  const status = statuses[server.vmState] ?? server.vmState
  return { id, status, host, ...(fault === null ? {} : { fault: fault.message }) }
}

export async function done(answer: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body
}

export interface FlavorSpec {
  id?: string
  name?: string
  vcpus?: number
  specs?: Record<string, string>
  /** Projects; public when left out. */
  lentTo?: readonly string[]
}

/** Returns its id. */
export async function makeFlavor(admin: Person, spec: FlavorSpec): Promise<string> {
  const { id = randomUUID(), name = id, vcpus = 1, specs = {}, lentTo } = spec
  const flavor = { id, name, vcpus, ram: 64, disk: 1, 'os-flavor-access:is_public': lentTo === undefined }
  await done(admin.nova('POST', '/flavors', { flavor }))
  await done(admin.nova('POST', `/flavors/${id}/os-extra_specs`, { extra_specs: specs }))
  for (const tenant of lentTo ?? []) {
    await done(admin.nova('POST', `/flavors/${id}/action`, { addTenantAccess: { tenant } }))
  }
  return id
}

export const trait = 'CUSTOM_ATOLL_RESERVED'
const isolating = { [`trait:${trait}`]: 'required' }

/** Returns its id. */
export async function makeAggregate(
  admin: Person,
  name: string,
  metadata: Record<string, string>,
): Promise<number> {
  const { aggregate } = await done(admin.nova('POST', '/os-aggregates', { aggregate: { name } }))
  await done(admin.nova('POST', `/os-aggregates/${aggregate.id}/action`, { set_metadata: { metadata } }))
  return aggregate.id
}

/** Returns the id of the pool. */
export async function makePool(admin: Person): Promise<number> {
  await done(admin.placement('PUT', `/traits/${trait}`))
  return makeAggregate(admin, 'freepool', isolating)
}

export const addHost = (admin: Person, aggregate: number, host: string): Promise<Answer> =>
  admin.nova('POST', `/os-aggregates/${aggregate}/action`, { add_host: { host } })

export const removeHost = (admin: Person, aggregate: number, host: string): Promise<Answer> =>
  admin.nova('POST', `/os-aggregates/${aggregate}/action`, { remove_host: { host } })

export const rootOf = async (admin: Person, host: string): Promise<string> =>
  (await done(admin.placement('GET', `/resource_providers?name=${host}`))).resource_providers[0].uuid

/** The child of a host: its name is all that tells it. */
export const childOf = async (admin: Person, host: string): Promise<string> => {
  const path = `/resource_providers?name=${encodeURIComponent(`atoll:${host}`)}`
  return (await done(admin.placement('GET', path))).resource_providers[0].uuid
}

export async function setTraits(admin: Person, provider: string, traits: readonly string[]): Promise<void> {
  const path = `/resource_providers/${provider}/traits`
  const { resource_provider_generation, traits: old } = await done(admin.placement('GET', path))
  const all = [...new Set([...old, ...traits])]
  await done(admin.placement('PUT', path, { resource_provider_generation, traits: all }))
}

/** A child with the trait, and the host in the pool. */
export async function enrol(admin: Person, pool: number, host: string): Promise<void> {
  const spec = { uuid: randomUUID(), name: `atoll:${host}`, parent_provider_uuid: await rootOf(admin, host) }
  await done(admin.placement('POST', '/resource_providers', spec))
  await setTraits(admin, spec.uuid, [trait])
  await done(addHost(admin, pool, host))
}

export const classOf = (id: string): string => `CUSTOM_RESERVATION_${id.toUpperCase().replaceAll('-', '_')}`

/** So many places of a reservation on a host; of them `reserved` are closed. */
export async function setPlaces(
  admin: Person,
  id: string,
  host: string,
  total: number,
  reserved = 0,
): Promise<void> {
  await done(admin.placement('PUT', `/resource_classes/${classOf(id)}`))
  const path = `/resource_providers/${await childOf(admin, host)}/inventories`
  const { resource_provider_generation, inventories } = await done(admin.placement('GET', path))
  const all = { ...inventories, [classOf(id)]: { total, reserved, max_unit: 1 } }
  await done(admin.placement('PUT', path, { resource_provider_generation, inventories: all }))
}

export const specsOf = (id: string): Record<string, string> => ({
  [`resources_ATOLL:${classOf(id)}`]: '1',
  [`trait_ATOLL:${trait}`]: 'required',
})

/** A reservation of so many places a host, with a flavor of its own. Returns its id, which is the flavor's too. */
export async function lease(
  admin: Person,
  project: Person,
  places: Readonly<Record<string, number>>,
): Promise<string> {
  const id = randomUUID()
  for (const [host, total] of Object.entries(places)) await setPlaces(admin, id, host, total)
  await makeFlavor(admin, {
    id,
    name: `reservation:${id}`,
    specs: specsOf(id),
    lentTo: [project.projectId],
  })
  return id
}

// A provider that a member's own credentials open, against the simulator or real services.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProviderLogin, ProviderServerSpec } from '../../src/core/capacity/provider-cloud.ts'
import { createProviders } from '../../src/openstack/provider.ts'
import { answered, type Booter, booterOf, type Flavor, flavorOf } from '../world/servers.ts'
import { fileWorld, requestId } from '../world.ts'
import { placesOf } from './network.ts'

const w = await fileWorld({ lab: true, pageSize: 2 })
const { pod1 } = await placesOf(w)
const region = w.services()
const isThere = await w.has(['compute', 'network'])

// The simulator and the lab listen on loopback only.
const providers = createProviders({ allow: ['http://127.0.0.1:1-65535'] })
w.after(() => providers.close())
const { username, password, projectName = '' } = w.logIn('demo')
let flavor: Flavor
let booter: Booter
let networkId: string

const setNova = async (quotas: object): Promise<void> => {
  const path = `/os-quota-sets/${booter.projectId}`
  await region.call('compute', { method: 'PUT', path, json: { quota_set: quotas } })
}
const setNeutron = async (quotas: object): Promise<void> => {
  const path = `/quotas/${booter.projectId}`
  await region.call('network', { method: 'PUT', path, json: { quota: quotas } })
}

beforeAll(async () => {
  if (!isThere) return
  flavor = await flavorOf(w, { prefix: w.prefix, vcpus: 2 })
  booter = await booterOf(w)
  const { projectId } = booter
  networkId = (await pod1.make('network', { projectId })).id
  await pod1.make('subnet', { projectId, networkId, ipVersion: 4, cidr: '10.0.3.0/24' })
})
afterAll(async () => {
  if (!isThere) return
  await region.call('compute', { method: 'DELETE', path: `/os-quota-sets/${booter.projectId}` })
  await region
    .call('network', { method: 'DELETE', path: `/quotas/${booter.projectId}` })
    .catch(() => undefined)
  await booter.clear()
})

const login = (more: Partial<ProviderLogin> = {}): ProviderLogin => ({
  endpoint: w.logIn('service').authUrl,
  username,
  password,
  userDomain: null,
  project: { id: null, name: projectName, domain: null },
  region: 'Pod1',
  ...more,
})
const open = (more: Partial<ProviderLogin> = {}) => providers.provider(login(more), requestId)

const spec = (more: Partial<ProviderServerSpec> = {}): ProviderServerSpec => ({
  mark: randomUUID(),
  name: `${w.prefix}-provider`,
  image: booter.imageId,
  flavor: flavor.id,
  networks: [networkId],
  ...more,
})

const refusal = (service: string, status: number | undefined, reason?: string) =>
  expect.objectContaining({
    code: 'upstream',
    detail: { service, ...(status ? { status } : {}), ...(reason ? { reason } : {}) },
  })

describe.skipIf(!isThere)('logging in', () => {
  test('in each form of a URL, by the name of the project and by its id', async () => {
    const bare = w.logIn('service').authUrl.replace(/\/v3$/, '')
    for (const end of ['', '/', '/v2.0', '/v2.0/tokens', '/v3', '/v3/', '/v3/auth/tokens']) {
      const sight = await open({ endpoint: bare + end }).look()
      expect(sight).toMatchObject({ projectId: booter.projectId, projectName, region: 'Pod1' })
    }
    const project = { id: booter.projectId, name: null, domain: null }
    expect(await open({ project }).look()).toMatchObject({ projectName })
    expect(await open({ userDomain: 'Default', region: null }).look()).toMatchObject({ projectName })
  })

  test.each([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { username: 'nobody-at-all' }],
    ['an unknown domain', { userDomain: 'nowhere' }],
    ['an unknown project', { project: { id: null, name: 'nothing', domain: null } }],
    [
      'the id of no project',
      { project: { id: '0123456789abcdef0123456789abcdef', name: null, domain: null } },
    ],
  ])('%s is refused', async (_what, more) => {
    await expect(open(more).look()).rejects.toEqual(refusal('Keystone', 401, 'provider_refused'))
  })

  test('in a region without a Nova there is no endpoint', async () => {
    await expect(open({ region: 'Nowhere' }).look()).rejects.toEqual(
      refusal('Keystone', undefined, 'no_endpoint'),
    )
  })
})

describe.skipIf(!isThere)('looking around', () => {
  test('shows public flavors, page by page, and what private ones the project may use', async () => {
    const { flavors } = await open().look()
    const { id, name, vcpus, memoryMb, diskGb } = flavor
    expect(flavors).toContainEqual({ id, name, vcpus, memoryMb, diskGb })
    expect(new Set(flavors.map(one => one.id)).size).toBe(flavors.length)
  })

  test('shows the limits of the project, but those that are none', async () => {
    await setNova({ cores: 70, ram: 90_000, instances: 50 })
    await setNeutron({ network: 70, subnet: 71, port: 72, router: 73, floatingip: 74 })
    const all = await open().look()
    expect(all.limits).toMatchObject({ cores: 70, ram: 90_000, instances: 50 })
    expect(all.limits).toMatchObject({ networks: 70, subnets: 71, ports: 72, routers: 73, addresses: 74 })
    await setNova({ ram: -1 })
    await setNeutron({ floatingip: -1 })
    const { limits } = await open().look()
    expect(limits).toMatchObject({ cores: 70, instances: 50, networks: 70 })
    expect(Object.keys(limits)).not.toContain('ram')
    expect(Object.keys(limits)).not.toContain('addresses')
  })
})

describe.skipIf(!isThere)('servers', () => {
  const settled = (id: string) =>
    answered(
      () => open().getServer(id),
      one => one?.status !== 'BUILD',
    )

  test('are made with a mark, found by it, shown and removed', async () => {
    const plain = await booter.boot({ name: `${w.prefix}-plain`, flavorId: flavor.id })
    const mark = randomUUID()
    const id = await open().createServer(spec({ mark }))
    expect(await settled(id)).toEqual({ id, mark, status: 'ACTIVE' })
    const other = await open().createServer(spec())
    await settled(other)
    const listed = await open().listServers()
    expect(listed).toContainEqual({ id, mark, status: 'ACTIVE' })
    expect(listed.map(one => one.id)).toContain(other)
    expect(listed.map(one => one.id)).not.toContain(plain.id)
    expect(await open().getServer(plain.id)).toMatchObject({ mark: null })
    for (const made of [id, other]) {
      expect(await open().removeServer(made)).toBe(true)
      await answered(
        () => open().getServer(made),
        one => one === null,
      )
      expect(await open().removeServer(made)).toBe(false)
    }
    expect(await open().listServers()).toEqual([])
  })

  test('get the only network of the project where none is named', async () => {
    const id = await open().createServer(spec({ networks: [] }))
    await settled(id)
    const ports = await pod1.list('port', { where: { networkId, deviceId: id } })
    expect(ports).toHaveLength(1)
    await open().removeServer(id)
    await answered(
      () => open().getServer(id),
      one => one === null,
    )
  })

  test.each([
    ['an unknown flavor', 400, { flavor: 'nothing' }],
    ['an unknown image', 400, { image: randomUUID() }],
    ['an unknown network', 400, { networks: [randomUUID()] }],
    ['an empty name', 400, { name: '' }],
    ['a mark that is too long', 400, { mark: 'x'.repeat(256) }],
  ])('with %s are refused', async (_what, status, more) => {
    await expect(open().createServer(spec(more))).rejects.toEqual(refusal('Nova', status))
  })

  test.each([
    ['cores', { cores: 1 }],
    ['ram', { ram: 63 }],
    ['instances', { instances: 0 }],
  ])('beyond the quota of %s are refused, and nothing is made', async (_name, quota) => {
    await setNova({ cores: -1, ram: -1, instances: -1, ...quota, force: true })
    await expect(open().createServer(spec())).rejects.toEqual(refusal('Nova', 403))
    expect(await open().listServers()).toEqual([])
    await setNova({ cores: -1, ram: -1, instances: -1 })
  })
})

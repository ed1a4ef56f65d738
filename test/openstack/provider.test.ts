// A provider that a user's credentials open, against the simulated cloud: every form of log-in, every call, a new token
// in time.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import type { ProviderLogin } from '../../src/core/capacity/provider-cloud.ts'
import { createProviders, type Providers } from '../../src/openstack/provider.ts'
import { authUrlOf } from '../../src/openstack/provider-login.ts'

let cloud: Cloud
let providers: Providers
const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'

beforeAll(async () => {
  cloud = await startCloud({ regions: ['CentralRegion', 'Pod1', 'Pod2'] })
  providers = createProviders({ allow: cloud.origins })
})
afterAll(async () => {
  await providers.close()
  await cloud.close()
})

const login = (more: Partial<ProviderLogin> = {}): ProviderLogin => ({
  endpoint: cloud.authUrl,
  username: 'demo',
  password: 'atoll',
  userDomain: null,
  project: { id: null, name: 'demo', domain: null },
  region: null,
  ...more,
})
const open = (more: Partial<ProviderLogin> = {}) => providers.provider(login(more), requestId)

describe('look', () => {
  test('tells the project, the region, the flavors and the limits', async () => {
    const sight = await open().look()
    expect(sight).toMatchObject({ projectName: 'demo', region: 'Pod1' })
    expect(sight.flavors).toContainEqual({
      id: cloud.novas.get('Pod1')!.flavor('m1.small')!.id,
      name: 'm1.small',
      vcpus: 1,
      memoryMb: 2048,
      diskGb: 20,
    })
    expect(sight.limits).toMatchObject({ networks: expect.any(Number), addresses: expect.any(Number) })
  })
})

test('a server is made with its mark, listed, shown and removed', async () => {
  const provider = open({ region: 'Pod2' })
  const nova = cloud.novas.get('Pod2')!
  const id = await provider.createServer({
    mark: '7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f',
    name: 'one',
    image: nova.images()[0]!.id,
    flavor: nova.flavor('m1.tiny')!.id,
    networks: [],
  })
  const made = { id, mark: '7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f', status: 'ACTIVE' }
  expect(await provider.getServer(id)).toEqual(made)
  expect(await provider.listServers()).toEqual([made])
  expect(await provider.removeServer(id)).toBe(true)
  expect(await provider.removeServer(id)).toBe(false)
  expect(await provider.getServer(id)).toBeNull()
  expect(await provider.listServers()).toEqual([])
})

test.each([['http://10.0.2.15:5000/v2.0/tokens', 'http://10.0.2.15:5000/v3']])('%s is %s', (endpoint, url) =>
  expect(authUrlOf(endpoint)).toBe(url),
)

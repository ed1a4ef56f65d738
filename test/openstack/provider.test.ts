// A provider that a user's credentials open: every form of log-in, what is asked of which service, how often it logs in.
// What its calls do is tried in test/contract/provider.test.ts.
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import type { ProviderLogin } from '../../src/core/capacity/provider-cloud.ts'
import { createProviders, type Providers, type ProvidersSettings } from '../../src/openstack/provider.ts'
import { authUrlOf } from '../../src/openstack/provider-login.ts'
import { httpServer, keystone, type SeenRequest, sendJson, tokenBody } from './servers.ts'

const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'
const login = (endpoint: string, more: Partial<ProviderLogin> = {}): ProviderLogin => ({
  endpoint,
  username: 'demo',
  password: 'atoll',
  userDomain: null,
  project: { id: null, name: 'demo', domain: null },
  region: null,
  ...more,
})

function opened(settings: Partial<ProvidersSettings> = {}): Providers {
  const providers = createProviders({ allow: ['http://127.0.0.1:1-65535'], timeoutMs: 60_000, ...settings })
  onTestFinished(() => providers.close())
  return providers
}

describe('in the simulated cloud', () => {
  let cloud: Cloud
  beforeAll(async () => {
    cloud = await startCloud({ regions: ['CentralRegion', 'Pod1', 'Pod2'] })
  })
  afterAll(() => cloud.close())

  test('a look tells the project, the first region with a Nova, its flavors and its limits', async () => {
    const projectId = cloud.keystone.projectId('demo')
    cloud.novas.get('Pod1')!.setQuotas(projectId, { cores: 12, ram: 4096 })
    const sight = await opened({ allow: cloud.origins }).provider(login(cloud.authUrl), requestId).look()
    expect(sight).toEqual({
      projectId,
      projectName: 'demo',
      region: 'Pod1',
      isAdmin: false,
      flavors: expect.arrayContaining([
        {
          ...{ id: cloud.novas.get('Pod1')!.flavor('m1.small')!.id, name: 'm1.small' },
          ...{ vcpus: 1, memoryMb: 2048, diskGb: 20 },
        },
      ]),
      limits: {
        ...{ cores: 12, ram: 4096 },
        ...{ networks: 100, subnets: 100, ports: 500, routers: 10, addresses: 50 },
      },
    })
    expect(sight.flavors).toHaveLength(3)
  })

  test('the simulated services carry the request’s id', async () => {
    cloud.faults.clear()
    await opened()
      .provider(login(cloud.authUrl, { region: 'Pod2' }), requestId)
      .look()
    expect(cloud.faults.log.length).toBeGreaterThan(3)
    expect(new Set(cloud.faults.log.map(one => one.globalRequestId))).toEqual(new Set([requestId]))
  })

  test('an answer that was lost leaves a server that its mark finds', async () => {
    const nova = cloud.novas.get('Pod2')!
    const provider = opened().provider(login(cloud.authUrl, { region: 'Pod2' }), requestId)
    const fault = { kind: 'lost', service: 'nova', method: 'POST', path: '/v2.1/servers', times: 1 } as const
    cloud.faults.add(fault)
    const spec = {
      name: 'one',
      image: nova.images()[0]!.id,
      flavor: nova.flavor('m1.tiny')!.id,
      networks: [],
    }
    const error = await provider.createServer({ ...spec, mark: 'm-1' }).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'upstream', detail: { service: 'Nova', reason: 'unreachable' } })
    expect(error.detail.status).toBeUndefined()
    const [found, ...more] = await provider.listServers()
    expect(found).toEqual({ id: expect.any(String), mark: 'm-1', status: 'ACTIVE' })
    expect(more).toEqual([])
    await provider.removeServer(found!.id)
  })
})

test.each([
  ['http://10.0.2.15:5000/v2.0/tokens', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/v2.0', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/v2.0/', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/v3', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/v3//', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/v3/auth/tokens', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/v3/auth/tokens/', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/tokens', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000', 'http://10.0.2.15:5000/v3'],
  ['http://10.0.2.15:5000/', 'http://10.0.2.15:5000/v3'],
  ['https://K.example.com/identity/v3', 'https://k.example.com/identity/v3'],
  ['https://k.example.com/identity', 'https://k.example.com/identity/v3'],
  ['http://0x0a000001:5000/v3', 'http://10.0.0.1:5000/v3'],
  ['https://k.example.com/v3?x', null],
  ['https://k.example.com/v3#x', null],
  ['https://u@k.example.com/v3', null],
  ['https://k.example.com/v 3', null],
  ['ftp://k.example.com', null],
  ['k.example.com:5000', null],
  [`https://k.example.com/${'x'.repeat(3000)}`, null],
])('the Keystone of %.60s is at %s', (endpoint, url) => expect(authUrlOf(endpoint)).toBe(url))

test.each<[Partial<ProviderLogin>, object]>([
  [{}, { project: { name: 'demo', domain: { name: 'Default' } } }],
  [
    { project: { id: null, name: 'demo', domain: 'Heat' } },
    { project: { name: 'demo', domain: { name: 'Heat' } } },
  ],
  [{ project: { id: 'p1', name: 'demo', domain: 'Heat' } }, { project: { id: 'p1' } }],
])('the log-in with %j asks for its scope', async (more, scope) => {
  await using identity = await keystone()
  await opened()
    .provider(login(identity.url, { userDomain: 'People', ...more }), requestId)
    .look()
    .catch(() => undefined)
  const user = { name: 'demo', password: 'atoll', domain: { name: 'People' } }
  expect(JSON.parse(identity.seen[0]!.body)).toEqual({
    auth: { identity: { methods: ['password'], password: { user } }, scope },
  })
})

test('without a project it is the user’s own default one, and there must be one', async () => {
  const { token } = tokenBody({ compute: 'http://127.0.0.1:9' }) as { token: object }
  await using identity = await keystone(
    {},
    {
      logIn: response =>
        sendJson(response, 201, { token: { ...token, project: undefined } }, { 'x-subject-token': 't' }),
    },
  )
  const project = { id: null, name: null, domain: null }
  await expect(opened().provider(login(identity.url, { project }), requestId).look()).rejects.toMatchObject({
    detail: { service: 'Keystone', reason: 'provider_refused' },
    message: 'The provider’s Keystone gave a token without a project: name one',
  })
  expect(JSON.parse(identity.seen[0]!.body).auth.scope).toBeUndefined()
})

/** Services that are content with any token but `refuse`d ones, all at one URL. */
async function services(refuse: (token: string, request: SeenRequest) => boolean = () => false) {
  const answers: Record<string, unknown> = {
    '/flavors/detail': { flavors: [] },
    '/limits': { limits: { absolute: { maxTotalCores: 7, maxTotalVolumes: 6, maxTotalSnapshots: -1 } } },
    '/servers/detail': { servers: [] },
  }
  return httpServer((response, request) => {
    const end = Object.keys(answers).find(path => request.path.split('?')[0]!.endsWith(path))
    if (refuse(String(request.headers['x-auth-token']), request)) sendJson(response, 401, {})
    else sendJson(response, 200, answers[end ?? ''] ?? {})
  })
}

describe('logging in', () => {
  test('happens once for many calls, and again for other credentials', async () => {
    await using nova = await services()
    await using identity = await keystone({ compute: `${nova.url}/v2.1` })
    const providers = opened()
    const one = () => providers.provider(login(identity.url), requestId)
    await Promise.all([one().listServers(), one().listServers(), one().look()])
    await one().listServers()
    expect(identity.seen).toHaveLength(1)
    await providers.provider(login(identity.url, { password: 'other' }), requestId).listServers()
    await providers.provider(login(identity.url, { username: 'other' }), requestId).listServers()
    expect(identity.seen).toHaveLength(3)
    await one().listServers()
    expect(identity.seen).toHaveLength(3)
  })

  test('happens again when a token runs out or is refused', async () => {
    await using nova = await services(token => token === 'token-2')
    await using identity = await keystone({ compute: nova.url }, { lifeMs: 60_500 })
    const provider = opened().provider(login(identity.url), requestId)
    await provider.listServers()
    const before = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => before + 1100)
    onTestFinished(() => clock.mockRestore())
    await provider.listServers()
    expect(identity.seen).toHaveLength(3)
    expect(nova.seen.map(one => one.headers['x-auth-token'])).toEqual(['token-1', 'token-2', 'token-3'])
  })

  test('that never helps is a refusal', async () => {
    await using nova = await services(() => true)
    await using identity = await keystone({ compute: nova.url })
    await expect(opened().provider(login(identity.url), requestId).listServers()).rejects.toMatchObject({
      message: 'The provider’s Nova refuses the credentials',
      detail: { service: 'Nova', status: 401, reason: 'provider_refused' },
    })
    expect(nova.seen).toHaveLength(2)
  })

  test('of more providers than are kept forgets those that were not used for longest', async () => {
    await using nova = await services()
    await using identity = await keystone({ compute: nova.url })
    const providers = opened()
    const ask = (password: number) =>
      providers.provider(login(identity.url, { password: `${password}` }), requestId).listServers()
    for (let number = 0; number < 101; number++) await ask(number)
    expect(identity.seen).toHaveLength(101)
    await ask(1)
    await ask(100)
    expect(identity.seen).toHaveLength(101)
    await ask(0)
    expect(identity.seen).toHaveLength(102)
  })
})

describe('what is asked', () => {
  test('of Nova has no microversion, and networks only where there are some', async () => {
    await using nova = await httpServer(response => sendJson(response, 202, { server: { id: 's1' } }))
    await using identity = await keystone({ compute: `${nova.url}/v2.1/p1` })
    const provider = opened().provider(login(identity.url), requestId)
    const spec = { mark: 'm', name: 'n', image: 'i', flavor: 'f' }
    expect(await provider.createServer({ ...spec, networks: [] })).toBe('s1')
    await provider.createServer({ ...spec, networks: ['n1', 'n2'] })
    const server = { name: 'n', imageRef: 'i', flavorRef: 'f', metadata: { 'atoll:instance': 'm' } }
    expect(nova.seen.map(({ method, path, body }) => [method, path, JSON.parse(body)])).toEqual([
      ['POST', '/v2.1/servers', { server }],
      ['POST', '/v2.1/servers', { server: { ...server, networks: [{ uuid: 'n1' }, { uuid: 'n2' }] } }],
    ])
    for (const { headers } of nova.seen) {
      expect(Object.keys(headers).filter(name => /api-version/.test(name))).toEqual([])
    }
  })

  test.each([
    ['volumev3', '/v3/p1'],
    ['block-storage', '/v3'],
    ['block-storage', ''],
  ])('of a Cinder of type %s at %s is its limits', async (type, suffix) => {
    await using all = await services()
    await using identity = await keystone({ compute: all.url, [type]: all.url + suffix })
    const { limits } = await opened().provider(login(identity.url), requestId).look()
    expect(limits).toEqual({ cores: 7, volumes: 6 })
    expect(all.seen.map(one => one.path)).toContain('/v3/p1/limits')
    expect(identity.seen).toHaveLength(1)
  })
})

// Providers that mean harm or are broken, at each of their services: each costs at most its time-out and little memory,
// and its error tells nothing of what was answered.

import type { ServerResponse } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import type { ProviderCloud, ProviderLogin } from '../../src/core/capacity/provider-cloud.ts'
import { AppError } from '../../src/core/error.ts'
import { createProviders } from '../../src/openstack/provider.ts'
import { seed, share } from '../chance.ts'
import { every, meanwhile, pause, sooner, until } from '../wait.ts'
import { httpServer, type SeenRequest, sendJson, tcpServer, tokenBody } from './servers.ts'

/** Of what is silent; whatever else is poisoned has all the time that a busy machine needs to read it. */
const silentMs = 1000
const patientMs = 120_000
const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'

/** Must not be in any error. */
const canary = 'CANARY-7d0a2a3c'

type Poison = (response: ServerResponse, request: SeenRequest) => unknown

const send =
  (status: number, type: string, body: string | Buffer, headers = {}): Poison =>
  response => {
    response.writeHead(status, { 'content-type': type, ...headers })
    response.end(body)
  }
const json = (body: unknown): Poison => send(200, 'application/json', JSON.stringify(body))

/** As fast as it is taken, a gigabyte. */
const gigabyte =
  (headers: object, chunk = Buffer.alloc(65_536, ' ')): Poison =>
  response => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    let left = 16_384
    const more = (): void => {
      while (left-- > 0 && !response.destroyed)
        if (!response.write(chunk)) return void response.once('drain', more)
      response.end()
    }
    more()
  }

const drip: Poison = response => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.on(
    'close',
    every(50, () => response.write(' ')),
  )
}

/** On a busy machine the time may be over before it is even reached. */
const silent = ['timeout', 'not_reached']

const poisons: Record<string, readonly [reasons: readonly (string | number)[], Poison]> = {
  'no answer at all': [silent, () => undefined],
  'a slow drip': [silent, drip],
  'headers and no body': [silent, response => void response.writeHead(200).write(' ')],
  'a gigabyte': [['too_big'], gigabyte({})],
  'a gigabyte that is announced': [['too_big'], gigabyte({ 'content-length': '1073741824' })],
  'a gigabyte of JSON': [['too_big'], gigabyte({}, Buffer.from('[{},{},'.repeat(9362)))],
  'many small values': [
    ['garbage', 'too_big'],
    send(200, 'application/json', `[${'{},'.repeat(1_300_000)}{}]`),
  ],
  'deep JSON': [['garbage'], send(200, 'application/json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  'deep JSON of objects': [
    ['garbage'],
    send(200, 'application/json', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
  ],
  HTML: [['garbage'], send(200, 'text/html', `<html><body>${canary}</body></html>`)],
  'an error in HTML': [[502], send(502, 'text/html', `<html><body>${canary}</body></html>`)],
  'a 500 with a message': [
    [500],
    send(500, 'application/json', JSON.stringify({ [canary]: { message: canary } })),
  ],
  'a 418 that calls itself a refusal': [
    [418],
    send(418, 'application/json', JSON.stringify({ endpoint_refused: { code: 418, message: canary } })),
  ],
  'a redirect': [
    [302],
    send(302, 'text/plain', canary, { location: 'http://169.254.169.254/latest/meta-data' }),
  ],
  'a reset': [['unreachable'], response => response.socket?.resetAndDestroy()],
  'an end': [['unreachable'], response => response.socket?.end()],
  'half a body': [
    ['unreachable'],
    response => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"a":')
      void pause(20).then(() => response.socket?.destroy())
    },
  ],
  'the head of gzip': [
    ['garbage'],
    send(200, 'application/json', gzipSync('{}').subarray(0, 10), { 'content-encoding': 'gzip' }),
  ],
  'gzip of much more': [
    ['garbage'],
    send(200, 'application/json', gzipSync(Buffer.alloc(20_000_000)), { 'content-encoding': 'gzip' }),
  ],
  nothing: [['garbage'], send(200, 'application/json', '')],
  null: [['garbage'], json(null)],
  'a list': [['garbage'], json([canary])],
  'a text': [['garbage'], json(canary)],
  'other keys': [['garbage'], json({ [canary]: canary })],
  'wrong types': [
    ['garbage'],
    json({
      token: { user: canary, catalog: { a: 1 } },
      flavors: [{ id: 1, name: canary, vcpus: '2', ram: null, disk: {} }],
      limits: { absolute: { maxTotalCores: canary } },
      servers: [{ id: canary.repeat(9), status: canary }],
      server: { id: { [canary]: 1 }, status: 7 },
    }),
  ],
  'broken UTF-8': [
    ['garbage'],
    send(200, 'application/json', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])),
  ],
  prototypes: [
    ['garbage'],
    send(200, 'application/json', '{"__proto__": {"flavors": []}, "constructor": 1}'),
  ],
  'a header that never ends': [
    ['garbage', 'unreachable'],
    response => response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}`),
  ],
  'no HTTP': [['garbage', 'unreachable'], response => response.socket?.end(`SSH-2.0-${canary}\r\n`)],
}

const isLogin = ({ path }: SeenRequest): boolean => path === '/v3/auth/tokens'

/** Where in a provider the poison is: everything else is well. */
type Place = 'Keystone' | 'Nova' | 'Neutron' | 'Cinder'

async function poisoned(place: Place, poison: Poison, timeoutMs = patientMs) {
  const answers: Record<string, unknown> = {
    '/compute/v2.1/flavors/detail': { flavors: [{ id: 'f', name: 'f', vcpus: 1, ram: 1, disk: 1 }] },
    '/compute/v2.1/limits': { limits: { absolute: { maxTotalCores: 7 } } },
    '/network/v2.0/quotas/p1': { quota: { network: 5 } },
    '/volume/v3/p1/limits': { limits: { absolute: { maxTotalVolumes: 6 } } },
  }
  const prefix = { Keystone: '/v3', Nova: '/compute', Neutron: '/network', Cinder: '/volume' }[place]
  const server = await httpServer((response, request) => {
    if (request.path.startsWith(prefix)) poison(response, request)
    else if (isLogin(request)) {
      const urls = {
        compute: `${url}/compute/v2.1`,
        network: `${url}/network`,
        volumev3: `${url}/volume/v3/p1`,
      }
      sendJson(response, 201, tokenBody(urls), { 'x-subject-token': 't' })
    } else sendJson(response, 200, answers[request.path.split('?')[0]!] ?? {})
  })
  const { url } = server
  const providers = createProviders({ allow: [url], timeoutMs })
  const login: ProviderLogin = {
    endpoint: url,
    username: 'u',
    password: 'p',
    userDomain: null,
    project: { id: null, name: 'p', domain: null },
    region: null,
  }
  return {
    provider: providers.provider(login, requestId),
    server,
    async [Symbol.asyncDispose]() {
      await providers.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const mostAllowed = 64 * 1024 * 1024
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

let mostBytes = 0
let count = 0

/** What it comes to; how much memory it needs at most is noted. */
async function suffered<T>(work: () => Promise<T>): Promise<{ answer?: T; error?: AppError }> {
  const taken = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external
  const before = taken()
  let peak = before
  const sample = (): void => {
    // What nobody holds any more counts only until somebody looks.
    if (taken() - before > mostAllowed) collect()
    peak = Math.max(peak, taken())
  }
  try {
    return { answer: await meanwhile(sample, work()) }
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return { error: error as AppError }
  } finally {
    count++
    mostBytes = Math.max(mostBytes, peak - before)
    expect(peak - before).toBeLessThan(mostAllowed)
  }
}

function expectTyped(
  error: AppError | undefined,
  service: string,
  reasons: readonly (string | number)[],
): void {
  expect(error).toMatchObject({ code: 'upstream', detail: { service } })
  const { status, reason } = error!.detail
  expect(reasons).toContain(reason ?? status)
  const told = [error!.message, ...Object.values(error!.detail).map(String)].join(' ')
  expect(told).not.toContain('CANARY')
  expect(told).not.toContain('127.0.0.1')
  expect(told.length).toBeLessThan(200)
}

afterAll(() => {
  const megabytes = (mostBytes / 1024 / 1024).toFixed(1)
  console.log(`SEED=${drawn}: ${count} poisoned calls: the most memory was ${megabytes} MB`)
})

const verbs: Record<string, (provider: ProviderCloud) => Promise<unknown>> = {
  look: provider => provider.look(),
  listServers: provider => provider.listServers(),
  getServer: provider => provider.getServer('s1'),
  createServer: provider =>
    provider.createServer({ mark: 'm', name: 'n', image: 'i', flavor: 'f', networks: [] }),
}

/** Only timers end what is silent, and they are rung before one of half as much again. */
const inTime = <T>(work: Promise<T>, isSlow: boolean): Promise<T> =>
  isSlow ? sooner(work, { than: silentMs * 1.5 }) : work

const named = Object.entries(poisons).map(([what, [reasons, poison]]) => ({ what, reasons, poison }))
const drawn = seed()
/** Each place has some of them: not the same ones as the next. */
const poisonsOf = (place: number) => share(named, drawn + place)

test.each(poisonsOf(0))('a Keystone that gives $what', async ({ reasons, poison }) => {
  const isSlow = reasons[0] === 'timeout'
  await using p = await poisoned('Keystone', poison, isSlow ? silentMs : patientMs)
  const { error } = await suffered(() => inTime(p.provider.look(), isSlow))
  expectTyped(error, 'Keystone', reasons)
})

test.each(poisonsOf(1))('a Nova that gives $what', async ({ what, reasons, poison }) => {
  // Each of these costs the whole time-out.
  const isSlow = reasons[0] === 'timeout'
  await using p = await poisoned('Nova', poison, isSlow ? silentMs : patientMs)
  for (const [name, verb] of Object.entries(verbs)) {
    if (isSlow && !['look', 'createServer'].includes(name)) continue
    const { error } = await suffered(() => inTime(verb(p.provider), isSlow))
    expectTyped(error, 'Nova', reasons)
    // Only what surely was refused may say so: else the server is looked up.
    const isSure = (error!.detail.status ?? 500) < 500
    if (name === 'createServer')
      expect(isSure).toBe(['a redirect', 'a 418 that calls itself a refusal'].includes(what))
  }
  if (what === 'nothing' || isSlow) return
  const { error } = await suffered(() => p.provider.removeServer('s1'))
  if (error) expectTyped(error, 'Nova', reasons)
})

test.each(poisonsOf(2))(
  'a Neutron and a Cinder that give $what only leave their limits out',
  async ({ poison }) => {
    for (const [place, limits] of [
      ['Neutron', { cores: 7, volumes: 6 }],
      ['Cinder', { cores: 7, networks: 5 }],
    ] as const) {
      await using p = await poisoned(place, poison)
      const { answer, error } = await suffered(() => p.provider.look())
      expect(error).toBeUndefined()
      expect(answer!.limits).toEqual(limits)
      expect(answer!.flavors).toHaveLength(1)
    }
  },
)

test('pages without end cost the time-out, or as many rows as there may be', async () => {
  let page = 0
  await using p = await poisoned('Nova', (response, request) => {
    const key = request.path.includes('/flavors/') ? 'flavors' : 'servers'
    const rows = Array.from({ length: 100 }, (_, at) => ({
      ...{ id: `f${page}-${at}`, name: 'f', vcpus: 1, ram: 1, disk: 1 },
      ...{ status: 'ACTIVE', metadata: { 'atoll:instance': 'm', more: 'x'.repeat(10_000) } },
    }))
    page++
    const href = `${p.server.url}${request.path.split('?')[0]}?marker=${rows.at(-1)!.id}`
    sendJson(response, 200, { [key]: rows, [`${key}_links`]: [{ rel: 'next', href }] })
  })
  for (const verb of [verbs.look!, verbs.listServers!]) {
    const { error } = await suffered(() => verb(p.provider))
    expectTyped(error, 'Nova', ['garbage', 'timeout'])
  }
})

test.each([
  ['the same page again', (at: string) => ({ id: 'same', next: `${at}?marker=same` })],
  [
    'links that lead elsewhere',
    (_at: string, n: number) => ({ id: `${n}`, next: `http://169.254.169.254/x?marker=${n}` }),
  ],
])('%s is garbage at once', async (_what, make) => {
  let n = 0
  await using p = await poisoned('Nova', (response, request) => {
    const { id, next } = make(`${p.server.url}${request.path.split('?')[0]}`, ++n)
    const row = { id, status: 'ACTIVE' }
    sendJson(response, 200, { servers: [row], servers_links: [{ rel: 'next', href: next }] })
  })
  const { error } = await suffered(() => p.provider.listServers())
  expectTyped(error, 'Nova', ['garbage'])
  expect(n).toBeLessThanOrEqual(2)
})

test('a token with what cannot be a header, a project or a region is garbage', async () => {
  const body = tokenBody({ compute: 'http://127.0.0.1:9' }) as { token: Record<string, unknown> }
  const bad: readonly object[] = [
    { project: { id: '../../etc', name: 'p' } },
    { project: { id: 'p', name: 'a\u0000b' } },
    { project: { id: 'p', name: '\ud800' } },
    {
      catalog: [
        {
          type: 'compute',
          endpoints: [{ interface: 'public', region: 'R\u0000', url: 'http://127.0.0.1:9' }],
        },
      ],
    },
    { expires_at: 'never' },
  ]
  for (const more of bad) {
    await using p = await poisoned('Keystone', response =>
      sendJson(response, 201, { token: { ...body.token, ...more } }, { 'x-subject-token': 't' }),
    )
    const { error } = await suffered(() => p.provider.look())
    expectTyped(error, error!.detail.service!, ['garbage', 'endpoint_refused'])
  }
  await using p = await poisoned('Keystone', response =>
    sendJson(response, 201, body, { 'x-subject-token': 'a b' }),
  )
  expectTyped((await suffered(() => p.provider.look())).error, 'Keystone', ['garbage'])
})

test('a port where nobody listens and one that closes are told alike, after as many pauses', async () => {
  const draws = vi.spyOn(Math, 'random').mockReturnValue(0.5)
  onTestFinished(() => draws.mockRestore())
  const closing = await tcpServer(socket => socket.destroy())
  const told = async (url: string) => {
    draws.mockClear()
    const providers = createProviders({ allow: [url], timeoutMs: patientMs })
    const login = { endpoint: url, username: 'u', password: 'p', userDomain: null, region: null }
    const error = await providers
      .provider({ ...login, project: { id: 'p', name: null, domain: null } }, requestId)
      .look()
      .catch(thrown => thrown)
    await providers.close()
    // The reason is for core: the Promise API tells the message alone.
    return { told: error.message, pauses: draws.mock.calls.length }
  }
  const closed = await told(closing.url)
  await closing[Symbol.asyncDispose]()
  const refused = await told(closing.url)
  expect(refused).toEqual(closed)
  expect(refused.pauses).toBeGreaterThan(0)
  expect(refused.told).toBe('The provider’s Keystone cannot be reached')
})

test('a create that may have been done is not begun after its time is over', async () => {
  let isAnswered = false
  const answer: Poison = async (response, request) => {
    if (!isLogin(request)) return
    const urls = { compute: `${p.server.url}/compute/v2.1` }
    await pause(silentMs + 200)
    sendJson(response, 201, tokenBody(urls), { 'x-subject-token': 't' })
    isAnswered = true
  }
  await using p = await poisoned('Keystone', answer, silentMs)
  const { error } = await suffered(() => verbs.createServer!(p.provider))
  expect(error).toMatchObject({ detail: { reason: 'timeout' } })
  await until(() => isAnswered, { what: 'Keystone has answered after all' })
  // What was sent before this has come before it.
  await fetch(`${p.server.url}/last`)
  expect(p.server.seen.filter(({ path }) => path.startsWith('/compute'))).toEqual([])
})

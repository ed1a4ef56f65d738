// The guard before providers: 0 connections to what may not be called, in every form that leads there; without the guard
// the same forms do lead there.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { AppError } from '../../src/core/error.ts'
import { createEgress, type Lookup } from '../../src/openstack/egress.ts'
import { type Connector, call, createDispatcher } from '../../src/openstack/http.ts'
import { createProviders, type EgressRefusal } from '../../src/openstack/provider.ts'
import { certificate } from './certificate.ts'
import { isRefused, login, look, names, requestId, wide } from './guarded.ts'
import { keystone, sendJson, tlsServer, tokenBody } from './servers.ts'

/** Counts who comes, on every address of this machine. */
let listener: { port: number; connections: string[]; server: Server }

beforeAll(async () => {
  const connections: string[] = []
  const server = createServer((_request, response) =>
    sendJson(response, 200, { it: 'works' }, { connection: 'close' }),
  )
  server.on('connection', socket => connections.push(socket.localAddress ?? ''))
  await new Promise<void>(resolve => server.listen(0, '::', resolve))
  listener = { port: (server.address() as AddressInfo).port, connections, server }
})
beforeEach(() => {
  listener.connections.length = 0
})
afterAll(async () => {
  console.log(
    `${toLoopback.length} forms that lead to this machine: ${guarded} connections with the guard, ${bare} without`,
  )
  await new Promise(resolve => listener.server.close(resolve))
})
let guarded = 0
let bare = 0

/** The same call without the guard. */
async function unguarded(url: string, lookup: Lookup = names): Promise<void> {
  const through =
    (connect: Connector): Connector =>
    (options, callback) => {
      const host = options.hostname.replace(/^\[|\]$/g, '')
      const address = isIP(host) ? Promise.resolve([host]) : lookup(host)
      void address.then(([first]) => connect({ ...options, hostname: first! }, callback))
    }
  const dispatcher = createDispatcher({ through })
  await call({ method: 'GET', url, timeoutMs: 60_000, dispatcher })
  await dispatcher.destroy()
}

/** Forms that lead to this machine, where PORT listens. */
const toLoopback = [
  'http://127.0.0.1:PORT/v3',
  'http://127.0.0.1.:PORT/v3',
  'http://127.1:PORT/v3',
  'http://127.255.255.254:PORT/v3',
  'http://0177.0.0.1:PORT/v3',
  'http://0x7f.0.0.1:PORT/v3',
  'http://0x7f000001:PORT/v3',
  'http://2130706433:PORT/v3',
  'http://017700000001:PORT/v3',
  'http://0:PORT/v3',
  'http://0.0.0.0:PORT/v3',
  'http://[::]:PORT/v3',
  'http://[::1]:PORT/v3',
  'http://[0:0:0:0:0:0:0:1]:PORT/v3',
  'http://[::ffff:127.0.0.1]:PORT/v3',
  'http://[::ffff:7f00:1]:PORT/v3',
  'http://[::ffff:0.0.0.0]:PORT/v3',
  'http://localhost:PORT/v3',
  'http://LOCALHOST:PORT/v3',
  'http://localhost.:PORT/v3',
  'http://a.test:PORT/v3',
  'HTTP://127.0.0.1:PORT/v3',
]

describe('this machine', () => {
  test.each(toLoopback)('is not reached by %s', async form => {
    const url = form.replace('PORT', String(listener.port))
    const { error, why } = await look(url, { allow: wide, lookup: names })
    expect(error).toEqual(isRefused())
    expect(why).toHaveLength(1)
    guarded += listener.connections.length
    expect(listener.connections).toEqual([])
    await unguarded(url)
    bare += listener.connections.length
    expect(listener.connections).toHaveLength(1)
  })

  test.each(toLoopback)('is not reached by %s in a catalog', async form => {
    const url = form.replace('PORT', String(listener.port)).replace('/v3', '/v2.1')
    await using identity = await keystone({ compute: url, network: url })
    const allow = [...wide, identity.url]
    const { error } = await look(identity.url, { allow, lookup: names })
    expect(error).toEqual(isRefused('Nova'))
    expect(listener.connections).toEqual([])
  })

  test('is reached where a line names just that address', async () => {
    const { port } = listener
    for (const allow of [
      [`http://127.0.0.1:${port}`],
      ['http://127.0.0.0/8:1-65535'],
      ['http://127.0.0.1/32:1-65535'],
    ]) {
      listener.connections.length = 0
      const { error } = await look(`http://127.0.0.1:${port}`, { allow })
      expect(error).not.toEqual(isRefused())
      expect(listener.connections).not.toEqual([])
    }
    listener.connections.length = 0
    expect((await look(`http://[::1]:${port}`, { allow: [`http://127.0.0.1:${port}`] })).error).toEqual(
      isRefused(),
    )
    expect(listener.connections).toEqual([])
  })

  test('where Atoll itself listens is not reached by a range of ports or addresses', async () => {
    const { port } = listener
    const allowed = async (allow: string[], host: string) =>
      createEgress({ allow, own: [{ host, port }] })
        .addressesOf({ protocol: 'http:', host: '127.0.0.1', port })
        .then(
          () => true,
          () => false,
        )
    for (const host of ['127.0.0.1', '0.0.0.0', '::', 'localhost', '::ffff:127.0.0.1']) {
      expect(await allowed(['http://127.0.0.1:1-65535'], host), host).toBe(false)
      expect(await allowed([`http://127.0.0.0/8:${port}`], host), host).toBe(false)
      expect(await allowed([`http://127.0.0.1:${port}`], host), host).toBe(true)
    }
    expect(await allowed(['http://127.0.0.1:1-65535'], '10.0.0.1')).toBe(true)
  })
})

describe('a name', () => {
  test('that resolves differently the second time is refused then', async () => {
    const { port } = listener
    let asked = 0
    const lookup: Lookup = async () => [++asked % 2 === 1 ? '127.0.0.2' : '127.0.0.1']
    const allow = [`http://rebind.test:${port}`, `http://127.0.0.2:${port}`]
    const url = `http://rebind.test:${port}/v3`
    const egress = createEgress({ allow, lookup })
    const dispatcher = createDispatcher({ through: egress.through })
    onTestFinished(() => dispatcher.destroy())
    const get = () => call({ method: 'GET', url, timeoutMs: 60_000, dispatcher })
    expect((await get()).status).toBe(200)
    expect(asked).toBe(1)
    await expect(get()).rejects.toMatchObject({ failure: 'denied', sent: false })
    expect((await get()).status).toBe(200)
    expect(asked).toBe(3)
    expect(listener.connections.map(address => address.replace('::ffff:', ''))).toEqual([
      '127.0.0.2',
      '127.0.0.2',
    ])

    // Checked by one look-up and connected by another, it is reached.
    asked = 0
    const leaky = createDispatcher({
      through: connect => (options, callback) => {
        const target = { protocol: 'http:', host: options.hostname, port }
        void egress
          .addressesOf(target)
          .then(() => lookup(options.hostname))
          .then(([address]) => connect({ ...options, hostname: address! }, callback))
      },
    })
    onTestFinished(() => leaky.destroy())
    await call({ method: 'GET', url, timeoutMs: 60_000, dispatcher: leaky })
    expect(listener.connections.at(-1)).toBe('::ffff:127.0.0.1')
  })

  test.each([
    [['127.0.0.2', '127.0.0.1']],
    [['127.0.0.1', '127.0.0.2']],
    [['127.0.0.2', '::1']],
    [['127.0.0.2', '127.0.0.2', '127.0.0.2', '127.0.0.2', '127.0.0.2', '169.254.169.254']],
    [['127.0.0.2', 'nonsense']],
    [['fe80::1%lo', '127.0.0.2']],
    [[]],
  ])('of %j is refused for one of them', async addresses => {
    const { port } = listener
    const allow = [`http://some.test:${port}`, `http://127.0.0.2:${port}`]
    const { error } = await look(`http://some.test:${port}`, { allow, lookup: async () => addresses })
    expect(error).toEqual(isRefused())
    expect(listener.connections).toEqual([])
  })

  test('that no line names is allowed by lines with all its addresses, and asked for only where there are such', async () => {
    const asked: string[] = []
    const lookup: Lookup = async host => {
      asked.push(host)
      return ['10.1.2.3', '10.1.2.4']
    }
    const at = (allow: string[], port = 5000) =>
      createEgress({ allow, lookup }).addressesOf({ protocol: 'https:', host: 'k.test', port })
    expect(await at(['https://10.0.0.0/8'])).toEqual(['10.1.2.3', '10.1.2.4'])
    await expect(at(['https://10.1.2.3'])).rejects.toThrow('k.test is 10.1.2.4, which no line allows')
    expect(asked).toEqual(['k.test', 'k.test'])
    await expect(at(['http://10.0.0.0/8'])).rejects.toThrow('no line allows https: at port 5000')
    await expect(at(['https://10.0.0.0/8'], 22)).rejects.toThrow('no line allows https: at port 22')
    expect(asked).toHaveLength(2)
    const { error } = await look('https://k.test:5000', { allow: ['https://other.test'], lookup })
    expect(error).toEqual(isRefused())
    expect(asked).toHaveLength(2)
  })

  test('whose first address does not answer is tried at the next one', async () => {
    const { port } = listener
    const nobody = createServer()
    await new Promise<void>(resolve => nobody.listen(0, '127.0.0.3', resolve))
    const lookup: Lookup = async () => ['127.0.0.3', '127.0.0.2']
    const allow = ['http://127.0.0.0/8:1-65535']
    const egress = createEgress({ allow, lookup })
    const dispatcher = createDispatcher({ through: egress.through })
    // Nobody listens at that port on the first address: the listener of all addresses is asked on the second.
    await new Promise(resolve => nobody.close(resolve))
    const reply = await call({
      method: 'GET',
      url: `http://two.test:${port}/`,
      timeoutMs: 60_000,
      dispatcher,
    })
    expect(reply.status).toBe(200)
    await dispatcher.destroy()
  })
})

describe('a URL', () => {
  const port = () => listener.port
  test.each([
    'http://u:p@127.0.0.1:PORT/v3',
    'http://u@127.0.0.1:PORT',
    'http://@127.0.0.1:PORT',
    'http://a.test#@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT/v3#f',
    'http://127.0.0.1:PORT/v3#',
    'http://127.0.0.1:PORT/v3?x=1',
    'http://127.0.0.1:PORT/?',
    'http://127.0.0.1:PORT\\@a.test/',
    'http:\\\\127.0.0.1:PORT',
    'http:127.0.0.1:PORT',
    'http://127.0.0.1:PORT/v3\r\nx: y',
    'http://127.0.0.1:PORT/\tv3',
    ' http://127.0.0.1:PORT',
    'http://127.0.0.1:PORT /v3',
    'http://127。0。0。1:PORT',
    'http://１２７.0.0.1:PORT',
    'ftp://127.0.0.1:PORT',
    'file:///etc/passwd',
    'gopher://127.0.0.1:PORT/_x',
    'javascript:1',
    'http://',
    'http://127.0.0.1:99999',
    'http://[::1',
    '',
  ])('%j is refused though its host is allowed', async form => {
    const url = form.replace('PORT', String(port()))
    const allow = ['http://127.0.0.0/8:1-65535', 'http://[::1]:1-65535', 'http://a.test:1-65535']
    expect((await look(url, { allow, lookup: names })).error).toEqual(isRefused())
    await using identity = await keystone({ compute: url })
    const inCatalog = await look(identity.url, { allow, lookup: names })
    expect(inCatalog.error).toEqual(isRefused('Nova'))
    expect(listener.connections).toEqual([])
  })

  test('leads nowhere without lines, and the refusal says which setting to change', async () => {
    const refusals: EgressRefusal[] = []
    const providers = createProviders({ allow: [], onRefusal: refusal => void refusals.push(refusal) })
    const endpoint = `http://u:secret@127.0.0.1:${port()}/v3?x=secret`
    for (const url of [endpoint, `http://127.0.0.1:${port()}/v3`]) {
      const error = await providers
        .provider(login(url), requestId)
        .look()
        .catch(thrown => thrown)
      expect(error).toBeInstanceOf(AppError)
      expect(error.message).toContain('providers.allow (ATOLL_PROVIDERS_ALLOW)')
    }
    expect(refusals).toHaveLength(2)
    expect(refusals[1]).toEqual({
      endpoint: `http://127.0.0.1:${port()}/v3`,
      why: 'no line allows it',
      requestId,
    })
    expect(JSON.stringify(refusals)).not.toContain('secret')
    expect(listener.connections).toEqual([])
    await providers.close()
  })
})

describe('answers that lead elsewhere', () => {
  test.each([301, 302, 303, 307, 308])('a redirect by %i is not followed', async status => {
    const elsewhere = `http://127.0.0.1:${listener.port}/v3/auth/tokens`
    const redirect = { location: elsewhere }
    await using identity = await keystone({}, { logIn: response => sendJson(response, status, {}, redirect) })
    const allow = [identity.url, `http://127.0.0.1:${listener.port}`]
    const { error } = await look(identity.url, { allow })
    expect(error).toMatchObject({
      code: 'upstream',
      detail: { service: 'Keystone', status },
      message: `The provider’s Keystone answered ${status}, a redirect, which is not followed`,
    })
    expect(listener.connections).toEqual([])
  })

  test('a catalog’s Neutron that may not be called only leaves its limits out', async () => {
    const nova = { flavors: [], limits: { absolute: { maxTotalCores: 3 } } }
    await using compute = await keystone({}, { answer: response => sendJson(response, 200, nova) })
    const network = `http://127.0.0.1:${listener.port}`
    await using identity = await keystone({ compute: compute.url, network })
    const refusals: EgressRefusal[] = []
    const onRefusal = (refusal: EgressRefusal): void => void refusals.push(refusal)
    const providers = createProviders({ allow: [identity.url, compute.url], onRefusal })
    const sight = await providers.provider(login(identity.url), requestId).look()
    expect(sight.limits).toEqual({ cores: 3 })
    expect(refusals).toMatchObject([{ why: expect.stringContaining(network) }])
    expect(listener.connections).toEqual([])
    await providers.close()
  })
})

describe('over TLS', () => {
  test('the name stays in the certificate’s check and in the host that is asked for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'atoll-egress-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, certificate)
    const hosts: unknown[] = []
    await using server = await tlsServer((request, response) => {
      hosts.push([request.headers.host, (request.socket as { servername?: unknown }).servername])
      sendJson(response, 201, tokenBody({}), { 'x-subject-token': 't' })
    })
    const { port } = server
    const allow = [`https://127.0.0.1:${port}`]
    const at = (host: string) =>
      look(`https://${host}:${port}`, { allow, caFile, lookup: async () => ['127.0.0.1'] })
    expect((await at('localhost')).error).toMatchObject({ detail: { reason: 'no_endpoint' } })
    expect((await at('127.0.0.1')).error).toMatchObject({ detail: { reason: 'no_endpoint' } })
    expect(hosts).toEqual([
      [`localhost:${port}`, 'localhost'],
      [`127.0.0.1:${port}`, false],
    ])
    expect((await at('other.test')).error).toMatchObject({
      detail: { service: 'Keystone', reason: 'tls' },
      message: 'The provider’s Keystone has no certificate that is trusted',
    })
    const untrusted = await look(`https://127.0.0.1:${port}`, { allow })
    expect(untrusted.error).toMatchObject({ detail: { reason: 'tls' } })
    expect(hosts).toHaveLength(2)
  })
})

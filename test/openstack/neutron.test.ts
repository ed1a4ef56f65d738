// Lists and rows of a region that misbehaves: pages without end, wrong types, filters that it ignores.
import { spawn } from 'node:child_process'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCatalog } from '../../src/openstack/catalog.ts'
import * as neutron from '../../src/openstack/neutron.ts'
import type { Where } from '../../src/openstack/neutron-query.ts'
import { networks, ports, type Row } from '../../src/openstack/neutron-tables.ts'
import { listServers } from '../../src/openstack/nova.ts'
import { createRegions } from '../../src/openstack/region.ts'
import { createSession } from '../../src/openstack/session.ts'
import { memoryRise } from '../cost.ts'
import { network, pod } from './pod.ts'
import { keystone, sendJson } from './servers.ts'

const queryOf = (path: string): URLSearchParams => new URL(path, 'http://x').searchParams
const next = (marker: string, host = ''): object[] => [
  { rel: 'next', href: `${host}/v2.0/networks?limit=2&marker=${marker}` },
]

test('every page is asked for, by the marker', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e']
  await using p = await pod((response, { path }) => {
    const from = ids.indexOf(queryOf(path).get('marker') ?? '') + 1
    const page = ids.slice(from, from + 2)
    const links = page.length < 2 ? [] : next(page.at(-1)!, 'https://another.name:9696')
    sendJson(response, 200, { networks: page.map(id => network(id)), networks_links: links })
  })
  const listed = await neutron.list(p.region, networks, { where: { name: 'n' } })
  expect(listed.map(row => row.id)).toEqual(ids)
  expect(p.seen.map(seen => seen.path)).toEqual([
    '/v2.0/networks?name=n&limit=2',
    '/v2.0/networks?name=n&limit=2&marker=b',
    '/v2.0/networks?name=n&limit=2&marker=d',
  ])
})

test('a list that begins anew when its marker was deleted', async () => {
  await using p = await pod((response, { path }, number) => {
    const marker = queryOf(path).get('marker')
    if (marker === 'b' && number === 2) {
      const gone = { NeutronError: { type: 'NetworkNotFound', message: 'no b', detail: '' } }
      sendJson(response, 404, gone)
    } else if (marker === 'c') {
      sendJson(response, 200, { networks: [network('d')] })
    } else {
      const ids = number === 1 ? ['a', 'b'] : ['a', 'c']
      sendJson(response, 200, { networks: ids.map(id => network(id)), networks_links: next(ids[1]!) })
    }
  })
  const listed = await neutron.list(p.region, networks, { fields: ['id'] })
  expect(listed).toEqual([{ id: 'a' }, { id: 'c' }, { id: 'd' }])
})

test.each<[string, object | ((number: number) => object)]>([
  ['the same page again and again', { networks: [network('a')], networks_links: next('a') }],
  [
    'a marker that is not its last row',
    (n: number) => ({ networks: [network(`a${n}`)], networks_links: next('a1') }),
  ],
  ['empty pages with one after them', { networks: [], networks_links: next('a') }],
  [
    'a link that leads elsewhere',
    {
      networks: [network('a')],
      networks_links: [{ rel: 'next', href: 'http://169.254.169.254/latest?marker=a' }],
    },
  ],
  [
    'a link that is no URL',
    { networks: [network('a')], networks_links: [{ rel: 'next', href: 'http://[' }] },
  ],
  ['links that are no list', { networks: [network('a')], networks_links: 'next' }],
  [
    'a link without a marker',
    { networks: [network('a')], networks_links: [{ rel: 'next', href: '/v2.0/networks' }] },
  ],
  ['one row twice', { networks: [network('a'), network('a')] }],
  ['no list', {}],
  ['null', { networks: null }],
  ['an object for a list', { networks: { a: network('a') } }],
  ['a row that is null', { networks: [null] }],
  ['a row without a status', { networks: [{ ...network('a'), status: undefined }] }],
  ['a flag that is a word', { networks: [network('a', { shared: 'yes' })] }],
  ['a number that is a fraction', { networks: [network('a', { mtu: 1.5 })] }],
  ['an id with a path in it', { networks: [network('../../v3/users')] }],
  ['an id that is too long', { networks: [network('a'.repeat(65))] }],
  ['a name that is too long', { networks: [network('a', { name: 'n'.repeat(100_000) })] }],
  ['a time that is none', { networks: [network('a', { updated_at: 'yesterday' })] }],
  ['a list of lists', [[network('a')]]],
])('a region that answers %s: a typed error, no rows', async (_, body) => {
  await using p = await pod((response, __, number) => {
    sendJson(response, 200, typeof body === 'function' ? body(number) : body)
  })
  await expect(neutron.list(p.region, networks)).rejects.toMatchObject({
    code: 'upstream',
    message: expect.stringMatching(
      /^Pod1's Neutron answered GET \/v2\.0\/networks with something unexpected: .{1,300}$/,
    ),
    detail: { region: 'Pod1', service: 'Neutron', status: 200, reason: 'garbage' },
  })
  expect(p.seen.length).toBeLessThanOrEqual(2)
})

test('pages without end, always with new rows, end at five time-outs', async () => {
  const timeoutMs = 60_000
  let passed = 0
  const { now } = performance
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + passed)
  onTestFinished(() => clock.mockRestore())
  await using p = await pod(
    (response, _, number) => {
      passed += timeoutMs / 2
      sendJson(response, 200, { networks: [network(`a${number}`)], networks_links: next(`a${number}`) })
    },
    { timeoutMs },
  )
  await expect(neutron.list(p.region, networks)).rejects.toThrow(/no end of pages after \d+ rows/)
  // Ten halves; the look at the catalog has taken a little as well, or not.
  expect([10, 11]).toContain(p.seen.length)
})

test('an error says where in the answer it is', async () => {
  await using p = await pod(response =>
    sendJson(response, 200, { networks: [network('a'), network('b', { mtu: 'x' })] }),
  )
  await expect(neutron.list(p.region, networks)).rejects.toThrow(/unexpected: networks\[1\]\.mtu: /)
})

test('a filter that the region ignores is applied all the same', async () => {
  const rows = [
    network('a', { description: 'mark:1' }),
    network('b', { description: 'mark:2' }),
    network('c', { description: '', 'router:external': true }),
  ]
  await using p = await pod(response => sendJson(response, 200, { networks: rows }))
  const idsOf = async (where: Where<Row<typeof networks>>) =>
    (await neutron.list(p.region, networks, { where, fields: ['id'] })).map(row => row.id)
  expect(await idsOf({ description: 'MARK:1' })).toEqual(['a'])
  expect(await idsOf({ description: ['mark:1', 'mark:2'] })).toEqual(['a', 'b'])
  expect(await idsOf({ external: true })).toEqual(['c'])
  expect(await idsOf({ description: 'mark:9' })).toEqual([])
  expect(p.seen[0]?.path).toBe('/v2.0/networks?description=MARK%3A1&fields=id&fields=description&limit=2')
})

test('a filter without values asks nothing and finds nothing', async () => {
  await using p = await pod(response => sendJson(response, 200, { networks: [network('a')] }))
  expect(await neutron.list(p.region, networks, { where: { id: [] } })).toEqual([])
  expect(p.seen).toEqual([])
})

test('filters by inner fields, and times in whole seconds', async () => {
  await using p = await pod(response => sendJson(response, 200, { ports: [] }))
  const where = { fixedIps: { subnetId: 's1', ipAddress: '10.0.0.1' }, hostId: 'h' }
  await neutron.list(p.region, ports, { where, changedSince: new Date('2026-11-20T23:00:00.999Z') })
  expect([...queryOf(p.seen[0]!.path)]).toEqual([
    ['fixed_ips', 'subnet_id=s1'],
    ['fixed_ips', 'ip_address=10.0.0.1'],
    ['binding:host_id', 'h'],
    ['changed_since', '2026-11-20T23:00:00Z'],
    ['limit', '2'],
  ])
})

test('what is given goes over the wire under its wire names, and nothing else', async () => {
  await using p = await pod((response, { body }) =>
    sendJson(response, 201, { port: { ...JSON.parse(body).port } }),
  )
  await neutron
    .create(p.region, ports, {
      networkId: 'n1',
      hostId: 'h',
      profile: { region: 'Pod1', some_key: { innerKey: 1 } },
      fixedIps: [{ subnetId: 's1', ipAddress: '10.0.0.1' }],
      deviceId: undefined as unknown as string,
    })
    .catch(() => undefined)
  expect(JSON.parse(p.seen[0]!.body)).toEqual({
    port: {
      network_id: 'n1',
      'binding:host_id': 'h',
      'binding:profile': { region: 'Pod1', some_key: { innerKey: 1 } },
      fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.1' }],
    },
  })
})

test('unknown keys of an answer are dropped', async () => {
  await using p = await pod(response => sendJson(response, 200, { network: network('a') }))
  const got = await neutron.get(p.region, networks, 'a')
  expect(JSON.stringify(got)).not.toMatch(/future|_/)
})

test.each<[string, string]>([
  ['of empty objects', "'[' + '{},'.repeat(5_000_000) + '{}]'"],
  ['of words that are no rows', "JSON.stringify({ networks: Array(450_000).fill('é€') })"],
  ['of a row of words', 'JSON.stringify({ networks: [{ subnets: Array(450_000).fill({}) }] })'],
  ['of nothing', "' '.repeat(12_000_000)"],
  ['of one long name', "'{\"networks\": [\"' + 'é'.repeat(6_000_000) + '\"]}'"],
])('a body as large as may be, %s, costs less than 64 MB', async (_, body) => {
  // Served by another process, so that its memory is not counted here.
  const source = `const body = ${body}; require('node:http').createServer((_, r) => r.end(body)).listen(0, '127.0.0.1',
    function () { console.log(this.address().port) })`
  const server = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void server.kill())
  const port = Number(await new Promise(resolve => server.stdout.once('data', resolve)))
  await using identity = await keystone({ network: `http://127.0.0.1:${port}` })
  const session = createSession({ authUrl: identity.url, username: 'a', password: 'b', projectName: 'c' })
  const regions = createRegions({ session, catalog: createCatalog(session), timeoutMs: 120_000 })
  const listed = () =>
    expect(neutron.list(regions.region('Pod1'), networks)).rejects.toMatchObject({ code: 'upstream' })
  expect(await memoryRise(listed)).toBeLessThan(64 * 1024 * 1024)
  await Promise.all([regions.close(), session.close()])
})

test('no answer, whatever it is, brings anything but rows or a typed error', async () => {
  let body: unknown
  await using p = await pod(response => sendJson(response, 200, body))
  const row = fc.oneof(fc.constant(network('a')), fc.constant(network('b')), fc.jsonValue())
  const answer = fc.oneof(
    fc.record({ networks: fc.array(row, { maxLength: 4 }) }),
    fc.record({ networks: fc.array(row, { maxLength: 4 }), networks_links: fc.jsonValue() }),
    fc.jsonValue(),
  )
  await fc.assert(
    fc.asyncProperty(answer, async value => {
      body = value
      const outcome = await neutron.list(p.region, networks).catch((error: unknown) => error)
      if (Array.isArray(outcome)) expect(outcome.every(one => /^[ab]$/.test(one.id))).toBe(true)
      else expect(outcome).toMatchObject({ name: 'AppError', code: 'upstream' })
    }),
    { numRuns: 200 },
  )
})

test('servers are listed by changes-since, with a microversion, the deleted ones too', async () => {
  const server = (id: string, status: string): object => ({
    id,
    name: 's',
    status,
    tenant_id: 'p1',
    user_id: 'u1',
    flavor: { vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, original_name: 'm1.tiny', extra_specs: {} },
    created: '2026-11-20T23:53:08Z',
    updated: '2026-11-20T23:53:09Z',
    'OS-EXT-SRV-ATTR:host': null,
    'OS-EXT-AZ:availability_zone': 'nova',
  })
  await using p = await pod(
    (response, { path }) => {
      const isFirst = !path.includes('marker')
      sendJson(response, 200, {
        servers: [isFirst ? server('a', 'ACTIVE') : server('b', 'DELETED')],
        ...(isFirst
          ? { servers_links: [{ rel: 'next', href: 'http://n/v2.1/servers/detail?marker=a' }] }
          : {}),
      })
    },
    { type: 'compute' },
  )
  const listed = await listServers(p.region, { changedSince: new Date('2026-11-20T23:00:00.5Z') })
  expect(listed.map(one => [one.id, one.status])).toEqual([
    ['a', 'ACTIVE'],
    ['b', 'DELETED'],
  ])
  expect(listed[0]).toMatchObject({
    projectId: 'p1',
    flavor: { vcpus: 1, memoryMb: 512, diskGb: 1 },
    host: null,
  })
  expect(p.seen[0]?.headers['openstack-api-version']).toBe('compute 2.53')
  expect(p.seen[1]?.path).toBe(
    '/v2.1/servers/detail?all_tenants=true&changes-since=2026-11-20T23%3A00%3A00.500Z&limit=2&marker=a',
  )
})

// Calls into a region: which are tried again, what an error says, and what is refused before it is asked.
import { expect, onTestFinished, test, vi } from 'vitest'
import { isMaybeDone } from '../../src/openstack/fault.ts'
import * as neutron from '../../src/openstack/neutron.ts'
import { networks } from '../../src/openstack/neutron-tables.ts'
import { probe } from '../../src/openstack/probe.ts'
import type { RegionCall } from '../../src/openstack/region.ts'
import { cpuMs } from '../cost.ts'
import { pause, sooner } from '../wait.ts'
import { network, pod } from './pod.ts'
import { sendJson } from './servers.ts'

const id = '0fcd3b5c-6d0a-4b2e-9a53-0d6bbf1b2a11'
const gets: RegionCall = { method: 'GET', path: '/networks' }
const posts: RegionCall = { method: 'POST', path: '/networks', json: {} }
const deletes: RegionCall = { method: 'DELETE', path: `/networks/${id}` }
const puts: RegionCall = { method: 'PUT', path: `/networks/${id}`, json: {} }
const putsIfMatch: RegionCall = { ...puts, headers: { 'If-Match': 'revision_number=1' } }

async function errorOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: Error) => thrown,
  )
  expect(error).toMatchObject({ name: 'AppError' })
  return error as Error & { code: string; detail: Record<string, unknown> }
}

test.each([
  ['', '/v2.0/networks'],
  ['/', '/v2.0/networks'],
  ['/v2.0', '/v2.0/networks'],
  ['/v2.0/', '/v2.0/networks'],
  ['/networking', '/networking/v2.0/networks'],
  ['/networking/v2.0', '/networking/v2.0/networks'],
])('a catalog URL of Neutron that ends in "%s" leads to %s', async (suffix, path) => {
  await using p = await pod(response => sendJson(response, 200, {}), { suffix })
  await p.region.call('network', gets)
  expect(p.seen[0]).toMatchObject({ path, headers: { 'x-auth-token': 'token-1' } })
  expect(p.seen[0]?.headers['x-openstack-request-id']).toMatch(/^req-/)
})

test.each(['', '/v2.1', '/v2.1/', '/v2.1/0123456789abcdef', '/v2/0123456789abcdef'])(
  'a catalog URL of Nova that ends in "%s" leads to /v2.1',
  async suffix => {
    await using p = await pod(response => sendJson(response, 200, {}), { suffix, type: 'compute' })
    await p.region.call('compute', { method: 'GET', path: '/servers' })
    await p.region.call('compute', { method: 'GET', path: '/', fromRoot: true })
    expect(p.seen.map(seen => seen.path)).toEqual(['/v2.1/servers', '/'])
  },
)

test.each([
  ['GET', gets, 3],
  ['DELETE', deletes, 3],
  ['PUT with If-Match', putsIfMatch, 3],
  ['POST', posts, 1],
  ['PUT', puts, 1],
])('%s: asked %3$s times of a service that is away for a moment', async (_, request, times) => {
  for (const status of [0, 429, 502, 503, 504]) {
    await using p = await pod((response, __, number) => {
      if (number > 2) sendJson(response, 200, {})
      else if (status === 0) response.socket?.resetAndDestroy()
      else sendJson(response, status, {})
    })
    const outcome = p.region.call('network', request)
    if (times === 1) await expect(outcome).rejects.toMatchObject({ code: 'upstream' })
    else expect((await outcome).status).toBe(200)
    expect(p.seen).toHaveLength(times)
  }
})

test('no more than four tries', async () => {
  await using p = await pod(response => sendJson(response, 503, {}))
  expect((await errorOf(p.region.call('network', gets))).detail).toMatchObject({ status: 503 })
  expect(p.seen).toHaveLength(4)
})

test.each([400, 401, 403, 404, 409, 413, 500, 501])('a %d is not tried again', async status => {
  await using p = await pod(response => sendJson(response, status, {}))
  expect((await errorOf(p.region.call('network', gets))).detail).toMatchObject({ status })
  expect(p.seen).toHaveLength(status === 401 ? 2 : 1)
})

test('Retry-After is honoured, unless it goes beyond the time-out', async () => {
  const order: string[] = []
  await using p = await pod((response, _, number) => {
    if (number === 1) {
      // One event loop rings this timer before that of the second that it is asked to wait.
      void pause(950).then(() => order.push('950 ms'))
      sendJson(response, 429, {}, { 'retry-after': '1' })
    } else {
      order.push('asked again')
      sendJson(response, 200, {})
    }
  })
  await p.region.call('network', gets)
  expect(order).toEqual(['950 ms', 'asked again'])
  await using patient = await pod(response => sendJson(response, 503, {}, { 'retry-after': '3600' }))
  await errorOf(patient.region.call('network', gets))
  expect(patient.seen).toHaveLength(1)
})

test('a region that hangs costs one time-out, whatever the method', async () => {
  await using p = await pod(() => undefined, { timeoutMs: 300 })
  for (const request of [gets, deletes, putsIfMatch, puts, posts]) {
    const error = await sooner(errorOf(p.region.call('network', request)), { than: 500 })
    const maybe = request === puts || request === posts
    expect(error).toMatchObject({ code: 'upstream', detail: { region: 'Pod1', service: 'Neutron' } })
    expect(error.detail.reason).toBe(maybe ? 'maybe_done' : 'timeout')
    expect(isMaybeDone(error)).toBe(maybe)
  }
})

test.each<[string, number | 'reset' | 'garbage']>([
  ['a lost answer', 'reset'],
  ['an unreadable answer', 'garbage'],
  ['a 500', 500],
  ['a 502', 502],
  ['a 504', 504],
])('a POST that ends in %s may have been done, and is not repeated', async (_, how) => {
  await using p = await pod(response => {
    if (how === 'reset') response.socket?.resetAndDestroy()
    else if (how === 'garbage') response.writeHead(201).end('{"network": {')
    else sendJson(response, how, {})
  })
  const error = await errorOf(neutron.create(p.region, networks, { name: 'x' }))
  expect(isMaybeDone(error)).toBe(true)
  expect(p.seen).toHaveLength(1)
})

test.each<[string, object]>([
  ['of a wrong type', { network: network(id, { name: 7 }) }],
  ['without an id', { network: network('', {}) }],
  ['of another kind', { port: network(id) }],
  ['that is a list', { network: [] }],
])('a created thing %s may be there', async (_, body) => {
  await using p = await pod(response => sendJson(response, 201, body))
  const error = await errorOf(neutron.create(p.region, networks, { name: 'x' }))
  expect(isMaybeDone(error)).toBe(true)
  expect(error.message).toMatch(
    /^Pod1's Neutron answered POST \/v2\.0\/networks with something unexpected: network/,
  )
})

test('a POST that was refused, or never sent, was not done', async () => {
  const away = await pod(response => sendJson(response, 409, {}))
  expect(isMaybeDone(await errorOf(away.region.call('network', posts)))).toBe(false)
  const { region } = away
  await away[Symbol.asyncDispose]()
  const error = await errorOf(region.call('network', posts))
  expect(isMaybeDone(error)).toBe(false)
})

test('a precondition that fails after a lost answer may have been met by the lost one', async () => {
  await using p = await pod((response, _, number) => {
    if (number === 1) response.socket?.resetAndDestroy()
    else
      sendJson(response, 412, {
        NeutronError: { type: 'RevisionNumberConstraintFailed', message: 'm', detail: '' },
      })
  })
  const error = await errorOf(neutron.update(p.region, networks, id, { name: 'x' }, { ifRevision: 1 }))
  expect(error.detail).toMatchObject({ status: 412, reason: 'maybe_done' })
})

test.each<[object | string, string | undefined, string]>([
  [
    { NeutronError: { type: 'OverQuota', message: 'Quota exceeded.', detail: '' } },
    'OverQuota',
    'Quota exceeded.',
  ],
  [
    { itemNotFound: { code: 404, message: 'Instance x could not be found.' } },
    'itemNotFound',
    'Instance x could not be found.',
  ],
  [
    {
      errors: [{ status: 409, title: 'Conflict', detail: 'generation', code: 'placement.concurrent_update' }],
    },
    'placement.concurrent_update',
    'generation',
  ],
  [{ errors: [{ status: 409, title: 'Conflict', detail: 'old' }] }, undefined, 'old'],
  [
    { error: { code: 403, title: 'Forbidden', message: 'You are not\nauthorized.' } },
    undefined,
    'You are not authorized.',
  ],
  [{ message: 'Gone.<br /><br />\n\n', code: '404 Not Found', title: 'Not Found' }, undefined, 'Gone.'],
  [{ NeutronError: 'what' }, undefined, 'no reason given'],
  [{ secret: { of: 'another service' } }, undefined, 'no reason given'],
  ['<html>internal address 10.0.0.1</html>', undefined, 'no reason given'],
  [
    { NeutronError: { type: 'A b\r\n', message: 'x'.repeat(2000), detail: '' } },
    undefined,
    `${'x'.repeat(500)}…`,
  ],
])('an error says what the service says: %j', async (body, reason, words) => {
  await using p = await pod(response => {
    response.writeHead(409).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const error = await errorOf(p.region.call('network', gets))
  expect(error.message).toBe(`Pod1's Neutron answered 409 to GET /v2.0/networks: ${words}`)
  expect(error.detail).toEqual({
    region: 'Pod1',
    service: 'Neutron',
    status: 409,
    ...(reason ? { reason } : {}),
  })
})

test('an error that is nothing but brackets costs about what one of words does', async () => {
  let letter = 'x'
  await using p = await pod(response => {
    response.writeHead(409).end(JSON.stringify({ message: letter.repeat(100_000) }))
  })
  const refused = async (): Promise<void> => {
    expect((await errorOf(p.region.call('network', gets))).message).toContain(letter.repeat(3))
  }
  await refused()
  const words = await cpuMs(refused)
  letter = '<'
  // A pattern that begins anew at every bracket costs a thousand times as much.
  expect((await cpuMs(refused)) / words).toBeLessThan(100)
})

test('a redirect to elsewhere is refused and not followed', async () => {
  await using secret = await pod(response => sendJson(response, 200, {}))
  await using p = await pod(response => response.writeHead(302, { location: secret.url }).end())
  const error = await errorOf(p.region.call('network', gets))
  expect(error.message).toContain('a redirect, which is not followed')
  expect(secret.seen).toEqual([])
})

test.each<[string, number, object | string]>([
  ['an HTML 404', 404, '<html>'],
  ['a 404 for the path', 404, { NeutronError: { type: 'HTTPNotFound', message: 'no', detail: '' } }],
  ['another server’s 404', 404, { message: 'no route' }],
  ['another thing', 200, { network: network('another-id') }],
  ['an empty body', 200, {}],
])('%s is not taken for "there is no such thing"', async (_, status, body) => {
  await using p = await pod(response => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await expect(neutron.get(p.region, networks, id)).rejects.toMatchObject({ code: 'upstream' })
  if (status === 404)
    await expect(neutron.remove(p.region, networks, id)).rejects.toMatchObject({ code: 'upstream' })
})

test.each(['', '..', '.', '../ports', 'a/b', 'a?b', 'a\r\nb', 'x'.repeat(65)])(
  'what is no id (%j) never becomes a path',
  async text => {
    await using p = await pod(response => sendJson(response, 200, {}))
    for (const attempt of [
      neutron.get(p.region, networks, text),
      neutron.remove(p.region, networks, text),
      neutron.update(p.region, networks, text, {}),
      neutron.addRouterInterface(p.region, text, { portId: id }),
      neutron.addAddresses(p.region, text, []),
      neutron.getQuota(p.region, text),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'invalid' })
    }
    expect(p.seen).toEqual([])
  },
)

test('a region without an endpoint says where there is one', async () => {
  await using p = await pod(response => sendJson(response, 200, {}))
  const error = await errorOf(p.region.call('compute', gets))
  expect(error).toMatchObject({ code: 'upstream', detail: { region: 'Pod1', reason: 'no_endpoint' } })
  expect(error.message).toBe(
    'the catalog has no public endpoint of type compute in region Pod1; no region has one',
  )
})

test('a probe tells a clock that is ahead, a slow region, and versions', async () => {
  let now = Date.parse('2026-03-01T12:00:00Z')
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now)
  onTestFinished(() => clock.mockRestore())
  await using p = await pod(response => {
    const date = new Date(now + 60_000).toUTCString()
    const versions = [{ id: 'v2.0', status: 'CURRENT', links: [] }]
    now += 2_000
    sendJson(response, 200, { versions }, { date })
  })
  const found = await probe(p.region, 'network')
  expect(found).toMatchObject({
    url: `${p.url}/`,
    versions: [{ id: 'v2.0', status: 'CURRENT', min: null, max: null }],
  })
  // Its clock was read half-way between question and answer, as far as anybody knows, and tells whole seconds.
  expect(found).toMatchObject({ clockSkewMs: 59_500, latencyMs: 2_000 })
  expect(p.region.clock('network')!.skewMs).toBe(59_500)
})

test.each<[string, object, object]>([
  [
    'Nova',
    { versions: [{ id: 'v2.1', status: 'CURRENT', version: '2.93', min_version: '2.1', links: [] }] },
    { id: 'v2.1', status: 'CURRENT', min: '2.1', max: '2.93' },
  ],
  [
    'Placement',
    { versions: [{ id: 'v1.0', status: 'CURRENT', min_version: '1.0', max_version: '1.39', links: [] }] },
    { id: 'v1.0', status: 'CURRENT', min: '1.0', max: '1.39' },
  ],
  [
    'Keystone',
    { versions: { values: [{ id: 'v3.14', status: 'stable' }] } },
    { id: 'v3.14', status: 'stable', min: null, max: null },
  ],
])('the versions of %s', async (_, body, version) => {
  await using p = await pod(response => sendJson(response, 300, body))
  expect((await probe(p.region, 'network')).versions).toEqual([version])
})

// What can go wrong on request with a simulated service, and how calls are counted; Keystone is the example.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClock } from '../../sim/clock.ts'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import { createFaults } from '../../sim/faults.ts'
import { startService } from '../../sim/http.ts'
import { pause, until } from '../wait.ts'

let cloud: Cloud

beforeAll(async () => {
  cloud = await startCloud({ regions: ['RegionOne'] })
})
afterAll(() => cloud.close())
beforeEach(() => cloud.faults.clear())

const root = () => cloud.authUrl.replace('/v3', '')
const version = (signal?: AbortSignal) => fetch(cloud.authUrl, signal === undefined ? {} : { signal })

const user = { name: 'demo', domain: { id: 'default' }, password: 'atoll' }
const login = () =>
  fetch(`${cloud.authUrl}/auth/tokens`, {
    method: 'POST',
    body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } } } }),
  })

describe('a fault', () => {
  test('strikes as often as told, then is gone', async () => {
    const fault = cloud.faults.add({ kind: 'status', status: 503, times: 2 })
    const statuses = [(await version()).status, (await version()).status, (await version()).status]
    expect(statuses).toEqual([503, 503, 200])
    expect(fault.hits).toBe(2)
    expect(cloud.faults.list()).toEqual([])
  })

  test('strikes until removed when not told how often', async () => {
    const fault = cloud.faults.add({ kind: 'status', status: 500 })
    for (let count = 0; count < 3; count++) expect((await version()).status).toBe(500)
    fault.remove()
    expect((await version()).status).toBe(200)
  })

  test('strikes only the calls it means', async () => {
    const fault = cloud.faults.add({
      kind: 'status',
      service: 'keystone',
      method: 'post',
      path: '/v3/auth/*',
    })
    cloud.faults.add({ kind: 'reset', region: 'Elsewhere' })
    cloud.faults.add({ kind: 'reset', service: 'neutron' })
    cloud.faults.add({ kind: 'reset', path: /^\/v3\/nothing/ })
    expect((await version()).status).toBe(200)
    expect((await fetch(`${cloud.authUrl}/auth/projects`)).status).toBe(401)
    expect((await login()).status).toBe(500)
    expect(fault.hits).toBe(1)
  })

  test('waits for its turn while an older one strikes', async () => {
    cloud.faults.add({ kind: 'status', status: 503, times: 1 })
    cloud.faults.add({ kind: 'status', status: 409, times: 1 })
    expect([(await version()).status, (await version()).status]).toEqual([503, 409])
  })
})

describe('kinds of faults', () => {
  test('status speaks in the words of the service', async () => {
    cloud.faults.add({ kind: 'status', status: 409, message: 'Not now.' })
    expect(await (await version()).json()).toEqual({
      error: { code: 409, message: 'Not now.', title: 'Conflict' },
    })
  })

  test('latency delays the answer', async () => {
    cloud.faults.add({ kind: 'latency', ms: 150, times: 1 })
    const order: string[] = []
    const rung = pause(140).then(() => order.push('140 ms'))
    expect((await version()).status).toBe(200)
    order.push('the answer')
    await rung
    expect(order).toEqual(['140 ms', 'the answer'])
  })

  test('hang never answers', async () => {
    cloud.faults.add({ kind: 'hang', times: 1 })
    await expect(version(AbortSignal.timeout(100))).rejects.toThrow(/timeout/)
    expect((await version()).status).toBe(200)
  })

  test('reset kills the connection before anything happens', async () => {
    cloud.faults.add({ kind: 'reset', times: 1 })
    const before = cloud.keystone.state.tokens.size
    await expect(login()).rejects.toThrow()
    expect(cloud.keystone.state.tokens.size).toBe(before)
  })

  test('lost kills the connection after it has happened', async () => {
    cloud.faults.add({ kind: 'lost', times: 1 })
    const before = cloud.keystone.state.tokens.size
    await expect(login()).rejects.toThrow()
    expect(cloud.keystone.state.tokens.size).toBe(before + 1)
  })

  test('garbage is a 200 that is no JSON', async () => {
    cloud.faults.add({ kind: 'garbage', times: 1 })
    const response = await version()
    expect(response.status).toBe(200)
    await expect(response.json()).rejects.toThrow(SyntaxError)
  })

  test('an error after the effect is possible too', async () => {
    cloud.faults.add({ kind: 'status', status: 504, after: true, times: 1 })
    const before = cloud.keystone.state.tokens.size
    const response = await login()
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ error: { code: 504 } })
    expect(cloud.keystone.state.tokens.size).toBe(before + 1)
  })

  test('skew is seen in the Date header and in what the service writes', async () => {
    cloud.faults.add({ kind: 'skew', service: 'keystone', ms: -3600_000 })
    const before = Date.now()
    const response = await login()
    const after = Date.now()
    const { token } = (await response.json()) as { token: { issued_at: string } }
    for (const told of [response.headers.get('date') ?? '', token.issued_at]) {
      // In whole seconds.
      expect(Date.parse(told) + 3600_000).toBeGreaterThan(before - 1000)
      expect(Date.parse(told) + 3600_000).toBeLessThanOrEqual(after)
    }
  })

  test('endless is told to the service, whose lists see to it', async () => {
    const faults = createFaults()
    const service = await startService({
      name: 'neutron',
      region: 'Pod1',
      faults,
      clock: createClock(),
      envelope: ({ message }) => ({ NeutronError: { type: '', message, detail: '' } }),
      build: app => {
        app.get('/v2.0/networks', request => ({ more: request.isEndless }))
      },
    })
    const list = async () => (await fetch(`${service.url}/v2.0/networks`)).json()
    expect(await list()).toEqual({ more: false })
    faults.add({ kind: 'endless', region: 'Pod1', path: '/v2.0/networks' })
    expect(await list()).toEqual({ more: true })
    await service.close()
  })
})

describe('calls', () => {
  test('are counted by service, method and path', async () => {
    await version()
    await login()
    await login()
    expect(cloud.faults.calls()).toBe(3)
    expect(cloud.faults.calls({ service: 'keystone', method: 'POST', path: '/v3/auth/tokens' })).toBe(2)
    expect(cloud.faults.calls({ service: 'neutron' })).toBe(0)
    expect(cloud.faults.log.map(call => `${call.method} ${call.path}`)).toEqual([
      'GET /v3',
      'POST /v3/auth/tokens',
      'POST /v3/auth/tokens',
    ])
  })

  test("are noted with the caller's request id, and answered with one of their own", async () => {
    const globalRequestId = 'req-11111111-2222-4333-8444-555555555555'
    const { headers } = await fetch(cloud.authUrl, { headers: { 'x-openstack-request-id': globalRequestId } })
    expect(headers.get('x-openstack-request-id')).toMatch(/^req-[0-9a-f-]{36}$/)
    expect(headers.get('x-openstack-request-id')).not.toBe(globalRequestId)
    expect(cloud.faults.log[0]).toMatchObject({ globalRequestId, path: '/v3' })
  })
})

describe('from another process', () => {
  const faults = (method: string, path = '', body?: unknown) =>
    fetch(`${root()}/_faults${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

  test('faults are added, listed and removed over HTTP', async () => {
    const added = await faults('POST', '', { kind: 'status', status: 503, path: '/v3*' })
    const { id } = (await added.json()) as { id: string }
    expect((await version()).status).toBe(503)
    expect(await (await faults('GET')).json()).toEqual({
      faults: [{ id, kind: 'status', status: 503, path: '/v3*', hits: 1 }],
      calls: 1,
    })
    expect((await faults('DELETE', `/${id}`)).status).toBe(204)
    expect((await version()).status).toBe(200)
  })

  test('all are removed at once', async () => {
    await faults('POST', '', { kind: 'reset' })
    await faults('DELETE')
    expect((await version()).status).toBe(200)
  })

  test('an unknown kind is refused', async () => {
    expect((await faults('POST', '', { kind: 'earthquake' })).status).toBe(400)
  })
})

test('a cloud closes, whatever hangs', async () => {
  const doomed = await startCloud({ regions: ['RegionOne'] })
  doomed.faults.add({ kind: 'hang' })
  const hung = fetch(doomed.authUrl).catch((error: Error) => error)
  await until(() => doomed.faults.calls() > 0, { what: 'a call hangs' })
  await doomed.close()
  expect(await hung).toBeInstanceOf(Error)
})

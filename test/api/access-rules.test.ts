// Application credentials that may send some requests only: the rule's service, method and path, as Keystone means them.

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fileWorld } from '../world.ts'
import { type Rule, restricted } from './people.ts'

const w = await fileWorld()

const ours = (method: string, path: string): Rule => ({ service: 'tricircle', method, path })
const id = randomUUID()

/** Allowed is whatever is not the 401 of who has no good token. */
const isAllowed = async (token: string, method: string, path: string, headers = {}) => {
  const reply = await w.call(method, path, { as: { token }, headers })
  expect(reply.status).toBeLessThan(500)
  return reply.json?.error?.title !== 'Unauthorized'
}

describe('an application credential', () => {
  it('without rules may send what its user may', async () => {
    const token = await restricted(w)
    expect((await w.call('GET', '/v1.0/pods', { as: { token } })).status).toBe(200)
  })

  it.each<[Rule, string, string, boolean]>([
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0/pods', true],
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0/pods?limit=1', true],
    [ours('GET', '/v1.0/pods'), 'POST', '/v1.0/pods', false],
    [ours('GET', '/v1.0/pods'), 'GET', `/v1.0/pods/${id}`, false],
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0/routings', false],
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0', false],
    [ours('GET', '/v1.0/pods'), 'GET', '/tricircle/v1.0/pods', false],
    [ours('GET', '/tricircle/v1.0/pods'), 'GET', '/tricircle/v1.0/pods', true],
    [ours('DELETE', `/v1.0/pods/${id}`), 'DELETE', `/v1.0/pods/${id}`, true],
    [ours('DELETE', `/v1.0/pods/${id}`), 'DELETE', `/v1.0/pods/${randomUUID()}`, false],
    [{ service: 'compute', method: 'GET', path: '/v1.0/pods' }, 'GET', '/v1.0/pods', false],
    [{ service: 'network', method: 'GET', path: '/v1.0/pods' }, 'GET', '/v1.0/pods', false],
    [ours('GET', '/v1.0/pods/*'), 'GET', `/v1.0/pods/${id}`, true],
    [ours('GET', '/v1.0/pods/*'), 'GET', '/v1.0/pods', false],
    [ours('GET', '/v1.0/pods/*'), 'GET', '/v1.0/pods/', false],
    [ours('GET', '/v1.0/pods/*'), 'GET', `/v1.0/pods/${id}/more`, false],
    [ours('GET', '/v1.0/*'), 'GET', '/v1.0/routings', true],
    [ours('GET', '/v1.0/pods/{pod_id}'), 'GET', `/v1.0/pods/${id}`, true],
    [ours('GET', '/v1.0/pods/{pod_id}'), 'GET', '/v1.0/pods', false],
    [ours('GET', '/v1.0/{collection}/{id}'), 'GET', '/v1.0/routings/7', true],
    [ours('GET', '/v1.0/pods/x{id}'), 'GET', `/v1.0/pods/x${id}`, false],
    [ours('GET', '/v1.0/**'), 'GET', `/v1.0/pods/${id}`, true],
    [ours('GET', '/v1.0/**'), 'GET', '/v1.0/pods', true],
    [ours('GET', '/v1.0/**'), 'GET', '/v1.0', false],
    [ours('GET', '/**/pods'), 'GET', '/tricircle/v1.0/pods', true],
    [ours('GET', '/**/pods'), 'GET', '/v1.0/routings', false],
    [ours('GET', '/**/v1.0/**'), 'GET', '/tricircle/v1.0/pods', true],
    [ours('GET', '/**/v1.0/**'), 'GET', '/v1.0/pods', false],
    [ours('GET', '/**/v1.0/**'), 'GET', '/tricircle/v1.0', false],
    [ours('GET', '/**/*/pods'), 'GET', '/tricircle/v1.0/pods', true],
    [ours('GET', '/**/*/pods'), 'GET', '/v1.0/pods', false],
    [ours('GET', '/**'), 'POST', '/v1.0/pods', false],
    [ours('GET', '/v1.0/p.ds'), 'GET', '/v1.0/pods', false],
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0/pods/', false],
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0/pods.json', false],
    [ours('GET', '/v1.0/pods'), 'GET', '/v1.0/p%6fds', false],
  ])('with the rule %o may send %s %s: %s', async (rule, method, path, expected) => {
    expect(await isAllowed(await restricted(w, [rule]), method, path)).toBe(expected)
  })

  it.each<[Rule, string, string, boolean]>([
    [{ service: 'reservation', method: 'GET', path: '/v1/leases' }, 'GET', '/v1/leases', true],
    [{ service: 'reservation', method: 'GET', path: '/v1/leases' }, 'GET', '/reservation/v1/leases', false],
    [{ service: 'reservation', method: 'GET', path: '/**/leases' }, 'GET', '/reservation/v1/leases', true],
    [{ service: 'reservation', method: 'GET', path: '/v1/leases' }, 'GET', '/v1/os-hosts', false],
    [{ service: 'reservation', method: 'GET', path: '/v1/**' }, 'POST', '/v1/leases', false],
    [ours('GET', '/v1/leases'), 'GET', '/v1/leases', false],
    [{ service: 'network', method: 'GET', path: '/v2.0/networks' }, 'GET', '/v2.0/networks', true],
    [{ service: 'network', method: 'GET', path: '/v2.0/networks' }, 'GET', '/network/v2.0/networks', false],
    [{ service: 'network', method: 'GET', path: '/v2.0/networks' }, 'GET', '/v2.0/networks.json', false],
    [{ service: 'network', method: 'GET', path: '/v2.0/**' }, 'POST', '/v2.0/networks', false],
    [ours('GET', '/v2.0/networks'), 'GET', '/v2.0/networks', false],
    [{ service: 'reservation', method: 'GET', path: '/**' }, 'GET', '/v1.0/pods', false],
    [{ service: 'promise', method: 'GET', path: '/promise/promise' }, 'GET', '/promise/promise', true],
    [{ service: 'promise', method: 'GET', path: '/promise/**' }, 'POST', '/promise/add-provider', false],
    [{ service: 'atoll', method: 'GET', path: '/atoll/v1/events' }, 'GET', '/atoll/v1/events', true],
    [{ service: 'promise', method: 'GET', path: '/**' }, 'GET', '/atoll/v1/events', false],
    [{ service: 'atoll', method: 'GET', path: '/**' }, 'GET', '/promise/promise', false],
  ])('with the rule %o of another service may send %s %s: %s', async (rule, method, path, expected) => {
    expect(await isAllowed(await restricted(w, [rule]), method, path)).toBe(expected)
  })

  it('cannot keep the server busy with a rule that has many ways to match', async () => {
    const token = await restricted(w, [ours('GET', `${'/**/a'.repeat(16)}/b`)])
    expect(await isAllowed(token, 'GET', '/a'.repeat(400))).toBe(false)
    expect(await isAllowed(token, 'GET', `${'/a'.repeat(400)}/b`)).toBe(true)
  })

  it('with several rules may send what any of them allows', async () => {
    const token = await restricted(w, [ours('GET', '/v1.0/pods'), ours('GET', '/v1.0/routings')])
    expect(await isAllowed(token, 'GET', '/v1.0/pods')).toBe(true)
    expect(await isAllowed(token, 'GET', '/v1.0/routings')).toBe(true)
    expect(await isAllowed(token, 'GET', '/v1.0/bindings')).toBe(false)
  })

  it('is refused in the same words as a bad token', async () => {
    const token = await restricted(w, [ours('GET', '/v1.0/pods')])
    const reply = await w.call('GET', '/v1.0/routings', { as: { token } })
    const stranger = await w.call('GET', '/v1.0/routings', { as: 'nobody' })
    expect([reply.status, reply.text]).toEqual([401, stranger.text])
    expect(reply.headers['www-authenticate']).toBe(stranger.headers['www-authenticate'])
  })

  it('is refused whatever its rules are while the catalog has no service of our type', async () => {
    const service = [...w.cloud.keystone.state.services.values()].find(({ type }) => type === 'tricircle')!
    service.enabled = false
    try {
      expect(await isAllowed(await restricted(w, [ours('GET', '/v1.0/pods')]), 'GET', '/v1.0/pods')).toBe(
        false,
      )
    } finally {
      service.enabled = true
    }
  })

  it('cannot name another method in a header', async () => {
    const token = await restricted(w, [ours('GET', '/v1.0/pods')])
    const headers = { 'x-http-method-override': 'GET', 'x-http-method': 'GET', 'x-method-override': 'GET' }
    expect(await isAllowed(token, 'POST', '/v1.0/pods', headers)).toBe(false)
  })
})

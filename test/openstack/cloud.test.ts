// core's Cloud port: whose project it works in, and which path each kind of a region has.
import { expect, onTestFinished, test } from 'vitest'
import type { RegionKind } from '../../src/core/network/copies/region-rows.ts'
import { createCatalog } from '../../src/openstack/catalog.ts'
import { createCloud } from '../../src/openstack/cloud.ts'
import { networkingOf } from '../../src/openstack/network.ts'
import { createRegions } from '../../src/openstack/region.ts'
import { createSession } from '../../src/openstack/session.ts'
import { network, pod } from './pod.ts'
import { type KeystoneSpec, keystone, sendJson, tokenBody } from './servers.ts'

async function cloudWith(spec: KeystoneSpec) {
  const identity = await keystone({}, spec)
  const session = createSession({ authUrl: identity.url, username: 'a', password: 'b', projectName: 'c' })
  const regions = createRegions({ session, catalog: createCatalog(session) })
  onTestFinished(async () => {
    await Promise.all([regions.close(), session.close(), identity[Symbol.asyncDispose]()])
  })
  return createCloud(regions, { blazarFilter: false })
}

test('the project of the service user is that of its token', async () => {
  const cloud = await cloudWith({})
  expect(await cloud.ownProject()).toBe('p1')
})

test('a token without a project is of no use', async () => {
  const { token } = tokenBody({}) as { token: object }
  const unscoped = { token: { ...token, project: undefined } }
  const cloud = await cloudWith({
    logIn: response => sendJson(response, 201, unscoped, { 'x-subject-token': 't' }),
  })
  await expect(cloud.ownProject()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('without a project'),
  })
})

test.each<[RegionKind, string]>([
  ['network', 'networks'],
  ['subnet', 'subnets'],
  ['port', 'ports'],
  ['router', 'routers'],
  ['floatingip', 'floatingips'],
  ['security_group', 'security-groups'],
  ['security_group_rule', 'security-group-rules'],
  ['address_group', 'address-groups'],
  ['agent', 'agents'],
])('a %s is one of /%s', async (kind, path) => {
  const key = path.replaceAll('-', '_')
  await using p = await pod(response => sendJson(response, 200, { [key]: [] }))
  expect(await networkingOf(p.region).list(kind)).toEqual([])
  expect(p.seen[0]?.path.split('?')[0]).toBe(`/v2.0/${path}`)
})

test('what is nobody’s has no project', async () => {
  await using p = await pod(response =>
    sendJson(response, 200, { network: network('n1', { project_id: '' }) }),
  )
  expect((await networkingOf(p.region).get('network', 'n1'))?.projectId).toBeNull()
})

// What src/openstack asks of Nova, against the simulator or a real one.
import { afterAll, expect, test } from 'vitest'
import { listHypervisors, listServers } from '../../src/openstack/nova.ts'
import { probe } from '../../src/openstack/probe.ts'
import { openTarget } from './target.ts'

const target = await openTarget()
afterAll(() => target.close())
const pod1 = target.region()
const isThere = target.has('compute')
if (!isThere) console.warn(`NOT RUN: the ${target.kind} has no Nova in its first region`)

test.skipIf(!isThere)('its version, with microversions', async () => {
  const { versions } = await probe(pod1, 'compute')
  const current = versions.find(version => version.id === 'v2.1')
  expect(current).toMatchObject({ status: 'CURRENT', min: '2.1' })
  expect(Number(current?.max?.split('.')[1])).toBeGreaterThanOrEqual(53)
})

test.skipIf(!isThere)('its hypervisors, page by page', async () => {
  const hypervisors = await listHypervisors(pod1)
  expect(hypervisors.length).toBeGreaterThan(0)
  for (const one of hypervisors) {
    expect(one).toMatchObject({ state: expect.stringMatching(/^(up|down)$/), vcpus: expect.any(Number) })
    expect(one.memoryMb).toBeGreaterThan(0)
  }
})

test.skipIf(!isThere)('its servers, and none that changed in the future', async () => {
  for (const server of await listServers(pod1)) {
    expect(server).toMatchObject({ status: expect.stringMatching(/^[A-Z_]+$/), createdAt: expect.any(Date) })
  }
  expect(await listServers(pod1, { changedSince: new Date(Date.now() + 3_600_000) })).toEqual([])
  expect(await listServers(pod1, { projectId: '0123456789abcdef0123456789abcdef' })).toEqual([])
})

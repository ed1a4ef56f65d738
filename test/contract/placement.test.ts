// What src/openstack asks of Placement, against the simulator or a real one.
import { afterAll, expect, test } from 'vitest'
import { listResourceProviders } from '../../src/openstack/placement.ts'
import { probe } from '../../src/openstack/probe.ts'
import { openTarget } from './target.ts'

const target = await openTarget()
afterAll(() => target.close())
const pod1 = target.region()
const isThere = target.has('placement')
if (!isThere) console.warn(`NOT RUN: the ${target.kind} has no Placement in its first region`)

test.skipIf(!isThere)('its version, with microversions', async () => {
  const { versions } = await probe(pod1, 'placement')
  expect(versions).toEqual([expect.objectContaining({ id: 'v1.0', min: '1.0' })])
  expect(Number(versions[0]?.max?.split('.')[1])).toBeGreaterThanOrEqual(14)
})

test.skipIf(!isThere)('its resource providers', async () => {
  const providers = await listResourceProviders(pod1)
  expect(providers.length).toBeGreaterThan(0)
  for (const one of providers) expect(one).toMatchObject({ generation: expect.any(Number), parentId: null })
})

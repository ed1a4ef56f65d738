// Names that look like what Atoll writes itself.

import { expect, it } from 'vitest'
import { until } from '../wait.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true, workers: true })

it('a router named as the planner writes a reference comes to rest', async () => {
  const external = await w.admin.make('network', {
    name: 'ext',
    'router:external': true,
    'provider:network_type': 'vlan',
    'provider:physical_network': 'extern',
    'provider:segmentation_id': 154,
    availability_zone_hints: ['Pod2'],
  })
  const outside = { network_id: external.id, ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }
  await w.admin.make('subnet', outside)
  const router = await w.demo.make('router', { name: `@network/${external.id}` })
  const network = await w.demo.make('network', { name: 'n' })
  const subnet = await w.demo.make('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.1.0/24' })
  const gateway = { external_gateway_info: { network_id: external.id } }
  await w.demo.change(`/routers/${router.id}`, { router: gateway })
  await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
  const open = async () =>
    (await w.app.store.jobs.list({}, { limit: 1000, marker: null }))!.filter(
      ({ status }) => status !== 'SUCCESS',
    )
  const isOver = async () => (await open()).every(({ status }) => status === 'FAIL')
  await until(isOver, { what: 'its jobs are done, or have failed', seen: open })
  expect((await open()).map(({ lastError }) => lastError)).toEqual([])
})

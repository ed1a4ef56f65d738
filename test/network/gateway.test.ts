// The way out of a router that spans regions: taken away, moved to another region, and by subnet alone.

import { expect, it } from 'vitest'
import { fileWorld, type Json } from '../world.ts'

const w = await fileWorld({ joined: true, workers: true })

/** An external network of a region with one subnet. */
async function outside(
  region: string,
  segment: number,
  cidr: string,
): Promise<{ id: string; subnetId: string }> {
  const { id } = await w.admin.make('network', {
    name: `ext-${segment}`,
    'router:external': true,
    'provider:network_type': 'vlan',
    'provider:physical_network': 'extern',
    'provider:segmentation_id': segment,
    availability_zone_hints: [region],
  })
  const subnet = { network_id: id, ip_version: 4, cidr, enable_dhcp: false }
  return { id, subnetId: (await w.admin.make('subnet', subnet)).id }
}

/** What the copies of a router know the way to, by region. */
async function waysOf(id: string): Promise<Record<string, string[]>> {
  const places: Json[] = (await w.demo.read(`/routers/${id}`))['atoll:regions']
  const ways = await Promise.all(
    places.map(async ({ region, id }) => [
      region,
      ((await w.region(region).get('router', id))?.routes ?? []).map(({ destination }) => destination).sort(),
    ]),
  )
  return Object.fromEntries(ways)
}

it('goes from a region that has a subnet of the router to another one, and away, and all subnets stay reachable', async () => {
  const here = await outside('Pod1', 171, '198.51.100.0/24')
  const there = await outside('Pod2', 172, '203.0.113.0/24')
  const by = ({ id }: { id: string }) => ({ external_gateway_info: { network_id: id } })
  const router = await w.demo.make('router', { name: 'r', ...by(there) })
  for (const [region, cidr] of [
    ['Pod1', '10.0.1.0/24'],
    ['Pod2', '10.0.2.0/24'],
  ]) {
    const network = await w.demo.make('network', { name: 'n' })
    const subnet = await w.demo.make('subnet', { network_id: network.id, ip_version: 4, cidr })
    await w.demo.make('port', { network_id: network.id, 'binding:profile': { region } })
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
  }
  await w.settle()
  const out = '0.0.0.0/0'
  expect(await waysOf(router.id)).toMatchObject({
    Pod1: expect.arrayContaining(['10.0.2.0/24', out]),
    Pod2: expect.arrayContaining(['10.0.1.0/24']),
  })
  await w.demo.change(`/routers/${router.id}`, { router: by(here) })
  await w.settle()
  expect(await waysOf(router.id)).toMatchObject({
    Pod1: expect.arrayContaining(['10.0.2.0/24']),
    Pod2: expect.arrayContaining(['10.0.1.0/24', out]),
  })
  await w.demo.change(`/routers/${router.id}`, { router: { external_gateway_info: null } })
  await w.settle()
  expect(await waysOf(router.id)).toEqual({ Pod1: ['10.0.2.0/24'], Pod2: ['10.0.1.0/24'] })
})

it('has an address of the subnet that is named, at creation and later', async () => {
  const { id, subnetId } = await outside('Pod2', 173, '192.0.2.0/24')
  const gateway = { external_gateway_info: { network_id: id, external_fixed_ips: [{ subnet_id: subnetId }] } }
  const made = await w.admin.make('router', { name: 'made', ...gateway })
  const other = await w.admin.make('router', { name: 'other' })
  await w.admin.change(`/routers/${other.id}`, { router: gateway })
  for (const router of [made, other]) {
    const { external_gateway_info: info } = await w.admin.read(`/routers/${router.id}`)
    expect(info.external_fixed_ips).toEqual([
      { subnet_id: subnetId, ip_address: expect.stringMatching(/^192\.0\.2\./) },
    ])
  }
})

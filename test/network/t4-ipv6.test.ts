// East-west between regions in both IP versions: the bridge has a /64 of its own once a router has a subnet of IPv6.

import { beforeAll, expect, it } from 'vitest'
import { fileWorld, type Json } from '../world.ts'
import { markedIn } from './regions.ts'

const w = await fileWorld({ joined: true, lab: true })
beforeAll(async () => {
  await w.startWork()
})

async function routesIn(router: Json, region: string): Promise<string[]> {
  const places = (await w.demo.read(`/routers/${router.id}`))['atoll:regions']
  const { id } = places.find((place: Json) => place.region === region)
  const copy = await w.region(region).get('router', id)
  return copy!.routes.map(({ destination, nextHop }) => `${destination} via ${nextHop}`).sort()
}

it('subnets of IPv6 are reached over the bridge as those of IPv4 are', async () => {
  const router = await w.demo.make('router', { name: 'v6-router' })
  const networks: Json[] = []
  const attach = async (at: number, subnet: object) => {
    const made = await w.demo.make('subnet', { network_id: networks[at].id, ...subnet })
    await w.demo.change(`/routers/${router.id}/add_router_interface`, { subnet_id: made.id })
    return made
  }
  const subnets: Json[] = []
  for (const [at, region] of w.regions.slice(0, 2).entries()) {
    const hints = { availability_zone_hints: [region] }
    networks[at] = await w.demo.make('network', { name: `v6-net${at}`, ...hints })
    subnets.push(await attach(at, { ip_version: 4, cidr: `10.6.${at}.0/24` }))
  }
  await w.settle()
  const [one, two] = w.regions as [string, string]
  expect(await routesIn(router, one)).toEqual([expect.stringMatching(/^10\.6\.1\.0\/24 via 100\.0\.0\.\d+$/)])

  for (const at of [0, 1])
    subnets.push(await attach(at, { ip_version: 6, cidr: `fd12:0:0:${at}::/64`, enable_dhcp: false }))
  await w.settle()
  expect(await routesIn(router, one)).toEqual([
    expect.stringMatching(/^10\.6\.1\.0\/24 via 100\.0\.0\.\d+$/),
    expect.stringMatching(/^fd12:0:0:1::\/64 via fda7:a701:/),
  ])
  expect(await routesIn(router, two)).toEqual([
    expect.stringMatching(/^10\.6\.0\.0\/24 via 100\.0\.0\.\d+$/),
    expect.stringMatching(/^fd12::\/64 via fda7:a701:/),
  ])

  for (const { id } of subnets)
    await w.demo.change(`/routers/${router.id}/remove_router_interface`, { subnet_id: id })
  await w.settle()
  await w.demo.remove(`/routers/${router.id}`)
  for (const { id } of networks) await w.demo.remove(`/networks/${id}`)
  await w.settle()
  for (const region of w.regions) expect(await markedIn(w, region)).toEqual([])
}, 300_000)

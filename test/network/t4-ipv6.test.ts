// East-west between regions in both IP versions: the bridge has a /64 of its own once a router has a subnet of IPv6.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Json, type Planet, planet } from './planet.ts'

let p: Planet
beforeAll(async () => {
  p = await planet({ regions: ['Pod1', 'Pod2'] })
  await p.startWork()
})
afterAll(() => p[Symbol.asyncDispose]())

async function routesIn(router: Json, region: string): Promise<string[]> {
  const places = (await p.call('GET', `/routers/${router.id}`))['atoll:regions']
  const { id } = places.find((place: Json) => place.region === region)
  const copy = await p.region(region).get('router', id)
  return copy!.routes.map(({ destination, nextHop }) => `${destination} via ${nextHop}`).sort()
}

it('subnets of IPv6 are reached over the bridge as those of IPv4 are', async () => {
  const router = await p.call('POST', '/routers', { router: { name: 'v6-router' } })
  const networks: Json[] = []
  const attach = async (at: number, subnet: object) => {
    const made = await p.call('POST', '/subnets', { subnet: { network_id: networks[at].id, ...subnet } })
    await p.call('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: made.id })
    return made
  }
  const subnets: Json[] = []
  for (const [at, region] of p.regions.slice(0, 2).entries()) {
    const hints = { availability_zone_hints: [region] }
    networks[at] = await p.call('POST', '/networks', { network: { name: `v6-net${at}`, ...hints } })
    subnets.push(await attach(at, { ip_version: 4, cidr: `10.6.${at}.0/24` }))
  }
  await p.settle()
  const [one, two] = p.regions as [string, string]
  expect(await routesIn(router, one)).toEqual([expect.stringMatching(/^10\.6\.1\.0\/24 via 100\.0\.0\.\d+$/)])

  for (const at of [0, 1])
    subnets.push(await attach(at, { ip_version: 6, cidr: `fd12:0:0:${at}::/64`, enable_dhcp: false }))
  await p.settle()
  expect(await routesIn(router, one)).toEqual([
    expect.stringMatching(/^10\.6\.1\.0\/24 via 100\.0\.0\.\d+$/),
    expect.stringMatching(/^fd12:0:0:1::\/64 via fda7:a701:/),
  ])
  expect(await routesIn(router, two)).toEqual([
    expect.stringMatching(/^10\.6\.0\.0\/24 via 100\.0\.0\.\d+$/),
    expect.stringMatching(/^fd12::\/64 via fda7:a701:/),
  ])

  for (const { id } of subnets)
    await p.call('PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: id })
  await p.settle()
  await p.call('DELETE', `/routers/${router.id}`)
  for (const { id } of networks) await p.call('DELETE', `/networks/${id}`)
  await p.settle()
  for (const region of p.regions) expect(await p.marked(region)).toEqual([])
}, 300_000)

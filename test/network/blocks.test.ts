// What a region may give of a subnet that spans regions: its block shrinks where an address is taken out of it, and
// grows when it is full.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseAddress, parsePool, poolContains } from '../../src/core/network/addresses/address.ts'
import { fileWorld, type Json } from '../world.ts'

const w = await fileWorld({ joined: true, lab: true })
let region: string

beforeAll(async () => {
  region = w.regions[0]!
  await w.startWork()
})
beforeEach(() => w.settle())

const make = (kind: 'network' | 'subnet' | 'port', fields: object): Promise<Json> =>
  w.demo.make(kind, { name: 'bl', ...fields })
const placed = () => ({ 'binding:profile': { region } })

/** Whether the region's copy of the subnet may give the address. */
async function mayGive(subnetId: string, address: string): Promise<boolean> {
  const places = (await w.demo.read(`/subnets/${subnetId}`))['atoll:regions']
  const { id } = places.find((place: Json) => place.region === region)
  const pools = (await w.region(region).get('subnet', id))!.allocationPools
  return poolContains(
    pools.map(pool => parsePool(pool)!),
    parseAddress(address)!,
  )
}

describe('an address in a region’s block', () => {
  it('is the region’s no more once a reserved port has it, as it is made and as it is changed', async () => {
    const network = await make('network', {})
    const subnet = await make('subnet', { network_id: network.id, ip_version: 4, cidr: '10.21.0.0/24' })
    const warm = await make('port', { network_id: network.id, ...placed() })
    // Where a network is in one region only, its ports go there.
    await make('port', { network_id: network.id, 'binding:profile': { region: w.regions[1] } })
    const near = warm.fixed_ips[0].ip_address.split('.').map(Number).at(-1)
    const [one, two] = [`10.21.0.${near + 1}`, `10.21.0.${near + 2}`]
    expect(await Promise.all([one, two].map(address => mayGive(subnet.id, address)))).toEqual([true, true])

    const port = await make('port', { network_id: network.id, fixed_ips: [{ ip_address: one }] })
    expect(port['atoll:regions']).toEqual([])
    await w.settle()
    expect(await mayGive(subnet.id, one)).toBe(false)

    await w.demo.change(`/ports/${port.id}`, { port: { fixed_ips: [{ ip_address: two }] } })
    await w.settle()
    expect(await mayGive(subnet.id, two)).toBe(false)
  })
})

describe('a port in a region that has given all of its blocks', () => {
  it('gets an address of a subnet that has some left, whichever is full', async () => {
    const network = await make('network', {})
    const on = { network_id: network.id, ip_version: 4, gateway_ip: null, enable_dhcp: false }
    const pool = (start: string, end: string) => ({ allocation_pools: [{ start, end }] })
    await make('subnet', { ...on, cidr: '10.22.0.0/24', ...pool('10.22.0.10', '10.22.0.10') })
    await make('subnet', { ...on, cidr: '10.23.0.0/24', ...pool('10.23.0.10', '10.23.0.15') })
    const there = { port: { network_id: network.id, ...placed() } }
    for (let made = 0; made < 7; made += 1) await w.demo.make('port', there.port)
    const { status, json } = await w.demo.post('/ports', there)
    expect([status, json.NeutronError.type]).toEqual([409, 'IpAddressGenerationFailure'])
  })
})

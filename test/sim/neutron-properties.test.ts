// What holds in the simulated Neutron whatever is asked of it, and however much it holds.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClock } from '../../sim/clock.ts'
import { readAddress, readCidr, writeAddress, writeCidr } from '../../sim/neutron/model/addresses.ts'
import { createNeutron, type Neutron } from '../../sim/neutron/neutron.ts'
import type { Port } from '../../sim/neutron/rows.ts'
import { startRegion, type TestRegion } from './neutron-region.ts'

const version4 = fc.ipV4()
const version6 = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 })

describe('an address', () => {
  it('of version 4 is written as it was read', () => {
    fc.assert(fc.property(version4, text => writeAddress(readAddress(text)!) === text))
  })

  it('of version 6 is written as URLs write it', () => {
    fc.assert(
      fc.property(version6, words => {
        const text = words.map(word => word.toString(16)).join(':')
        expect(`[${writeAddress(readAddress(text)!)}]`).toBe(new URL(`http://[${text}]/`).hostname)
      }),
    )
  })

  it('is within the network that it names', () => {
    fc.assert(
      fc.property(version4, fc.integer({ min: 0, max: 32 }), (text, prefix) => {
        const cidr = readCidr(`${text}/${prefix}`)!
        const { value } = readAddress(text)!
        expect(value >= cidr.first && value <= cidr.last).toBe(true)
        expect(readCidr(writeCidr(cidr))).toMatchObject({ first: cidr.first, last: cidr.last })
      }),
    )
  })
})

type Step = { make: string | null } | { drop: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ make: null }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 14 }).map(host => ({ make: `10.0.0.${host}` })) },
  { weight: 2, arbitrary: fc.nat(20).map(drop => ({ drop })) },
)

describe('ports that come and go', () => {
  it('never share an address, and take the lowest free one of the pools', async () => {
    const region = await startRegion({ quotas: {} })
    const take = async ({ steps }: { steps: Step[] }) => {
      const network = await region.demo.make('network', {})
      const pool = { start: '10.0.0.4', end: '10.0.0.9' }
      const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/28', allocation_pools: [pool] }
      await region.demo.make('subnet', subnet)
      const held: { id: string; address: string }[] = []
      for (const one of steps) await play(one, network.id, held, region)
    }
    const steps = fc.array(step, { minLength: 5, maxLength: 25 })
    await fc.assert(fc.asyncProperty(fc.record({ steps }), take), { numRuns: 15 })
    await region.close()
  })
})

async function play(
  one: Step,
  network_id: string,
  held: { id: string; address: string }[],
  { demo }: TestRegion,
): Promise<void> {
  if ('drop' in one) {
    const [gone] = held.splice(one.drop, 1)
    if (gone !== undefined) expect((await demo.delete(`/ports/${gone.id}`)).status).toBe(204)
    return
  }
  const taken = new Set(held.map(({ address }) => address))
  const free = [4, 5, 6, 7, 8, 9].map(host => `10.0.0.${host}`).find(address => !taken.has(address))
  const wanted = one.make ?? free
  const fixed_ips = one.make === null ? {} : { fixed_ips: [{ ip_address: one.make }] }
  const { status, body } = await demo.post('/ports', { port: { network_id, ...fixed_ips } })
  const isFree = wanted !== undefined && !taken.has(wanted)
  expect(status).toBe(isFree ? 201 : 409)
  if (!isFree) return
  expect(body.port.fixed_ips[0].ip_address).toBe(wanted)
  held.push({ id: body.port.id, address: wanted })
}

describe('pages', () => {
  it('show every row once, in whatever order and size', async () => {
    const region = await startRegion({ quotas: {} })
    for (let count = 0; count < 20; count++) {
      await region.demo.make('network', { name: `net${count % 3}` })
    }
    const key = fc.constantFrom('id', 'name', 'mtu', 'status')
    const order = fc.record({
      key,
      direction: fc.constantFrom('asc', 'desc'),
      limit: fc.integer({ min: 1, max: 21 }),
    })
    await fc.assert(
      fc.asyncProperty(order, async ({ key, direction, limit }) => {
        const sorting = `sort_key=${key}&sort_dir=${direction}`
        const whole = (await region.demo.get(`/networks?${sorting}`)).body.networks
        const paged = await walk(`/networks?${sorting}&limit=${limit}`, region)
        expect(paged.map(row => row[key])).toEqual(whole.map((row: Shown) => row[key]))
        expect(paged.map(row => row.id).toSorted()).toEqual(whole.map((row: Shown) => row.id).toSorted())
      }),
      { numRuns: 25 },
    )
    await region.close()
  })

  it('lose nothing that stays while rows come and go', async () => {
    const region = await startRegion({ quotas: {} })
    const make = () => region.demo.make('network', {})
    const staying: { id: string }[] = []
    for (let count = 0; count < 10; count++) staying.push(await make())
    let leaving = [await make(), await make()]
    const change = async () => {
      for (const { id } of leaving) await region.demo.delete(`/networks/${id}`)
      leaving = [await make(), await make()]
    }
    // The marker of each page is there to stay: one that is gone is refused.
    const seen = new Set<string>()
    let marker = ''
    for (;;) {
      const { networks } = (await region.demo.get(`/networks?limit=3${marker}`)).body
      for (const { id } of networks) seen.add(id)
      const last = networks.findLast(({ id }: { id: string }) => staying.some(one => one.id === id))
      if (last === undefined || networks.length < 3) break
      marker = `&marker=${last.id}`
      await change()
    }
    expect(staying.filter(({ id }) => !seen.has(id))).toEqual([])
    await region.close()
  })
})

type Shown = Record<string, unknown>

async function walk(path: string, region: TestRegion): Promise<Shown[]> {
  const rows: Shown[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const { body }: { body: { networks: Shown[]; networks_links?: { rel: string; href: string }[] } } =
      await region.demo.get(next)
    rows.push(...body.networks)
    next = body.networks_links?.find(({ rel }) => rel === 'next')?.href
  }
  return rows
}

describe('many ports', () => {
  const perRegion = 10_000
  const many = fill(perRegion)

  function fill(count: number): Neutron {
    const neutron = createNeutron({
      region: 'Pod1',
      clock: createClock(),
      quotas: {},
      inspectToken: () => null,
    })
    const networks = Array.from({ length: 10 }, (_, index) => {
      const project_id = `project${index}`
      const network = neutron.create('network', { project_id })
      neutron.create('subnet', { project_id, network_id: network.id, ip_version: 4, cidr: '10.0.0.0/16' })
      return { project_id, network_id: network.id }
    })
    for (let index = 0; index < count; index++) neutron.create('port', { ...networks[index % 10] })
    return neutron
  }

  it('have each a MAC and an address that no other has in its network', () => {
    const ports = many.ports()
    expect(ports).toHaveLength(perRegion)
    const distinct = (of: (port: Port) => unknown) =>
      new Set(ports.map(port => `${port.network_id} ${of(port)}`)).size
    expect(distinct(port => port.fixed_ips[0]?.ip_address)).toBe(perRegion)
    expect(distinct(port => port.mac_address)).toBe(perRegion)
  })

  it('are found by network, project and device without a look at the others', () => {
    const [network] = many.networks()
    expect(many.region.ports.countBy('network_id', network!.id)).toBe(perRegion / 10)
    expect([...many.region.ports.by('project_id', 'project3')]).toHaveLength(perRegion / 10)
  })
})

// Many callers bring one router into a region at once. Of two calls of Neutron for one leg the later one is refused, and
// its roll-back takes the device off the leg of the one that won: so no leg may be asked for by two.
//
// In the lab twenty routers, each by six callers; else some by lot, and all with SOAK=1.

import { describe, expect, it } from 'vitest'
import type { App, Store, Transaction } from '../../src/core/app.ts'
import { convergeRouter } from '../../src/core/network/convergence/converge.ts'
import { interfaceOwner } from '../../src/core/network/model/device-owner.ts'
import { sized } from '../chance.ts'
import { fileWorld, type Json } from '../world.ts'

const w = await fileWorld({ joined: true, lab: true })
const here = w.regions[0]!
const isLab = w.kind === 'lab'
const callers = 6
const rounds = isLab ? 20 : sized(20)

/** A spanning router, which the region does not have yet, on a network that the region has. */
async function routed(): Promise<{ router: Json; remove: () => Promise<void> }> {
  const network = await w.demo.make('network', { name: `${w.prefix}legs` })
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.61.0.0/24' }
  const { id: subnet_id } = await w.demo.make('subnet', subnet)
  const router = await w.demo.make('router', { name: `${w.prefix}legs` })
  await w.demo.put(`/routers/${router.id}/add_router_interface`, { subnet_id })
  const place = { 'binding:profile': { region: here }, security_groups: [] }
  const port = await w.demo.make('port', { network_id: network.id, ...place })
  const remove = async () => {
    await w.demo.del(`/ports/${port.id}`)
    await w.demo.put(`/routers/${router.id}/remove_router_interface`, { subnet_id })
    await w.demo.del(`/routers/${router.id}`)
    await w.demo.del(`/networks/${network.id}`)
  }
  return { router, remove }
}

/** As many requests and jobs bring the router, each by itself. Returns how those went that went wrong. */
async function bringAtOnce(app: App, router: Json): Promise<string[]> {
  const region = w.joined.find(({ name }) => name === here)!
  const bring = () => convergeRouter(app, { caller: w.demo, routerId: router.id, region })
  const all = await Promise.allSettled(Array.from({ length: callers }, bring))
  return all.flatMap(one => (one.status === 'rejected' ? [String(one.reason.message)] : []))
}

/** The device owners of the ports that are a router's copy's in the region, but for those of its bridge. */
async function legsOf(router: Json): Promise<string[]> {
  const places: Json[] = (await w.demo.read(`/routers/${router.id}`))['atoll:regions']
  const id = places.find(({ region }) => region === here)?.id
  const ports = await w.region(here).list('port', { where: { deviceId: id ?? 'none' } })
  return ports
    .filter(({ fixedIps }) => fixedIps.some(({ ipAddress }) => ipAddress.startsWith('10.61.0.')))
    .map(({ deviceOwner }) => deviceOwner)
}

describe(`${callers} callers who bring a router into one region at once`, () => {
  it(`lose no leg of it, ${rounds} times`, { timeout: 1_200_000 }, async () => {
    // What Neutron does takes some time, in which others may ask.
    const slow = isLab ? null : w.cloud.faults.add(slowLegs)
    for (let round = 1; round <= rounds; round += 1) {
      const { router, remove } = await routed()
      expect(await bringAtOnce(w.app, router)).toEqual([])
      expect(await legsOf(router)).toEqual([interfaceOwner])
      await remove()
    }
    slow?.remove()
    console.log(`legs: ${rounds} routers by ${callers} callers at once, none lost`)
  })

  it.skipIf(isLab)(
    'ask for a leg once, where each knows of the others, and this test notices that',
    async () => {
      const slow = w.cloud.faults.add(slowLegs)
      const asksOf = async (app: App): Promise<number> => {
        const { router } = await routed()
        const before = asks()
        await bringAtOnce(app, router)
        return asks() - before
      }
      const [together, alone] = [await asksOf(w.app), await asksOf(withoutWritings(w.app))]
      slow.remove()
      expect(together).toBe(1)
      expect(alone).toBeGreaterThan(1)
    },
  )
})

/** How often the region was asked for a leg. */
const asks = (): number => w.cloud.neutrons.get(here)!.calls('PUT', 'routers/add_router_interface')

const slowLegs = {
  kind: 'latency',
  ms: 50,
  after: true,
  region: here,
  service: 'neutron',
  method: 'PUT',
  path: '*/add_router_interface',
} as const

/** An Atoll in which every writer begins at once. */
function withoutWritings(app: App): App {
  const alone = <T extends Store | Transaction>(part: T): T => ({
    ...part,
    writings: { ...part.writings, begin: async () => 'begun' as const },
  })
  const transact: Store['transact'] = work => app.store.transact(tx => work(alone(tx)))
  return { ...app, store: { ...alone(app.store), transact } }
}

// A resource that is placed in a region after its removal has read it: no region keeps what the model has let go.

import { expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import type { Kind } from '../../src/core/network/model/model.ts'
import { fileWorld, type Json } from '../world.ts'

const w = await fileWorld({ joined: true })

/** An Atoll that reads a resource as it was before it had a place; what it locks is as it is. */
function readingLate(kind: Kind, id: string): App {
  const get: App['store']['networks']['get'] = async (asked, of, sight) => {
    const row = await w.app.store.networks.get(asked, of, sight)
    return row && asked === kind && of === id ? { ...row, places: [] } : row
  }
  return { ...w.app, store: { ...w.app.store, networks: { ...w.app.store.networks, get } } }
}

const home = { availability_zone_hints: ['Pod1'] }
const placed = { 'binding:profile': { region: 'Pod1' } }

async function spanningNetwork(): Promise<{ network: Json; subnet: Json; port: Json }> {
  const network = await w.demo.make('network', { name: 'n' })
  const given = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }
  const subnet = await w.demo.make('subnet', given)
  const port = await w.demo.make('port', { network_id: network.id, security_groups: [], ...placed })
  return { network, subnet, port }
}

type Placed = 'network' | 'subnet' | 'port' | 'router'

/** Makes a resource that Pod1 has, which nothing else needs. */
const makers: Readonly<Record<string, readonly [Placed, () => Promise<Json>]>> = {
  'a network at home': ['network', () => w.demo.make('network', { name: 'n', ...home })],
  'a spanning network': [
    'network',
    async () => {
      const { network, port } = await spanningNetwork()
      await w.demo.remove(`/ports/${port.id}`)
      return network
    },
  ],
  'a spanning subnet': [
    'subnet',
    async () => {
      const { subnet, port } = await spanningNetwork()
      await w.demo.remove(`/ports/${port.id}`)
      return subnet
    },
  ],
  'a port': ['port', async () => (await spanningNetwork()).port],
  'a router at home': ['router', () => w.demo.make('router', { name: 'r', ...home })],
}

it.each(Object.entries(makers))('%s goes from its region too', async (_name, [kind, make]) => {
  const { id } = await make()
  const [place] = (await w.demo.read(`/${kind}s/${id}`))['atoll:regions']
  expect(await w.region('Pod1').get(kind, place.id)).not.toBeNull()
  const call = w.over(readingLate(kind, id))
  expect((await call('DELETE', `/v2.0/${kind}s/${id}`, { as: 'demo' })).status).toBe(204)
  expect(await w.region('Pod1').get(kind, place.id)).toBeNull()
  expect((await w.demo.get(`/${kind}s/${id}`)).status).toBe(404)
})

// Bodies that are good but for their size: refused at once, in a few words, and nobody else waits for it.

import { beforeAll, describe, expect, it } from 'vitest'
import { cpuMs } from '../../cost.ts'
import { fileWorld } from '../../world.ts'
import { rowCounts } from '../requests.ts'
import { sharedHost } from '../reservable.ts'

const w = await fileWorld()
let network_id: string
beforeAll(async () => {
  await sharedHost(w)
  const { json } = await w.call('POST', '/v2.0/networks', { body: { network: {} } })
  network_id = json.network.id
})

const addressOf = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
const uuidOf = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`
const subnet = { ip_version: 4, cidr: '10.0.0.0/8' }

/** By kind: what is given besides, and a list of it by the number of an item. */
const lists: [kind: string, name: string, more: object, item: (n: number) => unknown][] = [
  ['network', 'availability_zone_hints', {}, String],
  ['network', 'availability_zone_hints', {}, () => 'a'],
  ['router', 'availability_zone_hints', {}, String],
  ['router', 'routes', {}, n => ({ destination: `${addressOf(n)}/32`, nexthop: '10.0.0.1' })],
  ['port', 'security_groups', {}, uuidOf],
  ['port', 'fixed_ips', {}, n => ({ ip_address: addressOf(n) })],
  ['port', 'fixed_ips', {}, () => ({ subnet_id: uuidOf(1) })],
  ['port', 'allowed_address_pairs', {}, n => ({ ip_address: addressOf(n) })],
  ['subnet', 'dns_nameservers', subnet, addressOf],
  ['subnet', 'host_routes', subnet, n => ({ destination: `${addressOf(n)}/32`, nexthop: '10.0.0.1' })],
  ['subnet', 'allocation_pools', subnet, n => ({ start: addressOf(n), end: addressOf(n) })],
]

/** As many items as a body of a million bytes has room for, or so many times fewer. */
function longest(item: (n: number) => unknown, times = 1): unknown[] {
  const size = JSON.stringify(item(99_999)).length + 1
  return Array.from({ length: Math.floor(990_000 / times / size) }, (_, n) => item(n))
}

/** The cost of the body is about that of one with a tenth of its items, ten times. */
async function refuse(kind: string, bodyOf: (times: number) => object) {
  const before = await rowCounts(w)
  const send = (times: number) => w.call('POST', `/v2.0/${kind}s`, { body: bodyOf(times), as: 'demo' })
  const tenth = await cpuMs(() => send(10))
  const whole = await cpuMs(() => send(1))
  // What looks at each item once for each other costs a hundred times as much.
  expect(whole / tenth).toBeLessThan(50)
  const reply = await send(1)
  expect(reply.status, reply.text.slice(0, 300)).toBe(400)
  expect(reply.text.length).toBeLessThan(1000)
  expect(await rowCounts(w)).toEqual(before)
  return reply
}

describe('a list as long as a body may be', () => {
  it.each(lists)('is refused at once: of a %s the %s', async (kind, name, more, item) => {
    const on = kind === 'port' || kind === 'subnet' ? { network_id } : {}
    await refuse(kind, times => ({ [kind]: { ...on, ...more, [name]: longest(item, times) } }))
  })

  it('is refused at once: of things to be made', async () => {
    const { json } = await refuse('network', times => ({ networks: longest(() => ({}), times) }))
    expect(json.NeutronError.message).toBe('A request makes at most 1000 networks, not 330000')
  })
})

it('a list of a thousand items is none too long', async () => {
  const fixed_ips = Array.from({ length: 1000 }, (_, n) => ({ ip_address: addressOf(n) }))
  const reply = await w.call('POST', '/v2.0/ports', { body: { port: { network_id, fixed_ips } } })
  expect(reply.json.NeutronError.type).toBe('InvalidIpForNetwork')
})

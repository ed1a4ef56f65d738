// What a look at a region costs, by how many ports the region has: calls to it, statements, time; where nothing has
// changed, where some ports have, and where all ids are compared as well.

import { randomUUID } from 'node:crypto'
import { watchRegion } from '../src/core/network/watch/watch.ts'
import type { Region } from '../src/core/regions/region.ts'
import type { Ground } from './ground.ts'
import { median, printTable, rounded } from './measure.ts'
import { openApi, openSite, type Site, sumOf, unlimited } from './network-site.ts'
import { countStatements } from './routings.ts'

export interface WatchSettings {
  /** Of the region, the most at the end. */
  readonly ports: readonly number[]
  /** How many of them change before a look. */
  readonly changed: number
  readonly rounds: number
}

interface Look {
  readonly name: string
  /** In the region, before the look. */
  prepare?(site: Site, changed: number): Promise<void>
  /** How old the last sweep may be; 0 has all ids compared. */
  readonly sweepEveryMs: number
}

const neverMs = 24 * 3_600_000
const twoMinutesMs = 120_000

const variants: readonly Look[] = [
  { name: 'nothing changed', sweepEveryMs: neverMs },
  { name: 'some ports changed', prepare: plug, sweepEveryMs: neverMs },
  { name: 'all ids compared', sweepEveryMs: 0 },
]

interface Figures {
  readonly look: string
  readonly ports: number
  readonly calls: number
  readonly statements: number
  readonly ms: number
}

/** Returns for each look and number of ports what one costs. */
export async function looks(
  ground: Ground,
  { ports, changed, rounds }: WatchSettings,
): Promise<{ figures: Figures[] }> {
  const site = await openSite(ground, { name: 'looks', regions: 1 })
  const network = await site.call('POST', '/networks', { network: { availability_zone_hints: site.regions } })
  const given = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/12' }
  await site.call('POST', '/subnets', { subnet: given })
  // A watcher of its own: what its connections send is counted.
  const watcher = openApi(ground, { cloud: site.cloud, url: site.url, settings: unlimited })
  const sent = countStatements(watcher.database)
  const [region] = await watcher.app.store.regions.list()
  const figures: Figures[] = []
  let there = 0
  for (const count of ports) {
    for (; there < count; there++)
      await site.call('POST', '/ports', { port: { network_id: network.id, security_groups: [] } })
    await site.settle()
    // What changed in the minute before the last change is looked at again and again: here, one port.
    site.cloud.clock.advance(twoMinutesMs)
    await plug(site, 1)
    for (const look of variants) {
      const measured = await measure({ site, watcher, region: region!, sent }, look, { changed, rounds })
      figures.push({ look: look.name, ports: count, ...measured })
    }
  }
  printTable(
    'a look at a region: calls to it, statements, ms',
    ['', 'ports', 'calls', 'statements', 'ms'],
    figures.map(one => Object.values(one)),
  )
  return { figures }
}

interface Watched {
  readonly site: Site
  readonly watcher: Pick<Site, 'app'>
  readonly region: Region
  sent(): number
}

async function measure(
  { site, watcher, region, sent }: Watched,
  { prepare, sweepEveryMs }: Look,
  { changed, rounds }: Pick<WatchSettings, 'changed' | 'rounds'>,
): Promise<Pick<Figures, 'calls' | 'statements' | 'ms'>> {
  const all: { calls: number; statements: number; ms: number }[] = []
  // The first warms up.
  for (let round = 0; round <= rounds; round++) {
    if (prepare) {
      site.cloud.clock.advance(twoMinutesMs)
      await prepare(site, changed)
    }
    const before = sent()
    const startedAt = performance.now()
    const calls = await site.callsOf(() => watchRegion(watcher.app, region, sweepEveryMs))
    const ms = performance.now() - startedAt
    if (round > 0) all.push({ calls: sumOf(calls), statements: sent() - before, ms })
  }
  const middle = (of: (one: (typeof all)[number]) => number) => rounded(median(all.map(of)))
  return {
    calls: middle(({ calls }) => calls),
    statements: middle(({ statements }) => statements),
    ms: middle(({ ms }) => ms),
  }
}

/** Ports are given to servers, as Nova does it in the region itself. */
async function plug({ cloud, regions }: Site, changed: number): Promise<void> {
  const neutron = cloud.neutrons.get(regions[0]!)!
  const port = { device_id: randomUUID(), device_owner: 'compute:nova' }
  for (const { id } of neutron.ports().slice(-changed)) neutron.act('PUT', 'ports', id, { port })
}

// Ports are removed while the watcher looks at what it saw a moment ago: in whatever order the steps of both come, what
// is removed stays removed, and nothing of it is held.

import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import type { RegionNetworking } from '../../src/core/network/copies/region-rows.ts'
import { removePort } from '../../src/core/network/ports/ports.ts'
import { watchRegion } from '../../src/core/network/watch/watch.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { chanceOf, pick, seed } from '../chance.ts'
import { type Life, mortalStore } from '../world/mortal.ts'
import { fileWorld } from '../world.ts'

/** How many ports are removed during a look. */
const each = 8

const w = await fileWorld({ joined: true, lab: true, regions: ['Pod1'] })
let region: Region
let networkId: string
let subnetId: string

beforeAll(async () => {
  region = (await w.app.store.regions.list()).find(({ name }) => name === 'Pod1')!
  networkId = (await w.demo.make('network', { availability_zone_hints: ['Pod1'] })).id
  const subnet = { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/16' }
  subnetId = (await w.demo.make('subnet', subnet)).id
})

type Turn = <T>(step: () => Promise<T>) => Promise<T>

/** Two whose steps wait for each other's end: whose is next is drawn, the first one's so often. */
function lots(chance: () => number, bias: number): [Turn, Turn] {
  const waiting: [(() => void)[], (() => void)[]] = [[], []]
  let isBusy = false
  const draw = (): void => {
    if (isBusy || waiting.every(steps => steps.length === 0)) return
    isBusy = true
    // Whoever has just been answered comes back for its next step first.
    setImmediate(() =>
      setImmediate(() => {
        const [first, second] = chance() < bias ? waiting : [waiting[1], waiting[0]]
        const next = first.shift() ?? second.shift()
        next!()
      }),
    )
  }
  const turnOf =
    (steps: (() => void)[]): Turn =>
    async step => {
      await new Promise<void>(resolve => {
        steps.push(resolve)
        draw()
      })
      try {
        return await step()
      } finally {
        isBusy = false
        draw()
      }
    }
  return [turnOf(waiting[0]), turnOf(waiting[1])]
}

/** Every use of the store and of a region is a step. */
function inTurns(app: App, turn: Turn): App {
  const life: Life = { steps: [], isOver: false, live: (_name, call) => turn(call) }
  const networking = (name: string, requestId: string): RegionNetworking => {
    const there = app.cloud.networking(name, requestId)
    const verbs = Object.entries(there).map(([verb, call]) => [
      verb,
      (...args: unknown[]) => turn(() => (call as (...args: unknown[]) => Promise<unknown>)(...args)),
    ])
    return Object.fromEntries(verbs)
  }
  return { ...app, store: mortalStore(app.store, life), cloud: { ...app.cloud, networking } }
}

/** Ports that Nova has made, with no word to us. */
const boot = (): string[] =>
  Array.from({ length: each }, () => {
    const neutron = w.neutron('Pod1')
    const device = { device_id: `server-${Math.random()}`, device_owner: 'compute:nova' }
    return neutron.create('port', { network_id: networkId, project_id: w.demo.projectId!, ...device }).id
  })

async function left(ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select 'port ' || id as what from port where id = any (${ids}::text[])
    union all select 'held for ' || holder from held_range where holder = any (${ids}::text[])
    union all select 'routing of ' || central_id from routing where central_id = any (${ids}::text[])`.execute(
    w.database.db,
  )
  return rows.map(({ what }) => what)
}

async function race(chance: () => number, tamper: (app: App) => App = same => same): Promise<string[]> {
  const ids = boot()
  await watchRegion(w.app, region, Number.POSITIVE_INFINITY)
  // Some have other addresses by now, and the watcher has something to write down.
  for (const id of ids.filter(() => chance() < 0.5)) {
    await w.region('Pod1').update('port', id, { fixedIps: [{ subnetId } as never] })
  }
  const [watching, removing] = lots(chance, 0.1 + 0.8 * chance()).map(turn => inTurns(w.app, turn)) as [
    App,
    App,
  ]
  const order = [...ids].sort(() => chance() - 0.5)
  const sweepEveryMs = pick([0, Number.POSITIVE_INFINITY], chance)
  const remove = async (): Promise<void> => {
    for (const id of order) await removePort(removing, w.demo, { id })
  }
  await Promise.all([remove(), watchRegion(tamper(watching), region, sweepEveryMs)])
  return left(ids)
}

describe('a port that is removed while the watcher looks', () => {
  const races = Math.ceil((process.env.SOAK === '1' ? 2_000 : 60) / each)

  it(`stays removed, ${races * each} times in drawn orders`, { timeout: 600_000 }, async () => {
    const seeded = seed()
    const chance = chanceOf(seeded)
    console.log(`seed ${seeded}`)
    for (let one = 1; one <= races; one += 1) {
      expect(await race(chance), `seed ${seeded}, race ${one}`).toEqual([])
    }
  })

  it('comes back where the watcher believes an old list: this test would see it', async () => {
    // As if whoever was listed were there for ever.
    const believing = (app: App): App => {
      let first: unknown[] = []
      const networking = (name: string, requestId: string): RegionNetworking => {
        const there = app.cloud.networking(name, requestId)
        const list = async (kind: never, query?: { fields?: readonly string[] }) => {
          if (kind === 'port' && query?.fields?.length === 1) return first
          const rows = await there.list(kind, query as never)
          if (kind === 'port') first = rows
          return rows
        }
        return { ...there, list: list as RegionNetworking['list'] }
      }
      return { ...app, cloud: { ...app.cloud, networking } }
    }
    const chance = chanceOf(7)
    const back: string[] = []
    for (let one = 1; one <= 40 && back.length === 0; one += 1) back.push(...(await race(chance, believing)))
    expect(back).not.toEqual([])
  })
})

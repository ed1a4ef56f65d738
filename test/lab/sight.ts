// What the lab's tests of a region that is not seen for a while have in common: a network with its ports and a router in
// one region, processes that look at it and tidy it, and what there is of all that, centrally and in the region.

import { pino } from 'pino'
import { createApp, openCloud } from '../../src/compose.ts'
import type { App } from '../../src/core/app.ts'
import { AppError } from '../../src/core/error.ts'
import { tidyRegion } from '../../src/core/network/watch/tidy.ts'
import { watchRegion } from '../../src/core/network/watch/watch.ts'
import type { Json, World } from '../world.ts'

export interface Sight {
  /** Everything that there is, centrally and in the region, by kind. */
  all(): Promise<Record<string, readonly string[]>>
  /** What the model has of the scene. */
  model(): Promise<Record<string, readonly string[]>>
  /**
   * What a process with a log-in of its own does by itself in so many rounds, each five minutes after the one before: it
   * compares all ids and tidies. Returns the errors, of a log-in that is refused above all.
   */
  live(rounds: number): Promise<string[]>
  /** Why the region is not believed; null where it is. */
  doubt(): Promise<string | null>
}

const kinds = ['network', 'subnet', 'port', 'router'] as const

/** In the first region of a world; what is made goes before the world ends. */
export async function sightOf(w: World): Promise<Sight> {
  const region = w.regions[0]!
  const home = { availability_zone_hints: [region] }
  const make = async (kind: string, fields: object): Promise<Json> => {
    const made = await w.demo.make(kind, { name: 'sight', ...fields })
    w.after(() => w.demo.del(`/${kind}s/${made.id}`))
    return made
  }
  const network = await make('network', home)
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.1.0.0/24' }
  await w.demo.make('subnet', subnet)
  for (const name of ['p0', 'p1', 'p2']) await make('port', { network_id: network.id, name })
  await make('router', home)
  let rounds = 0

  const model = async () => {
    const lists: Record<string, readonly string[]> = {}
    for (const kind of kinds) {
      const rows: Json[] = await w.demo.read(`/${kind}s`)
      lists[kind] = rows.map(({ id, name, fixed_ips: ips }) => JSON.stringify([id, name, ips ?? []])).sort()
    }
    return lists
  }
  return {
    model,
    async all() {
      const lists = await model()
      for (const kind of kinds) {
        const rows = await w.region(region).list(kind, { fields: ['id', 'name'] as never })
        lists[`in the region: ${kind}`] = rows.map(row => JSON.stringify(row)).sort()
      }
      return lists
    },
    async live(count) {
      const cloud = openCloud(w.config)
      const errors: string[] = []
      try {
        for (let round = 0; round < count; round += 1) {
          rounds += 1
          const now = () => new Date(Date.now() + rounds * 300_000)
          const app: App = {
            ...createApp(w.config, w.database, cloud.regions, pino({ level: 'silent' })),
            now,
          }
          const row = (await app.store.regions.list()).find(({ name }) => name === region)!
          for (const work of [() => watchRegion(app, row, 0), () => tidyRegion(app, region)])
            await work().catch(error => {
              if (!(error instanceof AppError)) throw error
              errors.push(error.message)
            })
        }
      } finally {
        await cloud.close()
      }
      return errors
    },
    doubt: async () => (await w.app.store.suspicions.list())[0]?.reason ?? null,
  }
}

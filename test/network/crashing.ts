// Processes of an Atoll over regions that die at a moment that a test chooses.

import { sql } from 'kysely'
import type { App, Store } from '../../src/core/app.ts'
import type { Cloud } from '../../src/core/cloud.ts'
import { tidyRegion } from '../../src/core/network/watch/tidy.ts'
import { createCloud } from '../../src/openstack/cloud.ts'
import type { Regions } from '../../src/openstack/region.ts'
import { jobTurns } from '../../src/worker/jobs.ts'
import { Killed, type Life, lifeUntil, mortalRegions, mortalStore } from '../world/mortal.ts'
import type { Reply, World } from '../world.ts'
import { leftovers, type Seen, see } from './picture.ts'

/** A process, API and worker in one. */
export interface Process {
  readonly life: Life
  readonly app: App
  /** As demo, unless told; null when the process died before it gave an answer. */
  call(...ask: Parameters<World['call']>): Promise<Reply | null>
  /** Does jobs until none is left that can be done, or until it dies; each is tried so often. */
  work(rounds?: number): Promise<void>
  /** What every process does of its regions now and then. */
  tidy(): Promise<void>
}

export interface Stage {
  /** `agoMs`: it lived so long ago. */
  start(life: Life, agoMs?: number): Process
  /** Frees what dead processes had in hand. */
  bury(): Promise<void>
  see(): Promise<Seen>
  /** What there is of a project's networks in the database and in regions; nothing once all was removed. */
  leftovers(): Promise<unknown>
}

export interface StageSpec {
  /** What processes see of their regions. */
  readonly tamper?: (cloud: Cloud) => Cloud
  /** What processes see of their database. */
  readonly tamperStore?: (store: Store) => Store
  /** How long a call to a region may take. */
  readonly timeoutMs?: () => number
}

const jobRounds = 8

export function stage(w: World, spec: StageSpec = {}): Stage {
  const { tamper = same => same, tamperStore = same => same, timeoutMs = () => 60_000 } = spec
  const { regions: whole } = w.openstack
  // One API for all processes: it keeps nothing between requests but tokens.
  let current: App = w.app
  const call = w.over(new Proxy(w.app, { get: (_whole, key) => current[key as keyof App] }))
  let workers = 2_000_000

  return {
    start(life, agoMs = 0) {
      const hasty: Regions = {
        ...whole,
        region: (name, context) => whole.region(name, { ...context, timeoutMs: timeoutMs() }),
      }
      const regions = mortalRegions(hasty, life)
      const app: App = {
        ...w.app,
        store: mortalStore(tamperStore(w.app.store), withoutReads(life)),
        cloud: tamper(createCloud(regions, { blazarFilter: false })),
        now: () => new Date(Date.now() - agoMs),
      }
      return {
        life,
        app,
        async call(method, path, ask) {
          current = app
          const reply = await call(method, path, { ...ask, as: ask?.as ?? 'demo' })
          return life.isOver ? null : reply
        },
        async work(rounds = jobRounds) {
          const worker = workers++
          const turns = jobTurns({ app, retryForMs: 3_600_000, onRun: () => {} })
          try {
            for (let round = 0; round < rounds; round += 1) {
              for (;;) {
                const request = { worker, kinds: ['job'], room: 100, laneRoom: 100, rooms: new Map() }
                const taken = await app.store.turns.claim(request)
                if (taken.length === 0) break
                for (const one of await turns.begin(taken)) await one.run()
              }
              // Those that failed are tried again, as if their time had come.
              const { rows } = await sql`
                update turn set due_at = now() where kind = 'job' and worker is null and key in (select key from job)
                returning key`.execute(w.database.db)
              if (rows.length === 0) return
            }
          } catch (error) {
            if (!life.isOver) throw error
          }
        },
        async tidy() {
          for (const region of w.regions) await tidyRegion(app, region)
        },
      }
    },
    bury: async () => void (await w.app.store.turns.releaseAbandoned()),
    see: () => see(w),
    leftovers: () => leftovers(w),
  }
}

/** What only reads the database changes nothing: to die there is to die at the step before, or after. */
const reads =
  /^(?:networks|regions|routings|bindings|watches)\.|^intents\.(?:living|settled|forsaken)$|^jobs\.(?:list|get)$/

const withoutReads = (life: Life): Life => ({
  steps: life.steps,
  get isOver() {
    return life.isOver
  },
  async live(name, call) {
    if (!reads.test(name)) return life.live(name, call)
    if (life.isOver) throw new Killed()
    const answer = await call()
    if (life.isOver) throw new Killed()
    return answer
  },
})

export const immortal = () => lifeUntil(null)

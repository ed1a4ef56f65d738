// Jobs that do nothing, from their posting to their end: Atoll's clockwork beside graphile-worker, and what the log's size
// costs the claim.

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Logger, makeWorkerUtils, runMigrations, type WorkerUtils } from 'graphile-worker'
import pg from 'pg'
import type { Store } from '../src/core/app.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { createStore } from '../src/store/store.ts'
import { defineBenchmark } from './benchmark.ts'
import type { Ground as Base } from './ground.ts'
import { measureClaim } from './jobs-claim.ts'
import { newJobs, post } from './jobs-store.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'

const options = {
  jobs: { usual: '1000', smallest: '20' },
  pairs: { usual: '5', smallest: '1' },
  callers: { usual: '16', smallest: '4' },
  processes: { usual: '1,2,4', smallest: '1' },
  log: { usual: '10000,1000000', smallest: '100,200' },
}

/** Of whoever posts, Atoll's or graphile-worker's. */
const connections = 20
const workerProgram = fileURLToPath(new URL('jobs-worker.js', import.meta.url))

type Kind = 'atoll' | 'graphile'

interface Ground extends AsyncDisposable {
  readonly url: string
  readonly store: Store
  readonly pool: pg.Pool
  readonly graphile: WorkerUtils
}

export const benchmark = defineBenchmark(options, async (values, open) => {
  const numbers = (text: string): number[] => text.split(',').filter(Boolean).map(Number)
  await using ground = await prepare(await open())
  const rates: object[] = []
  for (const processes of numbers(values.processes)) {
    rates.push(
      await compare(ground, {
        processes,
        count: Number(values.jobs),
        pairs: Number(values.pairs),
        callers: Number(values.callers),
      }),
    )
  }
  const claim = await measureClaim(ground.url, ground.pool, ground.store, numbers(values.log))
  return { jobs: Number(values.jobs), pairs: Number(values.pairs), rates, claim }
})

async function prepare(base: Base): Promise<Ground> {
  const url = await base.database('jobs')
  await migrate(url)
  const logger = new Logger(() => () => {})
  await runMigrations({ connectionString: url, logger })
  const database = openDatabase(url, { connections, name: 'bench', onError: () => {} })
  const pgPool = new pg.Pool({ connectionString: url, max: connections })
  // An idle connection that is cut is no failure.
  pgPool.on('error', () => {})
  pgPool.on('connect', client => client.on('error', () => {}))
  const graphile = await makeWorkerUtils({ pgPool, logger })
  return {
    url,
    store: createStore(database.db),
    pool: database.pool,
    graphile,
    async [Symbol.asyncDispose]() {
      await graphile.release()
      await pgPool.end()
      await database.close()
      await base[Symbol.asyncDispose]()
    },
  }
}

interface Measured {
  /** From the first posting to the end of the last job. */
  readonly perSecond: number
  /** How fast a backlog that stands ready is worked off. */
  readonly drainedPerSecond: number
}

interface Settings {
  readonly processes: number
  readonly count: number
  readonly pairs: number
  readonly callers: number
}

async function compare(ground: Ground, settings: Settings): Promise<object> {
  const { processes, count, pairs } = settings
  const once = (kind: Kind) => () => measure(ground, kind, settings)
  const measured = await inTurns(pairs, once('atoll'), once('graphile'))
  const of = (pick: (one: Measured) => number) => {
    const [atoll, graphile] = [measured.map(([one]) => pick(one)), measured.map(([, other]) => pick(other))]
    const ratios = atoll.map((rate, pair) => rate / graphile[pair]!)
    return {
      atoll: rounded(median(atoll), 0),
      graphile: rounded(median(graphile), 0),
      ratio: rounded(median(ratios)),
      lowest: rounded(Math.min(...ratios)),
      highest: rounded(Math.max(...ratios)),
    }
  }
  const [enqueued, drained] = [of(one => one.perSecond), of(one => one.drainedPerSecond)]
  printTable(
    `${count} jobs that do nothing, ${processes} processes, median of ${pairs} pairs, jobs a second`,
    ['', 'Atoll', 'graphile-worker', 'ratio', 'lowest', 'highest'],
    [
      ['posted one by one and done', ...Object.values(enqueued)],
      ['a backlog done', ...Object.values(drained)],
    ],
  )
  return { processes, enqueued, drained }
}

async function measure(
  ground: Ground,
  kind: Kind,
  { processes, count, callers }: Settings,
): Promise<Measured> {
  const postOne = {
    atoll: () => post(ground.store, newJobs(1)),
    graphile: () => ground.graphile.addJob('nothing', { id: randomUUID() }),
  }[kind]
  const postAll = async (): Promise<void> => {
    let left = count
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        await postOne()
      }
    }
    await Promise.all(Array.from({ length: callers }, caller))
  }
  const workers = await startWorkers(kind, ground.url, processes)
  const startedAt = performance.now()
  await postAll()
  await workers.done(count)
  const perSecond = count / ((performance.now() - startedAt) / 1000)
  await workers.stop()

  await postAll()
  const others = await startWorkers(kind, ground.url, processes)
  await others.done(1)
  const begunAt = performance.now()
  await others.done(count)
  const drainedPerSecond = count / ((performance.now() - begunAt) / 1000)
  await others.stop()
  return { perSecond, drainedPerSecond }
}

async function startWorkers(kind: Kind, url: string, processes: number) {
  const done = new Map<ChildProcess, number>()
  let onChange = (): void => {}
  let isStopping = false
  const children = Array.from({ length: processes }, () => fork(workerProgram, [kind, url]))
  const broken = new Promise<never>((_, reject) => {
    for (const child of children) {
      child.once('exit', code => isStopping || reject(new Error(`a worker ended with ${code}`)))
    }
  })
  broken.catch(() => {})
  for (const child of children) {
    child.on('message', ({ done: count }: { done: number }) => {
      done.set(child, count)
      onChange()
    })
  }
  const until = (isSo: () => boolean): Promise<void> => {
    const so = new Promise<void>(resolve => {
      onChange = () => {
        if (isSo()) resolve()
      }
      onChange()
    })
    return Promise.race([so, broken])
  }
  const total = (): number => [...done.values()].reduce((sum, count) => sum + count, 0)
  await until(() => done.size === processes)
  return {
    done: (count: number): Promise<void> => until(() => total() >= count),
    async stop(): Promise<void> {
      isStopping = true
      await Promise.all(
        children.map(child => {
          const exited = new Promise(resolve => child.once('exit', resolve))
          child.send({ stop: true })
          return exited
        }),
      )
    },
  }
}

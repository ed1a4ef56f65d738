// The load generator: a process of its own, so that it takes no time from what it measures. Talks over the fork's channel.

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'

export interface LoadSpec {
  readonly origin: string
  readonly method: 'GET' | 'POST'
  /** Asked for in turn. */
  readonly paths: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** `UUID` in it becomes a fresh one each time. */
  readonly body?: string
  readonly connections: number
  readonly seconds: number
}

export interface Load {
  readonly perSecond: number
  readonly done: number
  /** Answers that were no 2xx. */
  readonly failed: number
  /** The part of the time in which the generator itself was at work; near 1 it would be what is measured. */
  readonly busy: number
}

export interface LoadGenerator {
  run(spec: LoadSpec): Promise<Load>
  close(): void
}

const path = fileURLToPath(import.meta.url)

export function startLoadGenerator(): LoadGenerator {
  const child: ChildProcess = fork(path, ['--load'])
  return {
    run(spec) {
      child.send(spec)
      return new Promise((resolve, reject) => {
        const ended = () => reject(new Error('the load generator ended'))
        child.once('exit', ended)
        child.once('message', (told: Load | { error: string }) => {
          child.off('exit', ended)
          if ('error' in told) reject(new Error(told.error))
          else resolve(told)
        })
      })
    },
    close: () => void child.kill(),
  }
}

const pools = new Map<string, Pool>()

async function generate(spec: LoadSpec): Promise<Load> {
  const key = `${spec.origin} ${spec.connections}`
  const pool = pools.get(key) ?? new Pool(spec.origin, { connections: spec.connections, pipelining: 1 })
  pools.set(key, pool)
  const { method, headers, paths } = spec
  const before = performance.eventLoopUtilization()
  const startedAt = performance.now()
  const endsAt = startedAt + spec.seconds * 1000
  let [done, failed] = [0, 0]
  const askOn = async (): Promise<void> => {
    do {
      const body = spec.body === undefined ? {} : { body: spec.body.replaceAll('UUID', () => randomUUID()) }
      const answer = await pool.request({ method, headers, path: paths[done % paths.length]!, ...body })
      await answer.body.dump()
      done += 1
      if (answer.statusCode >= 300) failed += 1
    } while (performance.now() < endsAt)
  }
  await Promise.all(Array.from({ length: spec.connections }, askOn))
  const seconds = (performance.now() - startedAt) / 1000
  const { utilization } = performance.eventLoopUtilization(before)
  return { perSecond: done / seconds, done, failed, busy: utilization }
}

if (process.argv[2] === '--load') {
  process.on('message', (spec: LoadSpec) => {
    generate(spec).then(
      load => process.send!(load),
      error => process.send!({ error: String(error) }),
    )
  })
}

// Worker processes of a world: started, killed, stopped and continued, and what they tell.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { until } from '../wait.ts'
import type { Working } from '../worker/working.ts'

const program = fileURLToPath(new URL('jobs-worker.mjs', import.meta.url))

export interface Run {
  readonly id: string
  readonly attempts: number
  readonly outcome: 'succeeded' | 'failed' | 'lost'
  /** The process that ran it. */
  readonly pid: number
}

interface Told {
  worker?: number
  ready?: boolean
  run?: Omit<Run, 'pid'>
  surplus?: number
  by?: 'realise' | 'tidy'
  error?: string
  planted?: boolean
}

export interface WorkerProcess {
  readonly pid: number
  /** What the others know it by. */
  readonly worker: number
  readonly isReady: boolean
  kill(): Promise<void>
  stop(): Promise<void>
  goOn(): void
}

export interface WorkerProcesses extends AsyncDisposable {
  readonly alive: readonly WorkerProcess[]
  readonly runs: readonly Run[]
  /** How many surplus things were removed, by whom. */
  readonly surplus: { realise: number; tidy: number }
  /** What went wrong in the processes themselves. */
  readonly errors: readonly string[]
  readonly isPlanted: boolean
  start(): Promise<WorkerProcess>
}

/** As Linux tells it: `T` is stopped. */
const stateOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]!

export function workerProcesses(w: Working, options: readonly string[] = []): WorkerProcesses {
  const alive: WorkerProcess[] = []
  const runs: Run[] = []
  const surplus = { realise: 0, tidy: 0 }
  const errors: string[] = []
  let isPlanted = false
  const env = { PATH: process.env.PATH, ...w.settings }

  async function start(): Promise<WorkerProcess> {
    const child = fork(program, options, { env, execArgv: ['--enable-source-maps'] })
    const exited = once(child, 'exit')
    let [worker, ready] = [0, false]
    const isReady = new Promise<void>((resolve, reject) => {
      child.on('message', (told: Told) => {
        if (told.worker !== undefined) worker = told.worker
        if (told.run) runs.push({ ...told.run, pid: child.pid! })
        if (told.surplus) surplus[told.by!] += told.surplus
        if (told.error) errors.push(told.error)
        if (told.planted) isPlanted = true
        if (told.ready) ready = true
        if (told.ready) resolve()
      })
      child.once('exit', code => reject(new Error(`a worker process ended with ${code}`)))
    })
    isReady.catch(() => {})
    const one: WorkerProcess = {
      pid: child.pid!,
      get worker() {
        return worker
      },
      get isReady() {
        return ready
      },
      async kill() {
        const at = alive.indexOf(one)
        if (at >= 0) alive.splice(at, 1)
        child.kill('SIGKILL')
        await exited
      },
      async stop() {
        child.kill('SIGSTOP')
        await until(() => stateOf(child.pid!) === 'T', { what: 'it is stopped' })
      },
      goOn() {
        child.kill('SIGCONT')
      },
    }
    alive.push(one)
    await isReady
    return one
  }

  return {
    alive,
    runs,
    surplus,
    errors,
    get isPlanted() {
      return isPlanted
    },
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all([...alive].map(one => one.kill()))
    },
  }
}

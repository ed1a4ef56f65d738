// A running PostgreSQL server: found by its pid file, started, watched and stopped.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from '../../core/error.ts'
import { type DataPaths, readTextIfAny, writeWhole } from './data-paths.ts'
import { isAlive } from './lock.ts'
import { codeOf } from './refusals.ts'
import { type ServerUser, spawnOptions } from './run.ts'

const FAST_STOP_MS = 30_000
const IMMEDIATE_STOP_MS = 10_000
const POLL_MS = 10
const WATCH_MS = 500
/** O_NOFOLLOW, because root must not write through a symlink that somebody else has put there. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW

/** What PostgreSQL writes into `postmaster.pid`. */
export interface PidFile {
  readonly pid: number
  readonly port: number
  readonly isReady: boolean
}

/** What the pid file says, true or not; null when there is none or it is not written to its end. */
export async function readPidFile(cluster: string): Promise<PidFile | null> {
  const lines = (await readTextIfAny(join(cluster, 'postmaster.pid')))?.split('\n') ?? []
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  if (!(pid > 0)) return null
  return { pid, port, isReady: lines[7]?.trim() === 'ready' }
}

/**
 * The command line of the process with this pid if it is the server of this cluster, null when it is dead or
 * another program.
 */
export async function postmasterArguments(pid: number, cluster: string): Promise<string[] | null> {
  try {
    // Empty for a zombie; a server's children have other titles.
    const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1)
    return basename(program) === 'postgres' && args[args.indexOf('-D') + 1] === cluster ? args : null
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return null
    throw error
  }
}

/**
 * Makes a pid file of a dead server harmless when its pid belongs to another program by now: PostgreSQL would take
 * that for a server. The file stays, with our pid, which PostgreSQL knows to be no server since it is its parent's:
 * by the other lines it finds out whether orphans of the dead server are still at work.
 */
export async function disarmPidFile(cluster: string): Promise<void> {
  const path = join(cluster, 'postmaster.pid')
  const text = await readTextIfAny(path)
  if (text === null || !isAlive(Number.parseInt(text, 10))) return
  await writeWhole(path, text.replace(/^\d+/, String(process.pid)), 0o600, await stat(path))
}

/** A server that runs, whether this process has started it or found it. */
export class Postmaster {
  readonly pid: number
  readonly #cluster: string
  /** The child process; null for a server that an earlier process has started. */
  readonly #child: ChildProcess | null
  readonly #childEnded: Promise<string> | undefined

  constructor(pid: number, cluster: string, child: ChildProcess | null) {
    this.pid = pid
    this.#cluster = cluster
    this.#child = child
    if (child)
      this.#childEnded = new Promise(resolve => {
        child.once('exit', (code, signal) => resolve(signal ? `by ${signal}` : `with code ${code}`))
      })
  }

  async isAlive(): Promise<boolean> {
    if (this.#child) return this.#child.exitCode === null && this.#child.signalCode === null
    return (await postmasterArguments(this.pid, this.#cluster)) !== null
  }

  /** Waits until the server takes connections; resolves to false when it ends before that. */
  async becomesReady(limitMs: number, report: () => void): Promise<boolean> {
    const start = Date.now()
    let reported = start
    while (await this.isAlive()) {
      const file = await readPidFile(this.#cluster)
      if (file?.pid === this.pid && file.isReady) return true
      if (Date.now() - start > limitMs)
        throw unavailable(
          `PostgreSQL (process ${this.pid}) in ${this.#cluster} is not ready after ${limitMs / 1000} s: see its log, or end it with \`kill -INT ${this.pid}\` and start again.`,
        )
      if (Date.now() - reported > 10_000) {
        reported = Date.now()
        report()
      }
      await sleep(POLL_MS)
    }
    return false
  }

  /** Calls back once when the server ends or has ended, also by `stop`, and says how it ended. */
  onExit(tell: (how: string) => void): void {
    const ended = this.#childEnded ?? this.#goes()
    ended.then(tell, error => tell(`out of sight (${error})`))
  }

  async #goes(): Promise<string> {
    while (await this.isAlive()) await sleep(WATCH_MS, undefined, { ref: false })
    return 'by itself'
  }

  /**
   * Stops the server: sessions are cut off and the cluster is shut down; without a checkpoint where that
   * takes too long.
   */
  async stop(): Promise<void> {
    this.#child?.ref()
    if (await this.#ends('SIGINT', FAST_STOP_MS)) return
    if (await this.#ends('SIGQUIT', IMMEDIATE_STOP_MS)) return
    throw unavailable(
      `PostgreSQL (process ${this.pid}) in ${this.#cluster} does not stop: end it with \`kill -KILL ${this.pid}\`; its data is safe.`,
    )
  }

  async #ends(signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
    const start = Date.now()
    if (await this.isAlive()) kill(this.pid, signal)
    while (await this.isAlive()) {
      if (Date.now() - start > limitMs) return false
      await sleep(POLL_MS)
    }
    return true
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // ESRCH: the server has just ended.
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

/** Starts a server whose output goes to the log; it may still fail before it is ready. */
export async function launch(
  program: string,
  args: readonly string[],
  user: ServerUser | null,
  paths: DataPaths,
): Promise<Postmaster> {
  const log = await open(paths.log, APPEND, 0o640)
  try {
    const child = spawn(program, args, { ...spawnOptions(user), stdio: ['ignore', log.fd, log.fd] })
    await once(child, 'spawn')
    child.unref()
    return new Postmaster(child.pid!, paths.cluster, child)
  } finally {
    await log.close()
  }
}

// Watches the server once it runs: starts it again when it ends by itself, keeps its log short, and ends it in the end.
import { setTimeout as sleep } from 'node:timers/promises'
import { type AppError, unavailable } from '../../core/error.ts'
import type { DataPaths } from './data-paths.ts'
import type { DirectoryLock } from './lock.ts'
import { readLogSince, trimLog } from './log-file.ts'
import type { Postmaster } from './postmaster.ts'
import { tellingLine } from './refusals.ts'

/** Where the supervisor tells what it does; a pino logger is one. */
export interface EmbeddedLog {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
}

export interface Supervised {
  /** The pid of the server that runs now, or of the last one. */
  readonly pid: number
  /** Stops the server and gives the data directory back; the same promise however often it is called. */
  stop(): Promise<void>
}

export interface Supervision {
  readonly paths: DataPaths
  readonly lock: DirectoryLock
  readonly first: Postmaster
  /** Starts the server at the same port. */
  again(): Promise<Postmaster>
}

const TRIM_MS = 60_000
const AGAIN_MS = 1_000

export function supervise(
  { paths, lock, first, again }: Supervision,
  { log, onExit }: { readonly log: EmbeddedLog; readonly onExit?: (error: AppError) => void },
): Supervised {
  let server = first
  let comingBack = Promise.resolve()
  let stopped: Promise<void> | undefined
  const stopping = new AbortController()
  const { signal } = stopping
  const trimming = setInterval(() => {
    trimLog(paths.log).catch(error => log.warn({ err: error }, 'cannot shorten the log of PostgreSQL'))
  }, TRIM_MS).unref()

  const watch = (): void =>
    server.onExit(how => {
      if (!signal.aborted) comingBack = comeBack(how)
    })
  /**
   * Starts the server again until that works: a full disk may have ended it, or the system when memory was
   * short, and neither lasts.
   */
  const comeBack = async (how: string): Promise<void> => {
    const error = unavailable(
      `PostgreSQL (process ${server.pid}) in ${paths.dataDir} ended ${how}; its log ends with "${await lastLine(paths)}".`,
    )
    log.warn({ err: error }, `${error.message} It is started again.`)
    onExit?.(error)
    while (!signal.aborted) {
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        server = await again()
        log.info({ pid: server.pid }, 'PostgreSQL runs again')
        return watch()
      } catch (error) {
        log.warn({ err: error }, 'PostgreSQL does not start again yet')
      }
    }
  }
  watch()
  return {
    get pid() {
      return server.pid
    },
    stop() {
      stopped ??= (async () => {
        stopping.abort()
        clearInterval(trimming)
        await comingBack
        await server.stop()
        await lock.release()
      })()
      return stopped
    },
  }
}

const lastLine = (paths: DataPaths): Promise<string> => readLogSince(paths.log, 0).then(tellingLine, String)

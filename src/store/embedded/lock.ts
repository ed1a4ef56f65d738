// Holds a data directory for one process: a socket name that the kernel gives back however the process ends.

import { rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AppError, conflict } from '../../core/error.ts'
import { type DataPaths, readTextIfAny, writeWhole } from './data-paths.ts'
import { codeOf } from './refusals.ts'

export interface DirectoryLock {
  release(): Promise<void>
}

/**
 * Takes the data directory or refuses (`conflict`, naming the process that holds it).
 *
 * A name in Linux's abstract socket namespace needs no file that could outlive its owner, and Node has no flock.
 * It holds within one network namespace: containers that share a volume are told apart by PostgreSQL's own lock
 * only.
 */
export async function lockDirectory(paths: DataPaths): Promise<DirectoryLock> {
  // The inode, not the path: a bind mount gives one directory two paths.
  const { dev, ino } = await stat(paths.dataDir, { bigint: true })
  const server = await listen(`\0atoll-${dev}-${ino}`)
  if (!server) throw await taken(paths)
  try {
    await writeWhole(paths.pidFile, `${process.pid}\n`, 0o644)
  } catch (error) {
    await close(server)
    throw error
  }
  return {
    async release() {
      await rm(paths.pidFile, { force: true })
      await close(server)
    },
  }
}

const listen = (name: string): Promise<Server | null> =>
  new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy())
    server.once('error', error => (codeOf(error) === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen({ path: name, exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })

const close = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()))

async function taken(paths: DataPaths): Promise<AppError> {
  const pid = await holder(paths)
  const by = pid ? `process ${pid}` : 'another process'
  return conflict(
    `The data directory ${paths.dataDir} is in use by ${by}: stop that first, or set ATOLL_DATA_DIR to another directory.`,
  )
}

/**
 * Reads the pid of the process that holds the lock. It writes its pid a moment after it has taken the lock,
 * so a missing or dead pid is read again.
 */
async function holder(paths: DataPaths): Promise<number | null> {
  for (let tries = 0; tries < 20; tries++) {
    const pid = Number(await readTextIfAny(paths.pidFile))
    if (pid > 0 && isAlive(pid)) return pid
    await sleep(25)
  }
  return null
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

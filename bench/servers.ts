// Servers under load: Atoll's own command and a bare one beside it, each in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface Server {
  readonly origin: string
  /** Processor time that the process has used so far, in milliseconds. */
  cpuMs(): number
  stop(): Promise<void>
}

export interface AtollSpec {
  /** Where the log goes, among other things. */
  readonly folder: string
  readonly databaseUrl: string
  readonly authUrl: string
  /** More, by environment variable. */
  readonly settings?: Readonly<Record<string, string>>
}

/** `atoll serve` as in production: authentication, policy, and the log in a file. */
export function startAtoll({ folder, databaseUrl, authUrl, settings }: AtollSpec): Promise<Server> {
  const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
  return start([main, 'serve', '--role', 'api'], folder, {
    ATOLL_LISTEN: '127.0.0.1:0',
    ATOLL_LOG_FORMAT: 'json',
    ATOLL_DATA_DIR: folder,
    ATOLL_DATABASE_URL: databaseUrl,
    ATOLL_IDENTITY_AUTH_URL: authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
    ...settings,
  })
}

/** bare-server.ts with these settings. */
export function startBare(folder: string, settings: Record<string, string>): Promise<Server> {
  return start([fileURLToPath(new URL('bare-server.js', import.meta.url))], folder, settings)
}

/** Starts a process and waits until a line of its output names the URL that it listens at. */
async function start(args: string[], folder: string, env: Record<string, string>): Promise<Server> {
  const log = join(folder, 'log')
  const file = openSync(log, 'a')
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', file, file],
  })
  const ended = new Promise<void>(done => child.once('exit', () => done()))
  const origin = await originIn(log, child)
  return {
    origin,
    cpuMs: () => cpuMs(child.pid!),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function originIn(log: string, child: ChildProcess): Promise<string> {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    const url = /"url":"(http:[^"]+)"/.exec(readFileSync(log, 'utf8'))
    if (url) return url[1]!
    await sleep(100)
  }
  throw new Error(`a server did not start: ${readFileSync(log, 'utf8')}`)
}

/** Fields 14 and 15 of /proc/PID/stat are user and system time in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

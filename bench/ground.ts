// What a benchmark stands on: a folder, a database server, and whatever else is to be closed when it is over.

import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../src/store/embedded/start.ts'

export interface Ground extends AsyncDisposable {
  readonly folder: string
  /** The URL of a new, empty database. */
  database(name: string): Promise<string>
  /** What is deferred last is closed first. */
  defer(closer: () => unknown): void
}

const quiet = { info: () => {}, warn: () => {} }

/** Over a server that is there, or one of its own that goes with it. */
export async function openGround(url?: string): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
  // As root the database runs as another user, who must come in.
  chmodSync(folder, 0o755)
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true })]
  const defer = (closer: () => unknown) => void closers.push(closer)
  const server = url ?? (await ownServer(folder, defer))
  return {
    folder,
    async database(name) {
      const unique = `bench_${name}_${randomBytes(4).toString('hex')}`
      await admin(server, `create database ${unique}`)
      if (url) defer(() => admin(server, `drop database ${unique} with (force)`))
      return Object.assign(new URL(server), { pathname: `/${unique}` }).href
    },
    defer,
    async [Symbol.asyncDispose]() {
      for (const closer of closers.splice(0).reverse()) await closer()
    },
  }
}

async function ownServer(folder: string, defer: Ground['defer']): Promise<string> {
  const server = await startEmbedded({ dataDir: join(folder, 'database'), log: quiet, maxConnections: 200 })
  defer(() => server.stop())
  return server.url
}

async function admin(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(statement)
  await client.end()
}

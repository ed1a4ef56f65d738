// What a benchmark stands on: a folder, a database server in it, and whatever else is to be closed when it is over.

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

export async function openGround(): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
  // As root the database runs as another user, who must come in.
  chmodSync(folder, 0o755)
  const server = await startEmbedded({ dataDir: join(folder, 'database'), log: quiet, maxConnections: 100 })
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true }), () => server.stop()]
  return {
    folder,
    database: name => createDatabase(server.url, name),
    defer: closer => void closers.push(closer),
    async [Symbol.asyncDispose]() {
      for (const closer of closers.splice(0).reverse()) await closer()
    },
  }
}

async function createDatabase(server: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

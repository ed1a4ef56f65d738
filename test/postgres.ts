// One real PostgreSQL for all tests of a run, and a fresh database for whoever asks.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../src/store/embedded/start.ts'
import { migrate } from '../src/store/migrations.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

const quiet = { info: () => {}, warn: () => {} }
const template = 'migrated'

/** Vitest calls this once, before all tests, and what it returns after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atoll-test-'))
  const server = await startEmbedded({ dataDir, log: quiet, maxConnections: 400 })
  // It is never killed, so what it says is done need not be on the disk yet.
  await admin(server.url, client => client.query('alter role current_user set synchronous_commit = off'))
  await admin(server.url, client => client.query(`create database ${template}`))
  await migrate(at(server.url, template))
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

export interface TestDatabase {
  readonly url: string
}

/** A database of one's own: migrated, or empty. It goes with the server, at the end: dropping one forces a checkpoint. */
export async function testDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const name = `t_${randomBytes(6).toString('hex')}`
  const server = inject('postgresUrl')
  await admin(server, client =>
    client.query(`create database ${name} ${empty ? '' : `template ${template}`}`),
  )
  return { url: at(server, name) }
}

function at(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

async function admin(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

// The embedded server from its first start to its stop: what it is, what it keeps, what it leaves behind.
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findEmbedded } from '../../src/store/embedded/find.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../src/store/embedded/start.ts'
import { ask, freshDirectory, quiet, removeAll, serverProcesses } from './embedded-programs.ts'

const dataDir = freshDirectory()
let server: EmbeddedPostgres

beforeAll(async () => {
  expect(await findEmbedded(dataDir)).toBeNull()
  expect(await findEmbedded(join(dataDir, 'not-there'))).toBeNull()
  server = await startEmbedded({ dataDir, log: quiet })
})

afterAll(async () => {
  await server.stop()
  expect(serverProcesses(dataDir)).toEqual([])
  removeAll()
})

describe('a first start', () => {
  test('serves a database that keeps what it is told and speaks UTF-8 and UTC', async () => {
    expect(server.adopted).toBe(false)
    expect(server.version).toMatch(/^\d+\.\d+$/)
    const [settings] = await ask(
      server.url,
      `select current_database() as database, current_user as user, usesuper as is_super,
         current_setting('server_encoding') as encoding, datlocprovider::text as provider, datlocale as locale,
         current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
         current_setting('synchronous_commit') as commit, current_setting('data_checksums') as checksums,
         current_setting('TimeZone') as zone, current_setting('max_connections') as connections,
         current_setting('listen_addresses') as addresses,
         current_setting('server_version') as version
       from pg_database, pg_user where datname = current_database() and usename = current_user`,
    )
    expect(settings).toEqual({
      database: 'atoll',
      user: 'atoll',
      is_super: false,
      encoding: 'UTF8',
      provider: 'b',
      locale: 'C.UTF-8',
      fsync: 'on',
      pages: 'on',
      commit: 'on',
      checksums: 'on',
      zone: 'UTC',
      connections: '100',
      addresses: '127.0.0.1',
      version: server.version,
    })
  })

  test('listens on no unix socket and on no other address', () => {
    const { port } = new URL(server.url)
    expect(readFileSync('/proc/net/unix', 'utf8')).not.toContain(`.s.PGSQL.${port}`)
    const hex = Number(port).toString(16).toUpperCase().padStart(4, '0')
    const listening = ['/proc/net/tcp', '/proc/net/tcp6']
      .filter(existsSync)
      .flatMap(table => readFileSync(table, 'utf8').split('\n'))
      .map(line => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === '0A')
    expect(listening.map(([, local]) => local)).toEqual([`0100007F:${hex}`])
  })

  test('lets its role make databases and the extension that the ledger needs', async () => {
    await ask(server.url, 'create extension btree_gist')
    await ask(server.url, 'create database another')
    await ask(server.url, 'drop database another')
  })

  test('lets nobody in without the password', async () => {
    for (const user of ['atoll', 'postgres']) {
      const url = new URL(server.url)
      url.username = user
      url.password = 'guess'
      await expect(ask(url.href, 'select 1')).rejects.toThrow(/password authentication failed/)
    }
  })

  test('keeps its secrets and its data to itself', () => {
    expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700)
    expect(statSync(join(dataDir, 'postgres.log')).mode & 0o007).toBe(0)
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).not.toContain(new URL(server.url).password)
    for (const pid of serverProcesses(dataDir))
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(new URL(server.url).password)
  })

  test('never runs the server as root', () => {
    const [pid] = serverProcesses(dataDir)
    const uids = /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!.split(/\s+/)
    const groups = /^Groups:[ \t]*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!.trim()
    const me = process.geteuid!()
    expect(uids).toEqual(Array(4).fill(String(me === 0 ? 65534 : me)))
    if (me === 0) expect(groups).toBe('')
    if (me === 0) expect(statSync(join(dataDir, 'pg-18.4')).uid).toBe(0)
  })

  test('is found by commands beside it', async () => {
    expect(await findEmbedded(dataDir)).toBe(server.url)
  })
})

describe('a restart', () => {
  test('keeps port, password and rows', async () => {
    await ask(server.url, 'create table kept (line text)')
    await ask(server.url, "insert into kept values ('still here')")
    const { url } = server
    await server.stop()
    expect(await findEmbedded(dataDir)).toBeNull()
    expect(existsSync(join(dataDir, 'atoll.pid'))).toBe(false)
    expect(serverProcesses(dataDir)).toEqual([])
    server = await startEmbedded({ dataDir, log: quiet })
    expect(server.url).toBe(url)
    expect(await ask(server.url, 'select * from kept')).toEqual([{ line: 'still here' }])
  })

  test('takes other options', async () => {
    await server.stop()
    server = await startEmbedded({ dataDir, log: quiet, maxConnections: 20 })
    expect(await ask(server.url, 'show max_connections')).toEqual([{ max_connections: '20' }])
  })

  test('moves to another port when another program has taken the one of last time', async () => {
    const port = Number(new URL(server.url).port)
    await server.stop()
    const other = createServer().listen(port, '127.0.0.1')
    server = await startEmbedded({ dataDir, log: quiet })
    expect(new URL(server.url).port).not.toBe(String(port))
    await server.stop()
    await expect(startEmbedded({ dataDir, log: quiet, port })).rejects.toMatchObject({
      code: 'conflict',
      message: `Port ${port} on 127.0.0.1, which the embedded PostgreSQL is to use, is taken by another program: stop that, or choose another port.`,
    })
    await new Promise(closed => other.close(closed))
    server = await startEmbedded({ dataDir, log: quiet, port })
    expect(new URL(server.url).port).toBe(String(port))
  })

  test('makes the role and the database again when they are lost', async () => {
    await server.stop()
    const path = join(dataDir, 'postgres.json')
    const secrets = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...secrets, password: 'another' }))
    server = await startEmbedded({ dataDir, log: quiet })
    expect(new URL(server.url).password).toBe('another')
    expect(await ask(server.url, 'select count(*)::int as rows from kept')).toEqual([{ rows: 1 }])
  })

  test('shortens a log that has grown', async () => {
    await server.stop()
    appendFileSync(join(dataDir, 'postgres.log'), `${'x'.repeat(9 * 1024 * 1024)}\nthe end\n`)
    server = await startEmbedded({ dataDir, log: quiet })
    expect(statSync(join(dataDir, 'postgres.log')).size).toBeLessThan(10_000)
    const kept = readFileSync(join(dataDir, 'postgres.log.1'), 'utf8')
    expect(kept.length).toBe(1024 * 1024)
    expect(kept.endsWith('the end\n')).toBe(true)
  })
})

describe('stop', () => {
  test('cuts sessions off, waits for the end, and may be called twice', async () => {
    const client = new pg.Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    const sleeping = client.query('select pg_sleep(3600)').catch(error => error.message)
    await Promise.all([server.stop(), server.stop()])
    expect(await sleeping).toMatch(/terminat/)
    expect(serverProcesses(dataDir)).toEqual([])
    expect(readdirSync(join(dataDir, 'postgres'))).not.toContain('postmaster.pid')
    server = await startEmbedded({ dataDir, log: quiet })
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down')
  })
})

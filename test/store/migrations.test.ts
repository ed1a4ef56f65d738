// Migrations: once each, in order, whole or not at all, by whoever comes first; and the schema that they make.

import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { AppError } from '../../src/core/error.ts'
import { type Migration, migrate, readMigrations } from '../../src/store/migrations.ts'
import { testDatabase } from '../postgres.ts'
import { until } from '../wait.ts'
import { readSchema } from './schema.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const emptyDatabase = async (): Promise<string> => (await testDatabase({ empty: true })).url

async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

const tables = async (url: string): Promise<string[]> =>
  (
    await query<{ name: string }>(
      url,
      `select relname as name from pg_class where relkind = 'r'
    and relnamespace = 'public'::regnamespace order by 1`,
    )
  ).map(row => row.name)

const applied = async (url: string): Promise<number[]> =>
  (await query<{ number: number }>(url, 'select number from migration order by number')).map(
    row => row.number,
  )

/** Migrations made of texts; their numbers are their places. */
const of = (...steps: [phase: Migration['phase'], sql: string][]): Migration[] =>
  steps.map(([phase, sql], index) => ({
    number: index + 1,
    name: `step_${index + 1}`,
    phase,
    sql,
    checksum: `${phase} ${sql}`,
  }))

const refusal = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

describe('the schema', () => {
  it('is what src/store/schema.sql says', async () => {
    const url = await emptyDatabase()
    await migrate(url)
    await expect(await readSchema(url)).toMatchFileSnapshot('../../src/store/schema.sql')
  })
})

describe('this release', () => {
  it('brings an empty database up in one go, and has nothing to do the second time', async () => {
    const url = await emptyDatabase()
    const names = readMigrations().map(migration => migration.name)
    expect(names.length).toBeGreaterThan(1)
    expect(await migrate(url)).toEqual(names)
    expect(await migrate(url)).toEqual([])
    expect(await applied(url)).toEqual(names.map((_, index) => index + 1))
  })

  it('takes nothing away in a migration that expands: older processes are still at work', () => {
    for (const { name, phase, sql } of readMigrations()) {
      if (phase === 'contract') continue
      // What a function does it does when it is called; a constraint that asks for less than before stands in no older
      // process's way.
      const statements = sql
        .replaceAll(/--.*$|\bdrop not null\b|\bdrop constraint\b/gm, '')
        .replaceAll(/\$\$.*?\$\$/gs, '')
      expect(statements, name).not.toMatch(/\b(drop|rename|truncate|delete\s+from|set\s+not\s+null)\b/i)
    }
  })
})

describe('several that migrate at once', () => {
  it('do it once: one applies everything, the others find it done', async () => {
    const url = await emptyDatabase()
    const results = await Promise.all(Array.from({ length: 10 }, () => migrate(url)))
    const total = readMigrations().length
    expect(results.map(names => names.length).sort((a, b) => a - b)).toEqual([...Array(9).fill(0), total])
    expect(await applied(url)).toHaveLength(total)
  })

  it('look at what has been applied one after the other, each when the one before is done', async () => {
    const url = await emptyDatabase()
    await migrate(url, { migrations: [] })
    // Nobody can look until all have come; whoever looks while another is at work would do its work again.
    const holder = new pg.Client({ connectionString: url })
    await holder.connect()
    await holder.query('begin; lock table migration in access exclusive mode')
    const slow = of(['expand', 'create table first (n int); select pg_sleep(0.3)'])
    const migrating = Promise.all(Array.from({ length: 10 }, () => migrate(url, { migrations: slow })))
    migrating.catch(() => {})
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until(async () => (await query(url, waiting)).length === 10, { what: 'all ten have come' })
    await holder.end()
    expect((await migrating).flat()).toEqual(['step_1'])
    expect(await applied(url)).toEqual([1])
  })
})

describe('a migration that has to wait for a table', () => {
  it('holds up nobody who comes after it, and is applied when the table is free', async () => {
    const url = await emptyDatabase()
    const first = of(['expand', 'create table first (n int)'])
    await migrate(url, { migrations: first })
    const reader = new pg.Client({ connectionString: url })
    await reader.connect()
    await reader.query('begin; select from first')
    const second = of(
      ['expand', 'create table first (n int)'],
      ['expand', 'alter table first add column m int'],
    )
    const migrating = migrate(url, { migrations: second })
    migrating.catch(() => {})
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until(async () => (await query(url, waiting)).length === 1, { what: 'the migration waits' })
    // The reader that is in its way ends only after this: whoever had to wait for it would wait for ever.
    await query(url, 'select from first')
    await reader.end()
    expect(await migrating).toEqual(['step_2'])
  })
})

describe('a migration that is interrupted', () => {
  const steps = (last: string) => of(['expand', 'create table first (n int)'], ['expand', last])

  it('by an error leaves nothing of itself and all of those before it', async () => {
    const url = await emptyDatabase()
    const broken = steps('create table second (n int); insert into second values (1); select 1 / 0')
    await expect(migrate(url, { migrations: broken })).rejects.toThrow(/division by zero/)
    expect([await tables(url), await applied(url)]).toEqual([['first', 'migration'], [1]])
    const mended = steps('create table second (n int)')
    expect(await migrate(url, { migrations: mended })).toEqual(['step_2'])
    expect(await tables(url)).toEqual(['first', 'migration', 'second'])
  })

  it('between its work and the note about it leaves neither', async () => {
    const url = await emptyDatabase()
    const taken = `insert into migration values (2, 'another', '', 'expand', now())`
    const noting = migrate(url, { migrations: steps(`create table second (n int); ${taken}`) })
    await expect(noting).rejects.toThrow(/migration_pkey/)
    expect([await tables(url), await applied(url)]).toEqual([['first', 'migration'], [1]])
  })

  it('by the death of its process leaves nothing of itself, and the next one goes on', async () => {
    const url = await emptyDatabase()
    const slow = steps('create table second (n int); select pg_sleep(3600)')
    const dying = migrate(url, { migrations: slow }).catch((error: Error) => error)
    const sleeping = `from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
    await until(async () => (await query(url, `select pid ${sleeping}`)).length === 1, {
      what: 'it is at work',
    })
    await query(url, `select pg_terminate_backend(pid) ${sleeping}`)
    expect(await dying).toBeInstanceOf(Error)
    expect([await tables(url), await applied(url)]).toEqual([['first', 'migration'], [1]])
    expect(await migrate(url, { migrations: steps('create table second (n int)') })).toEqual(['step_2'])
  })
})

describe('a server that cannot serve', () => {
  it('is refused when it is too old', async () => {
    const url = await emptyDatabase()
    await query(
      url,
      `create function current_setting(text) returns text language sql as $$ select '140009' $$`,
    )
    const before = `${url}?options=${encodeURIComponent('-c search_path=public,pg_catalog')}`
    const error = await refusal(migrate(before))
    expect([error.code, error.message]).toEqual([
      'conflict',
      'The database is of PostgreSQL 14: Atoll needs 15 or newer.',
    ])
  })

  it('is refused when it cannot store every text', async () => {
    const url = new URL(await emptyDatabase())
    const latin = `${url.pathname.slice(1)}_latin1`
    await query(
      url.href,
      `create database ${latin} encoding 'LATIN1' locale_provider libc locale 'C' template template0`,
    )
    url.pathname = latin
    const error = await refusal(migrate(url.href))
    expect([error.code, error.message]).toEqual([
      'conflict',
      "The database stores text as LATIN1: make one with `create database … encoding 'UTF8' template template0`.",
    ])
    expect(await tables(url.href)).toEqual([])
  })
})

describe('a server that says nothing', () => {
  it('is given up', async () => {
    const silent = createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await expect(migrate(`postgres://u@127.0.0.1:${port}/x`)).rejects.toThrow(
      /^The database cannot be reached: /,
    )
    silent.close()
  })
})

describe('a database of another build', () => {
  it('is refused when a migration had other contents there', async () => {
    const url = await emptyDatabase()
    await migrate(url, { migrations: of(['expand', 'create table first (n int)']) })
    const error = await refusal(migrate(url, { migrations: of(['expand', 'create table first (n bigint)']) }))
    expect([error.code, error.message]).toEqual([
      'conflict',
      'Migration 1 (step_1) was applied with other contents than this release has: this database belongs to another build of Atoll.',
    ])
  })

  it('that is newer is worked with while it only added', async () => {
    const url = await emptyDatabase()
    const newer = of(['expand', 'create table first (n int)'], ['expand', 'create table second (n int)'])
    await migrate(url, { migrations: newer })
    expect(await migrate(url, { migrations: newer.slice(0, 1) })).toEqual([])
    expect(await applied(url)).toEqual([1, 2])
  })

  it('that is newer is refused once it took something away', async () => {
    const url = await emptyDatabase()
    const newer = of(['expand', 'create table first (n int)'], ['contract', 'drop table first'])
    await migrate(url, { migrations: newer, contract: true })
    const error = await refusal(migrate(url, { migrations: newer.slice(0, 1) }))
    expect([error.code, error.message]).toEqual([
      'conflict',
      'The database was contracted by a newer release of Atoll (migration 2, step_2): upgrade this process.',
    ])
  })
})

describe('a migration that contracts', () => {
  const steps = of(
    ['expand', 'create table old (n int); create table kept (n int)'],
    ['contract', 'drop table old'],
    ['expand', 'create table new (n int)'],
  )

  it('waits until it is asked for', async () => {
    const url = await emptyDatabase()
    expect(await migrate(url, { migrations: steps.slice(0, 2) })).toEqual(['step_1'])
    expect(await tables(url)).toEqual(['kept', 'migration', 'old'])
    expect(await migrate(url, { migrations: steps.slice(0, 2), contract: true })).toEqual(['step_2'])
    expect(await tables(url)).toEqual(['kept', 'migration'])
  })

  it('is not jumped over: what expands after it is refused, with what to do', async () => {
    const url = await emptyDatabase()
    const error = await refusal(migrate(url, { migrations: steps }))
    expect([error.code, error.message]).toEqual([
      'conflict',
      'Migration 2 (step_2) takes away what older processes use: stop them, then run `atoll migrate --contract`.',
    ])
    expect(await applied(url)).toEqual([])
    expect(await migrate(url, { migrations: steps, contract: true })).toEqual(['step_1', 'step_2', 'step_3'])
  })

  it('is stopped before when a backup of an older release is to be restored', async () => {
    const url = await emptyDatabase()
    expect(await migrate(url, { migrations: steps, upTo: 1 })).toEqual(['step_1'])
    expect(await applied(url)).toEqual([1])
  })
})

describe('the folder of migrations', () => {
  const folder = (...names: string[]): URL => {
    const path = mkdtempSync(join(tmpdir(), 'atoll-migrations-'))
    folders.push(path)
    for (const name of names) writeFileSync(join(path, name), `-- ${name}`)
    return pathToFileURL(`${path}/`)
  }

  it('is read in the order of the numbers', () => {
    const read = readMigrations(folder('0002_b.contract.sql', '0001_a.expand.sql', 'notes.md'))
    expect(read.map(({ number, name, phase }) => [number, name, phase])).toEqual([
      [1, 'a', 'expand'],
      [2, 'b', 'contract'],
    ])
    expect(new Set(read.map(migration => migration.checksum)).size).toBe(2)
  })

  it.each([
    [['0001_a.sql'], '0001_a.sql: expected 0001_name.expand.sql'],
    [['0001_a.expand.sql', '0003_c.expand.sql'], '0003_c.expand.sql: expected 0002_name.expand.sql'],
    [['0001_a.expand.sql', '0001_b.expand.sql'], '0001_b.expand.sql: expected 0002_name.expand.sql'],
    [['0001_a.shrink.sql'], '0001_a.shrink.sql: expected 0001_name.expand.sql'],
  ])('is refused with a gap, a double or a strange name: %j', (names, sentence) => {
    expect(() => readMigrations(folder(...names))).toThrow(sentence)
  })

  it('says in each file first what it is about', () => {
    const real = new URL('../../src/store/migrations/', import.meta.url)
    for (const name of readdirSync(real))
      expect(readFileSync(new URL(name, real), 'utf8'), name).toMatch(/^-- \S/)
  })
})

// A backup holds the whole database as of one moment, and an empty database becomes the same again.
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { backup, restore } from '../../src/store/backup.ts'
import { migrate } from '../../src/store/migrations.ts'
import { testDatabase } from '../postgres.ts'
import { meanwhile, until } from '../wait.ts'
import { ask, freshDirectory, removeAll } from './embedded-programs.ts'

const files = freshDirectory()
let made = 0

afterAll(removeAll)

const freshFile = (): string => join(files, `${++made}.gz`)

/** Never disposed of: dropping one costs a checkpoint, and all go with the server of the run. */
const freshDatabase = async (): Promise<string> => (await testDatabase({ empty: true })).url

const SCHEMA = `
  create table migration (number int primary key, name text not null, checksum text not null, phase text not null,
    applied_at timestamptz not null);
  insert into migration values (1, 'first', 'abc', 'expand', now()), (2, 'second', 'def', 'contract', now());
  create extension btree_gist;
  create type mood as enum ('calm', 'it''s "odd"');
  create domain positive as int check (value > 0);
  create sequence ticket increment by 5;
  create table zone (id bigint generated always as identity primary key, name text not null unique,
    upper_name text generated always as (upper(name)) stored, parent bigint references zone);
  insert into zone (name) values ('seeded');
  create table host (id uuid primary key, zone bigint not null references zone, during tstzrange not null,
    size positive not null, feeling mood, exclude using gist (zone with =, during with &&));
  create table account (id serial primary key, newest int);
  create table entry (id int primary key, account int not null references account);
  alter table account add constraint account_newest foreign key (newest) references entry;
  create table "Odd ""name" ("a b" text, "select" int);
  create table journal (at timestamptz default now(), what text) partition by list (what);
  create table journal_zone partition of journal for values in ('zone');
  create table journal_rest partition of journal default;
  create table told (what text);
  create function tell() returns trigger language plpgsql as
    $$ begin insert into told values (tg_table_name || ' ' || tg_op); return null; end $$;
  create trigger a_tells after insert on zone for each row execute function tell();
  create trigger b_always after insert on host for each row execute function tell();
  alter table host enable always trigger b_always;
  create trigger c_off after insert on entry for each row execute function tell();
  alter table entry disable trigger c_off;
  create function forbid() returns trigger language plpgsql as $$ begin raise exception 'never'; end $$;
  create trigger d_never before truncate or delete on zone execute function forbid();`

const ROWS = `
  insert into zone (name, parent) values ('pod', 1), ('ünïcode 🏝', 2);
  update zone set parent = 3 where id = 1;
  insert into host values (gen_random_uuid(), 2, '[2030-01-01,2030-02-01)', 3, 'it''s "odd"'),
    (gen_random_uuid(), 2, '[2030-02-01,infinity)', 4, null);
  insert into account default values; insert into account default values;
  insert into entry values (10, 1), (11, 2);
  update account set newest = 11 where id = 1;
  insert into "Odd ""name" values ('\\\\.', 1), (E'\\n\\\\.\\n', 2), ('', null), (null, 3), ('\\N', 4);
  insert into journal values ('2030-01-01', 'zone'), ('2030-01-01', 'other');
  select nextval('ticket'), nextval('ticket');`

const TABLES = ['account', 'entry', 'host', 'journal', '"Odd ""name"', 'told', 'zone']

/** All that a database holds, as PostgreSQL writes it. */
async function picture(url: string) {
  const rows: Record<string, unknown> = {}
  for (const table of TABLES) rows[table] = await ask(url, `select t::text as row from ${table} t order by 1`)
  const sequences = await ask(
    url,
    'select sequencename as name, last_value::text as last from pg_sequences order by 1',
  )
  const triggers = await ask(
    url,
    'select tgname as name, tgenabled::text as state from pg_trigger where not tgisinternal order by 1',
  )
  const references = await ask(
    url,
    'select conname as name, condeferrable as deferrable, convalidated as valid from pg_constraint order by 1',
  )
  return { rows, sequences, triggers, references }
}

async function filled(): Promise<string> {
  const url = await freshDatabase()
  await ask(url, SCHEMA)
  await ask(url, ROWS)
  return url
}

const migrateTo = (url: string) => async () => {
  await ask(url, SCHEMA)
}

const tablesIn = (url: string) =>
  ask(url, "select relname from pg_class where relnamespace = 'public'::regnamespace")

describe('a database that was backed up and restored', () => {
  test('is the same: rows, sequences, triggers, references', async () => {
    const [source, target, file] = [await filled(), await freshDatabase(), freshFile()]
    const written = await backup(source, file)
    expect(written).toEqual([
      { table: 'Odd "name', rows: 5 },
      { table: 'entry', rows: 2 },
      { table: 'account', rows: 2 },
      { table: 'zone', rows: 3 },
      { table: 'host', rows: 2 },
      { table: 'journal', rows: 2 },
      { table: 'told', rows: 4 },
    ])
    const asked: unknown[] = []
    const restored = await restore(target, file, {
      migrateTo: async (number, applied) => {
        asked.push(number, applied)
        await ask(target, SCHEMA)
      },
    })
    expect(asked).toEqual([
      2,
      [
        { number: 1, name: 'first', checksum: 'abc', phase: 'expand' },
        { number: 2, name: 'second', checksum: 'def', phase: 'contract' },
      ],
    ])
    expect(restored).toEqual(written)
    expect(await picture(target)).toEqual(await picture(source))
    // New ids go on where the old ones ended.
    const next = "insert into zone (name) values ('next') returning id, upper_name"
    expect(await ask(target, next)).toEqual(await ask(source, next))
    expect(await ask(target, "select nextval('ticket')::int as next")).toEqual([{ next: 11 }])
    // And what guards the rows guards them again.
    await expect(ask(target, 'insert into entry values (99, 99)')).rejects.toThrow(/foreign key/)
    await expect(ask(target, 'truncate zone cascade')).rejects.toThrow('never')
  })

  test('is the same again when the copy is copied, and when its schema was there already', async () => {
    const [source, target, file, again] = [await filled(), await freshDatabase(), freshFile(), freshFile()]
    await backup(source, file)
    await ask(target, SCHEMA)
    await ask(target, 'alter table zone disable trigger d_never; delete from zone; delete from told;')
    await ask(target, 'alter table zone enable trigger d_never')
    await restore(target, file, { migrateTo: async () => {} })
    expect(await picture(target)).toEqual(await picture(source))
    await backup(target, again)
    const body = (path: string) => gunzipSync(readFileSync(path)).toString().split('\n').slice(1, -2)
    expect(body(again)).toEqual(body(file))
  })

  test('with the real schema goes through the real migrations', async () => {
    const [source, target, file] = [await freshDatabase(), await freshDatabase(), freshFile()]
    await migrate(source, { contract: true })
    const written = await backup(source, file)
    expect(written.length).toBeGreaterThan(3)
    const restored = await restore(target, file, {
      migrateTo: async upTo => void (await migrate(target, { upTo, contract: true })),
    })
    expect(restored).toEqual(written)
    expect(await migrate(target, { contract: true })).toEqual([])
  })

  test('has every value of every type as it was', async () => {
    const columns = {
      bytes: [
        'bytea',
        fc.uint8Array({ maxLength: 64 }).map(bytes => `\\x${Buffer.from(bytes).toString('hex')}`),
      ],
      words: ['text', text()],
      json: [
        'jsonb',
        fc.jsonValue({ stringUnit: 'binary' }).map(value => JSON.stringify(value).replaceAll('\\u0000', '')),
      ],
      list: ['text[]', fc.array(fc.option(text()), { maxLength: 4 }).map(arrayLiteral)],
      span: [
        'tstzrange',
        fc.constantFrom('empty', '[2030-01-01 00:00:00.001+00,)', '(,2030-01-01)', '[1999-01-01,infinity)'),
      ],
      moment: [
        'timestamptz',
        fc.oneof(fc.constantFrom('infinity', '-infinity', '0044-03-15 BC', '294276-12-31'), instant()),
      ],
      wall: ['timestamp', fc.oneof(fc.constantFrom('infinity', '4713-01-01 BC'), instant())],
      day: ['date', fc.constantFrom('infinity', '2024-02-29', '5874897-12-31')],
      length: ['interval', fc.constantFrom('1 year 2 mons -3 days', '-00:00:00.000001', '1000000 hours')],
      exact: [
        'numeric',
        fc.oneof(fc.constantFrom('NaN', 'Infinity', '-0.000', '1e100'), fc.bigInt().map(String)),
      ],
      real: ['float8', fc.oneof(fc.constantFrom('-Infinity', '-0'), fc.double({ noNaN: false }).map(String))],
      whole: ['int8', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
      id: ['uuid', fc.uuid()],
      address: ['inet', fc.oneof(fc.ipV4(), fc.ipV6())],
      net: ['cidr', fc.constantFrom('10.0.0.0/8', '2001:db8::/32')],
      yes: ['bool', fc.boolean().map(String)],
      pair: ['int4multirange', fc.constantFrom('{}', '{[1,3),[7,9)}')],
    } satisfies Record<string, [string, fc.Arbitrary<string>]>
    const names = Object.keys(columns) as (keyof typeof columns)[]
    const schema = `create table migration (number int, name text, checksum text, phase text, applied_at timestamptz);
      insert into migration values (1, 'a', 'b', 'expand', now());
      create table value (${names.map(name => `${name} ${columns[name][0]}`).join(', ')})`
    const row = fc.record(
      Object.fromEntries(
        names.map(name => [name, fc.option(columns[name][1] as fc.Arbitrary<string>, { freq: 8 })]),
      ),
    )
    const [source, target, file] = [await freshDatabase(), await freshDatabase(), freshFile()]
    await ask(source, schema)
    const seed = Number(process.env.ATOLL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const rows = fc.sample(row, { numRuns: 300, seed })
    const client = new pg.Client(source)
    await client.connect()
    await client.query('begin')
    const statement = `insert into value values (${names.map((_, index) => `$${index + 1}`).join(', ')})`
    for (const values of rows)
      await client.query(
        statement,
        names.map(name => values[name]),
      )
    await client.query('commit')
    await client.end()
    expect(await backup(source, file)).toEqual([{ table: 'value', rows: 300 }])
    await restore(target, file, {
      migrateTo: async () => {
        await ask(target, schema)
      },
    })
    const all = 'select ctid::text as place, value::text as row from value order by ctid'
    expect(await ask(target, all), `seed ${seed}`).toEqual(await ask(source, all))
  })
})

/** Any text that PostgreSQL takes: all of Unicode but NUL and lone surrogates. */
const text = () =>
  fc.string({ unit: 'binary', maxLength: 24 }).map(value => value.replaceAll('\0', '').toWellFormed())
const instant = () =>
  fc.date({ min: new Date(-1e12), max: new Date(1e14), noInvalidDate: true }).map(date => date.toISOString())
const arrayLiteral = (items: (string | null)[]): string =>
  `{${items.map(item => (item === null ? 'null' : `"${item.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`

describe('a backup', () => {
  test('is of one moment, whatever is written meanwhile', async () => {
    const [source, target, file] = [await filled(), await freshDatabase(), freshFile()]
    await ask(
      source,
      'create table a_left as select 500 as amount, repeat(md5(n::text), 40) as padding from generate_series(1, 5000) n',
    )
    await ask(source, 'create table z_right as select 500 as amount')
    let isDone = false
    let moves = 0
    const writer = (async () => {
      const client = new pg.Client(source)
      await client.connect()
      for (; !isDone; moves++) {
        await client.query(
          'begin; update z_right set amount = amount + 1; insert into a_left values (-1, null); commit',
        )
      }
      await client.end()
    })()
    await until(() => moves > 10, { what: 'somebody writes', seen: () => moves })
    const before = moves
    await backup(source, file)
    isDone = true
    await writer
    expect(moves, 'written meanwhile').toBeGreaterThan(before)
    await restore(target, file, {
      migrateTo: async () => {
        await ask(target, SCHEMA)
        await ask(target, 'create table a_left (amount int, padding text); create table z_right (amount int)')
      },
    })
    const sum = 'select ((select sum(amount) from a_left) + (select sum(amount) from z_right))::text as sum'
    expect(await ask(target, sum)).toEqual([{ sum: String(500 * 5001) }])
  })

  test('waits for a migration and has what that made', async () => {
    const [source, file] = [await filled(), freshFile()]
    const migration = new pg.Client(source)
    await migration.connect()
    await migration.query(
      "begin; alter table told add column who text default 'me'; create table newest as select 1 as one",
    )
    const written = backup(source, file)
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until(async () => (await ask(source, waiting)).length > 0, { what: 'the backup waits' })
    await migration.query('commit')
    await migration.end()
    expect(await written).toContainEqual({ table: 'newest', rows: 1 })
    expect(gunzipSync(readFileSync(file)).toString()).toContain(
      '{"table":"told","columns":["what","who"]}\nzone INSERT\tme\n',
    )
  })

  test('is one file for its owner only, and replaces an older one', async () => {
    const [source, file] = [await filled(), freshFile()]
    writeFileSync(file, 'old', { mode: 0o644 })
    await backup(source, file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(gunzipSync(readFileSync(file)).toString().split('\n')[0]!)).toMatchObject({
      atoll: 'backup',
      format: 1,
    })
    expect(readdirSync(files).filter(name => name.includes('.part'))).toEqual([])
  })

  test('needs little memory for much data', async () => {
    const [source, target, file] = [await freshDatabase(), await freshDatabase(), freshFile()]
    const schema = `create table migration (number int, name text, checksum text, phase text, applied_at timestamptz);
      insert into migration values (1, 'a', 'b', 'expand', now()); create table big (id int, line text)`
    await ask(source, schema)
    await ask(source, 'insert into big select n, repeat(md5(n::text), 24) from generate_series(1, 60000) n')
    const begin = process.memoryUsage().arrayBuffers
    let most = 0
    const look = (): void => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - begin)
    }
    await meanwhile(look, backup(source, file))
    await meanwhile(look, restore(target, file, { migrateTo: async () => void (await ask(target, schema)) }))
    expect(
      await ask(target, 'select count(*)::int as rows, sum(length(line))::int as bytes from big'),
    ).toEqual([{ rows: 60000, bytes: 60000 * 24 * 32 }])
    expect(most).toBeLessThan(32 * 1024 * 1024)
  })

  test('leaves the old file and no part of a new one when the database goes away', async () => {
    const [source, file] = [await filled(), freshFile()]
    await ask(source, 'insert into told select repeat(md5(n::text), 40) from generate_series(1, 50000) n')
    writeFileSync(file, 'old')
    const failed = expect(backup(source, file)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^The database gives no answer \(.*(terminat|not queryable).*\): see that it runs/,
      ),
    })
    const end =
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'atoll backup' and query like 'copy%'"
    for (let tries = 0; tries < 1000 && (await ask(source, end)).length === 0; tries++);
    await failed
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(readdirSync(files).filter(name => name.includes('.part'))).toEqual([])
  })

  test('is refused in a sentence where it cannot be', async () => {
    const source = await filled()
    const closed = join(files, 'closed')
    mkdirSync(closed)
    await expect(backup(source, closed)).rejects.toThrow(
      `${closed} is not a file: name a new one, or one to replace.`,
    )
    await expect(backup(source, join(files, 'no', 'such'))).rejects.toMatchObject({
      code: 'invalid',
      message: `There is no directory ${join(files, 'no')}: create it, or name another file.`,
    })
    if (process.geteuid!() !== 0) {
      chmodSync(closed, 0o555)
      await expect(backup(source, join(closed, 'x'))).rejects.toThrow(
        `This user may not write ${join(closed, 'x')}`,
      )
    }
    await expect(backup(await freshDatabase(), freshFile())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/^This database holds nothing of Atoll/),
    })
    await expect(backup('postgres://atoll:x@127.0.0.1:1/atoll', freshFile())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^The database gives no answer \(.*ECONNREFUSED.*\): see that it runs/),
    })
  })
})

describe('a restore', () => {
  test('is refused by a database with rows, which stay', async () => {
    const [source, target, file] = [await filled(), await filled(), freshFile()]
    await backup(source, file)
    const before = await picture(target)
    const called = vi.fn()
    await expect(restore(target, file, { migrateTo: called })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        /^The database holds rows already, and a backup is restored into an empty one only: name/,
      ),
    })
    expect(called).not.toHaveBeenCalled()
    expect(await picture(target)).toEqual(before)
  })

  test('of a damaged or shortened file is refused and leaves nothing, not even a schema', async () => {
    const [source, target, file] = [await filled(), await freshDatabase(), freshFile()]
    await backup(source, file)
    const whole = readFileSync(file)
    const plain = gunzipSync(whole)
    const lines = plain.toString().split('\n')
    const called = vi.fn()
    const harmed: Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('not a backup at all'),
      randomBytes(5000),
      gzipSync('{"some":"json"}\n'),
      gzipSync('x'.repeat(100_000)),
      gzipSync(plain.subarray(0, plain.length - 1)),
      gzipSync(Buffer.concat([plain, plain])),
      gzipSync(plain.toString().replace('ünïcode', 'unicode')),
      gzipSync(plain.toString().replace('{"rows":3}', '{"rows":4}')),
      gzipSync(plain.toString().replace('"format":1', '"format":2')),
      ...lines.slice(0, -1).map((_, index) => gzipSync(`${lines.slice(0, index).join('\n')}\n`)),
      ...lines.slice(0, -1).map((_, index) => gzipSync(lines.filter((__, at) => at !== index).join('\n'))),
    ]
    for (let cut = 1; cut < whole.length; cut += 61) harmed.push(whole.subarray(0, cut))
    for (let at = 10; at < whole.length; at += 37) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 0x10
      harmed.push(flipped)
    }
    for (const content of harmed) {
      writeFileSync(file, content)
      await expect(
        restore(target, file, { migrateTo: called }),
        content.toString('base64'),
      ).rejects.toMatchObject({
        name: 'AppError',
        code: 'invalid',
        message: expect.stringContaining(file),
      })
    }
    expect(called).not.toHaveBeenCalled()
    expect(await tablesIn(target)).toEqual([])
    writeFileSync(file, whole)
    await restore(target, file, { migrateTo: migrateTo(target) })
    expect(await picture(target)).toEqual(await picture(source))
  })

  test('is refused in a sentence when there is no such file', async () => {
    const [target, file] = [await freshDatabase(), freshFile()]
    const options = { migrateTo: async () => {} }
    expect(existsSync(file)).toBe(false)
    await expect(restore(target, file, options)).rejects.toThrow(
      `There is no file ${file}: name one that \`atoll backup\` wrote.`,
    )
    await expect(restore(target, files, options)).rejects.toThrow(`${files} is a directory: name a file that`)
  })

  test('is refused by another schema, and by rows that break it, and leaves no row', async () => {
    const [source, file] = [await filled(), freshFile()]
    await backup(source, file)
    const into = async (schema: string) => {
      const target = await freshDatabase()
      const outcome = restore(target, file, {
        migrateTo: async () => {
          await ask(target, schema)
        },
      })
      return { target, outcome }
    }
    const newer = await into(`${SCHEMA}; insert into migration values (3, 'third', 'x', 'expand', now())`)
    await expect(newer.outcome).rejects.toMatchObject({
      code: 'conflict',
      message: `The backup ${file} is of migration 2 (second) and this database is at 3 (third), or their contents differ: restore into an empty database with the Atoll that wrote the backup, or a later one.`,
    })
    const narrower = await into(`${SCHEMA}; alter table host drop column feeling`)
    await expect(narrower.outcome).rejects.toThrow(
      `The backup ${file} has a table host (id, zone, during, size, feeling) that`,
    )
    const stricter = await into(`${SCHEMA}; alter table host add check (size < 4)`)
    await expect(stricter.outcome).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(
        /^The database refuses: new row for relation "host" violates check constraint/,
      ),
    })
    for (const { target } of [narrower, stricter]) {
      expect(await ask(target, 'select name from zone')).toEqual([{ name: 'seeded' }])
      expect(
        await ask(target, "select tgenabled::text as state from pg_trigger where tgname = 'b_always'"),
      ).toEqual([{ state: 'A' }])
      expect(
        await ask(target, "select condeferrable as is from pg_constraint where conname = 'account_newest'"),
      ).toEqual([{ is: false }])
      expect(await ask(target, 'select last_value::int as last from ticket')).toEqual([{ last: 1 }])
    }
  })
})

// A backup of all that Atoll stores, every table of it with rows, and one of an older schema.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { backup, restore } from '../../src/store/backup.ts'
import { openDatabase } from '../../src/store/database.ts'
import { checkLedger } from '../../src/store/ledger-check.ts'
import { migrate, readMigrations } from '../../src/store/migrations.ts'
import { askAll } from '../api/requests.ts'
import { testDatabase } from '../postgres.ts'
import { world } from '../world.ts'
import { ask } from './embedded-programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'atoll-backup-'))
afterAll(() => rmSync(folder, { recursive: true }))

const restoreInto = (url: string, file: string) =>
  restore(url, file, {
    migrateTo: async upTo => void (await migrate(url, { upTo, contract: true })),
  })

const tablesOf = async (url: string): Promise<string[]> =>
  (
    await ask(
      url,
      `select relname as name from pg_class
       where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname <> 'migration' order by 1`,
    )
  ).map(({ name }) => String(name))

/** Every row of every table, and where each sequence stands. */
async function picture(url: string): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {}
  for (const table of await tablesOf(url))
    all[table] = (await ask(url, `select t::text as row from "${table}" t order by 1`)).map(({ row }) => row)
  all.sequences = await ask(
    url,
    'select sequencename as name, last_value::text as last from pg_sequences order by 1',
  )
  return all
}

/** Rows of those tables in which no request leaves any. */
const ofOthers = `
  insert into job_log values (gen_random_uuid(), 'p', 't', '{}', '', now(), 1, null, now());
  insert into element_hold (element, reservation_id, during)
    select 'element', id, '[2030-01-01Z,2030-02-01Z)' from capacity_reservation limit 1;
  insert into outbox (at, type, action, subject_id, data) values (now(), 'job', 'job.fail', '1', '{"a": null}');
  insert into setting values ('name', 'value');
  insert into watch select id, now(), null, '-infinity' from region limit 1;
  insert into suspicion select id, 'compute', now(), 'reason', '{"host": {"missing": 4, "known": 4}}' from region limit 1;
  insert into ended_reservation select gen_random_uuid()::text, id, now() from region limit 1;
  insert into seen_segment select id, 'n', 'name', 'vlan', 'bridge', 2000, now() from region limit 1;
  insert into writing select 'router', 'r', id, gen_random_uuid(), now() from region limit 1;
  insert into absent (kind, id, region_id, regional_id, state, places, held, links, gone_at)
    select 'port', 'p', id, 'p', '{}', '[]', '[]', '[]', now() from region limit 1`

describe('a database in which everything is', () => {
  it('is the same after a restore: every row, every sequence, and the ledger in order', async () => {
    await using w = await world()
    await askAll(w)
    await ask(w.databaseUrl, ofOthers)
    const file = join(folder, 'whole.gz')
    const counts = await backup(w.databaseUrl, file)
    expect(counts.map(({ table }) => table).toSorted()).toEqual(await tablesOf(w.databaseUrl))
    expect(counts.filter(({ rows }) => rows === 0)).toEqual([])

    const { url } = await testDatabase({ empty: true })
    expect(await restoreInto(url, file)).toEqual(counts)
    expect(await picture(url)).toEqual(await picture(w.databaseUrl))
    const restored = openDatabase(url, { connections: 2, name: 'restored', onError: () => {} })
    const findings = await checkLedger(restored.db)
    await restored.close()
    expect(findings.flatMap(({ wrong }) => wrong)).toEqual([])
  }, 300_000)
})

describe('a backup of an older schema', () => {
  it('is restored as it was, and brought to this release after that', async () => {
    const [{ url: source }, { url: target }] = [
      await testDatabase({ empty: true }),
      await testDatabase({ empty: true }),
    ]
    await migrate(source, { upTo: 5 })
    await ask(
      source,
      `insert into region values (gen_random_uuid(), 'Pod1', 'az', '', '', now());
       insert into account (kind, region_id, scope) select 'scope', id, 'general' from region;
       insert into bucket select id, 'VCPU', '2030-01-01Z', 1, 0 from account`,
    )
    const file = join(folder, 'older.gz')
    await backup(source, file)
    await restoreInto(target, file)
    expect(await picture(target)).toEqual(await picture(source))
    await migrate(target)
    expect(await ask(target, 'select max(number) as last from migration')).toEqual([
      { last: readMigrations().length },
    ])
    expect(await ask(target, 'select class, change::int, highest from bucket')).toEqual([
      { class: 'VCPU', change: 1, highest: null },
    ])
  })
})

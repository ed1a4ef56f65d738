// A process goes on while a newer release adds to the schema beside it: what it writes has nothing of what was added.

import { expect, it } from 'vitest'
import { askAll } from '../api/requests.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld()

it('every route answers as before, on the connections of before', async () => {
  const before = await askAll(w)
  expect(Object.keys(before).length).toBeGreaterThan(100)
  const { rows } = await w.database.pool.query<{ name: string }>(
    `select relname as name from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'migration'`,
  )
  expect(rows.length).toBeGreaterThan(30)
  for (const { name } of rows)
    await w.database.pool.query(
      `alter table "${name}" add added_text text, add added_number int not null default 1`,
    )
  expect(await askAll(w)).toEqual(before)
}, 300_000)

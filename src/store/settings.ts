// Facts about the installation, by name.

import type { Db } from './database.ts'
import { run } from './database.ts'

/** The value under this name; the given one is stored and returned when there is none yet. */
export async function storeOnce(db: Db, name: string, value: string): Promise<string> {
  await run(
    db
      .insertInto('setting')
      .values({ name, value })
      .onConflict(conflict => conflict.column('name').doNothing())
      .execute(),
  )
  const row = await run(
    db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirstOrThrow(),
  )
  return row.value
}

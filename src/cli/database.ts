// `atoll migrate`, `atoll backup`, `atoll restore`: commands on the database as a whole.

import type { Config } from '../config/config.ts'
import { backupDatabase, migrateDatabase, restoreDatabase } from '../upkeep.ts'
import { createQuietLog } from './log.ts'

export async function runMigrate(
  config: Config,
  { contract = false }: { contract?: boolean },
): Promise<void> {
  const applied = await migrateDatabase(config, createQuietLog(), contract)
  console.log(
    applied.length > 0 ? `Applied: ${applied.join(', ')}.` : 'The database is at this release already.',
  )
}

export async function runBackup(config: Config, file: string): Promise<void> {
  const tables = await backupDatabase(config, createQuietLog(), file)
  for (const { table, rows } of tables) console.log(`${table}: ${rows} rows`)
  console.log(
    `The database is copied to ${file}. Keep the key file too: stored secrets do not open without it.`,
  )
}

export async function runRestore(config: Config, file: string): Promise<void> {
  const tables = await restoreDatabase(config, createQuietLog(), file)
  for (const { table, rows } of tables) console.log(`${table}: ${rows} rows`)
  console.log(`The database is restored from ${file}.`)
}

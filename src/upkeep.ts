// What is done to the database as a whole: migrations, backups, restores. Beside a running Atoll or without one.

import type { Logger } from 'pino'
import { openServer } from './compose.ts'
import type { Config } from './config.ts'
import { backup, restore, type TableCount } from './store/backup.ts'
import { findEmbedded } from './store/embedded/find.ts'
import { migrate } from './store/migrations.ts'

/** Runs `work` with the database's URL; starts the embedded server for that time when none runs. */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const running = config.database.url ?? (await findEmbedded(config.data_dir))
  if (running) return work(running)
  const server = await openServer(config, log)
  try {
    return await work(server.url)
  } finally {
    await server.stop()
  }
}

/** The names of the migrations that were applied. Throws `conflict`. */
export const migrateDatabase = (config: Config, log: Logger, contract: boolean): Promise<string[]> =>
  withDatabase(config, log, url => migrate(url, { contract }))

/** Writes a logical copy; returns the rows of each table. */
export const backupDatabase = (config: Config, log: Logger, file: string): Promise<TableCount[]> =>
  withDatabase(config, log, async url => {
    await migrate(url)
    return backup(url, file)
  })

/** Fills an empty database; returns the rows of each table. Throws `conflict` when it is not empty, `invalid` for a damaged file. */
export const restoreDatabase = (config: Config, log: Logger, file: string): Promise<TableCount[]> =>
  withDatabase(config, log, async url => {
    const counts = await restore(url, file, {
      migrateTo: async upTo => void (await migrate(url, { upTo, contract: true })),
    })
    await migrate(url)
    return counts
  })

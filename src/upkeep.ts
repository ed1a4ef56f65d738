// What is done to the database as a whole: migrations, backups, restores, a look at all networks. Beside a running Atoll
// or without one.

import type { Logger } from 'pino'
import { viewTopology } from './api/native/topology.ts'
import { openServer } from './compose.ts'
import type { Config } from './config.ts'
import { networkRules } from './configured.ts'
import { conflict, invalid } from './core/error.ts'
import { type TopologyAsk, topologyFor } from './core/network/topology.ts'
import { backup, restore, type TableCount } from './store/backup.ts'
import { openDatabase } from './store/database.ts'
import { findEmbedded, hasEmbedded } from './store/embedded/find.ts'
import { migrate } from './store/migrations.ts'
import { createStore } from './store/store.ts'

/**
 * Runs `work` with the database's URL; starts the embedded server for that time when none runs. Throws `invalid` when
 * there is no database at all: an empty one, made now, would answer every question wrongly.
 */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (!config.database.url && !(await hasEmbedded(config.data_dir))) {
    throw invalid(
      `There is no database in ${config.data_dir}: set data_dir (ATOLL_DATA_DIR) to where Atoll keeps it, or database.url (ATOLL_DATABASE_URL).`,
    )
  }
  return withServer(config, log, work)
}

/** As withDatabase, but makes the database where there is none. */
async function withServer<T>(config: Config, log: Logger, work: (url: string) => Promise<T>): Promise<T> {
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
  withServer(config, log, url => migrate(url, { contract }))

/** Writes a logical copy; returns the rows of each table. */
export const backupDatabase = (config: Config, log: Logger, file: string): Promise<TableCount[]> =>
  withDatabase(config, log, async url => {
    await migrate(url)
    return backup(url, file)
  })

/** Fills an empty database; returns the rows of each table. Throws `conflict` when it is not empty, `invalid` for a damaged file. */
export const restoreDatabase = (config: Config, log: Logger, file: string): Promise<TableCount[]> =>
  withServer(config, log, async url => {
    const counts = await restore(url, file, {
      migrateTo: async upTo => void (await migrate(url, { upTo, contract: true })),
    })
    await migrate(url)
    return counts
  })

/** What the native API answers. */
export type TopologyView = ReturnType<typeof viewTopology>

/**
 * What the native API would answer an admin, without asking it: whoever reads the settings may see everything, and sees
 * it also while no process serves. Throws as `topology`, and `conflict` for a database of another release.
 */
export const readTopology = (config: Config, log: Logger, ask: TopologyAsk): Promise<TopologyView> =>
  withDatabase(config, log, async url => {
    const database = openDatabase(url, { connections: 1, name: 'atoll topology', onError: () => {} })
    const model = { store: createStore(database.db), networkRules: networkRules(config) }
    try {
      const sight = ask.project === null ? null : { projectId: ask.project }
      return viewTopology(await topologyFor(model, sight, ask))
    } catch (error) {
      if (lacks.includes((error as { code?: string }).code ?? ''))
        throw conflict('The database is not at this release: run `atoll migrate`')
      throw error
    } finally {
      await database.close()
    }
  })

/** What PostgreSQL says of a table, and of a column, that is not there. */
const lacks = ['42P01', '42703']

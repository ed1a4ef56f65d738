// Commands on the database as a whole: migrations, backups, restores, a look at all networks, a word about a
// region. Atoll may be running meanwhile or not.

import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { viewRegions } from './api/native/regions.ts'
import { viewTopology } from './api/native/topology.ts'
import { openServer } from './compose.ts'
import type { Config } from './config/config.ts'
import { networkRules } from './configured.ts'
import type { Store } from './core/app.ts'
import { ownCaller } from './core/caller.ts'
import { conflict, invalid, unavailable } from './core/error.ts'
import { type TopologyAsk, topologyFor } from './core/network/topology/topology.ts'
import { type Confirmation, confirmRegionBy, listBeliefs } from './core/regions/belief.ts'
import { backup, restore, type TableCount } from './store/backup.ts'
import { openDatabase } from './store/database.ts'
import { findEmbedded, hasEmbedded } from './store/embedded/find.ts'
import { migrate } from './store/migrations.ts'
import { createStore } from './store/store.ts'

export interface DatabaseNeed {
  /** Whether an embedded database may be made where there is none. */
  readonly mayCreate?: boolean
}

/**
 * Runs `work` with the database's URL; starts the embedded server for that time when none runs. Throws `invalid` where
 * there is no database and none may be made: a mistyped directory is not to become an empty one.
 */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  work: (url: string) => Promise<T>,
  { mayCreate = false }: DatabaseNeed = {},
): Promise<T> {
  const running = config.database.url ?? (await findEmbedded(config.data_dir))
  if (running) return work(running)
  if (!mayCreate && !(await hasEmbedded(config.data_dir)))
    throw invalid(
      `There is no database in ${config.data_dir}: set data_dir (ATOLL_DATA_DIR) to where Atoll keeps it, or database.url (ATOLL_DATABASE_URL); \`atoll migrate\` makes a new one.`,
    )
  return withServer(config, log, work)
}

/**
 * Starts the embedded server for as long as `work` takes, and also stops it when a signal ends the command.
 */
async function withServer<T>(config: Config, log: Logger, work: (url: string) => Promise<T>): Promise<T> {
  let ended: NodeJS.Signals | undefined
  let stop = async (): Promise<void> => {}
  const end = (signal: NodeJS.Signals): void => {
    ended = signal
    // Statements under way fail by this, and `work` removes what it has half done.
    stop().catch(error => log.error({ err: error }, 'the server does not stop'))
  }
  for (const signal of endings) process.on(signal, end)
  try {
    const server = await openServer(config, log)
    stop = () => server.stop()
    if (ended) await stop()
    return await work(server.url)
  } catch (error) {
    throw ended ? unavailable(`Ended by ${ended} before it was done.`, error) : error
  } finally {
    await stop()
    for (const signal of endings) process.off(signal, end)
  }
}

const endings = ['SIGTERM', 'SIGINT'] as const

/** Applies migrations and returns their names. Throws `conflict`. */
export const migrateDatabase = (config: Config, log: Logger, contract: boolean): Promise<string[]> =>
  withDatabase(config, log, url => migrate(url, { contract }), { mayCreate: true })

/** Writes a backup, of a database of whatever release; returns the rows of each table. */
export const backupDatabase = (config: Config, log: Logger, file: string): Promise<TableCount[]> =>
  withDatabase(config, log, url => backup(url, file))

/** Fills an empty database; returns the rows of each table. Throws `conflict` when it is not empty, `invalid` for a damaged file. */
export const restoreDatabase = (config: Config, log: Logger, file: string): Promise<TableCount[]> =>
  withDatabase(
    config,
    log,
    async url => {
      const counts = await restore(url, file, {
        migrateTo: async upTo => void (await migrate(url, { upTo, contract: true })),
      })
      await migrate(url)
      return counts
    },
    { mayCreate: true },
  )

/** The topology as the native API answers it. */
export type TopologyView = ReturnType<typeof viewTopology>

/**
 * The topology that the native API would show an admin, read without it: whoever can read the settings may
 * see everything, also while no process serves. Throws as `topology`, and as `withStore`.
 */
export const readTopology = (config: Config, log: Logger, ask: TopologyAsk): Promise<TopologyView> =>
  withStore(config, log, 'atoll topology', async store => {
    const sight = ask.project === null ? null : { projectId: ask.project }
    return viewTopology(await topologyFor({ store, networkRules: networkRules(config) }, sight, ask))
  })

/** What the native API answers. */
export type RegionsView = ReturnType<typeof viewRegions>

/** Every region, and why it is not believed where it is not. Throws as `withStore`. */
export const readRegions = (config: Config, log: Logger): Promise<RegionsView> =>
  withStore(config, log, 'atoll region', async store => viewRegions(await listBeliefs({ store })))

/** The word of who may read the settings: an administrator. Throws as `confirmRegion`, and as `withStore`. */
export const confirmInDatabase = (config: Config, log: Logger, said: Confirmation): Promise<void> =>
  withStore(config, log, 'atoll region', async store => {
    const caller = ownCaller(`req-${randomUUID()}`)
    await confirmRegionBy({ store, now: () => new Date() }, caller, said)
  })

/** `name` is what the database's server knows the connection by. Throws `conflict` for a database of another release. */
const withStore = <T>(
  config: Config,
  log: Logger,
  name: string,
  work: (store: Store) => Promise<T>,
): Promise<T> =>
  withDatabase(config, log, async url => {
    const database = openDatabase(url, { connections: 1, name, onError: () => {} })
    try {
      return await work(createStore(database.db))
    } catch (error) {
      if (lacks.includes((error as { code?: string }).code ?? ''))
        throw conflict('The database is not at this release: run `atoll migrate`')
      throw error
    } finally {
      await database.close()
    }
  })

/** PostgreSQL's error codes for a missing table and a missing column. */
const lacks = ['42P01', '42703']

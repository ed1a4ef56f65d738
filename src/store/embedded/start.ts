// Runs PostgreSQL beside Atoll in a data directory: the one verb that starts it, or takes over the one that runs.
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type AppError, conflict } from '../../core/error.ts'
import { atollUrl, createCluster, openDatabase } from './cluster.ts'
import {
  type ClusterSecrets,
  type DataPaths,
  exists,
  letThrough,
  newSecrets,
  openPaths,
  readSecrets,
  removeLeftovers,
  writeSecrets,
} from './data-paths.ts'
import { type DirectoryLock, lockDirectory } from './lock.ts'
import { logSize, readLogSince, trimLog } from './log-file.ts'
import { freePort } from './port.ts'
import { disarmPidFile, launch, Postmaster, postmasterArguments, readPidFile } from './postmaster.ts'
import { findPrograms, type ProgramSources, type Programs } from './programs.ts'
import { refusal, startFailure } from './refusals.ts'
import type { ServerUser } from './run.ts'
import { type EmbeddedLog, type Supervised, supervise } from './supervise.ts'
import { assertCanEnter, giveCluster, serverUser } from './user.ts'

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: EmbeddedLog
  /** The port on 127.0.0.1; without one the port of last time, or any that is free. */
  readonly port?: number
  /** The most connections, of which PostgreSQL keeps three for its superuser. */
  readonly maxConnections?: number
  /**
   * Called each time that the server has ended although nobody stopped it. It is started again as soon as
   * that works.
   */
  readonly onExit?: (error: AppError) => void
  readonly programs?: ProgramSources
}

export interface EmbeddedPostgres extends Supervised {
  /**
   * The database's URL, which stays the same until `stop`, however often the server ends and is started
   * again.
   */
  readonly url: string
  readonly version: string
  /** True when the server was left running by a process that was killed. */
  readonly adopted: boolean
}

const READY_MS = 600_000
const ADOPT_MS = 60_000
const RETRY_MS = 20_000
const RETRY_PAUSE_MS = 50

/**
 * Starts PostgreSQL in the data directory, which is created and filled where it is empty. Throws an AppError whose
 * message is one sentence for the person at the command line: `conflict` when another process holds the directory
 * or the port, `invalid` when the directory or the machine cannot serve, `unavailable` when the server fails.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  try {
    const paths = await openPaths(options.dataDir)
    const lock = await lockDirectory(paths)
    try {
      return await startLocked(paths, lock, options)
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw refusal(error, options.dataDir)
  }
}

async function startLocked(
  paths: DataPaths,
  lock: DirectoryLock,
  options: EmbeddedOptions,
): Promise<EmbeddedPostgres> {
  const user = await serverUser(paths)
  if (user) {
    await letThrough(paths.dataDir, user)
    await assertCanEnter(user, paths.dataDir)
  }
  await trimLog(paths.log)
  const isNew = !(await exists(paths.cluster))
  const secrets = await ownSecrets(paths, isNew)
  const { postmaster, adopted } = await open(paths, user, secrets, isNew, options)
  try {
    const port = (await readPidFile(paths.cluster))!.port
    const version = await openDatabase(paths, { ...secrets, port }, isNew)
    if (port !== secrets.port) await writeSecrets(paths, { ...secrets, port })
    const again = async () => (await open(paths, user, secrets, false, { ...options, port })).postmaster
    const supervised = supervise({ paths, lock, first: postmaster, again }, options)
    options.log.info(
      { dataDir: paths.dataDir, port, pid: postmaster.pid, version },
      adopted ? 'took over the PostgreSQL that was left running' : 'PostgreSQL started',
    )
    return Object.assign(supervised, { url: atollUrl({ ...secrets, port }), version, adopted })
  } catch (error) {
    await postmaster.stop()
    throw error
  }
}

async function ownSecrets(paths: DataPaths, isNew: boolean): Promise<ClusterSecrets> {
  const known = await readSecrets(paths)
  if (known) return known
  if (!isNew)
    throw conflict(
      `The file ${paths.secrets} with the password of the PostgreSQL beside it is missing: put it back from where the directory was copied, or restore a backup into a new directory.`,
    )
  const secrets = newSecrets()
  await writeSecrets(paths, secrets)
  return secrets
}

interface Opened {
  readonly postmaster: Postmaster
  readonly adopted: boolean
}

/**
 * Takes over a running server or starts one; tries again while a killed process's server is still shutting
 * down.
 */
async function open(
  paths: DataPaths,
  user: ServerUser | null,
  secrets: ClusterSecrets,
  isNew: boolean,
  options: EmbeddedOptions,
): Promise<Opened> {
  const deadline = Date.now() + RETRY_MS
  let programs: Programs | undefined
  for (;;) {
    const running = await adopt(paths, options)
    if (running) return { postmaster: running, adopted: true }
    programs ??= await prepare(paths, user, secrets, isNew, options)
    const outcome = await start(paths, user, secrets, programs, options)
    if (typeof outcome !== 'string') return { postmaster: outcome, adopted: false }
    const passes = /pre-existing shared memory block|"postmaster.pid" already exists|could not bind/.test(
      outcome,
    )
    if (!passes || Date.now() > deadline)
      throw await startFailure('Starting PostgreSQL', paths.dataDir, outcome, paths.log)
    await sleep(RETRY_PAUSE_MS)
  }
}

/** The server that a killed process has left, once it answers; one with other options is stopped instead. */
async function adopt(paths: DataPaths, options: EmbeddedOptions): Promise<Postmaster | null> {
  const found = await readPidFile(paths.cluster)
  const args = found && (await postmasterArguments(found.pid, paths.cluster))
  if (!args) return null
  const postmaster = new Postmaster(found.pid, paths.cluster, null)
  const isReady = await postmaster.becomesReady(ADOPT_MS, () =>
    options.log.info({ pid: found.pid }, 'waiting for the PostgreSQL that was left running'),
  )
  if (!isReady) return null
  const port = options.port ?? (await readPidFile(paths.cluster))?.port ?? 0
  if (isDeepStrictEqual(args, serverArguments(paths.cluster, port, options))) return postmaster
  options.log.info({ pid: found.pid }, 'restarting the PostgreSQL that was left running with other options')
  await postmaster.stop()
  return null
}

async function prepare(
  paths: DataPaths,
  user: ServerUser | null,
  secrets: ClusterSecrets,
  isNew: boolean,
  options: EmbeddedOptions,
): Promise<Programs> {
  await removeLeftovers(paths)
  const programs = await findPrograms(paths, user, options.programs ?? {})
  if (isNew) {
    options.log.info({ dataDir: paths.dataDir }, 'creating a PostgreSQL database')
    await createCluster(paths, programs, user, secrets)
  } else if (user) await giveCluster(user, paths.cluster)
  return programs
}

/** Starts a server and returns it once it takes connections, or the log of one that failed. */
async function start(
  paths: DataPaths,
  user: ServerUser | null,
  secrets: ClusterSecrets,
  programs: Programs,
  options: EmbeddedOptions,
): Promise<Postmaster | string> {
  const port = await freePort(options.port, secrets.port)
  await disarmPidFile(paths.cluster)
  const logged = await logSize(paths.log)
  const postmaster = await launch(
    programs.postgres,
    serverArguments(paths.cluster, port, options),
    user,
    paths,
  )
  const isReady = await postmaster.becomesReady(READY_MS, () =>
    options.log.info(
      { pid: postmaster.pid },
      'PostgreSQL is still starting, it may be recovering from a crash',
    ),
  )
  return isReady ? postmaster : await readLogSince(paths.log, logged)
}

/**
 * Settings that postgresql.conf must not override are given on the command line; an operator may set all
 * others in that file.
 */
function serverArguments(cluster: string, port: number, options: EmbeddedOptions): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: options.maxConnections ?? 100,
    fsync: 'on',
    full_page_writes: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'off',
  }
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

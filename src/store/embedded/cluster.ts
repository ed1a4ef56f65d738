// Makes PostgreSQL's directory on the first start, and the role and database of Atoll in it.
import { lchown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import pg from 'pg'
import { type AppError, conflict, invalid } from '../../core/error.ts'
import { type ClusterSecrets, type DataPaths, syncDirectory } from './data-paths.ts'
import type { Programs } from './programs.ts'
import { assertRoom, codeOf, startFailure } from './refusals.ts'
import { run, type ServerUser } from './run.ts'

const CLUSTER_BYTES = 64 * 1024 * 1024
/** A failed login says one of these when the role or the database is not there (yet). */
const INVALID_PASSWORD = '28P01'
const NO_SUCH_DATABASE = '3D000'

/**
 * The URL of a role of our own that is no superuser: so what works here also works on a server that somebody
 * else runs.
 */
export const atollUrl = ({ port, password }: ClusterSecrets): string =>
  `postgres://atoll:${password}@127.0.0.1:${port}/atoll`

const adminUrl = ({ port, adminPassword }: ClusterSecrets): string =>
  `postgres://postgres:${adminPassword}@127.0.0.1:${port}/postgres`

/** Runs initdb beside the final place and renames, so that an interrupted first start leaves no half of one. */
export async function createCluster(
  paths: DataPaths,
  programs: Programs,
  user: ServerUser | null,
  secrets: ClusterSecrets,
): Promise<void> {
  await assertRoom(paths.dataDir, CLUSTER_BYTES)
  const stage = `${paths.cluster}.new-${process.pid}`
  const passwordFile = `${stage}.password`
  await mkdir(stage, { mode: 0o700 })
  await writeFile(passwordFile, `${secrets.adminPassword}\n`, { mode: 0o600, flag: 'wx' })
  if (user) for (const path of [stage, passwordFile]) await lchown(path, user.uid, user.gid)
  const { status, stdout, stderr } = await run(
    programs.initdb,
    initArguments(stage, passwordFile, programs.major),
    user,
  )
  await rm(passwordFile)
  if (status !== 0) throw await initFailure(paths, stdout + stderr)
  await rename(stage, paths.cluster)
  await syncDirectory(paths.dataDir)
}

async function initFailure(paths: DataPaths, said: string): Promise<AppError> {
  const unnamed = /could not look up effective user ID (\d+)/.exec(said)
  if (!unnamed) return startFailure('Creating a PostgreSQL database', paths.dataDir, said)
  return invalid(
    `User ${unnamed[1]} has no name, and PostgreSQL needs one to create a database: add a line for it to /etc/passwd, run Atoll as another user, or set ATOLL_DATABASE_URL.`,
  )
}

const initArguments = (directory: string, passwordFile: string, major: number): string[] => [
  '--pgdata',
  directory,
  '--username=postgres',
  `--pwfile=${passwordFile}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  // The builtin provider knows Unicode and does not change with the system's libraries.
  ...(major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
  '--data-checksums',
  '--no-instructions',
]

/**
 * The server's version, asked of Atoll's own database; role and database are made where they are missing.
 * Throws `conflict` when the server does not know our passwords.
 */
export async function openDatabase(
  paths: DataPaths,
  secrets: ClusterSecrets,
  isNew: boolean,
): Promise<string> {
  if (!isNew) {
    try {
      return await askVersion(secrets)
    } catch (error) {
      if (codeOf(error) !== INVALID_PASSWORD && codeOf(error) !== NO_SUCH_DATABASE) throw error
    }
  }
  try {
    await createDatabase(secrets)
  } catch (error) {
    if (codeOf(error) !== INVALID_PASSWORD) throw error
    throw conflict(
      `PostgreSQL in ${paths.cluster} does not accept the password in ${paths.secrets}: put both back from the same copy, or restore a backup into a new directory.`,
    )
  }
  return askVersion(secrets)
}

const askVersion = (secrets: ClusterSecrets): Promise<string> =>
  withClient(atollUrl(secrets), async client => {
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    // Debian writes `15.18 (Debian 15.18-0+deb12u1)`.
    return rows[0]!.server_version.split(' ')[0]!
  })

const createDatabase = (secrets: ClusterSecrets): Promise<void> =>
  withClient(adminUrl(secrets), async client => {
    // The statement below holds a password: not even a failure may put it into the log.
    await client.query('set log_min_error_statement = panic')
    const role = await client.query("select from pg_roles where rolname = 'atoll'")
    await client.query(
      `${role.rowCount ? 'alter' : 'create'} role atoll login createdb password ${pg.escapeLiteral(secrets.password)}`,
    )
    const database = await client.query("select from pg_database where datname = 'atoll'")
    if (!database.rowCount) await client.query('create database atoll owner atoll')
  })

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // Without a listener a lost connection would end the process; the statement under way fails with the same error.
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

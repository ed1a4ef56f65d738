// The files of the embedded server in the data directory, and the one with its port and passwords.
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { conflict } from '../../core/error.ts'
import { codeOf } from './refusals.ts'
import type { ServerUser } from './run.ts'

export interface DataPaths {
  readonly dataDir: string
  /** PostgreSQL's own directory. */
  readonly cluster: string
  readonly log: string
  readonly secrets: string
  /**
   * The pid of the process that holds the directory, for people to read; the lock itself is elsewhere
   * (lock.ts).
   */
  readonly pidFile: string
}

export interface ClusterSecrets {
  /** The port of the last start, 0 before the first one. */
  readonly port: number
  readonly password: string
  readonly adminPassword: string
}

export const pathsIn = (dataDir: string): DataPaths => ({
  dataDir,
  cluster: join(dataDir, 'postgres'),
  log: join(dataDir, 'postgres.log'),
  secrets: join(dataDir, 'postgres.json'),
  pidFile: join(dataDir, 'atoll.pid'),
})

/** The paths in a data directory that is created where it is missing. */
export async function openPaths(dataDir: string): Promise<DataPaths> {
  const wanted = resolve(dataDir)
  await mkdir(wanted, { recursive: true })
  return pathsIn(await realpath(wanted))
}

/** The paths in a data directory that exists, else null. */
export async function lookUpPaths(dataDir: string): Promise<DataPaths | null> {
  try {
    return pathsIn(await realpath(resolve(dataDir)))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** What an interrupted start has left half made; only the holder of the lock may call this. */
export async function removeLeftovers(paths: DataPaths): Promise<void> {
  for (const name of await readdir(paths.dataDir)) {
    if (!/^(postgres(\.json)?|pg-[\d.]+)\.new-/.test(name)) continue
    // An initdb whose parent was killed may still be writing there for a moment.
    await rm(join(paths.dataDir, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

export async function readTextIfAny(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/**
 * Writes a whole file or leaves the old one, also through a power cut. Whoever owns the directory cannot turn this
 * to another file by a link: root writes where the server's user may write too.
 */
export async function writeWhole(
  path: string,
  text: string | Buffer,
  mode: number,
  owner?: { uid: number; gid: number },
): Promise<void> {
  const fresh = `${path}.new-${process.pid}`
  await rm(fresh, { force: true })
  const file = await open(fresh, 'wx', mode)
  try {
    await file.chmod(mode)
    if (owner) await file.chown(owner.uid, owner.gid)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
}

/** Syncs the directory, so that a rename in it survives a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const newSecrets = (): ClusterSecrets => ({
  port: 0,
  password: randomBytes(24).toString('base64url'),
  adminPassword: randomBytes(24).toString('base64url'),
})

/** The port and passwords of the server in this directory, null before its first start. */
export async function readSecrets(paths: DataPaths): Promise<ClusterSecrets | null> {
  const text = await readTextIfAny(paths.secrets)
  if (text === null) return null
  try {
    const { port, password, adminPassword } = JSON.parse(text) as Partial<ClusterSecrets>
    if (Number.isInteger(port) && password && adminPassword)
      return { port: port as number, password, adminPassword }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw conflict(
    `The file ${paths.secrets} is damaged: put it back from a copy of the data directory, or restore a backup into a new one.`,
  )
}

export async function writeSecrets(paths: DataPaths, secrets: ClusterSecrets): Promise<void> {
  await writeWhole(paths.secrets, `${JSON.stringify(secrets, null, 2)}\n`, 0o600)
}

/** Lets the server's user pass through the data directory; what is secret in it has a mode of its own. */
export async function letThrough(dataDir: string, user: ServerUser): Promise<void> {
  const { mode, uid } = await stat(dataDir)
  if (uid !== user.uid && (mode & 0o001) === 0) await chmod(dataDir, (mode & 0o7777) | 0o001)
}

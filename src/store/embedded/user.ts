// Which user the server runs as: PostgreSQL refuses root, so root hands it to one that owns nothing else.
import { lchown, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { invalid } from '../../core/error.ts'
import { type DataPaths, exists } from './data-paths.ts'
import { codeOf } from './refusals.ts'
import { run, type ServerUser } from './run.ts'

const nobody: ServerUser = { uid: 65534, gid: 65534 }

/**
 * The user that the server must run as, null when that is simply ours. For root it is the owner of what is there
 * already, so that a directory which an ordinary user made stays that user's, else nobody.
 */
export async function serverUser(paths: DataPaths): Promise<ServerUser | null> {
  if (process.geteuid?.() !== 0) return null
  const { uid, gid } = await stat((await exists(paths.cluster)) ? paths.cluster : paths.dataDir)
  return uid === 0 ? nobody : { uid, gid: gid === 0 ? nobody.gid : gid }
}

/** Refuses (`invalid`, naming the directory that is closed) when the user cannot reach the data directory. */
export async function assertCanEnter(user: ServerUser, dataDir: string): Promise<void> {
  let status: number | null
  try {
    status = (await run('/bin/sh', ['-c', 'cd "$1"', 'sh', dataDir], user)).status
  } catch (error) {
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EINVAL') throw error
    throw invalid(
      `PostgreSQL refuses to run as root and this root may not switch to user ${user.uid}: run Atoll as an ordinary user, or set ATOLL_DATABASE_URL to a PostgreSQL server.`,
    )
  }
  if (status === 0) return
  const closed = (await closedTo(user, dataDir)) ?? dataDir
  throw invalid(
    `PostgreSQL refuses to run as root, and user ${user.uid} that it runs as instead cannot enter ${closed}: set ATOLL_DATA_DIR to a directory that every user can reach, such as /var/lib/atoll.`,
  )
}

/** The outermost directory of the path whose mode keeps the user out. */
async function closedTo(user: ServerUser, dataDir: string): Promise<string | null> {
  const way = [dataDir]
  for (let at = dataDir; at !== dirname(at); at = dirname(at)) way.unshift(dirname(at))
  for (const directory of way) {
    const { uid, gid, mode } = await stat(directory)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return directory
  }
  return null
}

/** Gives a cluster that root has copied here back to the server's user. */
export async function giveCluster(user: ServerUser, cluster: string): Promise<void> {
  if ((await stat(cluster)).uid === user.uid) return
  await giveTree(user, cluster)
}

async function giveTree(user: ServerUser, directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await giveTree(user, path)
    else await lchown(path, user.uid, user.gid)
  }
  // The directory itself is given away last, so that the next start takes up an interrupted walk again.
  await lchown(directory, user.uid, user.gid)
}

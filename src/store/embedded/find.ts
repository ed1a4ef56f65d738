// Finds the server that another process runs in a data directory, for commands beside a running `serve`.
import { atollUrl } from './cluster.ts'
import { exists, lookUpPaths, readSecrets } from './data-paths.ts'
import { Postmaster, postmasterArguments, readPidFile } from './postmaster.ts'
import { refusal } from './refusals.ts'

const READY_MS = 30_000

/**
 * The URL of the server that runs in this data directory, null when none does. A server that is just starting is
 * waited for. Throws `invalid` when the directory belongs to another user, `conflict` when its files are damaged.
 */
export async function findEmbedded(dataDir: string): Promise<string | null> {
  try {
    const paths = await lookUpPaths(dataDir)
    const found = paths && (await readPidFile(paths.cluster))
    if (!paths || !found) return null
    if ((await postmasterArguments(found.pid, paths.cluster)) === null) return null
    const postmaster = new Postmaster(found.pid, paths.cluster, null)
    if (!(await postmaster.becomesReady(READY_MS, () => {}))) return null
    const [secrets, ready] = [await readSecrets(paths), await readPidFile(paths.cluster)]
    return secrets && ready && atollUrl({ ...secrets, port: ready.port })
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

/** Whether there is a database in this data directory, running or not. Throws `invalid` when it belongs to another user. */
export async function hasEmbedded(dataDir: string): Promise<boolean> {
  try {
    const paths = await lookUpPaths(dataDir)
    return paths !== null && (await exists(paths.cluster))
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

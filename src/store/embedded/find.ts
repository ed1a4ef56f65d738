// Finds the server that another process runs in a data directory, for commands beside a running `serve`.
import { atollUrl } from './cluster.ts'
import { exists, lookUpPlaces, readSecrets } from './places.ts'
import { Postmaster, postmasterArguments, readPidFile } from './postmaster.ts'
import { refusal } from './refusals.ts'

const READY_MS = 30_000

/**
 * The URL of the server that runs in this data directory, null when none does. A server that is just starting is
 * waited for. Throws `invalid` when the directory belongs to another user, `conflict` when its files are damaged.
 */
export async function findEmbedded(dataDir: string): Promise<string | null> {
  try {
    const places = await lookUpPlaces(dataDir)
    const found = places && (await readPidFile(places.cluster))
    if (!places || !found) return null
    if ((await postmasterArguments(found.pid, places.cluster)) === null) return null
    const postmaster = new Postmaster(found.pid, places.cluster, null)
    if (!(await postmaster.becomesReady(READY_MS, () => {}))) return null
    const [secrets, ready] = [await readSecrets(places), await readPidFile(places.cluster)]
    return secrets && ready && atollUrl({ ...secrets, port: ready.port })
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

/** Whether there is a database in this data directory, running or not. Throws as findEmbedded. */
export async function hasEmbedded(dataDir: string): Promise<boolean> {
  try {
    const places = await lookUpPlaces(dataDir)
    return places !== null && (await exists(places.cluster))
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

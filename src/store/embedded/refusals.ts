// What a person is told when the data directory cannot be used: one sentence for each way it fails.
import { statfs } from 'node:fs/promises'
import { AppError, invalid, unavailable } from '../../core/error.ts'

const MiB = 1024 * 1024

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

const full = (dataDir: string): string =>
  `The disk that holds ${dataDir} is full: free some space and start again.`

/** The error as an AppError with one sentence about this data directory; an AppError stays as it is. */
export function refusal(error: unknown, dataDir: string): AppError {
  if (error instanceof AppError) return error
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return invalid(
        `The data directory ${dataDir} belongs to another user (${(error as Error).message}): run Atoll as that user, give the directory to this one with chown -R, or set ATOLL_DATA_DIR to another.`,
      )
    case 'EROFS':
      return invalid(
        `The data directory ${dataDir} is on a disk mounted read-only: set ATOLL_DATA_DIR to another.`,
      )
    case 'ENOTDIR':
    case 'EEXIST':
      return invalid(`${dataDir} is not a directory: set ATOLL_DATA_DIR to one, or to a new name.`)
    case 'ENOSPC':
    case 'EDQUOT':
      return unavailable(full(dataDir), error)
    default:
      return unavailable(
        `The embedded PostgreSQL in ${dataDir} cannot be started (${error instanceof Error ? error.message : String(error)}); ATOLL_DATABASE_URL can name another server.`,
        error,
      )
  }
}

/** Refuses (`unavailable`) when fewer bytes are free than this step is known to write. */
export async function assertRoom(dataDir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  if (free >= bytes) return
  throw unavailable(
    `The disk that holds ${dataDir} has ${Math.floor(free / MiB)} MB free and PostgreSQL needs ${Math.ceil(bytes / MiB)} MB to begin: free some space, or set ATOLL_DATA_DIR to another disk.`,
  )
}

/** Why a step failed, from what the program said; a full disk is named even where no log could be written. */
export async function startFailure(
  step: string,
  dataDir: string,
  said: string,
  log?: string,
): Promise<AppError> {
  const { bavail, bsize } = await statfs(dataDir)
  if (/No space left on device|Disk quota exceeded/.test(said) || bavail * bsize < MiB)
    return unavailable(full(dataDir))
  const why = tellingLine(said) || 'it said nothing'
  return unavailable(`${step} in ${dataDir} failed: ${why}${log ? ` (see ${log})` : ''}`)
}

/** The line of a log that tells why the server ended: the last error, else the last line. */
export function tellingLine(log: string): string {
  const lines = log.split('\n').filter(line => line.trim() !== '')
  const errors = lines.filter(line => /\b(FATAL|PANIC|ERROR|error):/.test(line))
  return (errors.at(-1) ?? lines.at(-1) ?? '').trim()
}

// The server's log file: kept small while the server writes to it, and read for why a start failed.
import { open, stat, truncate } from 'node:fs/promises'
import { writeWhole } from './data-paths.ts'
import { codeOf } from './refusals.ts'

const LIMIT_BYTES = 8 * 1024 * 1024
const KEEP_BYTES = 1024 * 1024

export async function logSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0
    throw error
  }
}

/** What was logged after this many bytes, its last 64 KB. */
export async function readLogSince(path: string, offset: number): Promise<string> {
  return (await readTail(path, offset, 64 * 1024)).toString('utf8')
}

/**
 * Empties a log that has grown too large and keeps its end in `FILE.1`. The server has the file open and appends:
 * a new file in its place would not be written to.
 */
export async function trimLog(path: string): Promise<void> {
  if ((await logSize(path)) <= LIMIT_BYTES) return
  const kept = await readTail(path, 0, KEEP_BYTES)
  // The log is emptied before its end is copied: the disk may be full of just this log.
  await truncate(path)
  await writeWhole(`${path}.1`, kept, 0o640)
}

async function readTail(path: string, offset: number, most: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const start = Math.max(offset, size - most, 0)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(size - start, 0)), {
      position: start,
    })
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

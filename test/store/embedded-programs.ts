// What the tests of the embedded server share: temporary directories, and Atoll's code as programs of their own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'

const root = resolve(import.meta.dirname, '../..')
const made: string[] = []

/** A directory that everybody may enter, as one under /var/lib is, with blanks in its name; gone after `removeAll`. */
export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'atoll-embedded in blanks-'))
  chmodSync(directory, 0o755)
  made.push(directory)
  return directory
}

export function removeAll(): void {
  for (const directory of made.splice(0)) {
    for (const pid of serverProcesses(directory)) killIfAny(pid)
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function killIfAny(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The store's code as JavaScript: children that are killed need a program of their own, and Node 20 runs no TypeScript. */
export async function compile(): Promise<string> {
  // Slow to load, and only children need it.
  const { default: ts } = await import('typescript')
  const out = freshDirectory()
  for (const folder of ['src/core', 'src/store/embedded']) {
    mkdirSync(join(out, folder), { recursive: true })
    for (const name of readdirSync(join(root, folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue
      const { outputText } = ts.transpileModule(readFileSync(join(root, folder, name), 'utf8'), {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2023,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      })
      writeFileSync(join(out, folder, name.replace(/\.ts$/, '.js')), outputText)
    }
  }
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'))
  return out
}

export interface Program {
  readonly process: ChildProcess
  /** Everything that it has written to stdout, line by line. */
  readonly lines: string[]
  /** The next line that begins with this word; rejects with stderr when the program ends first. */
  line(word: string): Promise<string>
  readonly ended: Promise<number | null>
}

/** Runs a script that may import from `./src/…` beside the compiled code. */
export function program(
  out: string,
  script: string,
  args: string[] = [],
  as?: { uid?: number; gid?: number; detached?: boolean },
): Program {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...args], {
    cwd: out,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...as,
  })
  const lines: string[] = []
  let [rest, stderr] = ['', '']
  const listeners = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
    for (const tell of listeners) tell()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<number | null>(done => child.once('close', done))
  const line = (word: string) =>
    new Promise<string>((found, failed) => {
      const look = () => {
        const hit = lines.find(text => text.startsWith(word))
        if (hit === undefined) return
        listeners.delete(look)
        found(hit)
      }
      listeners.add(look)
      look()
      ended.then(status =>
        failed(new Error(`ended with ${status} before "${word}": ${lines.join('\n')}\n${stderr}`)),
      )
    })
  return { process: child, lines, line, ended }
}

export const quiet = { info() {}, warn() {} }

/** One statement on a connection of its own. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** The pids of all processes that work in the cluster of this data directory, the postmaster first. */
export function serverProcesses(dataDir: string): number[] {
  const cluster = join(dataDir, 'postgres')
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && worksIn(name, cluster))
    .map(Number)
    .sort((a, b) => a - b)
}

function worksIn(pid: string, cluster: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === cluster
  } catch (error) {
    // It has ended, or it is not ours to look at.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code!)) return false
    throw error
  }
}

/** A user other than root for a child, null when that user could not read the compiled code and its packages. */
export function ordinary(out: string): { uid: number; gid: number } | null {
  const user = { uid: 1000, gid: 1000 }
  const reads = spawnSync(
    '/bin/sh',
    ['-c', 'test -r "$1"/node_modules/pg/package.json && test -x "$2"', 'sh', out, process.execPath],
    user,
  )
  return reads.status === 0 ? user : null
}

export function chownTree(path: string, { uid, gid }: { uid: number; gid: number }): void {
  lchownSync(path, uid, gid)
  if (!lstatSync(path).isDirectory()) return
  for (const name of readdirSync(path)) chownTree(join(path, name), { uid, gid })
}

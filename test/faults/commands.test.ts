// Commands that need the database only for themselves: none is made by mistake, none is left running.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { freshDirectory, removeAll, serverProcesses } from '../store/embedded-programs.ts'
import { until } from '../wait.ts'

const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
afterAll(removeAll)

interface Command {
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<{ code: number | null; out: string; err: string }>
}

function atoll(dataDir: string, ...args: string[]): Command {
  const env = { PATH: process.env.PATH, ATOLL_DATA_DIR: dataDir }
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    said.err += text
  })
  return {
    kill: signal => void child.kill(signal),
    ended: new Promise(done => child.once('close', code => done({ code, ...said }))),
  }
}

describe('where there is no database', () => {
  it.each([
    ['backup x.gz', 2],
    ['topology', 2],
    ['doctor --ledger', 2],
    // Which goes on with what else it looks at.
    ['doctor', 1],
  ])('atoll %s says so, and makes none', async (command, expected) => {
    const dataDir = join(freshDirectory(), 'mistyped')
    const { code, out, err } = await atoll(dataDir, ...command.split(' ')).ended
    expect(code).toBe(expected)
    expect(out + err).toContain(
      `There is no database in ${dataDir}: set data_dir (ATOLL_DATA_DIR) to where Atoll keeps it, or database.url (ATOLL_DATABASE_URL); \`atoll migrate\` makes a new one.`,
    )
    expect(existsSync(dataDir)).toBe(false)
  })
})

describe('a command that is ended while its own server runs', () => {
  it.each<NodeJS.Signals>(['SIGINT', 'SIGTERM'])(
    'leaves none by %s, and the next one needs no help',
    async signal => {
      const dataDir = freshDirectory()
      const first = atoll(dataDir, 'migrate')
      const isStarting = () => existsSync(join(dataDir, 'postgres', 'postmaster.pid'))
      await until(isStarting, { what: 'its own server is starting' })
      first.kill(signal)
      expect(await first.ended).toEqual({ code: 1, out: '', err: `Ended by ${signal} before it was done.\n` })
      expect(serverProcesses(dataDir)).toEqual([])
      expect(await atoll(dataDir, 'migrate').ended).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^Applied: .*\n$/),
      })
      expect(serverProcesses(dataDir)).toEqual([])
      expect(readdirSync(dataDir)).not.toContain('atoll.pid')
    },
  )
})

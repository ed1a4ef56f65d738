// The database of a real Neutron is swapped for an empty one and back: nothing is lost by that, in the model or in the
// region. The tables change places while the service runs, by the socket of the lab's MariaDB.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { world } from '../world.ts'
import { sightOf } from './sight.ts'

const socket = join(process.env.ATOLL_LAB ?? '', 'var/run/mysqld.sock')
const isThere = process.env.ATOLL_LAB !== undefined && existsSync(socket)
if (!isThere) console.warn('NOT RUN: ATOLL_LAB names no lab with the socket of a MariaDB')

const run = promisify(execFile)
const sql = async (text: string): Promise<string[]> => {
  const { stdout } = await run('mariadb', ['--no-defaults', '-S', socket, '-u', 'root', '-N', '-e', text])
  return stdout.split('\n').filter(line => line !== '')
}

const away = 'neutron_away'
const spare = 'neutron_spare'

const tablesOf = (database: string) =>
  sql(`select table_name from information_schema.tables where table_schema = '${database}'`)

/** The same tables without a row, but for those that say which migrations there were. */
async function makeSpare(database: string): Promise<void> {
  for (const name of [away, spare]) await sql(`create database ${name} character set utf8mb3`)
  const dump = ['--no-defaults', '-S', socket, '-u', 'root', '--skip-comments']
  const options = { maxBuffer: 1 << 28 }
  const { stdout: schema } = await run('mariadb-dump', [...dump, '--no-data', database], options)
  const { stdout: versions } = await run('mariadb-dump', [...dump, database, 'alembic_version'], options)
  const into = execFile('mariadb', ['--no-defaults', '-S', socket, '-u', 'root', spare])
  const ended = new Promise<void>((resolve, reject) => {
    into.on('close', code => (code === 0 ? resolve() : reject(new Error(`mariadb ended with ${code}`))))
  })
  into.stdin!.end(schema + versions)
  await ended
}

/** All tables at once, `from` to `to`, and those of `instead` into their place. */
async function swap(from: string, to: string, instead: string): Promise<void> {
  const moves = [
    ...(await tablesOf(from)).map(name => `${from}.${name} to ${to}.${name}`),
    ...(await tablesOf(instead)).map(name => `${instead}.${name} to ${from}.${name}`),
  ]
  await sql(`set foreign_key_checks = 0; rename table ${moves.join(', ')}`)
}

afterAll(async () => {
  if (isThere) for (const name of [away, spare]) await sql(`drop database if exists ${name}`)
})

test.skipIf(!isThere)('a Neutron with an empty database for a while loses nothing', async () => {
  await using w = await world({ joined: true, lab: true })
  const [region] = w.regions as [string]
  const s = await sightOf(w)
  let swapBack: (() => Promise<void>) | undefined
  w.after(async () => swapBack?.())
  const database = `neutron_${region.toLowerCase()}`
  expect(await s.live(1)).toEqual([])
  const before = await s.all()
  await makeSpare(database)
  await swap(database, away, spare)
  swapBack = () => swap(database, spare, away)
  expect(await w.region(region).list('network')).toEqual([])
  await s.live(3)
  expect(await s.doubt()).toContain('shows the service user nothing of any other project')
  expect(await s.model()).toEqual(
    Object.fromEntries(Object.entries(before).filter(([what]) => !what.startsWith('in the region'))),
  )
  await swapBack()
  swapBack = undefined
  await s.live(3)
  expect(await s.all()).toEqual(before)
  expect(await s.doubt()).toBeNull()
})

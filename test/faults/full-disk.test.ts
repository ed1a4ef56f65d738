// The disk of the embedded database is full, until even its server ends: 503, and all goes on by itself when there is room (R12).

import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startCloud } from '../../sim/cloud.ts'
import { freshDirectory, killIfAny, removeAll, serverProcesses } from '../store/embedded-programs.ts'
import { until } from '../wait.ts'
import { logIn } from '../world.ts'

const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
afterAll(removeAll)

const MiB = 1024 * 1024

it('says so with 503, loses nothing that it acknowledged, and recovers alone', async context => {
  const mount = freshDirectory()
  if (spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', mount]).status !== 0)
    return context.skip('this user may not mount')
  await using cloud = disposed(await startCloud({ regions: ['CentralRegion'] }))
  const env = {
    PATH: process.env.PATH,
    ATOLL_LISTEN: '127.0.0.1:0',
    ATOLL_LOG_FORMAT: 'json',
    ATOLL_DATA_DIR: join(mount, 'data'),
    ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
  }
  const command = 'mount -t tmpfs -o size=400m,mode=755 tmpfs "$1" && exec "$2" "$3" serve'
  const args = ['--mount', 'sh', '-c', command, 'sh', mount, process.execPath, main]
  const child = spawn('unshare', args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>(done => child.once('close', done))
  try {
    let log = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      log += text
    })
    const line = (message: string) => log.split('\n').find(one => one.includes(message))
    const ready = await until(() => line('Atoll is ready'), { what: 'it is ready', seen: () => log })
    const { url } = JSON.parse(ready) as { url: string }
    const headers = { 'x-auth-token': await logIn(cloud.authUrl, 'admin') }
    const post = async (path: string, body: object) =>
      fetch(`${url}/v1.0/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const pod = await post('pods', { pod: { region_name: 'Pod1', az_name: 'az' } })
    const { pod_id } = ((await pod.json()) as { pod: { pod_id: string } }).pod

    const kept: string[] = []
    const statuses = new Set<number>()
    const create = async (): Promise<number> => {
      const top_id = randomUUID()
      const { status } = await post('routings', {
        routing: { top_id, bottom_id: randomUUID(), pod_id, project_id: 'p', resource_type: 'network' },
      })
      statuses.add(status)
      if (status === 200) kept.push(top_id)
      return status
    }
    expect(await create()).toBe(200)

    const filling = join('/proc', String(child.pid), 'root', mount, 'fill')
    try {
      for (;;) appendFileSync(filling, Buffer.alloc(MiB))
    } catch (error) {
      expect((error as { code?: string }).code).toBe('ENOSPC')
    }
    // Room for some rows, and none for the next file of the write-ahead log: without one the server ends.
    truncateSync(filling, statSync(filling).size - 12 * MiB)
    const writeUntilItEnds = async (): Promise<boolean> => {
      await Promise.all(Array.from({ length: 10 }, create))
      return line('It is started again.') !== undefined
    }
    await until(writeUntilItEnds, { what: 'the server has no room for its log', seen: () => log })
    expect(await create()).toBe(503)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)

    rmSync(filling)
    await until(async () => (await create()) === 200, { what: 'it writes again' })
    expect([...statuses].toSorted()).toEqual([200, 503])
    const stored = new Set<string>()
    for (let next = `${url}/v1.0/routings?all_projects=true&limit=1000`; next; ) {
      const page = (await (await fetch(next, { headers })).json()) as {
        routings: { id: number; top_id: string }[]
      }
      for (const one of page.routings) stored.add(one.top_id)
      const last = page.routings.at(-1)
      next = last ? `${url}/v1.0/routings?all_projects=true&limit=1000&marker=${last.id}` : ''
    }
    expect(kept.filter(id => !stored.has(id))).toEqual([])
    expect(kept.length).toBeGreaterThan(20)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  } finally {
    child.kill('SIGKILL')
    await ended
    for (const pid of serverProcesses(join(mount, 'data'))) killIfAny(pid)
  }
})

const disposed = <T extends { close(): Promise<void> }>(one: T): T & AsyncDisposable =>
  Object.assign(one, { [Symbol.asyncDispose]: () => one.close() })

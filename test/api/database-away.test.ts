// The database is away, full, read-only or silent: 503 for whoever asks, and all goes on by itself when it is back (R12).

import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { type Served, type World, world } from '../world.ts'
import { allRoutes, goodRequests, pathWith } from './requests.ts'
import { expectShape } from './shapes.ts'
import { type Wire, wire } from './wire.ts'

let w: World
let line: Wire
let database: Database
let s: Served
let token: string
const connections = 2
beforeAll(async () => {
  w = await world()
  const { rows } = await w.database.pool.query<{ name: string }>('select current_database() as name')
  const url = new URL(inject('postgresUrl'))
  url.pathname = rows[0]!.name
  line = await wire(url.href)
  database = openDatabase(line.url, { connections, name: 'away', onError: () => {}, statementMs: 3000 })
  s = await w.listen({ database })
  token = await w.token('admin')
  await s.ask('/v1.0', { headers: { 'x-auth-token': token } })
})
afterAll(async () => {
  await s[Symbol.asyncDispose]()
  await database.close()
  await line[Symbol.asyncDispose]()
  await w[Symbol.asyncDispose]()
})
afterEach(() => line.mend())

const ask = (path: string, method = 'GET', body?: unknown) =>
  s.ask(path, {
    method,
    headers: { 'x-auth-token': token, accept: 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

/** The status of the last of a few requests: each connection that was lost costs at most one of them. */
async function lastOf(request: () => Promise<{ status: number }>): Promise<number> {
  let status = 0
  for (let i = 0; i <= connections; i += 1) {
    status = (await request()).status
    expect([200, 503]).toContain(status)
  }
  return status
}

const ready = async () => (await s.ask('/readyz')).status
const alive = async () => (await s.ask('/healthz')).status

describe('while the database is gone', () => {
  it('every route that needs it answers 503 in its own shape, and says nothing of where it is', async () => {
    expect((await ask('/v1.0/pods')).status).toBe(200)
    const good = new Map<string, { id?: string | number; body?: object }>()
    // The rules of promises are settings.
    const routes = allRoutes(w).filter(({ route }) => !['-', 'getRules'].includes(route.parts.verb))
    for (const { own } of routes) good.set(own, good.get(own) ?? (await goodRequests[own]!(w)))
    line.cut()
    for (const route of routes) {
      const { id, body } = good.get(route.own)!
      const reply = await ask(pathWith(route.path, id), route.method, body)
      expect(reply.status, route.name).toBe(503)
      expectShape(reply, route)
      // tricircleclient breaks down on one.
      const isTold = route.face !== 'tricircle'
      expect(reply.headers['retry-after'] !== undefined, route.name).toBe(isTold)
      expect(reply.text).not.toMatch(/127\.0\.0\.1|localhost|ECONN|terminated/)
    }
  })

  it('readyz says so, healthz does not mind, and both go on by themselves', async () => {
    line.cut()
    expect([await ready(), await alive()]).toEqual([503, 200])
    const reply = await s.ask('/readyz')
    expect(reply.json).toEqual({ status: 'unavailable', reason: 'The database gives no answer' })
    line.mend()
    expect(await lastOf(() => ask('/v1.0/pods'))).toBe(200)
    expect([await ready(), await alive()]).toEqual([200, 200])
  })

  it('the log has the reason, under the request’s id', async () => {
    line.cut()
    const reply = await ask('/v1.0/pods')
    const lines = s.logLines.filter(entry => entry.request_id === reply.headers['x-openstack-request-id'])
    expect(lines.map(entry => entry.level)).toEqual([50, 30])
    expect(JSON.stringify(lines[0])).toMatch(/ECONN|terminated/)
  })
})

describe('while the database says nothing', () => {
  it('requests end with 503 when its time is over, and none hangs', async () => {
    expect((await ask('/v1.0/pods')).status).toBe(200)
    line.silence()
    expect((await ask('/v1.0/pods')).status).toBe(503)
    expect(await ready()).toBe(503)
    line.mend()
    expect(await lastOf(() => ask('/v1.0/pods'))).toBe(200)
  })
})

describe('while the database ends what runs', () => {
  it('each connection that an operator terminated costs at most one request', async () => {
    await ask('/v1.0/pods')
    await w.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'away'`,
    )
    expect(await lastOf(() => ask('/v1.0/pods'))).toBe(200)
  })
})

describe('while all connections are taken', () => {
  it('requests end with 503, and go on when one is free', async () => {
    const taken = await Promise.all(Array.from({ length: connections }, () => database.pool.connect()))
    const replies = await Promise.all([ask('/v1.0/pods'), ask('/v1.0/routings'), s.ask('/readyz')])
    expect(replies.map(reply => reply.status)).toEqual([503, 503, 503])
    for (const client of taken) client.release()
    expect((await ask('/v1.0/pods')).status).toBe(200)
  })
})

describe('while the database only reads', () => {
  const setReadOnly = async (value: string) => {
    const { rows } = await w.database.pool.query<{ name: string }>('select current_database() as name')
    await w.database.pool.query(
      `alter database ${rows[0]!.name} set default_transaction_read_only = ${value}`,
    )
    line.mend()
  }

  it('reading goes on, changing gets 503, and nothing needs a restart', async () => {
    await setReadOnly('on')
    const pod = { region_name: 'ReadOnly', az_name: 'az' }
    expect(await lastOf(() => ask('/v1.0/pods'))).toBe(200)
    expect((await ask('/v1.0/pods', 'POST', { pod })).status).toBe(503)
    await setReadOnly('off')
    expect(await lastOf(() => ask('/v1.0/pods'))).toBe(200)
    expect((await ask('/v1.0/pods', 'POST', { pod })).status).toBe(200)
  })
})

describe('when the pool is closed, as at the end', () => {
  it('a request that comes late gets 503', async () => {
    const closed = openDatabase(line.url, { connections, name: 'closed', onError: () => {} })
    await using late = await w.listen({ database: closed })
    const headers = { 'x-auth-token': token, accept: 'application/json' }
    expect((await late.ask('/v1.0/pods', { headers })).status).toBe(200)
    await closed.close()
    expect((await late.ask('/v1.0/pods', { headers })).status).toBe(503)
    expect((await late.ask('/v1.0/routings', { headers })).status).toBe(503)
  })
})

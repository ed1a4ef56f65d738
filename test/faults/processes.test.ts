// Several processes serve one Atoll, are killed at any moment and stopped: nothing acknowledged is lost (R2, R11).
//
// SOAK=1 kills twenty times instead of twice, and starts ten at once instead of four.

import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { readMigrations } from '../../src/store/migrations.ts'
import { sized } from '../chance.ts'
import { until } from '../wait.ts'
import { type Process, type World, world } from '../world.ts'

/** By which processes take turns at migrating (src/store/migrations.ts). */
const migrationLock = 0x61746f6c

const kills = sized(20)
const starters = process.env.SOAK === '1' ? 10 : 4

async function newPod(atoll: Process, name: string): Promise<string> {
  const { status, json } = await atoll.call('POST', '/v1.0/pods', {
    body: {
      pod: { region_name: name, az_name: 'az' },
    },
  })
  expect(status).toBe(200)
  return json.pod.pod_id
}

const routing = (pod_id: string, top_id: string = randomUUID()) => ({
  routing: { top_id, bottom_id: randomUUID(), pod_id, project_id: 'p', resource_type: 'network' },
})

/** What became of each: acknowledged, refused by a broken connection, or unknown. */
interface Fate {
  topId: string
  acknowledged: boolean
}

/** Creates routings, ten at a time, until there are `count` or the process is gone. */
async function createMany(
  atoll: Process,
  podId: string,
  count: number,
  onEach: (done: number) => void,
): Promise<Fate[]> {
  const fates: Fate[] = []
  let isGone = false
  const createNext = async (): Promise<void> => {
    while (!isGone && fates.length < count) {
      const fate: Fate = { topId: randomUUID(), acknowledged: false }
      fates.push(fate)
      try {
        const { status } = await atoll.call('POST', '/v1.0/routings', { body: routing(podId, fate.topId) })
        if (status !== 200) throw new Error(`an answer of ${status}`)
        fate.acknowledged = true
        onEach(fates.filter(one => one.acknowledged).length)
      } catch (error) {
        if ((error as Error).message.startsWith('an answer of')) throw error
        isGone = true
      }
    }
  }
  await Promise.all(Array.from({ length: 10 }, createNext))
  return fates
}

describe('a process that is killed while it writes', () => {
  it(`loses nothing that it acknowledged, ${kills} times over, and the next one needs no help`, async () => {
    await using w = await world()
    let atoll = await w.process()
    const podId = await newPod(atoll, 'Killed')
    const fates: Fate[] = []
    for (let kill = 0; kill < kills; kill++) {
      const after = randomInt(20, 180)
      const round = await createMany(atoll, podId, 200, done => {
        if (done === after) atoll.child.kill('SIGKILL')
      })
      expect(await atoll.ended).toBeNull()
      fates.push(...round)
      atoll = await w.process()
      await expectKept(w, atoll, podId, fates)
    }
    const acknowledged = fates.filter(fate => fate.acknowledged).length
    console.log(
      `kills ${kills}, routings ${fates.length}, acknowledged ${acknowledged}, unknown ${fates.length - acknowledged}`,
    )
    expect(acknowledged).toBeGreaterThanOrEqual(20 * kills)
  }, 600_000)

  /** What was acknowledged is there, what is there was asked for, and the audit trail has one line for each. */
  async function expectKept(w: World, atoll: Process, podId: string, fates: readonly Fate[]): Promise<void> {
    const rows = await w.query<{ id: number; central_id: string }>('select id::int, central_id from routing')
    const stored = new Set(rows.map(row => row.central_id))
    expect(stored.size).toBe(rows.length)
    for (const { topId, acknowledged } of fates) if (acknowledged) expect(stored).toContain(topId)
    const asked = new Set(fates.map(fate => fate.topId))
    for (const id of stored) expect(asked).toContain(id)
    const noted = await w.query<{ target: number }>(
      `select target::int from audit where action = 'routing.create' order by 1`,
    )
    expect(noted.map(line => line.target)).toEqual(rows.map(row => row.id).sort((a, b) => a - b))
    const last = await atoll.call('GET', `/v1.0/routings?all_projects=true&limit=1&pod_id=${podId}`)
    expect(last.json.routings[0].id).toBe(Math.max(...rows.map(row => row.id)))
  }
})

describe(`${starters} processes that start at once on an empty database`, () => {
  it('migrate it once, share one key, serve the same data, and stop cleanly', async () => {
    await using w = await world({ empty: true })
    // All of them are held until the last one has come, so that they do come at once.
    const holder = new pg.Client({ connectionString: w.databaseUrl })
    await holder.connect()
    await holder.query('select pg_advisory_lock($1)', [migrationLock])
    const starting = Promise.all(Array.from({ length: starters }, () => w.process()))
    starting.catch(() => {})
    const waiting = `select from pg_locks join pg_database on pg_database.oid = database
      where locktype = 'advisory' and not granted and datname = current_database()`
    await until(async () => (await w.query(waiting)).length === starters, { what: 'all have come' })
    await holder.end()
    const processes = await starting

    const applied = await w.query<{ number: number }>('select number from migration order by number')
    expect(applied.map(row => row.number)).toEqual(readMigrations().map(migration => migration.number))
    expect(await w.query(`select name from setting where name = 'key_check'`)).toHaveLength(1)

    const podId = await newPod(processes[0]!, 'Shared')
    const made = await Promise.all(
      processes.map(
        async one => (await one.call('POST', '/v1.0/routings', { body: routing(podId) })).json.routing,
      ),
    )
    expect(new Set(made.map(one => one.id)).size).toBe(starters)
    const seen = await Promise.all(processes.map(one => one.call('GET', '/v1.0/routings?all_projects=true')))
    for (const { json } of seen) expect(json.routings).toEqual(made.toSorted((a, b) => b.id - a.id))

    for (const one of processes) one.child.kill('SIGTERM')
    expect(await Promise.all(processes.map(one => one.ended))).toEqual(Array(starters).fill(0))
    for (const one of processes) expect(one.errors()).toBe('')
  })
})

describe('a process that is told to stop', () => {
  it('answers what is under way, takes no more, and ends with 0', async () => {
    await using w = await world()
    // So that it ends because all is answered, and not because it was cut off.
    const atoll = await w.process(fileURLToPath(new URL('no-cut.mjs', import.meta.url)))
    const podId = await newPod(atoll, 'Stopped')

    // Nothing is written while this is held, so one request is under way for as long as we like.
    const holder = new pg.Client({ connectionString: w.databaseUrl })
    await holder.connect()
    await holder.query('begin; lock table routing in exclusive mode')
    const underWay = atoll.call('POST', '/v1.0/routings', { body: routing(podId) })
    const locked = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    await until(async () => (await w.query(locked)).length === 1, { what: 'the request is under way' })

    atoll.child.kill('SIGTERM')
    await until(() => refuses(atoll), { what: 'it takes no more' })
    await holder.end()
    expect((await underWay).status).toBe(200)
    expect(await atoll.ended).toBe(0)
    expect(await w.query('select from routing')).toHaveLength(1)
  })

  it('is not held up by a client that never finishes', async () => {
    await using w = await world()
    const atoll = await w.process()
    const { port } = new URL(atoll.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    // The answer to the first request says that the half of the second has come as well.
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.write('POST /v1.0/pods HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"pod": ')
    await once(socket, 'data')
    atoll.child.kill('SIGTERM')
    expect(await atoll.ended).toBe(0)
    socket.destroy()
  })

  it('is held up by no region that hangs, whether turns or requests wait for it, and by no stream', async () => {
    await using w = await world()
    const fault = w.cloud.faults.add({ kind: 'hang', region: 'Pod1', service: 'neutron' })
    const atoll = await w.process()
    await newPod(atoll, 'Pod1')
    await until(() => fault.hits > 0, { what: 'a turn waits for the region' })
    const turns = 'select from turn where worker is not null'
    expect((await w.query(turns)).length).toBeGreaterThan(0)
    const network = { network: { name: 'n', availability_zone_hints: ['Pod1'] } }
    const hits = fault.hits
    // Were it held up until the region is given up, the answer would say that.
    const waiting = atoll.call('POST', '/v2.0/networks', { body: network }).catch(() => 'cut off')
    await until(() => fault.hits > hits, { what: 'a request waits for the region as well' })
    const headers = { accept: 'text/event-stream', 'x-auth-token': await w.token('admin') }
    const stream = await fetch(`${atoll.url}/atoll/v1/events?after=0`, { headers })
    expect(stream.status).toBe(200)
    const read = stream.text()
    atoll.child.kill('SIGTERM')
    expect(await atoll.ended).toBe(0)
    await read
    expect(await waiting).toBe('cut off')
    expect(await w.query(turns), 'others may take them at once').toEqual([])
  })

  it('loses nothing that it acknowledged while many were at it', async () => {
    await using w = await world()
    const atoll = await w.process()
    const podId = await newPod(atoll, 'Busy')
    const fates = await createMany(atoll, podId, 10_000, done => {
      if (done === 100) atoll.child.kill('SIGTERM')
    })
    expect(await atoll.ended).toBe(0)
    const rows = await w.query<{ central_id: string }>('select central_id from routing')
    const stored = new Set(rows.map(row => row.central_id))
    for (const { topId, acknowledged } of fates) if (acknowledged) expect(stored).toContain(topId)
    expect(atoll.errors()).toBe('')
  })
})

const refuses = (atoll: Process): Promise<boolean> =>
  new Promise(done => {
    const socket = connect(Number(new URL(atoll.url).port), '127.0.0.1')
    socket.once('connect', () => done(false))
    socket.once('error', () => done(true))
    socket.once('connect', () => socket.destroy())
  })

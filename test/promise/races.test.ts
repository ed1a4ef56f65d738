// Verbs of promises that meet: each waits where a test has put a lock in its way, until another has come or gone.

import pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '../../src/core/caller.ts'
import { discoverRegion } from '../../src/core/capacity/general.ts'
import { createInstance } from '../../src/core/capacity/instances.ts'
import { runProvider } from '../../src/core/capacity/watch-instances.ts'
import type { Cloud } from '../../src/core/cloud.ts'
import { enrolHost, removeHost } from '../../src/core/hosts/enrolment.ts'
import { gate, until } from '../wait.ts'
import { hourMs, hoursFrom, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let provider: string
let budget: number
let general: number
let regionId: string

const { query } = w

const admin: Caller = {
  userId: 'admin',
  userName: 'admin',
  projectId: 'admin',
  projectName: 'admin',
  roles: ['admin'],
  requestId: 'req-races',
}

beforeAll(async () => {
  provider = await s.addProvider()
  await s.ask('increase-capacity', {
    source: provider,
    capacity: { cores: 20, ram: 51200, instances: 10, gigabytes: 100 },
  })
  const [row] = await query<{ budget: number; region_id: string }>('select budget, region_id from provider')
  budget = row!.budget
  regionId = row!.region_id
  const [scope] = await query<{ id: number }>(
    `select id from account where region_id = $1 and scope = 'general' and kind = 'scope'`,
    [regionId],
  )
  general = scope!.id
})

interface Holder {
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  /** Commits what it has done, and lets the others go on. */
  letGo(): Promise<void>
}

/** Keeps all others out of rows. */
async function hold(text: string, values: unknown[]): Promise<Holder> {
  const client = new pg.Client({ connectionString: w.databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query(text, values)
  return {
    query: async <Row extends object>(more: string, given: unknown[] = []) =>
      (await client.query<Row>(more, given)).rows,
    async letGo() {
      await client.query('commit')
      await client.end()
    },
  }
}

const holdAccount = (id: number): Promise<Holder> =>
  hold('select from account where id = $1 for update', [id])

const waiting = (count: number): Promise<boolean> =>
  until(
    async () => {
      const rows = await query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return rows.length === count
    },
    { what: `${count} wait for a lock` },
  )

const now = () => w.app.now()
const reserve = (more: object = {}) =>
  s.reserve({ end: hoursFrom(now(), 2), capacity: { cores: 5 }, ...more })
const cancel = (id: string) => s.ask('cancel-reservation', { 'reservation-id': id })

/** What is available of the budget from now on, at the least. */
async function coresLeft(): Promise<number> {
  const { utilization } = await s.ask('query-capacity', {
    window: { start: now().toISOString(), end: hoursFrom(now(), 24) },
  })
  return Math.min(...utilization.map((point: { capacity: { cores: number } }) => point.capacity.cores))
}

describe('a reservation that is cancelled', () => {
  it('charges no instance that ends in the same moment', async () => {
    const before = await coresLeft()
    const id = await reserve({ capacity: { cores: 5, ram: 10_240, instances: 5, gigabytes: 50 } })
    const made = await s.ask('create-instance', {
      name: 'raced',
      image: s.image,
      flavor: await smallFlavor(),
      'reservation-id': id,
    })
    expect(made).toMatchObject({ result: 'ok', message: 'create-instance request accepted' })
    const holder = await holdAccount(budget)
    const cancelled = cancel(id)
    await waiting(1)
    await s.ask('destroy-instance', { 'instance-id': made['instance-id'] })
    await until(
      async () => {
        const [row] = await query<{ status: string }>('select status from instance where id = $1', [
          made['instance-id'],
        ])
        return row!.status === 'gone'
      },
      { what: 'the instance has ended' },
    )
    await holder.letGo()
    expect(await cancelled).toMatchObject({ result: 'ok' })
    const [after] = await query<{ status: string; ended_at: Date | null }>(
      'select status, ended_at from instance where id = $1',
      [made['instance-id']],
    )
    expect(after).toMatchObject({ status: 'gone', ended_at: expect.any(Date) })
    expect(await query('select from usage where consumer = $1', [made['instance-id']])).toEqual([])
    expect(await coresLeft()).toBe(before)
  })

  it('keeps nobody from its row while it waits for its place, as who marks those at risk has that first', async () => {
    const id = await reserve()
    const holder = await holdAccount(budget)
    const cancelled = cancel(id)
    await waiting(1)
    expect(
      await holder.query('select id from capacity_reservation where id = $1 for update nowait', [id]),
    ).toHaveLength(1)
    await holder.letGo()
    expect(await cancelled).toMatchObject({ result: 'ok' })
  })

  it('takes the mark from those for whom there is enough again', async () => {
    const [one, other] = [
      await reserve({ capacity: { cores: 8 } }),
      await reserve({ capacity: { cores: 8 } }),
    ]
    const less = { source: provider, capacity: { cores: 6 }, end: hoursFrom(now(), 1) }
    expect(await s.ask('decrease-capacity', { ...less, force: true })).toMatchObject({ result: 'ok' })
    const marked = async () =>
      (await query<{ id: string }>('select id from capacity_reservation where at_risk')).map(({ id }) => id)
    expect(await marked()).toEqual([other])
    await cancel(one)
    expect(await marked()).toEqual([])
    await cancel(other)
    await s.ask('increase-capacity', less)
  })
})

async function smallFlavor(): Promise<string> {
  const [row] = await query<{ id: string }>(
    `select flavor ->> 'id' as id from provider cross join lateral jsonb_array_elements(flavors) as flavor
     order by (flavor ->> 'memoryMb')::int limit 1`,
  )
  return row!.id
}

describe('a reservation of elements alone', () => {
  it('that becomes one of amounts stays it, whatever else is changed in the same moment', async () => {
    const before = await coresLeft()
    const id = await reserve({ capacity: {}, elements: [regionId] })
    const holder = await hold('select from capacity_reservation where id = $1 for update', [id])
    const amounts = s.ask('update-reservation', { 'reservation-id': id, capacity: { cores: 5 } })
    await waiting(1)
    const longer = s.ask('update-reservation', { 'reservation-id': id, end: hoursFrom(now(), 3) })
    await waiting(2)
    await holder.letGo()
    expect(await amounts).toMatchObject({ result: 'ok' })
    expect(await longer).toMatchObject({ result: 'ok' })
    const [row] = await query<{ provider_id: string; to_at: Date }>(
      'select provider_id, to_at from capacity_reservation where id = $1',
      [id],
    )
    expect(row!.provider_id).toBe(provider)
    expect(await query('select from hold where claim_id = $1 and to_at = $2', [id, row!.to_at])).not.toEqual(
      [],
    )
    expect(await coresLeft()).toBe(before - 5)
    await cancel(id)
    expect(await coresLeft()).toBe(before)
  })
})

describe('a reservation whose time is over', () => {
  it('cannot be changed, though its turn has not come', async () => {
    const id = await reserve({ end: hoursFrom(now(), 0.25) })
    w.setTime(new Date(now().getTime() + hourMs / 2))
    expect(await s.ask('update-reservation', { 'reservation-id': id, capacity: { cores: 6 } })).toMatchObject(
      {
        result: 'error',
        message: 'no reservation found for specified identifier',
      },
    )
    w.setTime(null)
    await cancel(id)
  })
})

describe('a provider that is removed', () => {
  it('promises nothing to those who have found room there before', async () => {
    const leaving = await s.addProvider({ region: 'Pod2' })
    await s.ask('increase-capacity', { source: leaving, capacity: { cores: 4 } })
    const [row] = await query<{ budget: number }>('select budget from provider where id = $1', [leaving])
    const holder = await holdAccount(row!.budget)
    const removed = s.ask('remove-provider', { 'provider-id': leaving })
    await waiting(1)
    const asks = [
      s.ask('create-reservation', { zone: 'Pod2', capacity: { cores: 1 } }),
      s.ask('increase-capacity', { source: leaving, capacity: { cores: 1 } }),
    ]
    await waiting(3)
    await holder.letGo()
    expect(await removed).toMatchObject({ result: 'ok' })
    for (const answer of await Promise.all(asks))
      expect(answer).toMatchObject({
        result: 'error',
        message: expect.stringContaining('no matching provider'),
      })
    expect(await query('select from capacity_reservation where provider_id = $1', [leaving])).toEqual([])
  })
})

describe('a server that comes when its instance has been given up', () => {
  it('is removed, and its caller is told', async () => {
    const { app } = w
    const slow = gate()
    const cloud: Cloud = {
      ...app.cloud,
      provider(login, requestId) {
        const opened = app.cloud.provider(login, requestId)
        return {
          ...opened,
          async createServer(spec) {
            await slow.held
            return opened.createServer(spec)
          },
        }
      },
    }
    const flavor = await smallFlavor()
    const ask = { providerId: null, name: 'late', image: s.image, flavor, networks: [], reservationId: null }
    const made = createInstance({ ...app, cloud }, admin, ask)
    made.catch(() => {})
    const stateOf = async () =>
      (await query<{ id: string; status: string }>(`select id, status from instance where name = 'late'`))[0]
    await until(async () => (await stateOf()) !== undefined, { what: 'it is charged' })
    w.setTime(new Date(now().getTime() + 61_000))
    await runProvider(app, provider)
    expect((await stateOf())!.status).toBe('error')
    w.setTime(null)
    slow.open()
    await expect(made).rejects.toMatchObject({ code: 'upstream' })
    await runProvider(app, provider)
    await runProvider(app, provider)
    const { id, status } = (await stateOf())!
    expect(status).toBe('gone')
    const servers = w.nova('Pod1').servers()
    expect(servers.filter(one => one.metadata['atoll:instance'] === id)).toEqual([])
    expect(
      await query("select from usage where consumer = $1 and to_at > now() + $2 * interval '1 s'", [id, 62]),
    ).toEqual([])
  })
})

describe('what a region has for everybody', () => {
  it('is left alone by who gives a host back until it has the scope', async () => {
    const host = await enrolHost(w.app, admin, {
      nameOrId: 'pod1-host8',
      region: 'Pod1',
      capabilities: {},
    })
    const holder = await holdAccount(general)
    const removed = removeHost(w.app, admin, { id: host.id, region: null })
    await waiting(1)
    // Discovery has the scope first and then these rows: whoever waits for the scope must not have them.
    const rows = 'select hypervisor_hostname from general_host where region_id = $1 for update nowait'
    expect((await holder.query(rows, [regionId])).length).toBeGreaterThan(0)
    await holder.letGo()
    await removed
  })

  it('is not taken twice by an instance that is just made, or by one that is just gone', async () => {
    const made = await s.ask('create-instance', {
      name: 'raced',
      image: s.image,
      flavor: await smallFlavor(),
    })
    expect(made).toMatchObject({ result: 'ok', message: 'create-instance request accepted' })
    const others = () =>
      query(`select from usage where account_id = $1 and consumer like 'others %' and to_at > now()`, [
        general,
      ])
    // As it is until Nova's answer has been written down.
    const [{ server_id: server } = { server_id: '' }] = await query<{ server_id: string }>(
      'select server_id from instance where id = $1',
      [made['instance-id']],
    )
    await query('update instance set server_id = null where id = $1', [made['instance-id']])
    await discoverRegion(w.app, 'Pod1')
    expect(await others()).toEqual([])
    // As it is when it ends after the region was looked at.
    await query(`update instance set server_id = $2, ended_at = now() + interval '1 minute' where id = $1`, [
      made['instance-id'],
      server,
    ])
    await discoverRegion(w.app, 'Pod1')
    expect(await others()).toEqual([])
    await query('update instance set ended_at = null where id = $1', [made['instance-id']])
    await s.ask('destroy-instance', { 'instance-id': made['instance-id'] })
  })
})

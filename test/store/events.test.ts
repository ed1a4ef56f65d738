// The feed: which changes leave an event and what it says, and in which order events get their numbers.

import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import type { EventPage, FeedEvent } from '../../src/core/feed/event.ts'
import { type EventAsk, forgetEvents, listEvents } from '../../src/core/feed/feed.ts'
import { type Job, jobKind } from '../../src/core/jobs/job.ts'
import type { TakenJob } from '../../src/core/jobs/job-store.ts'
import { newJob } from '../../src/core/jobs/jobs.ts'
import { forever } from '../../src/core/ledger/ledger.ts'
import { audited } from '../../src/store/audit.ts'
import { createStore } from '../../src/store/store.ts'
import { hostOf } from '../ledger/stores.ts'
import { fileWorld } from '../world.ts'
import { at, caller, noted, rowsOf, times } from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
beforeEach(() => w.query('truncate job, job_log, turn, outbox, event, feed, host, provider cascade'))

const ask = (given: Partial<EventAsk> = {}): EventAsk => ({ after: 0, limit: 1000, types: null, ...given })
const read = (given: Partial<EventAsk> = {}, as = caller): Promise<EventPage> =>
  listEvents(w.app, as, ask(given))
const all = async (): Promise<readonly FeedEvent[]> => (await read()).events
const numbers = (events: readonly FeedEvent[]): number[] => events.map(event => event.number)
const told = async (): Promise<string[]> =>
  (await all()).map(({ action, data }) => `${action} ${data.status}`)

const job = (fields: Partial<Job> = {}): Job => ({
  ...newJob(w.app, {
    projectId: 'p1',
    type: 'configure_route',
    resource: { router_id: 'r' },
    region: 'Pod1',
  }),
  ...fields,
})
const anyJob = (): Job => job({ resource: { router_id: randomUUID() } })
const post = (jobs: readonly Job[]): Promise<void> => w.app.store.jobs.post(jobs, noted('job.create'))

async function take(): Promise<readonly TakenJob[]> {
  const request = { worker: 1, kinds: [jobKind], room: 100, laneRoom: 100, rooms: new Map() }
  return w.app.store.jobs.take(await w.app.store.turns.claim(request))
}

describe('the feed, when transactions commit in another order than they wrote', () => {
  it('has what comes late behind what was read before', async () => {
    const [early, late] = [anyJob(), anyJob()]
    let commit = (): void => {}
    const held = new Promise<void>(resolve => {
      commit = resolve
    })
    let written = (): void => {}
    const isWritten = new Promise<void>(resolve => {
      written = resolve
    })
    const first = w.app.store.transact(async tx => {
      await tx.jobs.post([early], noted('job.create'))
      written()
      await held
    })
    await isWritten
    await post([late])
    const before = await read()
    expect(before.events.map(event => event.subjectId)).toEqual([late.id])
    commit()
    await first
    const after = await read({ after: before.next })
    expect(after.events.map(event => event.subjectId)).toEqual([early.id])
    expect(numbers(await all())).toEqual([1, 2])
  })

  it('has nothing of what is rolled back, and no gap for it', async () => {
    const failing = w.app.store.transact(async tx => {
      await tx.jobs.post([anyJob()], noted('job.create'))
      throw new Error('rolled back')
    })
    await expect(failing).rejects.toThrow('rolled back')
    await post([anyJob()])
    expect(numbers(await all())).toEqual([1])
  })

  it('has the events of one thing in the order of its changes, whoever numbers', async () => {
    const jobs = times(20, anyJob)
    await post(jobs)
    const stores = times(4, () => createStore(w.database.db))
    const changing = jobs.map(async ({ id }) => {
      for (let n = 0; n < 10; n += 1)
        await w.app.store.jobs.redo(id, noted(n % 2 ? 'job.redo' : 'job.create'))
    })
    let isDone = false
    const numbering = stores.map(async (store, index) => {
      while (!isDone) await store.events.number(index + 1)
    })
    await Promise.all(changing)
    isDone = true
    await Promise.all(numbering)
    const events = await all()
    expect(numbers(events)).toEqual(times(220, index => index + 1))
    for (const { id } of jobs) {
      const own = events.filter(event => event.subjectId === id).map(event => event.action)
      expect(own).toEqual(['job.create', ...times(10, n => (n % 2 ? 'job.redo' : 'job.create'))])
    }
  })
})

describe('pages', () => {
  it('go on where the one before ended, and are empty beyond the last', async () => {
    await post(times(5, anyJob))
    const first = await read({ limit: 2 })
    expect([numbers(first.events), first.next]).toEqual([[1, 2], 2])
    const rest = await read({ after: 2, limit: 100 })
    expect([numbers(rest.events), rest.next]).toEqual([[3, 4, 5], 5])
    expect(await read({ after: 5 })).toEqual({ events: [], next: 5, removed: 0 })
    expect(await read({ after: 77 })).toEqual({ events: [], next: 77, removed: 0 })
  })

  it('are of the types that are asked for, and pass over the others once', async () => {
    await post(times(3, anyJob))
    expect(await read({ types: ['lease-event'] })).toEqual({ events: [], next: 3, removed: 0 })
    expect(numbers((await read({ types: ['lease-event', 'job-event'] })).events)).toEqual([1, 2, 3])
  })

  it('are of the caller’s project, unless that is an admin’s', async () => {
    await post(['p1', 'p2', ''].map(projectId => ({ ...anyJob(), projectId })))
    const reader = { ...caller, roles: ['reader'] }
    const [mine, others] = [await read({}, reader), await read({}, { ...reader, projectId: 'p2' })]
    expect(mine.events.map(event => event.projectId)).toEqual(['p1'])
    expect(others.events.map(event => event.projectId)).toEqual(['p2'])
    expect([mine.next, others.next].sort()).toEqual([mine.events[0]!.number, others.events[0]!.number].sort())
    expect(await read({}, { ...reader, projectId: 'p3' })).toEqual({ events: [], next: 0, removed: 0 })
    expect((await all()).map(event => event.projectId).sort()).toEqual([null, 'p1', 'p2'])
  })
})

describe('old events', () => {
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000)
  const old = (days: number) =>
    w.app.store.jobs.post([anyJob()], { ...noted('job.create'), at: daysAgo(days) })

  it('go as far as they are older, and who asks for them is told', async () => {
    for (const days of [40, 35, 10, 33]) await old(days)
    expect(numbers(await all())).toEqual([1, 2, 3, 4])
    expect(await forgetEvents(w.app, 30)).toBe(2)
    expect(numbers(await all())).toEqual([3, 4])
    await expect(read({ after: 1 })).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('go on after 2'),
      detail: { reason: 'events_removed' },
    })
    expect(numbers((await read({ after: 2 })).events)).toEqual([3, 4])
    expect(await forgetEvents(w.app, 5)).toBe(2)
    await post([anyJob()])
    expect(numbers((await read({ after: 4 })).events), 'numbers go on').toEqual([5])
  })
})

describe('jobs', () => {
  it('are told of from their posting to their success', async () => {
    const made = job()
    await post([made])
    const [taken] = await take()
    await w.app.store.jobs.succeed(taken!, [])
    expect(await told()).toEqual(['job.create NEW', 'job.start RUNNING', 'job.succeed SUCCESS'])
    const [first] = await all()
    expect(first).toEqual({
      number: 1,
      at,
      type: 'job-event',
      action: 'job.create',
      subjectId: made.id,
      projectId: 'p1',
      region: 'Pod1',
      data: {
        type: 'configure_route',
        resource: { router_id: 'r' },
        status: 'NEW',
        attempts: 0,
        last_error: null,
        next_try_at: null,
      },
    })
  })

  it('that one run has answered are told of as well', async () => {
    const [older, newer] = [job(), job()]
    await post([older])
    await post([newer])
    await w.app.store.jobs.succeed((await take())[0]!, [])
    const events = (await all()).slice(2)
    expect(events.map(event => [event.action, event.subjectId === newer.id]).sort()).toEqual([
      ['job.start', true],
      ['job.succeed', true],
      ['job.supersede', false],
    ])
  })

  it('that fail, are tried again and go', async () => {
    const made = job()
    await post([made])
    await w.app.store.jobs.fail((await take())[0]!, 'x'.repeat(500), 60_000)
    const failed = (await all()).at(-1)!
    expect(failed).toMatchObject({
      action: 'job.fail',
      data: { status: 'FAIL', last_error: 'x'.repeat(200) },
    })
    expect(failed.data.next_try_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    await w.app.store.jobs.redo(made.id, noted('job.redo'))
    await w.app.store.jobs.remove(made.id, noted('job.remove'))
    expect((await told()).slice(3)).toEqual(['job.redo NEW', 'job.remove NEW'])
  })

  it('that waited too long, that follow from others, and that a dead worker has left', async () => {
    await post([job({ timestamp: new Date('2020-01-01') })])
    expect(await w.app.store.jobs.expire(new Date('2021-01-01'), 10)).toBe(1)
    expect((await told()).slice(1)).toEqual(['job.expire FAIL'])
    await w.query('truncate job, turn, outbox, event')
    await post([job()])
    const [taken] = await take()
    const [follower, newer] = [anyJob(), job()]
    await post([newer])
    await w.app.store.turns.releaseAll(1)
    const [again] = await take()
    expect(again!.job.id).toBe(newer.id)
    await w.app.store.jobs.succeed(again!, [follower])
    expect(await w.app.store.jobs.succeed(taken!, []), 'nothing is written, and nothing told').toBe(false)
    const events = (await all()).slice(3)
    expect(events.map(event => event.action).sort()).toEqual([
      'job.create',
      'job.release',
      'job.start',
      'job.succeed',
      'job.supersede',
    ])
    expect(events.find(event => event.action === 'job.create')!.subjectId).toBe(follower.id)
  })
})

describe('what the capacity API promises', () => {
  const [providerId, reservationId] = [randomUUID(), randomUUID()]
  const insert = (table: string, row: Record<string, unknown>) => sql`(
    insert into ${sql.table(table)} select * from jsonb_populate_record(null::${sql.table(table)}, ${JSON.stringify(row)}::jsonb)
    returning *)`
  const amounts = { VCPU: 4 }
  const window = { from_at: '2030-01-01T00:00:00Z', to_at: forever.toISOString() }
  const stamps = { created_at: at, updated_at: at, refreshed_at: at }

  it('is told of: providers, pools, reservations and servers, without a secret', async () => {
    const region = await s.newRegion()
    const { rows } = await w.database.pool.query("insert into account (kind) values ('budget') returning id")
    const write = (action: string, table: string, row: Record<string, unknown>) =>
      audited(
        w.database.db,
        noted(action),
        insert(table, { ...row, ...stamps, project_id: 'p2', user_id: 'u2' }),
      )
    await write('provider.add', 'provider', {
      id: providerId,
      name: 'a provider',
      login: { username: 'secret-login' },
      sealed_password: 'secret-password',
      region_id: region.id,
      budget: rows[0].id,
      is_admin: false,
      flavors: [],
      limits: {},
    })
    const provider = { provider_id: providerId, amounts }
    const elements = { elements: [] }
    await write('pool.increase', 'pool', {
      ...provider,
      ...window,
      ...elements,
      id: randomUUID(),
      source: 'ours',
    })
    await write('reservation.create', 'capacity_reservation', {
      ...provider,
      ...window,
      ...elements,
      id: reservationId,
      state: 'living',
      at_risk: false,
    })
    await write('instance.create', 'instance', {
      ...provider,
      id: randomUUID(),
      reservation_id: reservationId,
      name: 'a server',
      flavor_id: 'f',
      image: 'i',
      networks: [],
      status: 'BUILD',
    })
    const events = (await all()).filter(event => event.region === region.name)
    expect(events.map(({ type, action, projectId }) => [type, action, projectId])).toEqual([
      ['capacity-event', 'provider.add', null],
      ['capacity-event', 'pool.increase', null],
      ['reservation-event', 'reservation.create', 'p2'],
      ['allocation-event', 'instance.create', 'p2'],
    ])
    expect(JSON.stringify(events)).not.toContain('secret')
    expect(events[2]!.data).toEqual({
      provider_id: providerId,
      amounts,
      state: 'living',
      at_risk: false,
      zone: null,
      from_at: '2030-01-01T00:00:00.000Z',
      to_at: '9999-12-31T00:00:00.000Z',
    })
  })
})

describe('hosts', () => {
  it('are told of from their enrolment to their removal, as nobody’s', async () => {
    const region = await s.newRegion()
    const { rows } = await w.database.pool.query(
      "insert into account (kind, region_id, scope) values ('host', $1, 'reservable') returning id",
      [region.id],
    )
    const host = { ...hostOf({ id: rows[0].id, region }), state: 'enrolling' as const }
    await w.app.store.transact(async tx => {
      await tx.hosts.insert(host, noted('host.enrol'), { kind: 'host', key: `${host.id}`, lane: '' })
      await tx.hosts.move(host.id, ['enrolling'], 'enrolled', noted('host.enrol'))
    })
    await w.app.store.hosts.update(host.id, { gpu: 'yes' }, noted('host.update'))
    await w.app.store.hosts.setReservable(host.id, false)
    await w.app.store.hosts.setFacts(host.id, { ...host, vcpus: 99 })
    await w.app.store.hosts.setPropertyPrivate('gpu', true, noted('host_property.update'))
    await w.app.store.transact(async tx => {
      await tx.hosts.move(host.id, ['enrolled'], 'leaving', noted('host.remove'))
      await tx.hosts.remove(host.id, ['leaving'], noted('host.remove'))
    })
    const events = await all()
    expect(events.map(({ action, data }) => [action, data.state, data.reservable, data.vcpus])).toEqual([
      ['host.enrol', 'enrolling', true, 8],
      ['host.enrol', 'enrolled', true, 8],
      ['host.update', 'enrolled', true, 8],
      ['host.survey', 'enrolled', false, 8],
      ['host.survey', 'enrolled', false, 99],
      ['host.remove', 'leaving', false, 99],
      ['host.remove', 'leaving', false, 99],
    ])
    for (const { type, subjectId, projectId, region: where } of events)
      expect([type, subjectId, projectId, where]).toEqual(['host-event', `${host.id}`, null, region.name])
  })
})

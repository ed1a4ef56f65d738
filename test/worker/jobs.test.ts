// Jobs as the clockwork runs them: which one of a resource runs, how often, and what becomes of the others.

import { sql } from 'kysely'
import pg from 'pg'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JobHandler } from '../../src/core/app.ts'
import type { Job } from '../../src/core/jobs/job.ts'
import { createJob, expireNewJobs, redoJob } from '../../src/core/jobs/jobs.ts'
import { createRouting } from '../../src/core/routing/routings.ts'
import { createBreakers } from '../../src/worker/breakers.ts'
import { chanceOf, seed, sized } from '../chance.ts'
import { gate, until } from '../wait.ts'
import { project, type Working, type WorkingSpec, working } from './working.ts'

const fleets: Working[] = []

afterEach(async () => {
  for (const one of fleets.splice(0)) await one[Symbol.asyncDispose]()
})

async function open(spec: Partial<WorkingSpec> & { handler?: JobHandler } = {}): Promise<Working> {
  const { handler = async () => {}, ...rest } = spec
  const opened = await working({ regions: 0, handlers: { configure_route: handler }, ...rest })
  fleets.push(opened)
  return opened
}

const statusOf = async ({ app }: Working, { id }: Pick<Job, 'id'>): Promise<string> =>
  (await app.store.jobs.get(id))?.status ?? 'gone'

const countBy = async ({ database }: Working): Promise<Record<string, number>> => {
  const { rows } = await sql<{ status: string; n: number }>`
    select status, count(*) as n from job group by status
    union all select 'SUCCESS', count(*) from job_log having count(*) > 0`.execute(database.db)
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]))
}

const makeDue = ({ database }: Working) =>
  sql`update turn set due_at = now() where due_at <> 'infinity'`.execute(database.db)

const addRouting = (w: Working, centralId: string, resourceType: string, regionId: string) =>
  createRouting(w.app, w.admin, {
    centralId,
    regionalId: `${centralId}-there`,
    regionId,
    projectId: project,
    resourceType,
  })

describe('many jobs for one resource', () => {
  const posts = sized(10_000)

  it(`${posts} posted while one run is held open cause exactly one more, which sees the last state`, async () => {
    let state = 0
    const seen: number[] = []
    const gates = [gate(), gate()]
    const w = await open({
      regions: 1,
      handler: async () => {
        seen.push(state)
        await gates[seen.length - 1]?.held
      },
    })
    await addRouting(w, 'router-1', 'router', w.joined[0]!.id)
    const post = (): Promise<Job> => {
      state += 1
      const resource = { router_id: 'router-1' }
      return createJob(w.app, w.admin, { type: 'configure_route', projectId: project, resource })
    }
    await w.worker()
    const first = await post()
    await until(() => seen.length === 1, { what: 'the first run' })
    const others: Job[] = []
    const poster = async (): Promise<void> => {
      while (state < posts) others.push(await post())
    }
    await Promise.all(Array.from({ length: 8 }, poster))
    const newest = await post()
    expect(await countBy(w)).toEqual({ RUNNING: 1, NEW: others.length + 1 })

    gates[0]!.open()
    await until(() => seen.length === 2, { what: 'the second run' })
    expect(await countBy(w)).toEqual({ RUNNING: 1, NEW: others.length, SUCCESS: 1 })
    expect(await statusOf(w, newest)).toBe('RUNNING')
    expect(await statusOf(w, first)).toBe('SUCCESS')

    gates[1]!.open()
    await until(async () => (await statusOf(w, newest)) === 'SUCCESS', { what: 'the end' })
    await until(
      async () => {
        const due = await sql`select from turn where kind = 'job' and due_at <> 'infinity'`.execute(
          w.database.db,
        )
        return due.rows.length === 0
      },
      { what: 'nothing waits' },
    )
    expect(await countBy(w)).toEqual({ SUCCESS: 2 })
    expect(seen).toEqual([1, state])
    console.log(`${others.length + 2} jobs posted for one resource: ${seen.length} runs, 2 in the log`)
  })

  it('the newest stays the one that is tried again when it fails, and the older ones stay NEW', async () => {
    const ran: string[] = []
    const w = await open({
      handler: async (_app, job) => {
        ran.push(job.id)
        if (ran.length < 3) throw new Error('planted')
      },
    })
    const resource = { router_id: 'router-1' }
    const [older, newest] = [w.job({ resource }), w.job({ resource })]
    await w.post([older], 1)
    await w.post([newest], 1)
    await w.worker()
    await until(async () => (await statusOf(w, newest)) === 'FAIL', { what: 'it failed' })
    expect(await statusOf(w, older)).toBe('NEW')
    await until(
      async () => {
        await makeDue(w)
        return (await statusOf(w, newest)) === 'SUCCESS'
      },
      { what: 'its end' },
    )
    expect(ran).toEqual([newest.id, newest.id, newest.id])
    expect(await statusOf(w, older)).toBe('gone')
  })
})

describe('jobs that are posted for later', () => {
  const hourMs = 3_600_000

  it('run once when the first of them is due, and what is posted while one runs not before it is due itself', async () => {
    let runs = 0
    const held = gate()
    const w = await open({
      handler: async () => {
        runs += 1
        if (runs === 1) await held.held
      },
    })
    const resource = { router_id: 'router-1' }
    const postLater = async (ms: number): Promise<Date> => {
      const due = new Date(Date.now() + ms)
      const note = { caller: w.admin, at: w.app.now(), action: 'job.create' }
      await w.app.store.jobs.post([w.job({ resource })], note, due)
      return due
    }
    const dueAt = async (): Promise<Date | undefined> => {
      const { rows } = await sql<{ due_at: Date }>`select due_at from turn where kind = 'job'`.execute(
        w.database.db,
      )
      return rows[0]?.due_at
    }
    const breakers = createBreakers({ failures: 3, openMs: 1000, maxOpenMs: 8000, now: Date.now })
    const limits = vi.fn(breakers.limits)
    await w.worker({ breakers: { ...breakers, limits } })
    /** Until the worker has looked for due turns several times more. */
    const looks = async (): Promise<void> => {
      const before = limits.mock.calls.length
      await until(() => limits.mock.calls.length >= before + 5, { what: 'five looks at what is due' })
    }
    const first = await postLater(hourMs)
    await postLater(2 * hourMs)
    await looks()
    expect([runs, await dueAt()]).toEqual([0, first])
    await makeDue(w)
    await until(() => runs === 1, { what: 'the first run' })
    const second = await postLater(hourMs)
    await postLater(2 * hourMs)
    held.open()
    await until(async () => (await countBy(w)).SUCCESS === 1, { what: 'the end of the first' })
    await looks()
    expect([runs, await dueAt()]).toEqual([1, second])
    await makeDue(w)
    await until(async () => (await countBy(w)).SUCCESS === 2, { what: 'the end of the second' })
    expect(runs).toBe(2)
    expect(await countBy(w)).toEqual({ SUCCESS: 2 })
  })

  it('are not waited for by who asks at once', async () => {
    let runs = 0
    const w = await open({
      handler: async () => {
        runs += 1
      },
    })
    const resource = { router_id: 'router-1' }
    const note = { caller: w.admin, at: w.app.now(), action: 'job.create' }
    await w.app.store.jobs.post([w.job({ resource })], note, new Date(Date.now() + hourMs))
    await w.worker()
    await w.post([w.job({ resource })])
    await until(() => runs === 1, { what: 'the run' })
    await until(async () => (await countBy(w)).SUCCESS === 1, { what: 'the end' })
    expect(await countBy(w)).toEqual({ SUCCESS: 1 })
  })
})

describe('a job that fails', () => {
  it('is tried again after pauses that double, give or take half', async () => {
    const seeded = seed()
    const chance = chanceOf(seeded)
    const w = await open({
      chance,
      handler: async () => {
        throw new Error('planted')
      },
    })
    const jobs = Array.from({ length: 20 }, () => w.job({}))
    await w.post(jobs)
    await w.worker()
    const pauses: number[][] = []
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await makeDue(w)
      const found = new Map<string, number>()
      await until(
        async () => {
          const { rows } = await sql<{ id: string; attempts: number; pause: number }>`
            select id, attempts, extract(epoch from next_try_at - started_at)::float8 * 1000 as pause
            from job where status = 'FAIL' and attempts >= ${attempt}`.execute(w.database.db)
          // A pause of the first tries may be over before the last job of the set has failed: they are noted as they come.
          for (const row of rows) if (row.attempts === attempt) found.set(row.id, row.pause)
          return rows.length === jobs.length
        },
        { what: `try ${attempt}` },
      )
      const ofThis = [...found.values()]
      pauses.push(ofThis)
      for (const pause of ofThis) expect(pause).toBeGreaterThanOrEqual(500 * 2 ** (attempt - 1))
      expect(new Set(ofThis.map(Math.round)).size).toBeGreaterThan(ofThis.length / 2)
    }
    const spread = pauses.map(of => `${Math.round(Math.min(...of))}..${Math.round(Math.max(...of))} ms`)
    console.log(`seed ${seeded}: pauses after tries 1 to 4, run and all: ${spread.join(', ')}`)
  })

  it('keeps no others from running, in its own region and elsewhere', async () => {
    const runs = new Map<string, number>()
    const w = await open({
      handler: async (_app, { resource }) => {
        const router = resource.router_id!
        runs.set(router, (runs.get(router) ?? 0) + 1)
        if (router.startsWith('bad')) throw new Error('planted')
      },
    })
    const inRegion = (name: string, region: string, count: number) =>
      Array.from({ length: count }, (_, index) =>
        w.job({ resource: { router_id: `${name}-${region}-${index}` }, region }),
      )
    await w.post(inRegion('bad', 'A', 100))
    await w.post([...inRegion('good', 'A', 200), ...inRegion('good', 'B', 200)])
    await w.worker()
    await until(async () => (await countBy(w)).SUCCESS === 400, { what: 'the good ones are done' })
    const failing = [...runs].filter(([router]) => router.startsWith('bad'))
    // Each fails once and then pauses for half a second at least, so a good one waits for each at most once a pause.
    for (const [, count] of failing) expect(count).toBeGreaterThanOrEqual(1)
    const failed = failing.reduce((sum, [, count]) => sum + count, 0)
    console.log(`while 400 good jobs were done, 100 bad ones were tried ${failed} times`)
  })

  it('with an error that nobody foresaw says so without its words, which go to the log', async () => {
    const w = await open({
      handler: async () => {
        throw new TypeError('the secret of the house')
      },
    })
    const job = w.job({})
    await w.post([job])
    await w.worker()
    await until(async () => (await statusOf(w, job)) === 'FAIL', { what: 'it failed' })
    const failed = await w.app.store.jobs.get(job.id)
    expect(failed?.lastError).toBe("Something went wrong on our side; the log has more under the job's id")
    expect(failed?.nextTryAt).not.toBeNull()
    const line = w.logLines.find(({ msg }) => msg === `job ${job.id} (configure_route)`)
    expect(line).toMatchObject({ err: { message: 'the secret of the house' } })
  })

  it('for which this process has no handler is tried again, and another process may have one', async () => {
    const w = await open()
    const job = w.job({ type: 'seg_rule_setup', resource: { project_id: project } })
    await w.post([job])
    const clockwork = await w.worker()
    await until(async () => (await statusOf(w, job)) === 'FAIL', { what: 'it failed' })
    await clockwork.stop()
    await w.worker({ app: { ...w.app, jobHandlers: { seg_rule_setup: async () => {} } } })
    await makeDue(w)
    await until(async () => (await statusOf(w, job)) === 'SUCCESS', { what: 'its end' })
  })

  it('is not tried again by itself when it has failed for long enough, but when it is redone', async () => {
    let runs = 0
    const w = await open({
      handler: async () => {
        runs += 1
        if (runs === 1) throw new Error('planted')
      },
    })
    w.setTime(new Date(Date.now() - 61_000))
    const job = w.job({})
    await w.post([job])
    w.setTime(null)
    await w.worker({ retryForMs: 60_000 })
    await until(async () => (await statusOf(w, job)) === 'FAIL', { what: 'it failed' })
    expect((await w.app.store.jobs.get(job.id))?.nextTryAt).toBeNull()
    const { rows } = await sql`select from turn where kind = 'job' and due_at <> 'infinity'`.execute(
      w.database.db,
    )
    expect(rows).toHaveLength(0)
    await redoJob(w.app, w.admin, job.id)
    await until(async () => (await statusOf(w, job)) === 'SUCCESS', { what: 'its end' })
    expect(runs).toBe(2)
  })
})

describe('a worker', () => {
  it('opens no transaction, so that one that is stopped at any moment holds no locks', async () => {
    const w = await open({
      regions: 2,
      handlers: {
        configure_route: async () => {},
        update_network: async () => {
          throw new Error('planted')
        },
      },
    })
    for (const region of w.joined) await addRouting(w, 'net-1', 'network', region.id)
    const asked = vi.spyOn(pg.Client.prototype, 'query')
    const everywhere = { pod_id: 'not_specified_pod', network_id: 'net-1' }
    await w.post([w.job({}), w.job({}), w.job({ type: 'update_network', resource: everywhere })])
    const clockwork = await w.worker()
    await until(
      async () => {
        const { SUCCESS, FAIL } = await countBy(w)
        return SUCCESS === 3 && FAIL === 2
      },
      { what: 'it has succeeded, failed and fanned out' },
    )
    await clockwork.stop()
    const texts = asked.mock.calls.map(([config]) => (config as { text?: string }).text ?? String(config))
    asked.mockRestore()
    expect(texts.length).toBeGreaterThan(5)
    expect(texts.filter(text => /^\s*(begin|start)/i.test(text))).toEqual([])
  })

  it('takes a job that a dead one has left running, or the newer one that came since', async () => {
    const ran: string[] = []
    const w = await open({ handler: async (_app, job) => void ran.push(job.id) })
    const claim = () =>
      w.app.store.turns.claim({ worker: 99, kinds: ['job'], room: 9, laneRoom: 9, rooms: new Map() })
    const [alone, older] = [w.job({}), w.job({})]
    await w.post([alone, older])
    expect(await w.app.store.jobs.take(await claim())).toHaveLength(2)
    const newer = w.job({ resource: older.resource })
    await w.post([newer])
    expect(await countBy(w)).toEqual({ RUNNING: 2, NEW: 1 })
    await w.worker()
    await until(async () => (await countBy(w)).SUCCESS === 2, { what: 'the end' })
    expect(ran.sort()).toEqual([alone.id, newer.id].sort())
    expect(await statusOf(w, older)).toBe('gone')
    expect((await w.app.store.jobs.get(alone.id))?.attempts).toBe(2)
    expect((await w.app.store.jobs.get(newer.id))?.attempts).toBe(1)
  })
})

describe('redo', () => {
  it('of a NEW job makes it the newest of its resource', async () => {
    const ran: string[] = []
    const w = await open({ handler: async (_app, job) => void ran.push(job.id) })
    const resource = { router_id: 'router-1' }
    const [one, other] = [w.job({ resource }), w.job({ resource })]
    await w.post([one], 1)
    await w.post([other], 1)
    await redoJob(w.app, w.admin, one.id)
    await w.worker()
    await until(async () => (await statusOf(w, one)) === 'SUCCESS', { what: 'its end' })
    expect(ran).toEqual([one.id])
    expect(await statusOf(w, other)).toBe('gone')
  })

  it('of a FAIL job runs it at once, whatever its pause', async () => {
    let runs = 0
    const w = await open({
      handler: async () => {
        runs += 1
        if (runs === 1) throw new Error('planted')
      },
    })
    const job = w.job({})
    await w.post([job])
    await w.worker()
    await until(async () => (await statusOf(w, job)) === 'FAIL', { what: 'it failed' })
    await sql`update turn set due_at = now() + interval '1 hour'`.execute(w.database.db)
    await redoJob(w.app, w.admin, job.id)
    await until(async () => (await statusOf(w, job)) === 'SUCCESS', { what: 'its end' })
  })

  it('of a job that runs or is in the log is refused', async () => {
    const held = gate()
    const w = await open({ handler: () => held.held })
    const job = w.job({})
    await w.post([job])
    await w.worker()
    await until(async () => (await statusOf(w, job)) === 'RUNNING', { what: 'it runs' })
    await expect(redoJob(w.app, w.admin, job.id)).rejects.toMatchObject({ detail: { reason: 'running' } })
    held.open()
    await until(async () => (await statusOf(w, job)) === 'SUCCESS', { what: 'its end' })
    await expect(redoJob(w.app, w.admin, job.id)).rejects.toMatchObject({ detail: { reason: 'in_log' } })
  })
})

describe('a job that waited too long for its turn', () => {
  it('is FAIL and does not run when its turn comes after all, but when it is redone', async () => {
    const ran: string[] = []
    const w = await open({ handler: async (_app, job) => void ran.push(job.id) })
    w.setTime(new Date(Date.now() - 3_600_000))
    const old = w.job({})
    await w.post([old])
    w.setTime(null)
    const young = w.job({})
    await w.post([young])
    expect(await expireNewJobs(w.app, 1800)).toBe(1)
    expect(await w.app.store.jobs.get(old.id)).toMatchObject({
      status: 'FAIL',
      lastError: 'It waited too long for its turn',
    })
    await w.worker()
    await until(async () => (await statusOf(w, young)) === 'SUCCESS', { what: 'the young one is done' })
    await until(
      async () => {
        const { rows } = await sql`select from turn where kind = 'job' and due_at <> 'infinity'`.execute(
          w.database.db,
        )
        return rows.length === 0
      },
      { what: 'nothing waits' },
    )
    expect(ran).toEqual([young.id])
    await redoJob(w.app, w.admin, old.id)
    await until(async () => (await statusOf(w, old)) === 'SUCCESS', { what: 'its end' })
  })
})

describe('a job for every region', () => {
  it('becomes one job for each region that has the resource, and is done', async () => {
    const ran: string[] = []
    const handler: JobHandler = async (_app, job) =>
      void ran.push(`${job.region} ${job.resource.pod_id} ${job.projectId}`)
    const w = await open({ regions: 5, handlers: { update_network: handler } })
    const mapped = [w.joined[0]!, w.joined[2]!, w.joined[4]!]
    for (const region of mapped) await addRouting(w, 'net-1', 'network', region.id)
    await addRouting(w, 'net-2', 'network', w.joined[1]!.id)
    const job = await createJob(w.app, w.admin, {
      type: 'update_network',
      projectId: project,
      resource: { pod_id: 'not_specified_pod', network_id: 'net-1' },
    })
    await w.worker()
    await until(async () => (await countBy(w)).SUCCESS === 4, { what: 'all are done' })
    expect(await statusOf(w, job)).toBe('SUCCESS')
    expect(ran.sort()).toEqual(mapped.map(({ id, name }) => `${name} ${id} ${project}`).sort())
    expect(await countBy(w)).toEqual({ SUCCESS: 4 })
  })
})

// One region of many gives no answer: it holds its own slots, and nobody waits for it.

import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { App, JobHandler } from '../../src/core/app.ts'
import type { Job } from '../../src/core/jobs/job.ts'
import { createBreakers } from '../../src/worker/breakers.ts'
import { median, sized } from '../chance.ts'
import { until } from '../wait.ts'
import { type Watched, type Working, working } from './working.ts'

const slots = 64
const laneSlots = 8
const perRegion = sized(200)
const backlog = sized(2000)
const pairs = sized(5)

/** One call into the job's region; there is nothing to be done. */
const oneCall: JobHandler = async (app, job) => {
  await app.cloud.networking(job.region, `req-${job.id}`).remove('port', job.id)
}
/** None. */
const noCall: JobHandler = async () => {}

let w: Working
let hanging: Watched
let others: readonly Watched[]
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  w = await working({ regions: 20, handlers: { configure_route: oneCall, seg_rule_setup: noCall } })
  others = w.neutrons.slice(0, -1)
  hanging = w.neutrons.at(-1)!
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  w.cloud.faults.clear()
  await sql`truncate job, job_log, turn`.execute(w.database.db)
  await until(() => w.neutrons.every(({ open }) => open === 0), { what: 'nothing is open' })
})
afterAll(() => w[Symbol.asyncDispose]())

const hang = () => w.cloud.faults.add({ kind: 'hang', region: hanging.name, service: 'neutron' })

const jobsIn = (pod: Watched, count: number): Job[] =>
  Array.from({ length: count }, () => w.job({ region: pod.name }))

function clientOf(timeoutMs: number): App {
  const { app, close } = w.client(timeoutMs)
  closers.push(close)
  return app
}

interface Phase {
  readonly perSecond: number
  readonly doneInHanging: number
  readonly mostRunning: number
}

/** Runs the others' jobs to their end, behind a backlog of the hanging region or without one. */
async function phase(isHanging: boolean): Promise<Phase> {
  const fault = isHanging ? hang() : null
  for (const pod of w.neutrons) pod.resetCounts()
  // What was asked for first is taken first, so the backlog stands before everybody.
  if (isHanging) await w.post(jobsIn(hanging, backlog))
  await w.post(others.flatMap(pod => jobsIn(pod, perRegion)))
  const { app, close } = w.client(60_000)
  let [done, doneInHanging, mostRunning] = [0, 0, 0]
  const startedAt = performance.now()
  const clockwork = await w.worker({
    app,
    slots,
    laneSlots,
    onRun({ job, outcome }) {
      if (job.region === hanging.name) doneInHanging += 1
      else if (outcome === 'succeeded') done += 1
      mostRunning = Math.max(mostRunning, clockwork.running(hanging.name))
    },
  })
  await until(() => done === others.length * perRegion, { what: 'the others are done' })
  const seconds = (performance.now() - startedAt) / 1000
  if (isHanging) {
    expect(hanging.open).toBe(laneSlots)
    expect(clockwork.running()).toBe(laneSlots)
  }
  await clockwork.stop(0)
  await close()
  fault?.remove()
  await sql`truncate job, job_log, turn`.execute(w.database.db)
  await until(() => w.neutrons.every(({ open }) => open === 0), { what: 'nothing is open' })
  return { perSecond: done / seconds, doneInHanging, mostRunning }
}

describe('a region that hangs for ever', () => {
  it('holds its slots and no more, and the other 19 never wait for it', { timeout: 600_000 }, async () => {
    await phase(false)
    const ratios: number[] = []
    const rates: { with: number[]; without: number[] } = { with: [], without: [] }
    for (let pair = 0; pair < pairs; pair += 1) {
      const without = await phase(false)
      const during = await phase(true)
      // Every call that was ever made to it is one of those that are open at the same time.
      expect(hanging.came).toBe(laneSlots)
      expect(hanging.mostOpen).toBe(laneSlots)
      expect(during.mostRunning).toBe(laneSlots)
      expect(during.doneInHanging).toBe(0)
      rates.without.push(without.perSecond)
      rates.with.push(during.perSecond)
      ratios.push(during.perSecond / without.perSecond)
    }
    console.log(
      `19 regions with ${perRegion} jobs each, behind ${backlog} jobs of one that hangs: ` +
        `${Math.round(median(rates.with))} jobs a second with it, ${Math.round(median(rates.without))} without, ` +
        `ratio ${median(ratios).toFixed(2)} (median of ${pairs} pairs: ${ratios.map(r => r.toFixed(2)).join(' ')}); ` +
        `${laneSlots} calls to it, ${laneSlots} open at most, of ${slots} slots`,
    )
  })
})

describe('the breaker of a region', () => {
  const openMs = 10_000

  /** A worker whose breakers have a clock of their own. */
  async function worker(timeoutMs = 300) {
    let [time, looks] = [0, 0]
    const breakers = createBreakers({ failures: 3, openMs, maxOpenMs: 60_000, now: () => time })
    const limits = () => {
      looks += 1
      return breakers.limits()
    }
    const clockwork = await w.worker({
      app: clientOf(timeoutMs),
      slots,
      laneSlots,
      breakers: { ...breakers, limits },
    })
    closers.push(() => clockwork.stop(0))
    return {
      /** Until it has looked for due turns several times more; whatever might be taken has been by then. */
      async quiet() {
        const before = looks
        await until(() => looks >= before + 5, { what: 'five looks at what is due' })
      },
      state: () => breakers.state(hanging.name),
      pass: (ms: number) => {
        time += ms
      },
    }
  }

  it('opens after three silences, tries again with one call, and closes on an answer', async () => {
    const fault = hang()
    hanging.resetCounts()
    const { state, pass, quiet } = await worker()
    await w.post(jobsIn(hanging, 3))
    await until(() => state() === 'open', { what: 'three silences' })
    const waiting = jobsIn(hanging, 40)
    await w.post(waiting)
    await w.post(jobsIn(others[0]!, 10))
    await until(() => others[0]!.came >= 10, { what: 'its neighbour has its calls' })
    await quiet()
    expect(hanging.came).toBe(3)

    pass(openMs)
    await until(() => hanging.came === 4 && state() === 'open', { what: 'the trial was silent' })
    await quiet()
    expect([hanging.came, hanging.mostOpen]).toEqual([4, 3])

    // Open for twice as long after a trial in vain.
    pass(openMs)
    await quiet()
    expect(hanging.came).toBe(4)
    fault.remove()
    pass(openMs)
    await until(
      async () => {
        // On a busy machine an answer may come too late once more, which opens it again.
        if (state() === 'open') pass(60_000)
        const { rows } = await sql`select from job where region = ${hanging.name}`.execute(w.database.db)
        return rows.length === 0
      },
      { what: 'all is done' },
    )
    expect(state()).toBe('closed')
    expect(hanging.mostOpen).toBeLessThanOrEqual(laneSlots)
    console.log(`calls to the silent region: 3 until the breaker opened, 1 in vain while 40 jobs waited`)
  })

  it('takes work that makes no call to the region for no answer', async () => {
    hang()
    hanging.resetCounts()
    const { state } = await worker()
    const silent = jobsIn(hanging, 3)
    // Between the silences there is a job that has nothing to do there.
    for (const job of silent) {
      await w.post([job])
      await until(async () => (await w.app.store.jobs.get(job.id))?.status === 'FAIL', { what: 'a silence' })
      // Its next try would be one more silence.
      await sql`update turn set due_at = now() + interval '1 hour'`.execute(w.database.db)
      const idle = w.job({ type: 'seg_rule_setup', resource: { project_id: job.id }, region: hanging.name })
      await w.post([idle])
      await until(
        async () => {
          const now = await w.app.store.jobs.get(idle.id)
          return now?.status === 'SUCCESS' || state() === 'open'
        },
        { what: 'it is done' },
      )
    }
    expect(hanging.came).toBe(3)
    expect(state()).toBe('open')
  })

  it('takes a refusal for an answer', async () => {
    const { state } = await worker(60_000)
    w.cloud.faults.add({ kind: 'status', status: 409, region: hanging.name })
    await w.post(jobsIn(hanging, 5))
    await until(
      async () => {
        const { rows } = await sql`select from job where status = 'FAIL'`.execute(w.database.db)
        return rows.length === 5
      },
      { what: 'all have been refused' },
    )
    expect(state()).toBe('closed')
  })
})

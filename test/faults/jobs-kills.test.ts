// Worker processes killed and stopped at random: every job is done, every effect is there once.

import { sql } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import type { Job } from '../../src/core/jobs/job.ts'
import { askForUpkeep } from '../../src/worker/upkeep.ts'
import { chanceOf, pick, seed } from '../chance.ts'
import { pause, until } from '../wait.ts'
import { type Working, working } from '../worker/working.ts'
import { type WorkerProcess, type WorkerProcesses, workerProcesses } from './jobs-processes.ts'

const regions = 20
const workers = 4

const open: AsyncDisposable[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function setUp(seeded: number, options: readonly string[] = []) {
  const w = await working({ regions })
  open.push(w)
  const chance = chanceOf(seeded)
  let late = 0
  const beLate = async (ms: number): Promise<void> => {
    late += 1
    await pause(ms)
    late -= 1
  }
  for (const pod of w.neutrons) {
    // Some calls take effect long after whoever made them is gone, some answers come after that.
    pod.intercept.before = method =>
      method === 'POST' && chance() < 0.02 ? beLate(3000 * chance()) : undefined
    pod.intercept.after = method => (method === 'POST' && chance() < 0.1 ? pause(1000 * chance()) : undefined)
  }
  const processes = workerProcesses(w, options)
  open.push(processes)
  await Promise.all(Array.from({ length: workers }, () => processes.start()))
  return { w, processes, chance, late: () => late }
}

const jobsIn = (w: Working, count: number): Job[] =>
  Array.from({ length: count }, (_, index) => w.job({ region: w.neutrons[index % regions]!.name }))

interface Taken {
  readonly key: string
  readonly epoch: number
}

async function takenBy(w: Working, worker: number): Promise<Taken[]> {
  const { rows } = await sql<Taken>`
    select key, epoch from turn where worker = ${worker} and kind = 'job'`.execute(w.database.db)
  return rows
}

/** Until somebody else has each of the turns. */
async function takeover(w: Working, orphans: readonly Taken[]): Promise<void> {
  const left = async (): Promise<Taken[]> => {
    const { rows } = await sql<Taken>`
      select turn.key, turn.epoch from turn
      join unnest(${orphans.map(({ key }) => key)}::text[], ${orphans.map(({ epoch }) => epoch)}::bigint[])
        as orphan (key, epoch) on turn.key = orphan.key and turn.epoch = orphan.epoch
      where turn.kind = 'job'`.execute(w.database.db)
    return rows
  }
  await until(async () => (await left()).length === 0, { what: 'others have what it had', seen: left })
}

/** Kills a worker whose leases have a year to go: only that its lock is gone can tell the others. */
async function kill(w: Working, victim: WorkerProcess): Promise<Taken[]> {
  await victim.kill()
  await sql`update turn set lease_until = now() + interval '1 year' where worker = ${victim.worker}`.execute(
    w.database.db,
  )
  return takenBy(w, victim.worker)
}

/** Stops a worker for longer than its lease, lets others take what it had, and continues it. */
async function stopAndGoOn(w: Working, victim: WorkerProcess): Promise<Taken[]> {
  await victim.stop()
  const had = await takenBy(w, victim.worker)
  // As if its lease had run out.
  await sql`update turn set lease_until = now() - interval '1 second' where worker = ${victim.worker}`.execute(
    w.database.db,
  )
  await takeover(w, had)
  victim.goOn()
  return had
}

const logged = async ({ database }: Working): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`select id from job_log`.execute(database.db)
  return rows.map(({ id }) => id)
}

async function loggedCount({ database }: Working): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from job_log`.execute(
    database.db,
  )
  return rows[0]!.count
}

interface Findings {
  /** Jobs that are not in the log under the id of their POST. */
  readonly lost: number
  /** Jobs of which two runs wrote that they succeeded. */
  readonly twice: number
  /** Purposes without exactly one network. */
  readonly wrong: number
}

async function findings(w: Working, jobs: readonly Job[], { runs }: WorkerProcesses): Promise<Findings> {
  const done = new Set(await logged(w))
  const networks = new Map<string, number>()
  for (const pod of w.neutrons) {
    for (const { name } of pod.networks()) networks.set(name, (networks.get(name) ?? 0) + 1)
  }
  const succeeded = runs.filter(({ outcome }) => outcome === 'succeeded').map(({ id }) => id)
  return {
    lost: jobs.filter(({ id }) => !done.has(id)).length,
    twice: succeeded.length - new Set(succeeded).size,
    wrong: jobs.filter(({ resource }) => networks.get(resource.router_id!) !== 1).length,
  }
}

/** Every region is tidied by whichever worker comes to it. */
async function tidyAll({ app, database, neutrons }: Working): Promise<void> {
  await askForUpkeep(app)
  await until(
    async () => {
      const { rows } =
        await sql`select from turn where kind = 'tidy' and worker is null and due_at > now()`.execute(
          database.db,
        )
      return rows.length === neutrons.length
    },
    { what: 'all regions are tidy' },
  )
}

async function outcomes({ database }: Working): Promise<string> {
  const { rows } = await sql<{ attempts: number; n: number }>`
    select attempts, count(*) as n from job_log group by attempts order by attempts`.execute(database.db)
  return rows.map(({ attempts, n }) => `${n} in ${attempts}`).join(', ')
}

describe('workers that die and stop at random', () => {
  const count = process.env.SOAK === '1' ? 20_000 : 400
  /** One after each so many jobs that are done. */
  const jobsAKill = 100

  it(`do each of ${count} jobs, with one effect each`, { timeout: 900_000 }, async () => {
    const seeded = seed()
    const { w, processes, chance, late } = await setUp(seeded)
    const jobs = jobsIn(w, count)
    await w.post(jobs.slice(0, count / 2), 500)
    const posting = w.post(jobs.slice(count / 2), 50)
    const underWay: Promise<void>[] = []
    const stopped = new Set<WorkerProcess>()
    let [kills, stops, orphans, done] = [0, 0, 0, 0]
    const stop = async (victim: WorkerProcess): Promise<void> => {
      stopped.add(victim)
      if ((await stopAndGoOn(w, victim)).length > 0) stops += 1
      stopped.delete(victim)
    }
    const ready = () => processes.alive.filter(one => one.isReady && !stopped.has(one))
    for (;;) {
      const next = Math.min(count, done + jobsAKill)
      await until(
        async () => {
          done = await loggedCount(w)
          // On a busy machine they start slower than they are killed.
          return done === count || (done >= next && ready().length >= 2)
        },
        { what: `${next} jobs are done`, seen: () => done },
      )
      if (done === count) break
      const victim = pick(ready(), chance)
      const had = await kill(w, victim)
      kills += 1
      orphans += had.length
      underWay.push(takeover(w, had))
      void processes.start().catch(() => {})
      if (kills % 5 === 2) {
        underWay.push(stop(pick(ready(), chance)))
      }
    }
    await posting
    await Promise.all(underWay)
    expect(orphans).toBeGreaterThan(0)
    // What was under way to a region when its worker was killed may still take effect.
    await until(() => late() === 0, { what: 'no call is late any more' })
    await tidyAll(w)
    const made = w.neutrons.reduce((sum, pod) => sum + pod.calls('POST', 'networks'), 0)
    console.log(
      `seed ${seeded}: ${count} jobs, ${kills} kills and ${stops} stops, runs a job: ${await outcomes(w)}; ` +
        `${orphans} turns taken over from the dead; ` +
        `${made} networks made for ${count}, removed by realise ${processes.surplus.realise}, by tidy ${processes.surplus.tidy}`,
    )
    expect(processes.errors).toEqual([])
    expect(await findings(w, jobs, processes)).toEqual({ lost: 0, twice: 0, wrong: 0 })
    const { rows } = await sql`select from job`.execute(w.database.db)
    expect(rows).toHaveLength(0)
    expect(kills).toBeGreaterThan(0)
  })

  it('are found out when results are written whoever has the turn', { timeout: 300_000 }, async () => {
    const seeded = seed()
    const { w, processes, chance } = await setUp(seeded, ['--no-fence'])
    // So that a worker has many jobs under way when it is stopped.
    for (const pod of w.neutrons) pod.intercept.after = () => pause(200)
    const count = 1000
    const jobs = jobsIn(w, count)
    await w.post(jobs, 500)
    let stops = 0
    let seen: Findings = { lost: 0, twice: 0, wrong: 0 }
    while (stops < 10 && seen.twice === 0) {
      const victim = pick(processes.alive, chance)
      await until(
        async () => (await takenBy(w, victim.worker)).length > 0 || (await loggedCount(w)) === count,
        { what: 'it has jobs under way' },
      )
      const told = () => processes.runs.filter(({ pid }) => pid === victim.pid).length
      const before = told()
      const had = await stopAndGoOn(w, victim)
      if (had.length > 0) stops += 1
      // What had only been taken when it was stopped is not run any more; what ran ends, and then it takes others.
      await until(async () => told() >= before + had.length || (await loggedCount(w)) === count, {
        what: 'it has ended as many as it had',
      })
      seen = await findings(w, jobs, processes)
      if ((await loggedCount(w)) === count) break
    }
    console.log(`seed ${seeded}: planted: ${stops} stops, ${seen.twice} results written twice`)
    expect(processes.isPlanted).toBe(true)
    expect(processes.errors).toEqual([])
    expect(seen.twice).toBeGreaterThan(0)
  })
})

// A worker that is stopped in the middle of a create and goes on when another has its job: it writes nothing any more,
// and what its late call made is found and removed.

import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Job } from '../../src/core/jobs/job.ts'
import { askForUpkeep } from '../../src/worker/upkeep.ts'
import { sized } from '../chance.ts'
import { gate, until } from '../wait.ts'
import { type Watched, type Working, working } from '../worker/working.ts'
import { type WorkerProcess, type WorkerProcesses, workerProcesses } from './jobs-processes.ts'

const rounds = sized(30)
/** The whole waits for the leases of the first round to run out; else the database is told that they have. */
const waitsForLeases = (round: number): boolean => process.env.SOAK === '1' && round === 0

let w: Working
let pod: Watched
let processes: WorkerProcesses
/** In how many rounds two things existed for a moment, of how many rounds. */
const twice = { seen: 0, of: 0 }

beforeAll(async () => {
  w = await working({ regions: 1 })
  pod = w.neutrons[0]!
  processes = workerProcesses(w)
  await Promise.all([processes.start(), processes.start()])
})
afterEach(() => {
  // One that failed half-way leaves neither a worker stopped nor a call held.
  for (const one of processes.alive) one.goOn()
  delete pod.intercept.before
  delete pod.intercept.after
})
afterAll(async () => {
  await processes[Symbol.asyncDispose]()
  await w[Symbol.asyncDispose]()
  console.log(
    `two things existed for a moment in ${twice.seen} of ${twice.of} rounds; ` +
      `removed by realise ${processes.surplus.realise}, by tidy ${processes.surplus.tidy}`,
  )
})

const called = (job: Job) => pod.networks().filter(({ name }) => name === job.resource.router_id)

/** Holds the next call of a method until it is let go, before or after its effect. */
function holdNext(moment: 'before' | 'after', method: string) {
  const [came, held] = [gate(), gate()]
  pod.intercept[moment] = asked => {
    if (asked !== method) return undefined
    delete pod.intercept[moment]
    came.open()
    return held.held
  }
  return { came: came.held, letGo: held.open }
}

async function post(job = w.job({ region: pod.name })): Promise<Job> {
  await w.post([job])
  return job
}

/** Which process has the job's turn, and under which epoch. */
async function taker(job: Job): Promise<{ process: WorkerProcess | undefined; epoch: number }> {
  const { rows } = await sql<{ worker: number | null; epoch: number }>`
    select worker, epoch from turn where key = ${`configure_route#${job.resource.router_id}`}`.execute(
    w.database.db,
  )
  const process = processes.alive.find(({ worker }) => worker === rows[0]?.worker)
  return { process, epoch: rows[0]?.epoch ?? 0 }
}

/** Stops the job's worker until another has taken it. */
async function stopTaker(job: Job, round = 1): Promise<WorkerProcess> {
  const { process, epoch } = await taker(job)
  await process!.stop()
  if (!waitsForLeases(round)) {
    await sql`update turn set lease_until = now() - interval '1 second' where worker = ${process!.worker}`.execute(
      w.database.db,
    )
  }
  await until(async () => (await taker(job)).epoch !== epoch, { what: 'another has it' })
  return process!
}

/** What the database says of a job: its row or its line in the log, and its turn. Workers forget a turn that is idle. */
async function record({ id, resource }: Job) {
  const { rows } = await sql`
    select to_jsonb(turn) - 'lease_until' as turn, to_jsonb(job) as job, to_jsonb(job_log) as log
    from (values (${id}::uuid, ${`configure_route#${resource.router_id}`})) as asked (id, key)
    left join job on job.id = asked.id left join job_log on job_log.id = asked.id
    left join turn on turn.key = asked.key and (turn.worker is not null or turn.due_at <> 'infinity')`.execute(
    w.database.db,
  )
  return rows
}

const runOf = (job: Job, { pid }: WorkerProcess) =>
  processes.runs.find(run => run.id === job.id && run.pid === pid)

async function untilLogged(job: Job): Promise<void> {
  await until(async () => (await w.app.store.jobs.get(job.id))?.status === 'SUCCESS', {
    what: 'it is in the log',
  })
}

function count(isTwice: boolean): void {
  twice.of += 1
  if (isTwice) twice.seen += 1
}

const isTidy = async (): Promise<boolean> => {
  const { rows } = await sql`
    select from turn where kind = 'tidy' and worker is null and due_at > now()`.execute(w.database.db)
  return rows.length > 0
}

const noted = async (job: Job): Promise<string | null> => {
  const { rows } = await sql<{ regional_id: string | null }>`
    select regional_id from intent where purpose = ${job.resource.router_id}`.execute(w.database.db)
  return rows[0]?.regional_id ?? null
}

describe('a worker that is stopped in the middle of a create', () => {
  it(`finds its job done, writes nothing, and removes what its late call made, ${rounds} times`, {
    timeout: 300_000 * rounds,
  }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const held = holdNext('before', 'POST')
      const job = await post()
      await held.came
      const stopped = await stopTaker(job, round)
      await untilLogged(job)
      expect(called(job)).toHaveLength(1)
      const before = await record(job)

      held.letGo()
      await until(() => called(job).length === 2, { what: 'the late call took effect' })
      count(true)
      stopped.goOn()
      await until(() => runOf(job, stopped) !== undefined, { what: 'it ends' })
      expect(runOf(job, stopped)?.outcome).toBe('lost')
      expect(await record(job)).toEqual(before)
      expect(called(job).map(({ id }) => id)).toEqual([await noted(job)])
    }
  })

  it(`changes nothing of the run that has its job by now, ${rounds} times`, {
    timeout: 300_000 * rounds,
  }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const made = pod.calls('POST', 'networks')
      const first = holdNext('before', 'POST')
      const job = await post()
      await first.came
      const second = holdNext('before', 'POST')
      const stopped = await stopTaker(job, round)
      await second.came
      const before = await record(job)
      expect(before).toMatchObject([{ job: { status: 'RUNNING', attempts: 2 }, log: null }])

      first.letGo()
      stopped.goOn()
      await until(() => runOf(job, stopped) !== undefined, { what: 'it ends' })
      expect(runOf(job, stopped)?.outcome).toBe('lost')
      expect(await record(job)).toEqual(before)

      // What the stopped one made is the first that is noted, so the other gives way.
      const [kept] = called(job)
      second.letGo()
      await untilLogged(job)
      count(pod.calls('POST', 'networks') === made + 2)
      expect(called(job).map(({ id }) => id)).toEqual([kept!.id])
      expect(await noted(job)).toBe(kept!.id)
    }
  })

  it('makes its call only after it went on, and takes back what it made', async () => {
    const held = holdNext('after', 'GET')
    const job = w.job({ region: pod.name })
    // Somebody has begun it before, so whoever comes looks first.
    const purpose = job.resource.router_id!
    const intent = { id: w.app.newId(), region: pod.name, resourceType: 'network', purpose, owner: purpose }
    await w.app.store.intents.declare(intent, w.app.now())
    await post(job)
    await held.came
    const stopped = await stopTaker(job)
    await untilLogged(job)
    const before = await record(job)
    held.letGo()
    stopped.goOn()
    await until(() => runOf(job, stopped) !== undefined, { what: 'it ends' })
    expect(runOf(job, stopped)?.outcome).toBe('lost')
    expect(await record(job)).toEqual(before)
    expect(called(job).map(({ id }) => id)).toEqual([await noted(job)])
    count(true)
  })

  it('that is killed when it goes on: what its late call made is found by its mark and removed by the tidy turn', async () => {
    const foreign = ['atoll:not ours', `theirs atoll:${w.app.newId()}`].map(
      description => pod.create('network', { project_id: 'b', name: 'theirs', description }).id,
    )
    const held = holdNext('before', 'POST')
    const job = await post()
    await held.came
    const stopped = await stopTaker(job)
    await untilLogged(job)
    await stopped.kill()
    // A turn that came by itself may have found what an earlier test left.
    const before = processes.surplus.tidy
    held.letGo()
    await until(() => called(job).length === 2, { what: 'the late call took effect' })
    count(true)
    await askForUpkeep(w.app)
    await until(() => called(job).length === 1, { what: 'there is one' })
    expect(called(job)[0]!.id).toBe(await noted(job))
    await until(isTidy, { what: 'the tidy turn is over' })
    expect(pod.networks().map(({ id }) => id)).toEqual(expect.arrayContaining(foreign))
    await until(() => processes.surplus.tidy > before, { what: 'it was told' })
    expect(processes.errors).toEqual([])
  })
})

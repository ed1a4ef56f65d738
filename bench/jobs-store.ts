// Jobs as production stores them: posted with their notes, taken by their turns, ended into the log.

import { randomUUID } from 'node:crypto'
import type { Store } from '../src/core/app.ts'
import type { Caller } from '../src/core/caller.ts'
import type { ClaimRequest } from '../src/core/clockwork.ts'
import type { Job } from '../src/core/jobs/job.ts'

const regions = 20

const caller: Caller = {
  userId: 'bench',
  userName: 'bench',
  projectId: 'bench',
  projectName: 'bench',
  roles: [],
  requestId: `req-${randomUUID()}`,
}

/** Each for a resource of its own, in one of the regions after the other. */
export function newJobs(count: number, routerId: (index: number) => string = () => randomUUID()): Job[] {
  const now = Date.now()
  return Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    projectId: 'bench',
    type: 'configure_route',
    resource: { router_id: routerId(index) },
    region: `Pod${index % regions}`,
    timestamp: new Date(now - (now % 1000)),
    status: 'NEW',
    attempts: 0,
    lastError: null,
    startedAt: null,
    nextTryAt: null,
    finishedAt: null,
  }))
}

export const post = (store: Store, jobs: readonly Job[]): Promise<void> =>
  store.jobs.post(jobs, { caller, at: new Date(), action: 'job.create' })

/** What a worker with so many free slots asks for. */
export const claimOf = (room: number): ClaimRequest => ({
  worker: 1,
  kinds: ['job', 'tidy'],
  room,
  laneRoom: Math.max(8, Math.ceil(room / regions)),
  rooms: new Map(),
})

/** Sets of this size end fastest. */
const atOnce = 200

/** Takes and ends so many jobs: what workers do, in larger sets. */
export async function endJobs(store: Store, count: number): Promise<void> {
  for (let ended = 0; ended < count; ) {
    const taken = await store.jobs.take(await store.turns.claim(claimOf(Math.min(atOnce, count - ended))))
    await Promise.all(taken.map(one => store.jobs.succeed(one, [])))
    ended += taken.length
    await store.turns.removeIdle(2 * atOnce)
  }
}

// Jobs as turns of the clockwork.

import { jobKind } from '../core/jobs/job.ts'
import { type RunSettings, runJob } from '../core/jobs/jobs.ts'
import type { App } from '../core/ports.ts'
import type { TurnKind } from './clockwork.ts'

export const jobTurns = (app: App, settings: RunSettings): TurnKind => ({
  kind: jobKind,
  async begin(turns) {
    const taken = await app.store.jobs.take(turns)
    return taken.map(job => ({ turn: job.turn, run: () => runJob(app, job, settings) }))
  },
})

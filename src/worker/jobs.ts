// Jobs as turns of the clockwork.

import type { App } from '../core/app.ts'
import { type Job, jobKind } from '../core/jobs/job.ts'
import { type JobOutcome, type RunSettings, runJob } from '../core/jobs/jobs.ts'
import type { TurnKind } from './clockwork.ts'

/** One run of a job, when it is over. */
export interface JobRun {
  readonly job: Job
  readonly outcome: JobOutcome
  readonly seconds: number
}

export interface JobTurnsOptions extends RunSettings {
  readonly app: App
  onRun(run: JobRun): void
}

export const jobTurns = ({ app, onRun, ...settings }: JobTurnsOptions): TurnKind => ({
  kind: jobKind,
  async begin(turns) {
    const taken = await app.store.jobs.take(turns)
    return taken.map(one => ({
      turn: one.turn,
      async run() {
        const startedAt = performance.now()
        const result = await runJob(app, one, settings)
        onRun({ job: one.job, outcome: result.outcome, seconds: (performance.now() - startedAt) / 1000 })
        return result
      },
    }))
  },
})

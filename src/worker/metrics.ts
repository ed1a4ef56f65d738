// Metrics of the work behind the APIs, for /metrics.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { App } from '../core/app.ts'
import { listBeliefs, missingOf } from '../core/regions/belief.ts'
import { sightKinds } from '../core/regions/suspicion.ts'
import type { JobRun } from './jobs.ts'

export interface WorkMetrics {
  observeJob(run: JobRun): void
  /** Counts surplus resources, which late calls had made twice, and which were removed. */
  countSurplus(region: string, count: number): void
}

/** Jobs by status and region, and the age of the oldest NEW: measured when they are asked for. */
export function addQueueMetrics(registry: Registry, app: App): void {
  const measured = measuring(app, 'the queue could not be measured')
  const depth = new Gauge({
    name: 'atoll_jobs',
    help: 'Jobs that are not done, by status and region',
    labelNames: ['status', 'region'] as const,
    registers: [registry],
    collect: measured(async () => {
      const counts = await app.store.jobs.depth()
      depth.reset()
      for (const { status, region, count } of counts) depth.set({ status, region }, count)
    }),
  })
  const oldest = new Gauge({
    name: 'atoll_job_oldest_new_seconds',
    help: 'Age of the oldest job that is NEW; 0 when there is none',
    registers: [registry],
    collect: measured(async () => {
      const since = await app.store.jobs.oldestNew()
      oldest.set(since === null ? 0 : (app.now().getTime() - since.getTime()) / 1000)
    }),
  })
}

/** Which regions are suspect, and what is missing in them: measured when they are asked for. */
export function addRegionMetrics(registry: Registry, app: App): void {
  const measured = measuring(app, 'which regions are suspect could not be measured')
  const suspect = new Gauge({
    name: 'atoll_region_suspect',
    help: 'Whether what a region shows is not believed (1) or is (0), by what it is seen through',
    labelNames: ['region', 'through'] as const,
    registers: [registry],
    collect: measured(async () => {
      const beliefs = await listBeliefs(app)
      suspect.reset()
      for (const { region, suspicions } of beliefs)
        for (const through of sightKinds)
          suspect.set(
            { region: region.name, through },
            suspicions.some(suspicion => suspicion.through === through) ? 1 : 0,
          )
    }),
  })
  const missing = new Gauge({
    name: 'atoll_region_missing',
    help: 'What a suspect region does not show, by kind',
    labelNames: ['region', 'kind'] as const,
    registers: [registry],
    collect: measured(async () => {
      const beliefs = await listBeliefs(app)
      missing.reset()
      for (const { region, suspicions } of beliefs)
        for (const [kind, count] of Object.entries(missingOf(suspicions)))
          missing.set({ region: region.name, kind }, count)
    }),
  })
}

/**
 * Reports a failed measurement instead of throwing: without the database the other metrics still have a use.
 */
const measuring = (app: App, failed: string) => (measure: () => Promise<void>) => () =>
  measure().catch(error => app.report(error, failed))

export function createWorkMetrics(registry: Registry): WorkMetrics {
  const durations = new Histogram({
    name: 'atoll_job_duration_seconds',
    help: 'How long a run of a job took, by type and outcome',
    labelNames: ['type', 'outcome'] as const,
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
    registers: [registry],
  })
  const attempts = new Histogram({
    name: 'atoll_job_attempts',
    help: 'How many runs a job had taken when it succeeded, by type',
    labelNames: ['type'] as const,
    buckets: [1, 2, 3, 5, 10, 20, 50],
    registers: [registry],
  })
  const surplus = new Counter({
    name: 'atoll_surplus_removed_total',
    help: 'Things in regions that late calls had made twice, now removed',
    labelNames: ['region'] as const,
    registers: [registry],
  })
  return {
    observeJob({ job, outcome, seconds }) {
      durations.observe({ type: job.type, outcome }, seconds)
      if (outcome === 'succeeded') attempts.observe({ type: job.type }, job.attempts)
    },
    countSurplus: (region, count) => surplus.inc({ region }, count),
  }
}

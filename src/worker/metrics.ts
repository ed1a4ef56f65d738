// Metrics of the work behind the APIs, for /metrics.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { App } from '../core/app.ts'
import type { JobRun } from './jobs.ts'

export interface WorkMetrics {
  observeJob(run: JobRun): void
  /** Counts surplus resources, which late calls had made twice, and which were removed. */
  countSurplus(region: string, count: number): void
}

/** Jobs by status and region, and the age of the oldest NEW: measured when they are asked for. */
export function addQueueMetrics(registry: Registry, app: App): void {
  /**
   * Reports a failed measurement instead of throwing: without the database the other metrics still have a
   * use.
   */
  const measured = (measure: () => Promise<void>) => () =>
    measure().catch(error => app.report(error, 'the queue could not be measured'))
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

// What /metrics says of the work behind the APIs.

import { Registry } from 'prom-client'
import { beforeAll, describe, expect, it } from 'vitest'
import { addQueueMetrics, addRegionMetrics, createWorkMetrics } from '../../src/worker/metrics.ts'
import { newRegion, operator } from '../api/requests.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld()
const registry = new Registry()

beforeAll(async () => {
  addQueueMetrics(registry, w.app)
  addRegionMetrics(registry, w.app)
})

async function samples(name: string): Promise<string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter(line => line.startsWith(name))
}

/** A port's job in a region. */
async function postJob(region: string): Promise<void> {
  const id = w.app.newId()
  const project = w.app.newId()
  const resource = { pod_id: id, port_id: id }
  await w.app.store.jobs.post(
    [
      {
        id,
        projectId: project,
        type: 'port_delete',
        resource,
        region,
        timestamp: new Date(w.app.now().getTime() - 90_000),
        status: 'NEW',
        attempts: 0,
        lastError: null,
        startedAt: null,
        nextTryAt: null,
        finishedAt: null,
      },
    ],
    {
      caller: {
        userId: 'u',
        userName: 'u',
        projectId: project,
        projectName: 'p',
        roles: [],
        requestId: 'req-1',
      },
      at: w.app.now(),
      action: 'job.create',
    },
  )
}

describe('the queue', () => {
  it('is empty at first', async () => {
    expect(await samples('atoll_jobs')).toEqual([])
    expect(await samples('atoll_job_oldest_new_seconds')).toEqual(['atoll_job_oldest_new_seconds 0'])
  })

  it('is counted by status and region, and the oldest NEW job is as old as it is', async () => {
    for (const region of ['Pod1', 'Pod1', 'Pod2']) await postJob(region)
    expect((await samples('atoll_jobs')).sort()).toEqual([
      'atoll_jobs{status="NEW",region="Pod1"} 2',
      'atoll_jobs{status="NEW",region="Pod2"} 1',
    ])
    const [oldest] = await samples('atoll_job_oldest_new_seconds')
    expect(Number(oldest!.split(' ')[1])).toBeGreaterThanOrEqual(90)
  })

  it('is left out while the database is away, and the rest is still told', async () => {
    const app = {
      ...w.app,
      store: {
        ...w.app.store,
        jobs: { ...w.app.store.jobs, depth: () => Promise.reject(new Error('away')) },
      },
    }
    const other = new Registry()
    addQueueMetrics(other, app)
    expect(await other.metrics()).toContain('atoll_job_oldest_new_seconds')
    expect(w.logLines.at(-1)).toMatchObject({ msg: 'the queue could not be measured' })
  })
})

describe('regions', () => {
  it('are suspect or not, by what they are seen through, with what is missing while they are', async () => {
    const region = await newRegion(w)
    await w.app.store.regions.create(
      { ...region, id: w.app.newId(), name: 'Central', availabilityZone: '' },
      { caller: operator, at: w.app.now(), action: 'region.create' },
    )
    const suspect = (network: number, compute: number) => [
      `atoll_region_suspect{region="${region.name}",through="network"} ${network}`,
      `atoll_region_suspect{region="${region.name}",through="compute"} ${compute}`,
    ]
    expect(await samples('atoll_region_')).toEqual(suspect(0, 0))
    const counts = { port: { missing: 12, known: 15 }, router: { missing: 0, known: 3 } }
    const why = { since: w.app.now(), reason: '12 of 15 ports are missing at once', counts }
    await w.app.store.suspicions.raise({ regionId: region.id, through: 'network', ...why })
    expect(await samples('atoll_region_')).toEqual([
      ...suspect(1, 0),
      `atoll_region_missing{region="${region.name}",kind="port"} 12`,
    ])
    await w.app.store.suspicions.lower(region.id, 'network')
    expect(await samples('atoll_region_')).toEqual(suspect(0, 0))
  })
})

describe('runs of jobs', () => {
  it('are counted with how long they took, and those that succeed with how many runs they took', async () => {
    const own = new Registry()
    const metrics = createWorkMetrics(own)
    const [job] = (await w.app.store.jobs.list({}, { limit: 1, marker: null }))!
    metrics.observeJob({ job: { ...job!, attempts: 3 }, outcome: 'failed', seconds: 0.2 })
    metrics.observeJob({ job: { ...job!, attempts: 4 }, outcome: 'succeeded', seconds: 0.3 })
    metrics.countSurplus('Pod1', 2)
    const text = await own.metrics()
    expect(text).toContain('atoll_job_duration_seconds_count{type="port_delete",outcome="failed"} 1')
    expect(text).toContain('atoll_job_attempts_sum{type="port_delete"} 4')
    expect(text).toContain('atoll_surplus_removed_total{region="Pod1"} 2')
  })
})

// Asynchronous jobs over the Tricircle Admin API, with no worker at work: they stay NEW.

import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { jobTypes } from '../../../src/core/jobs/job.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld()
let pod = ''
let project = ''

beforeAll(async () => {
  const created = await w.call('POST', '/v1.0/pods', {
    body: { pod: { region_name: 'Pod1', az_name: 'az1' } },
  })
  pod = created.json.pod.pod_id
  project = w.cloud.keystone.projectId('admin')
  for (const port of ['port-1', 'port-2']) {
    const routing = {
      top_id: port,
      bottom_id: `${port}-there`,
      pod_id: pod,
      project_id: project,
      resource_type: 'port',
    }
    await w.call('POST', '/v1.0/routings', { body: { routing } })
  }
})

const resource = (port = 'port-1') => ({ pod_id: pod, port_id: port })
const create = (job: object, path = '/v1.0/jobs') => w.call('POST', path, { body: { job } })
const createPortDelete = (port?: string) =>
  create({ type: 'port_delete', project_id: project, resource: resource(port) })

describe('a job', () => {
  it('is accepted as NEW, and is found under its id', async () => {
    w.setTime(new Date('2017-03-03T11:05:36.789Z'))
    const { status, json } = await createPortDelete()
    expect(status).toBe(202)
    expect(json.job).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      project_id: project,
      type: 'port_delete',
      timestamp: '2017-03-03 11:05:36',
      status: 'NEW',
      resource: resource(),
    })
    expect((await w.call('GET', `/v1.0/jobs/${json.job.id}`)).json).toEqual(json)
    expect((await w.call('GET', `/tricircle/v1.0/job/${json.job.id}`)).json).toEqual(json)
  })

  it('is a row of its own each time it is posted', async () => {
    const [one, other] = [await createPortDelete(), await create(one0(), '/v1.0/job')]
    expect(one.json.job.id).not.toBe(other.json.job.id)
    expect((await w.call('GET', `/v1.0/jobs/${one.json.job.id}`)).json.job.status).toBe('NEW')
  })
  const one0 = () => ({ type: 'port_delete', project_id: project, resource: resource() })

  it('is shown in full by the native API, to its project alone', async () => {
    const { json } = await createPortDelete()
    const shown = await w.call('GET', `/atoll/v1/jobs/${json.job.id}`)
    expect(shown.json.job).toMatchObject({
      region: 'Pod1',
      status: 'NEW',
      attempts: 0,
      last_error: null,
      next_try_at: null,
    })
    const stranger = await w.call('GET', `/atoll/v1/jobs/${json.job.id}`, { as: 'demo' })
    expect([stranger.status, stranger.json.error.code]).toEqual([404, 'not_found'])
  })

  it('may be redone, answered with JSON null, and deleted while it does not run', async () => {
    const { json } = await createPortDelete()
    const redone = await w.call('PUT', `/v1.0/jobs/${json.job.id}`)
    expect([redone.status, redone.text, redone.headers['content-type']]).toEqual([
      200,
      'null',
      'application/json',
    ])
    const removed = await w.call('DELETE', `/v1.0/jobs/${json.job.id}`)
    expect([removed.status, removed.json]).toEqual([200, {}])
    expect((await w.call('GET', `/v1.0/jobs/${json.job.id}`)).json).toEqual({
      itemNotFound: { message: 'Resource not found', code: 404 },
    })
  })

  it('is neither redone nor deleted while it runs, nor when it is in the log', async () => {
    const { json } = await createPortDelete('port-2')
    const { id } = json.job
    await sql`update job set status = 'RUNNING' where id = ${id}`.execute(w.database.db)
    expect((await w.call('PUT', `/v1.0/jobs/${id}`)).json.badRequest.message).toBe(
      `Can't redo job ${id} which is running`,
    )
    expect((await w.call('DELETE', `/v1.0/jobs/${id}`)).json.badRequest.message).toBe(
      `Failed to delete the running job ${id}`,
    )
    await sql`with gone as (delete from job where id = ${id} returning *)
              insert into job_log select id, project_id, type, resource, region, timestamp, 1, now(), now() from gone`.execute(
      w.database.db,
    )
    expect((await w.call('GET', `/v1.0/jobs/${id}`)).json.job.status).toBe('SUCCESS')
    expect((await w.call('PUT', `/v1.0/jobs/${id}`)).json.badRequest.message).toBe(
      `Job ${id} is from job log`,
    )
    expect((await w.call('DELETE', `/v1.0/jobs/${id}`)).json.badRequest.message).toBe(
      `Job ${id} is from job log`,
    )
  })
})

describe('a job is refused', () => {
  const refused = async (job: object): Promise<string> => {
    const { status, json } = await create(job)
    expect(status).toBe(400)
    return json.badRequest.message
  }
  const base = () => ({ type: 'port_delete', project_id: project, resource: resource() as object | null })

  it('in the order in which the original looks', async () => {
    expect((await w.call('POST', '/v1.0/jobs', { body: { x: 1 } })).json.badRequest.message).toBe(
      'Request body not found',
    )
    expect(await refused({ project_id: project })).toBe("type isn't provided in request body")
    expect(await refused({ type: 'port_delete' })).toBe("project_id isn't provided in request body")
    expect(await refused({ type: '', project_id: project })).toBe("type can't be empty")
    expect(await refused({ type: 'zzz', project_id: project })).toBe('There is no such job type: zzz')
    expect(await refused({ ...base(), resource: null })).toBe(
      'Failed to create job, because the resource is not specified',
    )
    expect(await refused({ ...base(), resource: { pod_id: pod } })).toBe(
      "Some required fields are not specified: {'port_id'}",
    )
    expect(await refused({ ...base(), resource: { ...resource(), a: 'b' } })).toBe(
      "Some fields are redundant: {'a'}",
    )
    expect(await refused({ ...base(), resource: resource('port-9') })).toBe(
      `port port-9 doesn't belong to the project ${project}`,
    )
  })

  it('when no handler would ever run it, and says so', async () => {
    expect(
      await refused({
        type: 'trunk_sync',
        project_id: project,
        resource: { pod_id: 'p', trunk_id: 't' },
      }),
    ).toBe('Jobs of the type trunk_sync cannot be run by this release of Atoll')
  })

  it('for a pod that there is not', async () => {
    const unknown = '11111111-2222-4333-8444-555555555555'
    expect(await refused({ ...base(), resource: { ...resource(), pod_id: unknown } })).toBe(
      `The pod ${unknown} doesn't exist`,
    )
  })
})

describe('the schemas', () => {
  it('are those of all fourteen types, in the documented order', async () => {
    const { json } = await w.call('GET', '/v1.0/jobs/schemas')
    expect(json.schemas).toHaveLength(14)
    expect(json.schemas[0]).toEqual({ type: 'configure_route', resource: ['router_id'] })
    expect(json.schemas.map((schema: { type: string }) => schema.type)).toEqual(
      jobTypes.map(({ type }) => type),
    )
  })
})

describe('the list of jobs', () => {
  const rows = 7
  const at = (second: number) => new Date(Date.UTC(2020, 0, 1, 0, 0, second))

  beforeAll(async () => {
    await sql`truncate job, job_log, turn`.execute(w.database.db)
    for (let i = 0; i < rows; i += 1) {
      w.setTime(at(Math.floor(i / 2)))
      await createPortDelete(i % 2 ? 'port-2' : 'port-1')
    }
    await sql`with gone as (delete from job where timestamp = ${at(0)} returning *)
              insert into job_log select id, project_id, type, resource, region, timestamp, 1, now(), now() from gone`.execute(
      w.database.db,
    )
  })

  const ids = (json: { jobs: { id: string }[] }): string[] => json.jobs.map(job => job.id)

  it('has the active ones first, then the log; each by timestamp and id, descending', async () => {
    const { json } = await w.call('GET', '/v1.0/jobs')
    expect(json.jobs).toHaveLength(rows)
    expect(json.jobs.slice(-2).map((job: { status: string }) => job.status)).toEqual(['SUCCESS', 'SUCCESS'])
    const active = json.jobs
      .slice(0, -2)
      .map((job: { timestamp: string; id: string }) => `${job.timestamp} ${job.id}`)
    expect(active).toEqual([...active].sort().reverse())
    expect(json.jobs_links).toBeUndefined()
    expect((await w.call('GET', '/v1.0/jobs/detail')).json).toEqual(json)
  })

  it('is paged through by its links, with nothing twice and nothing left out', async () => {
    const whole = ids((await w.call('GET', '/v1.0/jobs')).json)
    const seen: string[] = []
    let href: string | undefined = '/v1.0/jobs?limit=2'
    while (href) {
      const { json } = await w.call('GET', href)
      seen.push(...ids(json))
      href = json.jobs_links?.[0].href
    }
    expect(seen).toEqual(whole)
  })

  it('is filtered by type and by status in any case', async () => {
    const count = async (query: string): Promise<number> =>
      (await w.call('GET', `/v1.0/jobs?${query}`)).json.jobs.length
    expect(await count('status=new')).toBe(5)
    expect(await count('status=Success')).toBe(2)
    expect(await count('status=fail')).toBe(0)
    expect(await count('status=zzz')).toBe(0)
    expect(await count('type=port_delete')).toBe(7)
    expect(await count('type=seg_rule_setup')).toBe(0)
    expect(await count('status=zzz&type=port_delete')).toBe(0)
  })

  it('is of the token’s project, whatever is asked, unless an admin asks for all', async () => {
    await sql`update job set project_id = 'other' where id = (select id from job limit 1)`.execute(
      w.database.db,
    )
    expect((await w.call('GET', '/v1.0/jobs?project_id=other')).json.jobs).toHaveLength(6)
    expect((await w.call('GET', '/v1.0/jobs?all_projects=true')).json.jobs).toHaveLength(7)
    expect((await w.call('GET', '/v1.0/jobs?all_projects=true&project_id=other')).json.jobs).toHaveLength(1)
  })

  it('refuses unknown filters and markers', async () => {
    expect((await w.call('GET', '/v1.0/jobs?foo=1&bar=2')).json.badRequest.message).toBe(
      'Unsupported filter type: foo, bar',
    )
    expect((await w.call('GET', '/v1.0/jobs?marker=nope')).json.badRequest.message).toBe(
      'Invalid marker: nope',
    )
    const unknown = '11111111-2222-4333-8444-555555555555'
    expect((await w.call('GET', `/v1.0/jobs?marker=${unknown}`)).json.badRequest.message).toBe(
      `Invalid marker: ${unknown}`,
    )
  })
})

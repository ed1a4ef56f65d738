// What the feed says of a lease and of hosts while workers are at work: every change of a row of theirs is told.

import { beforeAll, describe, expect, it } from 'vitest'
import type { FeedEvent } from '../../src/core/feed/event.ts'
import { listEvents } from '../../src/core/feed/feed.ts'
import { removeHost } from '../../src/core/hosts/enrolment.ts'
import { newJob } from '../../src/core/jobs/jobs.ts'
import { createLease, removeLease, updateLease } from '../../src/core/leases/leases.ts'
import { noteOf } from '../../src/core/note.ts'
import { until } from '../wait.ts'
import { clearLeases, hourMs, leaseIs, quiet, shortly } from '../world/leases.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({
  workers: true,
  regions: ['Pod1', 'Pod2'],
  settings: { ATOLL_LEASES_RETRY_FOR_SECONDS: '1' },
  hosts: 2,
})
beforeAll(async () => {
  await watch()
})

/** Triggers that note which transaction changed what, and of what it told: they know nothing of how changes are made. */
const watch = () =>
  w.database.pool.query(`
    create table seen (tx xid8 default pg_current_xact_id(), kind text, subject text, told boolean);
    create function see_row() returns trigger language plpgsql as $$
    begin
      insert into seen (kind, subject, told) values (tg_table_name, coalesce(new.id, old.id)::text, false);
      return null;
    end $$;
    create function see_event() returns trigger language plpgsql as $$
    begin
      insert into seen (kind, subject, told) values (split_part(new.action, '.', 1), new.subject_id, true);
      return null;
    end $$;
    create trigger seen after insert or delete on lease for each row execute function see_row();
    create trigger seen after insert or update or delete on host for each row execute function see_row();
    create trigger seen after insert or update or delete on job for each row execute function see_row();
    create trigger changed after update on lease for each row
      when ((old.name, old.start_at, old.end_at, old.status, old.status_reason, old.action, old.degraded)
        is distinct from (new.name, new.start_at, new.end_at, new.status, new.status_reason, new.action, new.degraded))
      execute function see_row();
    create trigger seen after insert on outbox for each row execute function see_event()`)

/** How often rows of each kind were changed, and what was changed and not told in the same transaction. */
async function seen() {
  const { rows: counts } = await w.database.pool.query<{ kind: string; count: number }>(
    'select kind, count(*) as count from seen where not told group by kind order by kind',
  )
  const { rows: silent } = await w.database.pool.query(
    'select distinct tx, kind, subject from seen where not told except select tx, kind, subject from seen where told',
  )
  return { counts: Object.fromEntries(counts.map(({ kind, count }) => [kind, count])), silent }
}

async function eventsOf(subjectId: string, as = w.admin): Promise<readonly FeedEvent[]> {
  const { events } = await listEvents(w.app, as, { after: 0, limit: 1000, types: null })
  return events.filter(event => event.subjectId === subjectId)
}

const line = ({ action, data, region }: FeedEvent): string => `${action} ${data.status} ${region}`

describe('a lease', () => {
  it('is told of in the order of its life, to its project and to admins', async () => {
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1' }))
    await leaseIs(w, lease.id, 'ACTIVE')
    await quiet(w, lease.id)
    await updateLease(w.app, w.demo, { id: lease.id, name: 'another' })
    await quiet(w, lease.id)
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await leaseIs(w, lease.id, null)
    const events = await eventsOf(lease.id, w.demo)
    const lines = events.map(line).filter(one => !one.startsWith('lease.progress'))
    expect(lines).toEqual([
      'lease.create PENDING Pod1',
      'lease.starting STARTING Pod1',
      'lease.active ACTIVE Pod1',
      'lease.update ACTIVE Pod1',
      'lease.delete DELETING Pod1',
      'lease.gone DELETING Pod1',
    ])
    expect(events.at(-1)!.data).toMatchObject({ name: 'another', start_at: lease.startAt.toISOString() })
    expect(events.every(event => event.projectId === w.demo.projectId)).toBe(true)
    expect(await eventsOf(lease.id)).toEqual(events)
    const stranger = { ...w.demo, projectId: 'another' }
    expect(await eventsOf(lease.id, stranger)).toEqual([])
  })

  it('that fails is told of with its reason', async () => {
    w.cloud.faults.add({ kind: 'status', status: 400, region: 'Pod2', method: 'POST', path: '/v2.1/flavors' })
    const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod2' }))
    await leaseIs(w, lease.id, 'ERROR')
    const failed = (await eventsOf(lease.id)).find(event => event.action === 'lease.error')!
    expect(failed.data.status_reason).toEqual(expect.any(String))
    await clearLeases(w)
  })
})

describe('whatever changed in the database', () => {
  it('was told by the transaction that changed it: leases, hosts and jobs', async () => {
    const host = w.hosts[0]!
    await removeHost(w.app, w.admin, { id: host.id, region: null })
    await until(async () => (await w.app.store.hosts.get(host.id)) === null, { what: 'the host is gone' })
    const resource = { router_id: w.app.newId() }
    const job = newJob(w.app, { projectId: 'p', type: 'configure_route', resource, region: 'Pod1' })
    await w.app.store.jobs.post([job], noteOf(w.app, w.admin, 'job.create'))
    const isTried = async () => !['NEW', 'RUNNING'].includes((await w.app.store.jobs.get(job.id))!.status)
    await until(isTried, { what: 'the job is tried' })
    const { counts, silent } = await seen()
    console.log(`changes that were told: ${JSON.stringify(counts)}`)
    expect(silent).toEqual([])
    expect(counts.lease).toBeGreaterThan(8)
    expect(counts.host).toBeGreaterThan(1)
    expect(counts.job).toBeGreaterThan(2)
  })
})

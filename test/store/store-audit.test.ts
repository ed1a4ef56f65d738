// The audit trail: one line for every change, none without one, forgotten in small steps.

import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { forgetAudit } from '../../src/core/audit.ts'
import { fileWorld } from '../world.ts'
import { at, binding, noted, outcomes, region, routing, rowsOf } from './rows.ts'

const w = await fileWorld()
const { app, database } = w
const { store } = app
const { newRegion, trail } = rowsOf(w)
beforeEach(() => w.query('truncate routing, binding, region, audit restart identity cascade'))

describe('the audit trail', () => {
  it('has one line for every change, with who, when, what and the row itself', async () => {
    const made = await newRegion({ name: 'Pod1' })
    const bound = binding(made.id)
    await store.bindings.create(bound, noted('binding.create'))
    const routings = await store.routings.append(
      [routing(made.id), routing(made.id)],
      noted('routing.create'),
    )
    const [first, second] = routings.map(one => one.id)
    await store.routings.update(first!, { regionalId: 'changed' }, noted('routing.update'))
    for (const id of [first!, second!]) await store.routings.remove(id, noted('routing.remove'))
    await store.bindings.remove(bound.id, noted('binding.remove'))
    await store.regions.remove(made.id, noted('region.remove'))
    const lines = await trail()
    expect(lines.map(line => [line.action, line.target])).toEqual([
      ['region.create', made.id],
      ['binding.create', bound.id],
      ['routing.create', String(first)],
      ['routing.create', String(second)],
      ['routing.update', String(first)],
      ['routing.remove', String(first)],
      ['routing.remove', String(second)],
      ['binding.remove', bound.id],
      ['region.remove', made.id],
    ])
    for (const line of lines)
      expect(line).toMatchObject({ request_id: 'req-1', user_id: 'u1', project_id: 'p1', at })
    expect(lines[0]!.state).toMatchObject({ id: made.id, name: 'Pod1', availability_zone: 'az1' })
    expect(lines[4]!.state).toMatchObject({ id: first, regional_id: 'changed' })
    expect(lines.at(-1)!.state).toMatchObject({ id: made.id, name: 'Pod1' })
  })

  it('has none for what was refused or was not there', async () => {
    const made = await newRegion({ name: 'Pod1' })
    const before = await trail()
    await outcomes([
      store.regions.create(region({ name: 'Pod1' }), noted('region.create')),
      store.routings.append([routing(made.id), routing(randomUUID())], noted('routing.create')),
      store.bindings.create(binding(randomUUID()), noted('binding.create')),
    ])
    await store.regions.remove(randomUUID(), noted('region.remove'))
    await store.routings.update(999, { regionalId: 'x' }, noted('routing.update'))
    await store.routings.remove(999, noted('routing.remove'))
    await store.bindings.remove(randomUUID(), noted('binding.remove'))
    expect(await trail()).toEqual(before)
  })

  it('and the change go together: without the line there is no change', async () => {
    await database.pool.query(`alter table audit add constraint full_up check (action not like 'doomed%')`)
    const { id } = await newRegion()
    const doomed = [
      store.regions.create(region({ name: 'Doomed' }), noted('doomed.create')),
      store.regions.remove(id, noted('doomed.remove')),
      store.routings.append([routing(id)], noted('doomed.create')),
    ]
    for (const attempt of await Promise.allSettled(doomed))
      expect(attempt).toMatchObject({ status: 'rejected', reason: { constraint: 'full_up' } })
    await database.pool.query('alter table audit drop constraint full_up')
    expect((await store.regions.list()).map(one => one.id)).toEqual([id])
    expect(await store.regions.use(id)).toMatchObject({ routings: 0, bindings: 0 })
  })

  it('forgets what is too old in small steps, and two that do it at once do it once', async () => {
    await database.pool.query(
      `insert into audit (at, request_id, user_id, action, target, state)
       select now() - case when n <= 2500 then interval '31 days' else interval '29 days' end,
              'r', 'u', 'region.create', n::text, '{}' from generate_series(1, 2510) as n`,
    )
    const steps: number[] = []
    const watched: App = {
      ...app,
      store: {
        ...store,
        audit: {
          async removeBefore(before, limit) {
            const removed = await store.audit.removeBefore(before, limit)
            steps.push(removed)
            return removed
          },
        },
      },
    }
    const removed = await Promise.all([forgetAudit(watched, 30), forgetAudit(watched, 30)])
    expect(removed[0] + removed[1]).toBe(2500)
    expect(Math.max(...steps)).toBeLessThanOrEqual(1000)
    expect(await trail()).toHaveLength(10)
  })

  it('forgets around a line that somebody else is at', async () => {
    await newRegion()
    await newRegion()
    const holder = await database.pool.connect()
    try {
      await holder.query('begin; select from audit where id = 1 for update')
      expect(await store.audit.removeBefore(new Date(at.getTime() + 1), 10)).toBe(1)
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    expect((await trail()).map(line => line.target)).toHaveLength(1)
  })
})

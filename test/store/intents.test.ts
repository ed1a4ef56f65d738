// Intents: one living for a purpose, known to the end of what bears their marks, and then forgotten.

import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import type { Intent, IntentStore } from '../../src/core/network/copies/intent.ts'
import { forgetIntents } from '../../src/core/network/watch/tidy.ts'
import { fileWorld } from '../world.ts'
import { at, times } from './rows.ts'

const w = await fileWorld()
let intents: IntentStore
beforeAll(async () => {
  intents = w.app.store.intents
})
beforeEach(() => w.query('truncate intent'))

const minutes = (count: number): Date => new Date(at.getTime() + count * 60_000)
const intent = (fields: Partial<Intent> = {}): Omit<Intent, 'regionalId'> => ({
  id: randomUUID(),
  region: 'Pod1',
  resourceType: 'network',
  purpose: randomUUID(),
  owner: '',
  ...fields,
})
const declare = async (fields: Partial<Intent> = {}, when = at) => intents.declare(intent(fields), when)
const ids = (found: readonly Intent[]) => found.map(one => one.id)

describe('an intent', () => {
  it('is declared once for a purpose, type and region, whoever comes', async () => {
    const purpose = 'net'
    const all = await Promise.all(times(10, () => declare({ purpose })))
    expect(new Set(ids(all)).size).toBe(1)
    expect(all.filter(one => one.isNew)).toHaveLength(1)
    const others = [{ region: 'Pod2' }, { resourceType: 'subnet' }]
    for (const fields of others) expect(await declare({ purpose, ...fields })).toMatchObject({ isNew: true })
  })

  it('keeps the first id that is noted, and the first owner', async () => {
    const { id, purpose } = await declare()
    expect(await intents.noteId(id, 'first', 'net')).toBe('first')
    expect(await intents.noteId(id, 'second', 'other')).toBe('first')
    expect(await declare({ purpose, owner: 'another' })).toMatchObject({
      id,
      owner: 'net',
      regionalId: 'first',
      isNew: false,
    })
  })

  it('takes an owner from whoever declares it again', async () => {
    const { purpose } = await declare()
    expect(await declare({ purpose, owner: 'net' })).toMatchObject({ owner: 'net', isNew: false })
  })

  it('that has ended gives its purpose free, and what bears its mark is surplus', async () => {
    const { id, purpose } = await declare({ owner: 'net' })
    await intents.noteId(id, 'there')
    await intents.end(id, 'verb', minutes(1))
    await intents.end(id, 'verb', minutes(2))
    const next = await declare({ purpose, owner: 'net' })
    expect(next).toMatchObject({ isNew: true, regionalId: null })
    const pending = await declare()
    const settled = await intents.states([id, next.id, pending.id, randomUUID(), 'no uuid'])
    expect(settled).toEqual(
      new Map([
        [id, { regionalId: 'there', state: 'removed' }],
        [next.id, { regionalId: null, state: 'living' }],
        [pending.id, { regionalId: null, state: 'living' }],
      ]),
    )
    await intents.noteId(next.id, 'again')
    expect((await intents.states([next.id])).get(next.id)).toEqual({ regionalId: 'again', state: 'living' })
  })

  it('is found by its owner while it lives', async () => {
    const mine = await declare({ owner: 'net' })
    const ended = await declare({ owner: 'net' })
    await intents.end(ended.id, 'verb', at)
    await declare({ owner: 'net', region: 'Pod2' })
    await declare({ owner: 'other' })
    await declare()
    expect(ids(await intents.living('Pod1', ['net', 'none', '']))).toEqual([mine.id])
  })

  it('is forsaken when nobody got an answer for it', async () => {
    const old = await declare()
    await declare({}, minutes(2))
    await declare({ region: 'Pod2' })
    await declare({ owner: 'net' })
    await intents.noteId((await declare()).id, 'there')
    await intents.end((await declare()).id, 'verb', at)
    expect(ids(await intents.forsaken('Pod1', minutes(1)))).toEqual([old.id])
  })

  it('is forgotten some time after its end, the oldest first', async () => {
    const living = await declare()
    const ended = await Promise.all(times(5, () => declare()))
    for (const [minute, { id }] of ended.entries()) await intents.end(id, 'verb', minutes(minute))
    expect(await intents.forget(minutes(3), 2)).toBe(2)
    expect(await intents.forget(minutes(3), 2)).toBe(1)
    expect(await intents.forget(minutes(3), 2)).toBe(0)
    const known = await intents.states(ids([living, ...ended]))
    expect([...known.keys()].sort()).toEqual(ids([living, ended[3]!, ended[4]!]).sort())
  })

  it('is forgotten a day after its end in small steps, and two that do it at once do it once', async () => {
    await w.query(
      `insert into intent (id, region, resource_type, purpose, created_at, ended_at)
       select gen_random_uuid(), 'Pod1', 'network', n::text, now() - interval '9 days',
              case when n <= 2500 then now() - interval '25 hours' when n <= 2505 then now() - interval '23 hours' end
       from generate_series(1, 2510) as n`,
    )
    const steps: number[] = []
    const watched: App = {
      ...w.app,
      store: {
        ...w.app.store,
        intents: {
          ...intents,
          async forget(before, limit) {
            const removed = await intents.forget(before, limit)
            steps.push(removed)
            return removed
          },
        },
      },
    }
    const removed = await Promise.all([forgetIntents(watched), forgetIntents(watched)])
    expect(removed[0] + removed[1]).toBe(2500)
    expect(Math.max(...steps)).toBeLessThanOrEqual(1000)
    const { rows } = await w.database.pool.query('select from intent')
    expect(rows).toHaveLength(10)
  })

  it('is declared and ended with the rest of a transaction, or not at all', async () => {
    const { id } = await declare({ owner: 'net' })
    const failing = w.app.store.transact(async tx => {
      await tx.intents.end(id, 'verb', at)
      await tx.intents.declare(intent({ owner: 'net' }), at)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(ids(await intents.living('Pod1', ['net']))).toEqual([id])
  })

  it('of a process of an older release has no owner', async () => {
    await w.query(
      `insert into intent (id, region, resource_type, purpose, created_at)
       values ($1, 'Pod1', 'network', 'old', now())
       on conflict (region, resource_type, purpose) do update set purpose = excluded.purpose`,
      [randomUUID()],
    )
    expect(await declare({ purpose: 'old' })).toMatchObject({ owner: '', isNew: false })
  })
})

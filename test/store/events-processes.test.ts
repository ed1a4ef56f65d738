// Two processes write events whose transactions commit in any order while a slow reader reads: none is skipped, none twice.
//
// SOAK=1 writes all of the hundred thousand instead of a tenth.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { listEvents } from '../../src/core/feed/feed.ts'
import { sized } from '../chance.ts'
import { pause } from '../wait.ts'
import { type World, world } from '../world.ts'
import { caller } from './rows.ts'

const program = fileURLToPath(new URL('events-client.mjs', import.meta.url))

const processes = 2
const writersEach = 8
/** In one transaction. */
const size = 50
const pageSize = 500
const restMs = 20

interface Writing {
  /** In the order in which it was heard of their commits. */
  readonly written: string[]
  readonly isDone: Promise<unknown>
}

function startWriting(url: string, events: number): Writing {
  const written: string[] = []
  const ends = Array.from({ length: processes }, (_, index) => {
    const args = [url, `Pod${index}`, `${events / processes}`, `${size}`, `${writersEach}`]
    const child = fork(program, args)
    child.on('message', (told: { written?: string[] }) => written.push(...(told.written ?? [])))
    return once(child, 'exit').then(([code]) => code !== 0 && Promise.reject(new Error(`ended with ${code}`)))
  })
  return { written, isDone: Promise.all(ends) }
}

interface Reading {
  readonly ids: string[]
  readonly numbers: number[]
  readonly pages: number
}

/** Page after page with a rest between them, until all writers are done and nothing more comes. */
async function readSlowly({ app }: World, isDone: Promise<unknown>): Promise<Reading> {
  const reading = { ids: [] as string[], numbers: [] as number[], pages: 0 }
  let isOver = false
  isDone.finally(() => {
    isOver = true
  })
  for (let after = 0; ; ) {
    const wasOver = isOver
    const { events, next } = await listEvents(app, caller, { after, limit: pageSize, types: null })
    after = next
    reading.ids.push(...events.map(event => event.subjectId))
    reading.numbers.push(...events.map(event => event.number))
    reading.pages += 1
    if (wasOver && events.length === 0) return reading
    await pause(restMs)
  }
}

interface Found extends Reading {
  readonly skipped: number
  readonly doubled: number
}

async function run(w: World, events: number): Promise<Found> {
  const { written, isDone } = startWriting(w.databaseUrl, events)
  const reading = await readSlowly(w, isDone)
  await isDone
  expect(written).toHaveLength(events)
  const read = new Set(reading.ids)
  return {
    ...reading,
    skipped: written.filter(id => !read.has(id)).length,
    doubled: reading.ids.length - read.size,
  }
}

/** How many transactions wrote before another one and committed after it, by the order in which things were written. */
async function overtaken(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*) as count from (select asked < lag(asked) over (order by number) as late from event join job on job.id::text = subject_id) as one where late',
  )
  return rows[0]!.count
}

const print = (what: string, events: number, { skipped, doubled, pages }: Found, late: number): void =>
  console.log(
    `${what}: ${events} events from ${processes} processes, read in ${pages} pages: ` +
      `${skipped} skipped, ${doubled} doubled; ${late} times what was written earlier came later`,
  )

describe(`events of ${processes} processes, in transactions that commit in any order`, () => {
  it('are read once each, with no number left out', async () => {
    const events = sized(100_000)
    await using w = await world()
    const found = await run(w, events)
    const late = await overtaken(w.database.pool)
    print('numbered by one after commit', events, found, late)
    expect([found.skipped, found.doubled]).toEqual([0, 0])
    expect(found.numbers).toEqual(Array.from({ length: events }, (_, index) => index + 1))
    expect(late, 'they do not come as they were written').toBeGreaterThan(events / 1000)
  })

  it('are skipped, and this test notices, where they get their numbers as they are written', async () => {
    const events = 3_000
    await using w = await world()
    await w.query(`
      create function number_at_once() returns trigger language plpgsql as $$
      begin
        insert into event (number, at, type, action, subject_id, project_id, region, data)
        values (new.id, new.at, new.type, new.action, new.subject_id, new.project_id, new.region, new.data);
        return null;
      end $$;
      create trigger number_at_once before insert on outbox for each row execute function number_at_once()`)
    const found = await run(w, events)
    print('numbered as they are written', events, found, await overtaken(w.database.pool))
    expect(found.skipped).toBeGreaterThan(0)
  })
})

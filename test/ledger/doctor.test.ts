// `atoll doctor --ledger`: nothing to say of a ledger that is right, and each row that was tampered with is named.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forever, type Window, wholeHost } from '../../src/core/ledger/ledger.ts'
import { journalStore } from '../../src/store/journal.ts'
import { checkLedger } from '../../src/store/ledger-check.ts'
import { chanceOf } from '../chance.ts'
import { Life } from './histories.ts'
import { stepsOf } from './history-steps.ts'
import { violations } from './laws.ts'
import { hostOf, note, type PostgresLedger, postgresStore, regionNamed, tenancy } from './stores.ts'

const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
const day = 24 * 3_600_000
const tomorrow = Math.ceil(Date.now() / day) * day
/** So many days from now, at midnight, and hours after that. */
const on = (days: number, hours = 0): Date => new Date(tomorrow + days * day + hours * 3_600_000)

let store: PostgresLedger
let hosts: number[]
let scope: number
const claims = [randomUUID(), randomUUID()] as const

/** One region, two hosts, two claims of one host each, one after the other. */
beforeEach(async () => {
  store = await postgresStore()
  const region = regionNamed('Pod1', note.at)
  await store.addRegion(region)
  hosts = []
  for (const _ of [1, 2]) {
    const id = await store.transact(ledger => ledger.addHost(region.id, on(0)))
    await store.insertHost(hostOf({ id, region }))
    hosts.push(id)
  }
  const always = { from: on(0), to: forever }
  scope = await store.transact(ledger => ledger.scope(region.id, 'reservable'))
  await store.transact(async ledger => {
    await ledger.lock([scope])
    await ledger.post([tenancy(scope, 2, always)], note)
  })
  await hold(claims[0], { from: on(1, 6), to: on(3) })
  await hold(claims[1], { from: on(3), to: on(4, 12) })
})
afterEach(() => store[Symbol.asyncDispose]())

/** Returns the reservation that it is for. */
const hold = (id: string, window: Window, line = randomUUID() as string) =>
  store.transact(async ledger => {
    await ledger.lock([scope])
    await ledger.claim(
      { id, projectId: 'project', kind: 'lease', window },
      [{ line, account: scope, class: 'TENANCY', amount: wholeHost, window }],
      [{ line, host: hosts[0]!, window, whole: true }],
      note,
    )
    return line
  })

const tamper = (statement: string, values: unknown[] = []) => store.w.database.pool.query(statement, values)

/** Everything that is wrong, each with its subject. */
const found = async (): Promise<string[]> => {
  const findings = await checkLedger(store.w.database.db)
  return findings.flatMap(({ subject, wrong }) => wrong.map(sentence => `${subject}: ${sentence}`))
}

/** The laws that are broken, as the tests ask them; that a hold is for no lease is so in most of these. */
const broken = async (): Promise<string[]> => {
  const found = await violations(store.w.database.pool)
  const laws = found.filter(one => !one.found.includes('is for no reservation')).map(({ law }) => law)
  return [...new Set(laws)].toSorted()
}

const scopeName = () => `Account ${scope} (the reservable scope of Pod1)`
const iso = (at: Date): string => at.toISOString()

describe('a ledger that is right', () => {
  it('has nothing to be named', async () => {
    expect(await found()).toEqual([])
  })

  it('has nothing to be named after what was released, cut, closed and shared', async () => {
    await store.transact(ledger => ledger.release(claims[0], note, on(2)))
    await store.transact(ledger => ledger.release(claims[1], note))
    await store.transact(ledger => ledger.closeHost(hosts[1]!, on(9)))
    expect(await found()).toEqual([])
  })

  it('has nothing to be named after random histories without force', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const life = await Life.begin(store, `seed${seed}`)
      for (const step of stepsOf(chanceOf(seed), 30)) {
        if (step.does === 'fail' || (step.does === 'use' && step.isFound)) continue
        await life.live(step)
      }
    }
    expect(await found()).toEqual([])
  })
})

describe('a journal whose beginning is kept no longer', () => {
  it('gives the levels from then on, and what differs from them is still named', async () => {
    await tamper('update journal set at = $1', [on(0)])
    const { removeBefore } = journalStore(store.w.database.db)
    // The first claim is over; the second is not, and the supply has no end.
    expect(await removeBefore(on(3, 6), 10)).toBe(1)
    expect(await removeBefore(on(3, 6), 10)).toBe(0)
    expect(await found()).toEqual([])
    await tamper('delete from journal where target = $1', [claims[1]])
    const sentences = await found()
    expect(sentences).toHaveLength(4)
    expect(sentences).toContain(
      `journal: ${scopeName()}: by the journal its TENANCY changes by 0 at ${iso(on(4, 12))}, by supply and holds it changes by 1000000`,
    )
  })

  it('loses no line that is younger, whatever it is about', async () => {
    await tamper('update journal set at = $1', [on(8)])
    expect(await journalStore(store.w.database.db).removeBefore(on(7), 10)).toBe(0)
  })
})

describe('what was tampered with is named', () => {
  it('a step that is missing', async () => {
    await tamper('delete from step where account_id = $1 and at = $2', [scope, on(1, 6)])
    expect(await found()).toEqual([
      `steps: ${scopeName()}: its step of TENANCY at ${iso(on(1, 6))} is missing, and by supply and holds it is -1000000`,
    ])
  })

  it('a step that nothing made', async () => {
    await tamper(`insert into step values ($1, 'VCPU', $2, 5)`, [scope, on(1, 7)])
    expect(await found()).toEqual([
      `steps: ${scopeName()}: its step of VCPU at ${iso(on(1, 7))} is 5, and by supply and holds it is none`,
    ])
  })

  it('a bucket that was changed', async () => {
    await tamper('update bucket set lowest = 0 where account_id = $1 and day = $2', [scope, on(1)])
    expect(await found()).toEqual([
      `buckets: ${scopeName()}: its bucket of TENANCY on ${iso(on(1)).slice(0, 10)} has a change of -1000000, a lowest of 0 and no known highest, and by supply and holds it has a change of -1000000, a lowest of -1000000 and a highest of -1000000`,
    ])
  })

  it('a gap that is too long', async () => {
    await tamper('update host_gap set to_at = $2 where host_id = $1 and from_at = $3', [
      hosts[0],
      on(2),
      on(0),
    ])
    expect(await found()).toEqual([
      `gaps: Host ${hosts[0]}: it is free from ${iso(on(0))} to ${iso(on(1, 6))} by supply and holds, and no gap says just that`,
      `gaps: Host ${hosts[0]}: a gap says that it is free from ${iso(on(0))} to ${iso(on(2))}, and by supply and holds it is not, or not just then`,
    ])
  })

  it('a gap that is missing', async () => {
    await tamper('delete from host_gap where host_id = $1', [hosts[1]])
    expect(await found()).toEqual([
      `gaps: Host ${hosts[1]}: it is free from ${iso(on(0))} to ${iso(forever)} by supply and holds, and no gap says just that`,
    ])
  })

  it('a hold that was deleted behind the journal’s back', async () => {
    await tamper('delete from hold where claim_id = $1', [claims[1]])
    const sentences = await found()
    expect(sentences).toContain(
      `journal: ${scopeName()}: by the journal its TENANCY changes by 1000000 at ${iso(on(4, 12))}, by supply and holds it changes by 0`,
    )
    expect(sentences).toContain(
      `steps: ${scopeName()}: its step of TENANCY at ${iso(on(4, 12))} is 1000000, and by supply and holds it is none`,
    )
  })

  it('a host’s hold that was deleted behind the journal’s back', async () => {
    await tamper('delete from host_hold where claim_id = $1', [claims[1]])
    expect(await found()).toContain(
      `journal: Host ${hosts[0]}: by the journal its TENANCY changes by 1000000 at ${iso(on(4, 12))}, by supply and holds it changes by 0`,
    )
  })

  it('two claims on one host, where the constraint is gone', async () => {
    await tamper('alter table host_hold drop constraint host_hold_alone')
    await tamper('update host_hold set during = tstzrange($2, upper(during)) where claim_id = $1', [
      claims[1],
      on(2),
    ])
    const sentences = await found()
    expect(sentences).toContain(
      `one claim a host: Host ${hosts[0]}: claims ${claims[0]} and ${claims[1]} both hold it from ${iso(on(2))} to ${iso(on(3))}`,
    )
    expect(sentences).toContain(
      `no double booking: Host ${hosts[0]}: from ${iso(on(2))} to ${iso(on(3))} 1000000 TENANCY more is held or used than there is`,
    )
    expect(await broken()).toEqual(['exclusivity', 'within the supply of the host'])
  })

  it('a highest that was changed, and not one that is not known', async () => {
    const where = 'account_id = $1 and day = $2'
    await tamper(`update bucket set highest = 5, writings = writings + 1 where ${where}`, [scope, on(1)])
    expect(await found()).toEqual([
      `buckets: ${scopeName()}: its bucket of TENANCY on ${iso(on(1)).slice(0, 10)} has a change of -1000000, a lowest of -1000000 and a highest of 5, and by supply and holds it has a change of -1000000, a lowest of -1000000 and a highest of -1000000`,
    ])
    await tamper(`update bucket set change = change where ${where}`, [scope, on(1)])
    expect(await found()).toEqual([])
  })

  it('more that is held than there is', async () => {
    await store.transact(async ledger => {
      await ledger.lock([scope])
      await ledger.post([tenancy(scope, -2, { from: on(2), to: forever })], note)
    })
    expect(await found()).toEqual([
      `no double booking: ${scopeName()}: from ${iso(on(2))} to ${iso(on(3))} 1000000 TENANCY more is held or used than there is`,
      `no double booking: ${scopeName()}: from ${iso(on(3))} to ${iso(on(4, 12))} 1000000 TENANCY more is held or used than there is`,
    ])
    expect(await broken()).toEqual(['no double booking'])
  })

  it('and not what has failed: it may leave less than nothing, and only as much as has failed', async () => {
    const fail = async (hosts: number, origin: 'failure' | 'decrease') =>
      store.transact(async ledger => {
        await ledger.lock([scope])
        await ledger.post([{ ...tenancy(scope, -hosts, { from: on(2), to: on(3) }), origin }], note)
      })
    await fail(2, 'failure')
    expect([await found(), await broken()]).toEqual([[], []])
    await fail(1.5, 'decrease')
    expect(await found()).toEqual([
      `no double booking: ${scopeName()}: from ${iso(on(2))} to ${iso(on(3))} 500000 TENANCY more is held or used than there is`,
    ])
    expect(await broken()).toEqual(['no double booking'])
  })

  it('a reservation that has fewer hosts than it asked for', async () => {
    const [lease, window] = [randomUUID(), { from: on(6), to: on(7) }]
    const reservation = await hold(lease, window)
    await tamper(
      `insert into lease (id, name, project_id, user_id, start_at, end_at, status, degraded, created_at)
       values ($1, '', 'project', 'user', $2, $3, 'PENDING', false, now())`,
      [lease, window.from, window.to],
    )
    await tamper(
      `insert into reservation
         (id, lease_id, position, kind, status, min, max, hypervisor_properties, resource_properties, before_end,
          region_id, missing_resources, resources_changed, created_at)
       select $1, $2, 0, 'physical:host', 'pending', 2, 3, '', '', '', id, false, false, now() from region`,
      [reservation, lease],
    )
    expect(await found()).toEqual([
      `all or nothing: Reservation ${reservation} of lease ${lease}: it holds 1 hosts, and is to have 2 to 3`,
    ])
    expect(await broken()).toContain('all or nothing')
    await tamper('update reservation set min = 1')
    expect(await found()).toEqual([])
  })

  it('twenty rows of each kind, and how many more there are', async () => {
    await tamper(
      `insert into step select $1, 'VCPU', '2027-01-01Z'::timestamptz + n * interval '1 hour', 1 from generate_series(1, 30) n`,
      [scope],
    )
    const steps = (await checkLedger(store.w.database.db)).find(({ subject }) => subject === 'steps')!
    expect([steps.wrong.length, steps.count]).toEqual([20, 30])
  })
})

describe('atoll doctor --ledger', () => {
  const doctor = () =>
    new Promise<{ code: number; out: string }>(done => {
      const env = { PATH: process.env.PATH, ATOLL_DATABASE_URL: store.w.databaseUrl }
      execFile(process.execPath, [main, 'doctor', '--ledger'], { env, timeout: 240_000 }, (error, out, err) =>
        done({ code: error ? Number(error.code ?? -1) : 0, out: out + err }),
      )
    })

  it('ends with 0 when all is well', async () => {
    expect(await doctor()).toEqual({
      code: 0,
      out: [
        ...['steps', 'buckets', 'gaps', 'journal', 'no double booking', 'one claim a host', 'all or nothing'],
        ...['draw limit', 'promises held', 'usage of instances', ''],
      ]
        .map(subject => (subject ? `ok   ${subject}: nothing is wrong\n` : 'All is well.\n'))
        .join(''),
    })
  })

  it('ends with 1 when something is not, and says what', async () => {
    await tamper('delete from step where account_id = $1 and at = $2', [scope, on(1, 6)])
    const { code, out } = await doctor()
    expect(code).toBe(1)
    expect(out).toContain(`BAD  steps: ${scopeName()}: its step of TENANCY`)
    expect(out).toContain('1 thing needs attention.')
  })
})

// Many clients in several processes take addresses of one subnet: none is given twice, and nobody is told of a fight.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { AllocationPool } from '../../src/core/network/model/model.ts'
import { sized } from '../chance.ts'
import { fileWorld } from '../world.ts'
import { rowsOf, times } from './rows.ts'

const program = fileURLToPath(new URL('addresses-client.mjs', import.meta.url))
const processes = 4
const clients = 64
/** How often each client takes some at most: of the large pool, where they look first, and until none is left. */
const many = sized(400)
const few = 10
const all = 10_000

interface Told {
  readonly held: number
  /** How many clients were told that there is none left. */
  readonly full: number
  /** How often one that wants several was told that others are taking the last. */
  readonly contended: number
  readonly errors: readonly string[]
}

const w = await fileWorld()
const s = rowsOf(w)

interface Fight {
  readonly pool: AllocationPool
  readonly most: number
  /** How many a transaction takes. */
  readonly each?: number
  readonly isLooking?: boolean
}

interface Outcome extends Told {
  /** What the database has: rows, and different addresses. */
  readonly rows: number
  readonly addresses: number
}

async function fight(what: string, { pool, most, each = 1, isLooking = false }: Fight): Promise<Outcome> {
  const { id: subnetId } = await s.addSubnet()
  const about = {
    url: w.databaseUrl,
    subnetId,
    pools: [pool],
    clients: clients / processes,
    each,
    isLooking,
    most,
  }
  const children = times(processes, () => fork(program, [JSON.stringify(about)]))
  await Promise.all(children.map(child => once(child, 'message')))
  const ends = children.map(child => once(child, 'message') as Promise<[Told]>)
  for (const child of children) child.send('go')
  const told = (await Promise.all(ends)).map(([one]) => one)
  const holdings = await w.app.store.networks.holdings(subnetId)
  const sum = (count: (one: Told) => number) => told.reduce((all, one) => all + count(one), 0)
  const outcome = {
    held: sum(one => one.held),
    full: sum(one => one.full),
    contended: sum(one => one.contended),
    errors: told.flatMap(one => one.errors),
    rows: holdings.length,
    addresses: new Set(holdings.map(one => one.start)).size,
  }
  const { held, full, contended, errors, rows, addresses } = outcome
  const kinds = [...new Set(errors.map(error => error.split('\n')[0]!.replace(/[\d.]+/, '…')))]
  console.log(
    `${what}: ${held} addresses, ` +
      `${rows - addresses} twice, ${full} clients told that none is left, ${contended} times to try again, ${errors.length} errors ${kinds}`,
  )
  return outcome
}

const large = { start: '10.0.0.2', end: '10.0.255.254' }
/** Of 509 addresses. */
const small = { start: '10.0.0.2', end: '10.0.1.254' }

describe(`${clients} clients in ${processes} processes`, () => {
  it('take addresses of one /16', async () => {
    const told = await fight('of a /16', { pool: large, most: many })
    expect([told.errors, told.contended, told.full]).toEqual([[], 0, 0])
    expect([told.rows, told.addresses]).toEqual([told.held, told.held])
    expect(told.held).toBeGreaterThan(clients)
  })

  it('take the last ones, to the very last, and then all are told so', async () => {
    const told = await fight('the last', { pool: small, most: all })
    expect([told.errors, told.contended]).toEqual([[], 0])
    expect([told.held, told.rows, told.addresses, told.full]).toEqual([509, 509, 509, clients])
  })

  it('take several at once, and wait for each other in no circle', async () => {
    const told = await fight('the last by threes', { pool: small, most: all, each: 3 })
    expect(told.errors).toEqual([])
    expect([told.held, told.rows, told.addresses, told.full]).toEqual([507, 507, 507, clients])
  })

  const looking = { pool: small, most: few, isLooking: true }

  it('take none twice by the constraints alone', async () => {
    const told = await fight('looking first', looking)
    expect(told.errors.length).toBeGreaterThan(0)
    expect(told.addresses).toBe(told.rows)
  })

  it('take some twice, and these tests notice, without the constraints', async () => {
    await w.query('drop index held_range_address; alter table held_range drop constraint held_range_scope')
    const told = await fight('looking first, without constraints', looking)
    expect(told.rows - told.addresses).toBeGreaterThan(0)
  })
})

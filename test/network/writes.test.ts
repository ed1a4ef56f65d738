// How verbs write, in one table: every kind and verb, at home and spanning, by everything that may befall who writes. Of
// those that name one revision exactly one wins, what was acknowledged is kept, and in the end the model and the regions
// agree.
//
// One row of each peril, by a seed that is printed (SEED=n for the same again, ONLY=words for those whose names have them);
// all of them, and every point at which a writer can die, with SOAK=1.

import { describe, expect, it } from 'vitest'
import { network } from '../../src/api/network/index.ts'
import { chanceOf, pick, seed as seedOf } from '../chance.ts'
import { oneGround } from './one-ground.ts'
import { ground, type Peril, type Plant, perils } from './perils.ts'
import { type Case, cases } from './writes.ts'

interface Row {
  readonly one: Case
  readonly peril: Peril
}

const table: readonly Row[] = cases.flatMap(one =>
  perils.filter(peril => peril.isFor(one)).map(peril => ({ one, peril })),
)

const nameOf = ({ one: { verb, what, span }, peril }: Row): string =>
  `${verb}${what && ` (${what})`}, ${span === 'home' ? 'at home' : span}: ${peril.name}`

const seed = seedOf()
const chance = chanceOf(seed)

/** One row of each peril, drawn: as many as half a minute has room for. */
function share(): readonly Row[] {
  const { ONLY: only, SOAK: soak } = process.env
  if (soak || only) return table.filter(row => new RegExp(only ?? '').test(nameOf(row)))
  const drawn = new Set(
    perils.map(peril =>
      pick(
        table.filter(row => row.peril === peril),
        chance,
      ),
    ),
  )
  return [...drawn]
}

const shared = oneGround(ground)

/** What went wrong in a row. Where something did, the next row has a ground of its own. */
async function befall({ one, peril }: Row, plant: Plant | null, isWhole: boolean): Promise<string[]> {
  const g = await shared.get()
  g.plant = plant
  try {
    const wrong = await peril.befall(g, one, chance, isWhole)
    g.plant = null
    if (wrong.length > 0) await shared.abandon()
    return wrong
  } catch (error) {
    await shared.abandon()
    throw error
  }
}

describe(`how verbs write (${table.length} rows, SEED=${seed})`, () => {
  const rows = share()
  let run = 0

  it.each(rows.map(row => [nameOf(row), row] as const))('%s', { timeout: 3_600_000 }, async (_name, row) => {
    run += 1
    const wrong = await befall(row, null, process.env.SOAK !== undefined)
    expect(wrong).toEqual([])
  })

  it('has run as many rows as it says', () => {
    console.log(`writes: ${run} of ${table.length} rows, SEED=${seed}`)
    expect(run).toBe(rows.length)
    expect(run).toBeGreaterThan(0)
  })
})

describe('the table', () => {
  /** The rules of the routes that write, which are named as verbs are. */
  const verbs = network({ pageLimit: 1 })
    .routes.filter(({ method }) => method !== 'GET')
    .map(({ rule }) => rule!)

  it.each(verbs)('has rows of %s at home and spanning, with every peril', verb => {
    // Whoever changes or removes a resource may name its revision.
    const isVersioned = /^(?:update|delete)_/.test(verb)
    for (const span of ['home', 'spanning'] as const) {
      const due = perils.filter(({ isFor }) => isFor({ isVersioned, span }))
      const met = table.filter(({ one }) => one.verb === verb && one.span === span).map(({ peril }) => peril)
      expect(due.filter(peril => !met.includes(peril)).map(({ name }) => name)).toEqual([])
    }
  })

  it('has no rows of verbs that there are not', () => {
    expect([...new Set(cases.map(({ verb }) => verb))].filter(verb => !verbs.includes(verb))).toEqual([])
  })
})

describe('a fault of ours is seen by the table', () => {
  const rowNamed = (name: RegExp): Row => table.find(row => name.test(nameOf(row)))!

  it.each([
    ['the revision is not looked at again', /^update_router, at home: one revision named by two, in two/],
    ['the revision is not looked at again', /^update_network, spanning: one revision named by two, in two/],
    ['the writing is left out', /^update_router, at home: killed/],
  ] as const)('%s: %s', async (plant, name) => {
    // Of two who race one may be late enough by chance.
    for (let tries = 0; tries < 10; tries += 1) {
      const wrong = await befall(rowNamed(name), plant, true)
      if (wrong.length === 0) continue
      console.log(`planted, ${plant}: ${wrong[0]}`)
      return
    }
    expect.unreachable('no row of the table saw it')
  })
})

// Random histories: PostgreSQL and the slow model agree on what comes of every step, and on everything at the end.

import { expect, it } from 'vitest'
import { chanceOf, seed } from '../chance.ts'
import { Life, viewed } from './histories.ts'
import { type Step, stepsOf } from './history-steps.ts'
import { type LedgerStore, memoryStore, postgresStore } from './stores.ts'

const histories = process.env.SOAK === '1' ? 10_000 : 30
const steps = 30
/** How many histories share a database, one beside the other. */
const perDatabase = 60
const lanes = 6

interface Tally {
  steps: number
  refused: number
}

/** A history of its own regions, lived in both stores. */
async function live(postgres: LedgerStore, name: string, happens: readonly Step[], tally: Tally) {
  await using memory = await memoryStore()
  const [model, real] = [await Life.begin(memory, name), await Life.begin(postgres, name)]
  for (const [index, step] of happens.entries()) {
    const [expected, found] = [await model.live(step), await real.live(step)]
    const told = `history ${name}, step ${index}: ${JSON.stringify(step)}`
    expect(found, told).toEqual(expected)
    tally.steps += 1
    if (isRefusal(expected)) tally.refused += 1
  }
  const told = `history ${name}, at its end`
  expect(await real.view(viewed), told).toEqual(await model.view(viewed))
}

const isRefusal = (outcome: unknown): boolean =>
  typeof outcome === 'object' && outcome !== null && ('refused' in outcome || 'short' in outcome)

it(`${histories} random histories are the same in PostgreSQL and in the slow model`, async () => {
  const seeded = seed()
  console.log(`SEED=${seeded}`)
  const tally: Tally = { steps: 0, refused: 0 }
  for (let first = 0; first < histories; first += perDatabase) {
    await using postgres = await postgresStore()
    const names = Array.from(
      { length: Math.min(perDatabase, histories - first) },
      (_, index) => first + index,
    )
    const lane = async (): Promise<void> => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        await live(postgres, `h${name}`, stepsOf(chanceOf(seeded + name), steps), tally)
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    if (first % 600 === 540) console.log(`${first + perDatabase} histories agree so far`)
  }
  console.log(`${histories} histories, ${tally.steps} steps, ${tally.refused} refused; SEED=${seeded}`)
  expect(tally.refused).toBeGreaterThan(histories)
}, 3_600_000)

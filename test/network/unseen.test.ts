// What a region does not show for a while is not lost: every kind, at home and spanning, by everything that may befall a
// region's sight, for a look, a sweep or a day, with and without a process that dies meanwhile. At the end the model, the
// regions and all that is kept are what they were, nothing was removed in any region, and what tenants have really
// removed there is gone.
//
// A share of the rows, by a seed that is printed (SEED=n for the same again); all of them with SOAK=1.

import { describe, expect, it } from 'vitest'
import { chanceOf, pick, seed as seedOf } from '../chance.ts'
import { oneGround } from './one-ground.ts'
import {
  difference,
  type Everything,
  everything,
  type Ground,
  ground,
  type Made,
  removals,
  type Sickness,
  type Subject,
  sicknesses,
  subjects,
  upkeep,
} from './unseen.ts'

const durations = ['one look', 'one sweep', 'a day'] as const

/** Some things at once: each with the same sickness is a row of the table. */
interface Run {
  /** Few enough of each kind that they may all be gone, or all there are. */
  readonly company: 'few' | 'all at once'
  readonly subjects: readonly Subject[]
  readonly sickness: Sickness
  readonly duration: (typeof durations)[number]
  readonly isKilled: boolean
}

/** Together they have no more than three ports and networks in the region. */
function fews(): Subject[][] {
  const bundles: Subject[][] = []
  for (const subject of subjects) {
    const last = bundles.at(-1)
    const ports = (last ?? []).reduce((sum, one) => sum + one.ports, subject.ports)
    if (last && last.length < 3 && ports <= 3) last.push(subject)
    else bundles.push([subject])
  }
  return bundles
}

const table: readonly Run[] = sicknesses.flatMap(sickness =>
  durations.flatMap(duration =>
    [false, true].flatMap<Run>(isKilled => [
      ...fews().map(few => ({ company: 'few' as const, subjects: few, sickness, duration, isKilled })),
      { company: 'all at once', subjects, sickness, duration, isKilled },
    ]),
  ),
)
const rowsOf = (runs: readonly Run[]): number => runs.reduce((sum, run) => sum + run.subjects.length, 0)

const seed = seedOf()
const chance = chanceOf(seed)

const nameOf = ({ company, subjects, sickness, duration, isKilled }: Run): string =>
  [
    `${sickness.name}, ${duration}${isKilled ? ', killed meanwhile' : ''}`,
    company === 'few' ? subjects.map(({ name, span }) => `${name} (${span})`).join(' + ') : company,
  ].join(': ')

/** A few of all, unless all are asked for, or those whose names have some words (ONLY=words). */
function share(): readonly Run[] {
  const { ONLY: only, SOAK: soak } = process.env
  if (soak === '1' || only) return table.filter(run => new RegExp(only ?? '').test(nameOf(run)))
  const days = table.filter(({ duration }) => duration === 'a day')
  const shorter = table.filter(({ duration }) => duration !== 'a day')
  const some = (runs: readonly Run[], count: number) =>
    Array.from({ length: count }, () => pick(runs, chance))
  return [...new Set([...some(shorter, 3), ...some(days, 1)])]
}

const hourMs = 3_600_000

const shared = oneGround(ground)

/** All that a process does while the region is sick. */
async function live(g: Ground, { duration, isKilled }: Run): Promise<void> {
  const hours = duration === 'a day' ? 23 : 1
  const fatal = isKilled ? Math.floor(chance() * Math.min(hours, 6)) : -1
  for (let hour = 0; hour < hours; hour += 1) {
    g.pass(duration === 'a day' ? hourMs : 10_000)
    const upkeepOf = {
      isHourly: duration !== 'one look',
      ...(duration === 'one look' ? { sweepEveryMs: 300_000 } : {}),
    }
    if (hour === fatal) {
      await upkeep(g.process({ step: 1 + Math.floor(chance() * 60), after: chance() < 0.5 }), upkeepOf)
      await g.replace()
    }
    await upkeep(g.process(), upkeepOf)
  }
}

/** Sees clearly again: minutes later, and once more. */
async function recover(g: Ground, rounds = 1): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    g.pass(300_000)
    await upkeep(g.process(), { isHourly: true })
  }
}

describe(`what a region does not show for a while (${rowsOf(table)} rows, SEED=${seed})`, () => {
  const runs = share()

  it.each(runs.map(run => [nameOf(run), run] as const))('%s', async (_name, run) => {
    const g = await shared.get()
    const p = g.world
    try {
      const since = p.cloud.clock.now()
      g.pass(1000)
      const clean = await everything(p)
      const made: Made[] = []
      for (const subject of run.subjects) made.push(await subject.make(g))
      await recover(g, 2)
      const before = await everything(p)
      const from = p.cloud.faults.log.length
      const heal = run.sickness.strike(p, since)
      try {
        if (run.sickness.isOfLogin) await g.replace()
        await live(g, run)
        if (run.sickness.isProvable)
          expect(difference(modelOf(before), await everything(p)), 'the model meanwhile').toEqual({})
      } finally {
        heal()
        if (run.sickness.isOfLogin) await g.replace()
      }
      await recover(g, 3)
      expect(difference(before, await everything(p))).toEqual({})
      expect(removals(p, from)).toEqual([])
      await reallyRemove(g, made)
      for (const { undo } of made.toReversed()) for (const one of undo.toReversed()) await one()
      g.pass(25 * hourMs)
      await recover(g, 2)
      expect(left(clean, await everything(p))).toEqual({})
    } catch (error) {
      await shared.abandon()
      throw error
    }
  })

  it('has run as many rows as it says', () => {
    console.log(`unseen: ${rowsOf(runs)} of ${rowsOf(table)} rows in ${runs.length} runs, SEED=${seed}`)
    expect(rowsOf(runs)).toBeGreaterThan(0)
  })
})

/** What a tenant removes in the region itself goes from the model with the next sweep. */
async function reallyRemove(g: Ground, made: readonly Made[]): Promise<void> {
  const paths: string[] = []
  for (const { removedThere } of made) {
    paths.push(...((await removedThere?.()) ?? []))
    // No more than may be gone at once.
    g.pass(300_000)
    await upkeep(g.process(), { isHourly: false })
  }
  for (const path of paths) expect((await g.process().call('GET', `/v2.0${path}`))?.status, path).toBe(404)
}

const modelOf = (all: Everything): Everything =>
  Object.fromEntries(Object.entries(all).filter(([what]) => what.startsWith('model')))

/** Groups that every project has, once there is one, stay. */
const left = (clean: Everything, now: Everything) =>
  Object.fromEntries(
    Object.entries(difference(clean, now)).filter(
      ([what]) => !/security_group|routings|jobs|^intents/.test(what),
    ),
  )

// Which lab tests a run has: every contract file, and of each sweep files drawn by lot, as many as fit into its minutes.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { chanceOf } from '../test/chance.ts'

const root = resolve(import.meta.dirname, '..')

/** Held against the real services in every run: what the simulator and the adapters stand on. */
const contract = /^test\/(contract\/.*|sim\/.*-like-the-real)\.test\.ts$/

/** What goes through many ways of use: a run has a share of each. */
const sweepsByName: Readonly<Record<string, RegExp>> = {
  'unmodified clients':
    /^test\/(clients\/(blazar|network|openstack-network)|sim\/openstack-client)\.test\.ts$/,
  topologies: /^test\/network\/(t\d.*|servers|legs)\.test\.ts$/,
  // The authorisation takes longer than a run has room for: only all of them (LAB_WHOLE=1) have it.
  'mishaps, promises and authorisation': /^test\/(lab\/.*|promise\/servers|authorisation\/.*)\.test\.ts$/,
}

export interface LabTests {
  readonly contract: readonly string[]
  readonly sweeps: Readonly<Record<string, readonly string[]>>
}

export function labTests(): LabTests {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map(name => `test/${name}`)
    .sort()
  const like = (pattern: RegExp) => files.filter(file => pattern.test(file))
  return {
    contract: like(contract),
    sweeps: Object.fromEntries(Object.entries(sweepsByName).map(([name, pattern]) => [name, like(pattern)])),
  }
}

/** How long each took in the last run of all; what is new is taken to need this. */
export type Seconds = Readonly<Record<string, number>>
const unmeasured = 45
const secondsFile = join(root, 'lab/seconds.json')
export const measured = (): Seconds => JSON.parse(readFileSync(secondsFile, 'utf8'))
export const keepMeasured = (seconds: Seconds): void =>
  writeFileSync(secondsFile, `${JSON.stringify(seconds, Object.keys(seconds).sort(), 2)}\n`)

export interface Choice {
  readonly files: readonly string[]
  /** The choice, its budget and how to have it again. */
  readonly said: string
}

export interface Budget {
  readonly minutes: number
  readonly seed: number
}

/** The sweeps take turns, each with its files in an order drawn by lot; a file that no longer fits is left out. */
export function choose(tests: LabTests, seconds: Seconds, { minutes, seed }: Budget): Choice {
  const chance = chanceOf(seed)
  const secondsOf = (files: readonly string[]): number =>
    files.reduce((sum, file) => sum + (seconds[file] ?? unmeasured), 0)
  const waiting = Object.values(tests.sweeps).map(files => shuffled(files, chance))
  const drawn: string[] = []
  for (let turn = 0; waiting.some(files => turn < files.length); turn += 1)
    for (const files of waiting) {
      const file = files[turn]
      const all = [...tests.contract, ...drawn, ...(file ? [file] : [])]
      if (file && secondsOf(all) <= minutes * 60) drawn.push(file)
    }
  const files = [...tests.contract, ...drawn]
  const told = Object.entries(tests.sweeps).map(([name, all]) => {
    const some = all.filter(file => drawn.includes(file))
    return `Of the sweep of ${name} ${some.length} of ${all.length} files: ${some.join(', ') || 'none'}.`
  })
  return {
    files,
    said: [
      `Lab tests: every contract file (${tests.contract.length}, ${inMinutes(secondsOf(tests.contract))}).`,
      ...told,
      `They are to take ${inMinutes(secondsOf(files))} of at most ${minutes}. SEED=${seed} draws the same ones again; LAB_WHOLE=1 runs all.`,
    ].join('\n'),
  }
}

const inMinutes = (seconds: number): string => `${(seconds / 60).toFixed(1)} minutes`

function shuffled(files: readonly string[], chance: () => number): readonly string[] {
  const left = [...files]
  return files.map(() => left.splice(Math.floor(chance() * left.length), 1)[0]!)
}

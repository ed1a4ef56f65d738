import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'
import { choose, keepMeasured, labTests, measured } from './lab/choice.ts'
import { seed } from './test/chance.ts'

// What needs a real OpenStack, or its clients: the contract files with ATOLL_LAB set, and the unmodified commands.
// All of them, or those that LAB_MINUTES has room for.
const { LAB_MINUTES: minutes, LAB_WHOLE: isWhole, ATOLL_LAB: lab } = process.env
// One seed for the choice and for what the files draw themselves.
process.env.SEED ??= String(seed())

function files(): readonly string[] {
  const tests = labTests()
  if (!minutes) return [...tests.contract, ...Object.values(tests.sweeps).flat()]
  const choice = choose(tests, measured(), { minutes: Number(minutes), seed: seed() })
  console.log(`\n${choice.said}`)
  return choice.files
}

/** What each file takes with its imports and hooks: they run one after the other. LAB_WHOLE=1 keeps it for choices to come. */
class Stopwatch implements Reporter {
  readonly #seconds: Record<string, number> = {}
  #since = performance.now()

  onTestModuleQueued(): void {
    this.#since = performance.now()
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    const now = performance.now()
    this.#seconds[relativeModuleId] = Math.ceil((now - this.#since) / 1000)
    this.#since = now
  }

  onTestRunEnd(_: unknown, errors: readonly unknown[], reason: string): void {
    for (const [file, seconds] of Object.entries(this.#seconds)) console.log(`${seconds} s: ${file}`)
    const sum = Object.values(this.#seconds).reduce((total, one) => total + one, 0)
    const budget = minutes ? ` of at most ${minutes}` : ''
    console.log(`Lab tests took ${(sum / 60).toFixed(1)} minutes${budget}.`)
    if (isWhole && lab && reason === 'passed' && errors.length === 0)
      keepMeasured({ ...measured(), ...this.#seconds })
  }
}

export default defineConfig({
  test: {
    include: [...files()],
    globalSetup: ['test/postgres.ts'],
    reporters: ['default', new Stopwatch()],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})

// Every benchmark runs, at its smallest size, as built: it prints tables, and the same figures as JSON in its last line.

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const main = resolve(root, 'dist/bench/main.js')
const run = (args: string[]) => promisify(execFile)(process.execPath, [main, ...args], { maxBuffer: 64e6 })

/** From the sources: what is built may have more, of files that are gone. */
const ending = '.bench.ts'
const names = readdirSync(resolve(root, 'bench'))
  .filter(file => file.endsWith(ending))
  .map(file => file.slice(0, -ending.length))

/** The lines of tables are those that are indented. */
const cellsOf = (lines: readonly string[]): string[] =>
  lines.filter(line => line.startsWith('  ')).flatMap(line => line.trim().split(/\s{2,}/))

const numbersIn = (value: unknown): number[] => {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : []
}

it('a benchmark that there is not is answered with the names of all that there are', async () => {
  const refused = await run(['no-such-benchmark']).catch(error => error)
  expect(refused.code).toBe(2)
  for (const name of names) expect(refused.stderr).toMatch(new RegExp(`[ ,]${name}[,.]`))
})

it.each(names)(
  'the benchmark %s prints its figures, as tables and as JSON',
  { timeout: 300_000 },
  async name => {
    const { stdout } = await run([name, '--size', 'smallest', '--server', inject('postgresUrl')])
    const lines = stdout.trimEnd().split('\n')
    const figures = JSON.parse(lines.pop()!)
    const cells = cellsOf(lines)
    const shown = cells.map(Number).filter(Number.isFinite)
    expect(cells.filter(cell => /NaN|Infinity|undefined/.test(cell))).toEqual([])
    expect(figures.bench).toBe(name)
    expect(shown.length).toBeGreaterThan(5)
    const told = new Set(numbersIn(figures))
    expect(shown.filter(number => !told.has(number))).toEqual([])
  },
)

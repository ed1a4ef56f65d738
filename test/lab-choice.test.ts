// Which lab tests a run draws: every contract file, a share of each sweep that fits, the same ones for the same seed.

import { describe, expect, it } from 'vitest'
import { choose, type LabTests, labTests, type Seconds } from '../lab/choice.ts'

const tests: LabTests = {
  contract: ['keystone', 'neutron'],
  sweeps: { clients: ['blazar', 'network', 'openstack'], topologies: ['t1', 't4'], mishaps: ['emptied'] },
}
const all = [...tests.contract, ...Object.values(tests.sweeps).flat()]
const seconds: Seconds = { ...Object.fromEntries(all.map(name => [name, 60])), blazar: 150, emptied: 90 }
const secondsOf = (files: readonly string[]) => files.reduce((sum, file) => sum + seconds[file]!, 0)
const seeds = Array.from({ length: 100 }, (_, seed) => seed)
const drawn = (seed: number, minutes = 6) => choose(tests, seconds, { minutes, seed })

describe('a choice of lab tests', () => {
  it.each(seeds)('has every contract file, something of each sweep, and fits (SEED=%i)', seed => {
    const { files } = drawn(seed, 7)
    expect(files).toEqual(expect.arrayContaining([...tests.contract]))
    for (const [name, sweep] of Object.entries(tests.sweeps))
      expect([name, sweep.some(file => files.includes(file))]).toEqual([name, true])
    expect(secondsOf(files)).toBeLessThanOrEqual(7 * 60)
    expect(files.length).toBe(new Set(files).size)
  })

  it('is the same for the same seed, and any file can be drawn', () => {
    expect(drawn(7)).toEqual(drawn(7))
    expect(new Set(seeds.flatMap(seed => drawn(seed).files))).toEqual(new Set(all))
  })

  it('has all where all fit, and the contract files even where nothing does', () => {
    expect(drawn(1, 100).files.toSorted()).toEqual(all.toSorted())
    expect(drawn(1, 1).files).toEqual(tests.contract)
  })

  it('says what it has, its budget and its seed', () => {
    const { said, files } = drawn(3)
    for (const name of Object.keys(tests.sweeps)) expect(said).toContain(`Of the sweep of ${name} `)
    for (const file of files.slice(tests.contract.length)) expect(said).toContain(file)
    expect(said).toMatch(/They are to take [\d.]+ minutes of at most 6\. SEED=3 draws the same ones again/)
  })

  it('takes a file that was never measured to need three quarters of a minute', () => {
    expect(choose(tests, {}, { minutes: 3, seed: 1 }).files).toHaveLength(4)
  })
})

describe('the lab tests', () => {
  it('are contract files and sweeps, none of them empty and no file in two', () => {
    const { contract, sweeps } = labTests()
    const groups = [contract, ...Object.values(sweeps)]
    for (const group of groups) expect(group.length).toBeGreaterThan(2)
    expect(new Set(groups.flat()).size).toBe(groups.flat().length)
  })
})

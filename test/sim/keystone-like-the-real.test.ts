// The simulated Keystone answers as a real Keystone 22 (Zed) did, whose answers are in keystone-22.jsonl.
// ATOLL_LAB_KEYSTONE=http://HOST:PORT/v3 (and ATOLL_LAB_PASSWORD, its admin's) holds a live one against them too;
// with ATOLL_LAB_RECORD=1 it writes them anew.

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { startCloud } from '../../sim/cloud.ts'
import type { Answer } from './conversation.ts'
import { converse } from './keystone-scenario.ts'

const file = new URL('./keystone-22.jsonl', import.meta.url)
const {
  ATOLL_LAB_KEYSTONE: lab,
  ATOLL_LAB_PASSWORD: password = 'secret',
  ATOLL_LAB_RECORD: isToRecord,
} = process.env

if (lab === undefined) console.warn('NOT RUN against a real one: ATOLL_LAB_KEYSTONE names no real Keystone')

describe.skipIf(lab === undefined)('a real Keystone', () => {
  test('answers as recorded', async () => {
    const answers = await converse(lab!, password)
    if (isToRecord) writeFileSync(file, answers.map(answer => `${JSON.stringify(answer)}\n`).join(''))
    expectSame(answers, recorded())
  })
})

describe('the simulated Keystone', () => {
  test('answers as recorded from a real one', async () => {
    const cloud = await startCloud({ regions: ['RegionOne'] })
    const answers = await converse(cloud.authUrl, 'atoll')
    await cloud.close()
    expectSame(answers, recorded())
  })
})

function recorded(): Answer[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map(line => JSON.parse(line))
}

/** Told one by one, so that a difference names its call. */
function expectSame(actual: Answer[], expected: Answer[]): void {
  expect(actual.map(answer => answer.label)).toEqual(expected.map(answer => answer.label))
  for (const [index, answer] of actual.entries()) {
    expect(answer, `${answer.label} (line ${index + 1})`).toEqual(expected[index])
  }
}

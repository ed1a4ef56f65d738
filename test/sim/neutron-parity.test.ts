// The simulated Neutron answers as a stock Neutron 21 does: the same exchanges, compared with recorded answers.
//
// The answers in `neutron-parity/recorded` came from a lab (`lab/`). With ATOLL_LAB set to the directory of a running
// one they are asked for again, and must still be the same; ATOLL_RECORD=1 keeps the new ones.

import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Exchange } from './neutron-parity/exchange.ts'
import { corners } from './neutron-parity/exchanges/corners.ts'
import { floatingips } from './neutron-parity/exchanges/floatingips.ts'
import { lists } from './neutron-parity/exchanges/lists.ts'
import { networks } from './neutron-parity/exchanges/networks.ts'
import { ports } from './neutron-parity/exchanges/ports.ts'
import { protocol } from './neutron-parity/exchanges/protocol.ts'
import { quotas } from './neutron-parity/exchanges/quotas.ts'
import { routers } from './neutron-parity/exchanges/routers.ts'
import { security } from './neutron-parity/exchanges/security.ts'
import { subnets } from './neutron-parity/exchanges/subnets.ts'
import { type Answer, play, prefix } from './neutron-parity/play.ts'
import { sweep } from './neutron-parity/sweep.ts'
import { findReal, startSimulated } from './neutron-parity/target.ts'

const areas: Record<string, readonly Exchange[]> = {
  networks,
  subnets,
  ports,
  routers,
  floatingips,
  security,
  lists,
  quotas,
  protocol,
  corners,
}

/** Where the simulator is content to differ, and why. */
const differences: Record<string, string> = {
  'demo GET /address-groups?name={p}-ag&fields=addresses':
    'Neutron shows the tenant of an address group to whoever asks for other fields',
}

const lab = process.env.ATOLL_LAB

const fileOf = (area: string) => new URL(`neutron-parity/recorded/${area}.jsonl`, import.meta.url)

function readRecorded(area: string): Answer[] {
  const lines = readFileSync(fileOf(area), 'utf8').trimEnd().split('\n')
  return lines.map(line => JSON.parse(line) as Answer)
}

describe.each(Object.entries(areas))('a simulated Neutron, asked about %s', (area, exchanges) => {
  let answers: Answer[] = []

  beforeAll(async () => {
    const simulated = await startSimulated()
    answers = await play(exchanges, simulated)
    await simulated.neutron.close()
  })

  const recorded = readRecorded(area)

  it('is compared in every exchange', () => {
    expect(answers.map(answer => answer.request)).toEqual(recorded.map(answer => answer.request))
  })

  for (const [index, answer] of recorded.entries()) {
    it(`${index} ${answer.request}`, () => {
      if (answer.request in differences) expect(answers[index]).not.toEqual(answer)
      else expect(answers[index]).toEqual(answer)
    })
  }
})

if (lab === undefined) console.warn('NOT RUN against a real one: no real Neutron is named')

describe.skipIf(lab === undefined).sequential('a real Neutron', () => {
  it.each(Object.entries(areas))(
    'answers about %s as it is recorded',
    async (area, exchanges) => {
      const answers = await play(exchanges, await findReal(lab ?? ''))
      if (process.env.ATOLL_RECORD !== undefined) {
        writeFileSync(fileOf(area), `${answers.map(answer => JSON.stringify(answer)).join('\n')}\n`)
      }
      expect(answers).toEqual(readRecorded(area))
    },
    300_000,
  )

  afterAll(async () => sweep(await findReal(lab ?? ''), prefix), 120_000)
})

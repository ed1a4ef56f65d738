// A region makes what it was asked for and the answer is lost: there is one of each thing all the same.

import { afterEach, describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { AppError } from '../../src/core/error.ts'
import type { Maker } from '../../src/core/network/copies/intent.ts'
import { makerOf, type Realised, realise } from '../../src/core/network/copies/realise.ts'
import { chanceOf, pick, seed, sized } from '../chance.ts'
import { project, type Working, working } from '../worker/working.ts'

const creates = sized(10_000)
const atOnce = 16

let w: Working

afterEach(() => w[Symbol.asyncDispose]())

/** How often it takes until somebody who tries again after every failure has it. */
async function insist(attempt: () => Promise<Realised>): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      await attempt()
      return tries
    } catch (error) {
      if (!(error instanceof AppError) || tries === 10) throw error
    }
  }
}

interface Outcome {
  readonly tries: number
  readonly lost: number
  /** For how many purposes there is not exactly one network. */
  readonly wrong: number
}

/** Makes a network for each of so many purposes while every answer is lost, `between` it and its maker. */
async function createAll(count: number, between: (maker: Maker) => Maker = maker => maker): Promise<Outcome> {
  w = await working({ regions: 10 })
  const seeded = seed()
  const chance = chanceOf(seeded)
  const lost = { method: 'POST', path: '/v2.0/networks' }
  // In half of the regions the connection dies after the effect, in the others a proxy gives up on the answer.
  const faults = w.neutrons.map(({ name }, index) =>
    w.cloud.faults.add(
      index % 2 === 0
        ? { ...lost, kind: 'lost', region: name }
        : { ...lost, kind: 'status', status: 504, after: true, region: name },
    ),
  )
  const purposes = Array.from({ length: count }, (_, index) => ({
    purpose: `net-${index}`,
    region: pick(w.neutrons, chance).name,
  }))
  const left = [...purposes]
  let tries = 0
  const one = async (app: App): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { purpose, region } = next
      const networking = app.cloud.networking(region, `req-${app.newId()}`)
      const spec = { name: purpose, projectId: project }
      const maker = between(makerOf(networking, 'network', spec, { projectId: project, name: purpose }))
      const intent = { region, resourceType: 'network', purpose, owner: purpose }
      const took = await insist(() => realise(app, intent, maker))
      tries += took
    }
  }
  await Promise.all(Array.from({ length: atOnce }, () => one(w.app)))
  const made = new Map<string, number>()
  for (const pod of w.neutrons) {
    for (const { name } of pod.networks()) {
      const key = `${pod.name} ${name}`
      made.set(key, (made.get(key) ?? 0) + 1)
    }
  }
  const wrong = purposes.filter(({ purpose, region }) => made.get(`${region} ${purpose}`) !== 1).length
  console.log(`seed ${seeded}`)
  return { tries, lost: faults.reduce((sum, { hits }) => sum + hits, 0), wrong }
}

describe('an answer that is lost after a create', () => {
  it(`${creates} times leaves one resource each`, { timeout: 600_000 }, async () => {
    const { tries, lost, wrong } = await createAll(creates)
    console.log(
      `${creates} creates, ${lost} lost answers, ${tries} tries, ${wrong} resources missing or double`,
    )
    expect(lost).toBe(creates)
    expect(tries).toBe(creates)
    expect(wrong).toBe(0)
  })

  it('leaves more than one when the look-up by mark is planted off', async () => {
    const count = 20
    // The answers are lost three times for each and then come, so that whoever insists ends.
    const blind = (maker: Maker): Maker => {
      let makes = 0
      return {
        ...maker,
        find: async () => [],
        async make(intentId) {
          makes += 1
          const made = await maker.make(intentId).catch(error => {
            if (makes <= 3) throw error
          })
          return made ?? { id: `unknown-${intentId}`, createdAt: new Date(0) }
        },
      }
    }
    const { lost, wrong } = await createAll(count, blind)
    console.log(`planted: ${count} creates, ${lost} lost answers, ${wrong} resources missing or double`)
    expect(wrong).toBe(count)
  })
})

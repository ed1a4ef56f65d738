// One thing for a purpose in a region, whatever becomes of the calls that make it.

import { describe, expect, it } from 'vitest'
import { AppError } from '../error.ts'
import type { App } from '../ports.ts'
import { type Intent, intentOf, type Maker, markOf } from './intent.ts'
import { realise, removeSurplus } from './realise.ts'

/** A region that holds things by their marks, and an app that remembers intents. */
function setUp() {
  const things: { id: string; createdAt: Date; mark: string }[] = []
  const intents = new Map<string, Intent>()
  let count = 0
  const next = (): string => {
    count += 1
    return `${count}`
  }
  const intentsStore = {
    async declare(intent: Omit<Intent, 'regionalId'>) {
      const known = [...intents.values()].find(
        one => one.purpose === intent.purpose && one.region === intent.region,
      )
      const declared = known ?? { ...intent, regionalId: null }
      intents.set(declared.id, declared)
      return declared
    },
    async settle(id: string, regionalId: string) {
      const intent = intents.get(id)!
      intents.set(id, { ...intent, regionalId: intent.regionalId ?? regionalId })
      return intents.get(id)!.regionalId!
    },
    async settled(ids: readonly string[]) {
      return new Map(ids.flatMap(id => (intents.has(id) ? [[id, intents.get(id)!.regionalId] as const] : [])))
    },
  }
  const app = { store: { intents: intentsStore }, now: () => new Date(0), newId: next } as unknown as App
  const add = (mark: string) => {
    const thing = { id: `thing-${next()}`, createdAt: new Date(count), mark }
    things.push(thing)
    return thing
  }
  const maker: Maker = {
    make: async mark => add(mark),
    find: async mark => things.filter(thing => thing.mark === mark),
    remove: async id =>
      things.splice(
        things.findIndex(thing => thing.id === id),
        1,
      ),
  }
  return { app, things, maker, add, intents }
}

const spec = { region: 'Pod1', resourceType: 'network', purpose: 'net-1' }
const lost = () => new AppError('upstream', 'no answer', { reason: 'maybe_done' })

describe('a thing', () => {
  it('is made once, and known from then on', async () => {
    const { app, things, maker } = setUp()
    const { id } = await realise(app, spec, maker)
    expect(await realise(app, spec, maker)).toEqual({ id, surplus: 0 })
    expect(things).toHaveLength(1)
  })

  it('whose answer was lost is found by its mark', async () => {
    const { app, things, maker } = setUp()
    const losing: Maker = {
      ...maker,
      async make(mark) {
        await maker.make(mark)
        throw lost()
      },
    }
    const { id } = await realise(app, spec, losing)
    expect(things.map(thing => thing.id)).toEqual([id])
  })

  it('that was not made after all is made by the next attempt', async () => {
    const { app, things, maker } = setUp()
    await expect(realise(app, spec, { ...maker, make: () => Promise.reject(lost()) })).rejects.toThrow(
      'no answer',
    )
    await realise(app, spec, maker)
    expect(things).toHaveLength(1)
  })

  it('that was made twice is the oldest of the two, and the other goes', async () => {
    const { app, things, maker, add } = setUp()
    let mark = ''
    const crash: Maker = {
      ...maker,
      async make(given) {
        mark = given
        throw new Error('the process died')
      },
    }
    await expect(realise(app, spec, crash)).rejects.toThrow('died')
    const [older] = [add(mark), add(mark)]
    expect(await realise(app, spec, maker)).toEqual({ id: older!.id, surplus: 1 })
    expect(things.map(thing => thing.id)).toEqual([older!.id])
  })
})

describe('the sweep', () => {
  it('removes what bears our mark and is not what is known, and nothing else', async () => {
    const { app, things, maker, add, intents } = setUp()
    const { id } = await realise(app, spec, maker)
    const mark = markOf([...intents.keys()][0]!)
    add(mark)
    const foreign = [add('atoll:not-one-of-ours'), add('somebody’s words')]
    const marked = things.filter(thing => intentOf(thing.mark) !== null)
    expect(await removeSurplus(app, marked, maker)).toBe(1)
    expect(things.map(thing => thing.id)).toEqual([id, ...foreign.map(thing => thing.id)])
  })
})

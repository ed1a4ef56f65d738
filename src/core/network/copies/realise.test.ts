// One thing for a purpose in a region, whatever becomes of the calls that make it.

import { describe, expect, it } from 'vitest'
import type { App } from '../../app.ts'
import { AppError } from '../../error.ts'
import {
  type EndedBy,
  type Intent,
  type IntentStore,
  intentOf,
  type Maker,
  type MarkedThing,
  marked,
  type RegionalThing,
} from './intent.ts'
import { makeOrFind, makerOf, realise, removeSurplus } from './realise.ts'
import type { RegionNetwork, RegionNetworking, RegionQuery } from './region-rows.ts'

interface Thing extends RegionalThing {
  readonly description: string
}

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

/** A region that holds things by their marks, and an app that remembers intents. */
function setUp() {
  const things: Thing[] = []
  const intents = new Map<string, Intent & { readonly isEnded: boolean; endedBy?: EndedBy }>()
  let count = 0
  const next = (): string => {
    count += 1
    return idOf(count)
  }
  const store: Pick<IntentStore, 'declare' | 'noteId' | 'states' | 'end'> = {
    async declare({ owner, ...intent }) {
      const known = [...intents.values()].find(
        one =>
          !one.isEnded &&
          one.purpose === intent.purpose &&
          one.resourceType === intent.resourceType &&
          one.region === intent.region,
      )
      const declared = known
        ? { ...known, owner: known.owner || owner }
        : { ...intent, owner, regionalId: null, isEnded: false }
      intents.set(declared.id, declared)
      return { ...declared, isNew: !known }
    },
    async noteId(id, regionalId) {
      const intent = intents.get(id)!
      intents.set(id, { ...intent, regionalId: intent.regionalId ?? regionalId })
      return intents.get(id)!.regionalId!
    },
    async states(ids) {
      return new Map(
        ids.flatMap(id => {
          const intent = intents.get(id)
          if (!intent) return []
          const state = !intent.isEnded ? 'living' : intent.endedBy === 'verb' ? 'removed' : 'absent'
          return [[id, { regionalId: intent.regionalId, state }] as const]
        }),
      )
    },
    async end(id, endedBy) {
      intents.set(id, { ...intents.get(id)!, isEnded: true, endedBy })
    },
  }
  const app = { store: { intents: store }, now: () => new Date(0), newId: next } as unknown as App
  const add = (description: string): Thing => {
    const thing = { id: `thing-${next()}`, createdAt: new Date(count), description }
    things.push(thing)
    return thing
  }
  const asked: string[] = []
  const maker: Maker = {
    async make(intentId) {
      asked.push('make')
      return add(marked('words', intentId))
    },
    async find(intentId) {
      asked.push('find')
      return things.filter(thing => intentOf(thing.description) === intentId)
    },
    async remove(id) {
      const at = things.findIndex(thing => thing.id === id)
      things.splice(at, 1)
    },
  }
  const bearing = (): MarkedThing[] =>
    things.flatMap(thing => {
      const intentId = intentOf(thing.description)
      return intentId === null ? [] : [{ ...thing, intentId }]
    })
  return { app, things, maker, add, asked, bearing, ids: () => things.map(thing => thing.id) }
}

const spec = { region: 'Pod1', resourceType: 'network', purpose: 'net-1', owner: 'net-1' }
const lost = () => new AppError('upstream', 'no answer', { reason: 'maybe_done' })

/** Does what the maker does, and its process dies before it hears of it. */
const dying = (maker: Maker, told: (intentId: string) => void = () => {}): Maker => ({
  ...maker,
  async make(intentId) {
    told(intentId)
    await maker.make(intentId)
    throw new Error('the process died')
  },
})

describe('a mark', () => {
  const id = idOf(7)

  it('is at the end of what the user wrote, whatever that is', () => {
    for (const text of ['', 'words', 'words and more', `words atoll:${idOf(8)}`, 'x'.repeat(255)]) {
      expect(intentOf(marked(text, id))).toBe(id)
      expect(marked(text, id).length).toBeLessThanOrEqual(255)
    }
    expect(marked('', id)).toBe(`atoll:${id}`)
    expect(marked('words', id)).toBe(`words atoll:${id}`)
  })

  it('is nowhere else', () => {
    const others = [`atoll:${id} words`, `watoll:${id}`, `atoll:${id}.`, 'atoll:not-one', 'words', '', null]
    for (const description of others) expect(intentOf(description)).toBeNull()
  })
})

describe('a thing', () => {
  it('is made once, without a look for it before, and known from then on', async () => {
    const { app, things, maker, asked } = setUp()
    const { id } = await realise(app, spec, maker)
    expect(await realise(app, spec, maker)).toEqual({ id, surplus: 0 })
    expect(things).toHaveLength(1)
    expect(asked).toEqual(['make'])
  })

  it('whose answer was lost is found by its mark', async () => {
    const { app, ids, maker } = setUp()
    const losing: Maker = {
      ...maker,
      async make(intentId) {
        await maker.make(intentId)
        throw lost()
      },
    }
    const { id } = await realise(app, spec, losing)
    expect(ids()).toEqual([id])
  })

  it('that was not made after all is made by the next attempt, which looks first', async () => {
    const { app, things, maker, asked } = setUp()
    await expect(realise(app, spec, { ...maker, make: () => Promise.reject(lost()) })).rejects.toThrow(
      'no answer',
    )
    await realise(app, spec, maker)
    expect(things).toHaveLength(1)
    expect(asked).toEqual(['find', 'find', 'make'])
  })

  it('that was refused is not looked for', async () => {
    const { app, maker, asked } = setUp()
    const refused = new AppError('upstream', 'no', { status: 409 })
    await expect(realise(app, spec, { ...maker, make: () => Promise.reject(refused) })).rejects.toBe(refused)
    expect(asked).toEqual([])
  })

  it('that is refused since another worker with the same intent has made it is that one’s', async () => {
    const { app, ids, maker } = setUp()
    await expect(realise(app, spec, { ...maker, make: () => Promise.reject(lost()) })).rejects.toThrow()
    const second: Maker = {
      ...maker,
      async make(intentId) {
        await maker.make(intentId)
        throw new AppError('upstream', 'there is one', { status: 409 })
      },
    }
    const { id } = await realise(app, spec, second)
    expect(ids()).toEqual([id])
  })

  it('of which nobody heard is found by the next attempt', async () => {
    const { app, ids, maker } = setUp()
    await expect(realise(app, spec, dying(maker))).rejects.toThrow('died')
    const [there] = ids()
    expect(await realise(app, spec, maker)).toEqual({ id: there, surplus: 0 })
    expect(ids()).toEqual([there])
  })

  it('that was made twice is the oldest of the two, and the other goes', async () => {
    const { app, ids, maker, add } = setUp()
    let mark = ''
    const crash = dying(maker, intentId => {
      mark = marked('', intentId)
    })
    await expect(realise(app, spec, crash)).rejects.toThrow('died')
    const [oldest] = ids()
    add(mark)
    expect(await realise(app, spec, maker)).toEqual({ id: oldest, surplus: 1 })
    expect(ids()).toEqual([oldest])
  })

  it('that somebody else has noted meanwhile stays, and one’s own goes', async () => {
    const { app, ids, maker, add } = setUp()
    const overtaken: Maker = {
      ...maker,
      async make(intentId) {
        const other = add(marked('', intentId))
        await app.store.intents.noteId(intentId, other.id)
        return maker.make(intentId)
      },
    }
    // Its own, which is not the one, is all that it knows of.
    const { id, surplus } = await realise(app, spec, overtaken)
    expect(surplus).toBe(1)
    expect(ids()).toEqual([id])
  })

  it('for one purpose is another in another region, and of another type', async () => {
    const { app, maker } = setUp()
    const specs = [spec, { ...spec, region: 'Pod2' }, { ...spec, resourceType: 'subnet' }]
    const made = new Set<string>()
    for (const one of specs) made.add((await realise(app, one, maker)).id)
    expect(made.size).toBe(3)
  })

  it('whose intent has ended is made anew', async () => {
    const { app, maker, bearing } = setUp()
    const { id } = await realise(app, spec, maker)
    await app.store.intents.end(bearing()[0]!.intentId, 'verb', new Date(0))
    expect((await realise(app, spec, maker)).id).not.toBe(id)
  })

  it('whose answer was lost is the oldest, where two bear its mark', async () => {
    const { maker } = setUp()
    const twice: Maker = {
      ...maker,
      async make(intentId) {
        await maker.make(intentId)
        await maker.make(intentId)
        throw lost()
      },
    }
    const made = await makeOrFind(twice, idOf(7))
    expect(made).toEqual((await maker.find(idOf(7)))[0])
  })
})

describe('the maker of a kind', () => {
  /** A region's networks, and how it was asked for them. */
  function region() {
    const rows: RegionNetwork[] = []
    const queries: (RegionQuery<'network'> | undefined)[] = []
    const networking = {
      async list(_kind: string, query?: RegionQuery<'network'>) {
        queries.push(query)
        return rows
      },
      async create(_kind: string, fields: Partial<RegionNetwork>) {
        rows.push({ id: `net-${rows.length}`, ...fields } as RegionNetwork)
        return rows.at(-1)
      },
      async remove(_kind: string, id: string) {
        rows.splice(
          rows.findIndex(row => row.id === id),
          1,
        )
      },
    } as unknown as RegionNetworking
    return { rows, queries, networking }
  }
  const fields = { name: 'n', description: 'words', projectId: 'p' }

  it('makes what bears the mark behind the user’s words, finds it in a narrow list and removes it', async () => {
    const { rows, queries, networking } = region()
    const maker = makerOf(networking, 'network', fields, { projectId: 'p' })
    await maker.make(idOf(1))
    const mine = await maker.make(idOf(2))
    expect(mine).toMatchObject({ ...fields, description: `words atoll:${idOf(2)}` })
    expect(await maker.find(idOf(2))).toEqual([mine])
    // Never by the description: the words before the mark may be others by now.
    expect(queries).toEqual([{ where: { projectId: 'p' } }])
    await maker.remove(mine.id)
    expect(rows.map(({ id }) => id)).toEqual(['net-0'])
  })
})

describe('the sweep', () => {
  const sweep = ({ app, bearing, ids, maker }: ReturnType<typeof setUp>) =>
    removeSurplus(app, { things: bearing(), seen: new Set(ids()) }, id => maker.remove(id))

  it('removes what bears our mark and is not what is known, and nothing else', async () => {
    const here = setUp()
    const { app, maker, add, bearing, ids } = here
    const { id } = await realise(app, spec, maker)
    add(marked('changed', bearing()[0]!.intentId))
    const foreign = [add(`atoll:${idOf(999)}`), add('atoll:not-one-of-ours'), add('somebody’s words')]
    expect(await sweep(here)).toBe(1)
    expect(ids()).toEqual([id, ...foreign.map(thing => thing.id)])
  })

  it('removes whatever bears the mark of an intent that has ended', async () => {
    const here = setUp()
    const { app, maker, add, bearing, ids } = here
    await realise(app, spec, maker)
    const { intentId } = bearing()[0]!
    await app.store.intents.end(intentId, 'verb', new Date(0))
    add(marked('late', intentId))
    const { id } = await realise(app, spec, maker)
    expect(await sweep(here)).toBe(2)
    expect(ids()).toEqual([id])
  })

  it('leaves what bears the mark of an intent of which nothing is known yet', async () => {
    const here = setUp()
    const { app, maker, ids } = here
    await expect(realise(app, spec, dying(maker))).rejects.toThrow('died')
    const there = ids()
    expect(await sweep(here)).toBe(0)
    expect(ids()).toEqual(there)
  })
})

// The store's promises for regions, bindings and routings: unique under races, all or none, read in order.

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AppError } from '../../src/core/error.ts'
import type { Binding } from '../../src/core/regions/binding.ts'
import { createBinding } from '../../src/core/regions/bindings.ts'
import { createRegion, removeRegion } from '../../src/core/regions/regions.ts'
import type { Routing, RoutingFilter, RoutingSpec } from '../../src/core/routing/routing.ts'
import { fileWorld } from '../world.ts'
import { binding, caller, noted, outcomes, region, routing, rowsOf, times } from './rows.ts'

const w = await fileWorld()
const { app, database } = w
const { store } = app
const { newRegion, trail } = rowsOf(w)
beforeEach(() => w.query('truncate routing, binding, region, audit restart identity cascade'))

describe('of twenty that come at the same time exactly one wins', () => {
  it('a region’s name', async () => {
    const attempts = times(20, () => store.regions.create(region({ name: 'Pod1' }), noted('region.create')))
    expect(await outcomes(attempts)).toEqual({ done: 1, 'conflict name_taken': 19 })
  })

  it('the place of the central region, whatever the names', async () => {
    const attempts = times(20, () =>
      store.regions.create(region({ availabilityZone: '' }), noted('region.create')),
    )
    expect(await outcomes(attempts)).toEqual({ done: 1, 'conflict central_exists': 19 })
  })

  it('the same by the verb that looks first', async () => {
    const spec = { name: 'Central', availabilityZone: '', localAvailabilityZone: '', dataCenter: '' }
    const attempts = times(20, () => createRegion(app, caller, spec))
    const { done, ...refused } = await outcomes(attempts)
    expect(done).toBe(1)
    expect(
      Object.keys(refused).every(word => /^conflict (central_exists|name_is_central|name_taken)$/.test(word)),
    ).toBe(true)
    expect(await trail()).toHaveLength(1)
  })

  it('a project’s binding to a region', async () => {
    const { id } = await newRegion()
    const attempts = times(20, () => createBinding(app, caller, { projectId: 'p1', regionId: id }))
    expect(await outcomes(attempts)).toEqual({ done: 1, 'conflict already_bound': 19 })
  })

  it('a resource’s routing in a region', async () => {
    const { id } = await newRegion()
    const attempts = times(20, () =>
      store.routings.append([routing(id, { centralId: 'net' })], noted('routing.create')),
    )
    expect(await outcomes(attempts)).toEqual({ done: 1, 'conflict exists': 19 })
    expect((await trail()).filter(line => line.action === 'routing.create')).toHaveLength(1)
  })

  it('the removal of a routing', async () => {
    const { id } = await newRegion()
    const [made] = await store.routings.append([routing(id)], noted('routing.create'))
    const removed = await Promise.all(
      times(20, () => store.routings.remove(made!.id, noted('routing.remove'))),
    )
    expect(removed.filter(Boolean)).toHaveLength(1)
  })

  it('or the other way round: a region is not removed under a routing that is being made', async () => {
    for (let n = 0; n < 10; n++) {
      const { id } = await newRegion()
      const ended = await outcomes([
        store.regions.remove(id, noted('region.remove')),
        store.routings.append([routing(id)], noted('routing.create')),
      ])
      expect([
        { done: 1, 'conflict in_use': 1 },
        { done: 1, 'invalid region_unknown': 1 },
      ]).toContainEqual(ended)
    }
  })

  it('batches that meet in opposite orders end one way or the other, and never half', async () => {
    const { id } = await newRegion()
    const specs = times(50, n => routing(id, { centralId: `net-${n}` }))
    const attempts = times(6, n =>
      store.routings.append(n % 2 ? specs : specs.toReversed(), noted('routing.create')),
    )
    const { done, ...refused } = await outcomes(attempts)
    expect(done).toBe(1)
    expect(Object.keys(refused).every(word => /^(conflict exists|unavailable)/.test(word))).toBe(true)
    expect(await store.routings.list({}, { limit: 100, marker: null })).toHaveLength(50)
  })
})

describe('a region', () => {
  it('is listed in order of creation and got as it was stored', async () => {
    const later = await newRegion({ createdAt: new Date(2000) })
    const first = await newRegion({ createdAt: new Date(1000), availabilityZone: '', dataCenter: 'dc' })
    expect(await store.regions.list()).toEqual([first, later])
    expect(await store.regions.get(first.id)).toEqual(first)
    expect(await store.regions.get(randomUUID())).toBeNull()
  })

  it('that is used is not removed, and the refusal says by how much', async () => {
    const { id, name } = await newRegion()
    await store.routings.append([routing(id), routing(id)], noted('routing.create'))
    await store.bindings.create(binding(id), noted('binding.create'))
    expect(await store.regions.use(id)).toMatchObject({ routings: 2, bindings: 1 })
    const refusal = await removeRegion(app, caller, id).catch((error: AppError) => error)
    expect(refusal).toMatchObject({
      code: 'conflict',
      detail: { reason: 'in_use' },
      message: `Pod ${name} is in use by 2 resource routings, 1 pod binding: delete them first`,
    })
    expect(await store.regions.get(id)).not.toBeNull()
  })
})

describe('bindings', () => {
  it('come in pages, each once, in order of creation', async () => {
    const { id } = await newRegion()
    const made = times(7, n => binding(id, { projectId: `p${n}`, createdAt: new Date(1000 * (n % 3)) }))
    for (const one of made) await store.bindings.create(one, noted('binding.create'))
    const pages: Binding[] = []
    for (let marker: string | null = null; ; marker = pages.at(-1)!.id) {
      const page = await store.bindings.list({ limit: 2, marker })
      pages.push(...page)
      if (page.length < 2) break
    }
    const order = (one: Binding) => `${one.createdAt.getTime()} ${one.id}`
    expect(pages).toEqual(made.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)))
  })

  it('are refused for a region that is gone', async () => {
    const attempt = store.bindings.create(binding(randomUUID()), noted('binding.create'))
    expect(await outcomes([attempt])).toEqual({ 'invalid region_unknown': 1 })
  })
})

describe('routings', () => {
  it('are added in the order given, all or none', async () => {
    const { id } = await newRegion()
    const specs = times(30, n => routing(id, { centralId: `net-${n}` }))
    const made = await store.routings.append(specs, noted('routing.create'))
    expect(made.map(one => one.centralId)).toEqual(specs.map(one => one.centralId))
    expect(made.map(one => one.id)).toEqual(made.map(one => one.id).toSorted((a, b) => a - b))
    const again = [routing(id), routing(id, { centralId: 'net-3' })]
    expect(await outcomes([store.routings.append(again, noted('routing.create'))])).toEqual({
      'conflict exists': 1,
    })
    expect(await outcomes([store.routings.append([routing(id), routing(randomUUID())], noted('x'))])).toEqual(
      {
        'invalid region_unknown': 1,
      },
    )
    expect(await store.routings.list({}, { limit: 100, marker: null })).toHaveLength(30)
  })

  it('show whole seconds, and a change shows the time of the one before', async () => {
    const { id } = await newRegion()
    const [made] = await store.routings.append([routing(id)], noted('routing.create'))
    const second = new Date('2026-11-20T10:20:30.000Z')
    expect(made).toMatchObject({ createdAt: second, updatedAt: null })
    const change = { regionalId: 'other' }
    const first = await store.routings.update(made!.id, change, noted('routing.update'))
    expect(first).toEqual({ ...made, regionalId: 'other', updatedAt: null })
    expect(await store.routings.get(made!.id)).toEqual({ ...made, regionalId: 'other', updatedAt: second })
    const later = { ...noted('routing.update'), at: new Date('2026-11-20T10:20:59.999Z') }
    expect((await store.routings.update(made!.id, {}, later))?.updatedAt).toEqual(second)
    expect((await store.routings.get(made!.id))?.updatedAt).toEqual(new Date('2026-11-20T10:20:59.000Z'))
  })

  it('are not changed into one that exists, nor into a region that does not', async () => {
    const { id } = await newRegion()
    const [one, two] = await store.routings.append([routing(id), routing(id)], noted('routing.create'))
    const change = (fields: Partial<RoutingSpec>) =>
      outcomes([store.routings.update(two!.id, fields, noted('routing.update'))])
    expect(await change({ centralId: one!.centralId })).toEqual({ 'conflict exists': 1 })
    expect(await change({ regionId: randomUUID() })).toEqual({ 'invalid region_unknown': 1 })
    expect(await store.routings.get(two!.id)).toEqual(two)
    expect(await store.routings.update(999, {}, noted('routing.update'))).toBeNull()
  })

  it('are found by every filter, alone and together, page by page, as a plain list would be', async () => {
    const regions = [await newRegion(), await newRegion()]
    const field = (...values: string[]) => fc.constantFrom(...values)
    const fields = {
      projectId: field('p1', 'p2'),
      resourceType: field('network', 'port'),
      regionalId: field('a', 'b'),
    }
    const specs = fc.sample(fc.record(fields), { numRuns: 60, seed: 1 })
    const all: Routing[] = []
    for (const [index, spec] of specs.entries()) {
      const when = { ...noted('routing.create'), at: new Date(1_000 * (index % 3)) }
      const full = routing(regions[index % 2]!.id, { ...spec, centralId: `c${index % 20}-${index}` })
      all.push(...(await store.routings.append([full], when)))
    }
    const one = fc.constantFrom(...all)
    const filter = one.chain(some =>
      fc.subarray(Object.keys(some) as (keyof Routing)[]).map(keys => pick(some, keys)),
    )
    const page = { limit: fc.integer({ min: 1, max: 70 }), marker: fc.option(one.map(some => some.id)) }
    const property = fc.asyncProperty(filter, fc.record(page), async (wanted, { limit, marker }) => {
      const expected = all
        .filter(some =>
          Object.entries(wanted).every(([key, value]) => same(some[key as keyof Routing], value)),
        )
        .filter(some => marker === null || some.id < marker)
        .toSorted((a, b) => b.id - a.id)
        .slice(0, limit)
      expect(await store.routings.list(wanted, { limit, marker })).toEqual(expected)
    })
    await fc.assert(property, { numRuns: 150 })
  })
  const pick = (some: Routing, keys: (keyof Routing)[]): RoutingFilter =>
    Object.fromEntries(keys.filter(key => some[key] !== null).map(key => [key, some[key]]))
  const same = (a: unknown, b: unknown) =>
    a instanceof Date ? a.getTime() === (b as Date).getTime() : a === b
})

describe('a process of the release before', () => {
  it('works on when a newer one has added a column', async () => {
    const { id } = await newRegion()
    const work = async () => {
      const [made] = await store.routings.append([routing(id)], noted('routing.create'))
      await store.routings.update(made!.id, { regionalId: 'x' }, noted('routing.update'))
      expect(await store.routings.get(made!.id)).toMatchObject({ regionalId: 'x' })
      const found = await store.routings.list({ centralId: made!.centralId }, { limit: 1, marker: null })
      expect(found.map(one => one.id)).toEqual([made!.id])
      expect(await store.routings.remove(made!.id, noted('routing.remove'))).toBe(true)
      expect((await store.regions.list()).map(one => one.id)).toEqual([id])
    }
    const onEveryConnection = () => Promise.all(times(40, work))
    await onEveryConnection()
    await database.pool.query(
      'alter table routing add column hint text; alter table region add column hint text',
    )
    try {
      await onEveryConnection()
    } finally {
      await database.pool.query('alter table routing drop column hint; alter table region drop column hint')
    }
    await onEveryConnection()
  })
})

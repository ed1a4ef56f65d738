// What is held of a subnet's addresses: by whom, and what nobody else can have then.

import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AllocationPool } from '../../src/core/network/model/model.ts'
import type { Holding } from '../../src/core/network/model/network-store.ts'
import { fileWorld } from '../world.ts'
import { holding, outcomes, rowsOf, times } from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
let subnetId: string
beforeEach(async () => {
  subnetId = (await s.addSubnet()).id
})

const hold = (address: string, fields: Partial<Holding> = {}) =>
  s.tx(({ networks }) => networks.hold(holding(subnetId, address, fields)))
const holdAny = (start: string, end: string, fields: Partial<Holding> = {}) =>
  s.tx(({ networks }) =>
    networks.holdAny([{ start, end }], {
      subnetId,
      scope: 'central',
      purpose: 'port',
      holder: randomUUID(),
      ...fields,
    }),
  )
const block = (regionId: string, ...blocks: [string, string][]) =>
  s.tx(({ networks }) =>
    networks.setBlocks(
      subnetId,
      regionId,
      blocks.map(([start, end]) => ({ start, end })),
    ),
  )
const held = async () =>
  (await w.app.store.networks.holdings(subnetId)).map(one => [one.start, one.end, one.scope, one.purpose])

describe('an address', () => {
  it('is held with its scope, purpose and holder, until it is given back', async () => {
    const mine = holding(subnetId, '10.0.0.9', { scope: 'r1', purpose: 'leg', holder: 'router/r1' })
    await s.tx(({ networks }) => networks.hold(mine))
    await hold('10.0.0.10', { purpose: 'gateway', holder: 'router/r1' })
    expect((await w.app.store.networks.holdings(subnetId))[0]).toEqual(mine)
    await s.tx(({ networks }) => networks.release('leg', 'router/r1'))
    expect(await held()).toEqual([['10.0.0.10', '10.0.0.10', 'central', 'gateway']])
  })

  it('is given back in one subnet, or in all', async () => {
    const here = subnetId
    const holder = randomUUID()
    await hold('10.0.0.9', { holder })
    subnetId = (await s.addSubnet()).id
    await hold('10.0.0.9', { holder })
    await s.tx(({ networks }) => networks.release('port', holder, here))
    expect([await w.app.store.networks.holdings(here), await held()]).toMatchObject([
      [],
      [['10.0.0.9', '10.0.0.9', 'central', 'port']],
    ])
    await s.tx(({ networks }) => networks.release('port', holder))
    expect(await held()).toEqual([])
  })

  it('is held once, whoever comes and in whatever scope', async () => {
    const attempts = times(20, n => hold('10.0.0.9', { scope: n % 2 === 0 ? 'central' : 'r1' }))
    expect(await outcomes(attempts)).toEqual({ done: 1, 'conflict address_in_use': 19 })
  })

  it('of IPv6 is the same however it is written', async () => {
    await hold('2001:db8:0:0::9')
    expect(await outcomes([hold('2001:DB8::9')])).toEqual({ 'conflict address_in_use': 1 })
    expect((await held())[0]![0]).toBe('2001:db8::9')
  })
})

describe('a block', () => {
  it('is its region’s alone: in it only the region holds addresses', async () => {
    await block('r1', ['10.0.0.64', '10.0.0.127'])
    const attempts = [
      hold('10.0.0.64'),
      hold('10.0.0.127', { scope: 'r2' }),
      hold('10.0.0.100', { scope: 'r1' }),
      hold('10.0.0.128'),
    ]
    expect(await outcomes(attempts)).toEqual({ done: 2, 'conflict address_in_use': 2 })
  })

  it('is refused where others hold something, and then those before stay', async () => {
    await block('r1', ['10.0.0.10', '10.0.0.19'])
    await hold('10.0.0.30')
    const attempts = [
      block('r1', ['10.0.0.12', '10.0.0.14'], ['10.0.0.25', '10.0.0.35']),
      block('r2', ['10.0.0.19', '10.0.0.29']),
    ]
    expect(await outcomes(attempts)).toEqual({ 'conflict address_in_use': 2 })
    expect(await held()).toEqual([
      ['10.0.0.10', '10.0.0.19', 'r1', 'block'],
      ['10.0.0.30', '10.0.0.30', 'central', 'port'],
    ])
  })

  it('takes the place of the region’s earlier ones, over what it holds itself', async () => {
    await block('r1', ['10.0.0.10', '10.0.0.19'])
    await block('r2', ['10.0.0.20', '10.0.0.29'])
    await hold('10.0.0.15', { scope: 'r1' })
    await block('r1', ['10.0.0.12', '10.0.0.14'], ['10.0.0.15', '10.0.0.18'])
    expect((await held()).filter(([, , , purpose]) => purpose === 'block')).toEqual([
      ['10.0.0.12', '10.0.0.14', 'r1', 'block'],
      ['10.0.0.15', '10.0.0.18', 'r1', 'block'],
      ['10.0.0.20', '10.0.0.29', 'r2', 'block'],
    ])
    await block('r2')
    expect(await held()).toHaveLength(3)
  })

  it('changes one after another, and meanwhile addresses are given', async () => {
    const order: string[] = []
    let second: Promise<unknown> | undefined
    await s.tx(async ({ networks }) => {
      await networks.lockBlocks(subnetId)
      second = s.tx(async tx => {
        await tx.networks.lockBlocks(subnetId)
        order.push('second')
      })
      await hold('10.0.0.9')
      order.push('first')
    })
    await second
    expect(order).toEqual(['first', 'second'])
  })
})

describe('any free address', () => {
  it('is in a pool, in no block, and different each time until there is none', async () => {
    await block('r1', ['10.0.0.20', '10.0.0.39'])
    await block('r2', ['10.0.0.5', '10.0.0.5'])
    await hold('10.0.0.10')
    const taken = await Promise.all(times(60, () => holdAny('10.0.0.2', '10.0.0.50')))
    const free = times(49, n => 2 + n).filter(n => n !== 5 && n !== 10 && !(n >= 20 && n < 40))
    const found = taken.filter(address => address !== null)
    expect(found.map(address => Number(address.split('.')[3])).sort((a, b) => a - b)).toEqual(free)
    expect(taken.filter(address => address === null)).toHaveLength(60 - free.length)
  })

  it('is not in the region’s own block either', async () => {
    await block('r1', ['10.0.0.2', '10.0.0.9'])
    expect(await holdAny('10.0.0.2', '10.0.0.10', { scope: 'r1' })).toBe('10.0.0.10')
    expect(await holdAny('10.0.0.2', '10.0.0.10', { scope: 'r1' })).toBeNull()
  })

  it('is found wherever the one gap is', async () => {
    await s.tx(async ({ networks }) => {
      for (const n of times(254, n => n + 1)) await networks.hold(holding(subnetId, `10.0.0.${n}`))
    })
    for (const last of [1, 2, 77, 253, 254]) {
      const address = `10.0.0.${last}`
      await w.query('delete from held_range where subnet_id = $1 and lower(range) = $2', [subnetId, address])
      expect(await holdAny('10.0.0.1', '10.0.0.254')).toBe(address)
      expect(await holdAny('10.0.0.1', '10.0.0.254')).toBeNull()
    }
  })

  it('is found behind any number of full pieces between blocks', async () => {
    const blocks = times(50, n => `10.0.0.${4 * n + 5}`)
    await block('r1', ...blocks.map((address): [string, string] => [address, address]))
    await s.tx(async ({ networks }) => {
      for (const n of times(200, n => n + 2)) {
        const address = `10.0.0.${n}`
        if (!blocks.includes(address) && n !== 150) await networks.hold(holding(subnetId, address))
      }
    })
    expect(await holdAny('10.0.0.2', '10.0.0.201')).toBe('10.0.0.150')
    expect(await holdAny('10.0.0.2', '10.0.0.201')).toBeNull()
  })

  it('is of any pool, and of none where there are no pools', async () => {
    const any = (...pools: AllocationPool[]) =>
      s.tx(({ networks }) =>
        networks.holdAny(pools, { subnetId, scope: 'central', purpose: 'port', holder: 'h' }),
      )
    const pools = [
      { start: '10.0.0.3', end: '10.0.0.3' },
      { start: '10.0.0.9', end: '10.0.0.10' },
    ]
    const taken = await Promise.all(times(4, () => any(...pools)))
    expect(taken.sort()).toEqual(['10.0.0.10', '10.0.0.3', '10.0.0.9', null])
    expect(await any()).toBeNull()
  })

  it('may be at the very end of all addresses', async () => {
    expect((await Promise.all(times(3, () => holdAny('255.255.255.254', '255.255.255.255')))).sort()).toEqual(
      ['255.255.255.254', '255.255.255.255', null],
    )
  })

  it('of IPv6 is anywhere in a pool of any size, or in the last gap of a small one', async () => {
    const wide = await Promise.all(times(30, () => holdAny('2001:db8::2', '2001:db8::ffff:ffff:ffff:ffff')))
    expect(new Set(wide).size).toBe(30)
    for (const address of wide) expect(address).toMatch(/^2001:db8:/)
    const narrow = await Promise.all(times(10, () => holdAny('2001:db9::fffe', '2001:db9::1:4')))
    expect(narrow.filter(address => address !== null).sort()).toEqual(
      ['::1:0', '::1:1', '::1:2', '::1:3', '::1:4', '::fffe', '::ffff'].map(end => `2001:db9${end}`),
    )
  })

  it('is left to those that come later where the transaction comes to nothing', async () => {
    let waiting: Promise<string | null> | undefined
    const failing = s.tx(async ({ networks }) => {
      await networks.hold(holding(subnetId, '10.0.0.7'))
      waiting = holdAny('10.0.0.7', '10.0.0.7')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await waiting).toBe('10.0.0.7')
  })
})

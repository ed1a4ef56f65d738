// What there is only so much of: quotas of projects and segments of networks, however many ask at once.

import { beforeEach, describe, expect, it } from 'vitest'
import type { Kind } from '../../src/core/network/model/model.ts'
import { fileWorld } from '../world.ts'
import { network, noted, outcomes, router, rowsOf, times } from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
beforeEach(() => w.query('truncate network, router, segment cascade'))

describe('a quota', () => {
  const within = (kind: Kind, more: number, most: number, projectId = 'p1') =>
    s.tx(({ networks }) => networks.quota(kind, projectId, more, most))

  it('is of one kind and one project, and -1 is none', async () => {
    await Promise.all(times(3, () => s.addNetwork()))
    await s.addNetwork({ projectId: 'p2' })
    const attempts = [within('network', 1, 3), within('network', 2, 4), within('network', 1, 0, 'p3')]
    expect(await outcomes(attempts)).toEqual({ 'conflict over_quota': 3 })
    await Promise.all([
      within('network', 1, 4),
      within('network', 2, 3, 'p2'),
      within('router', 3, 3),
      within('network', 1000, -1),
    ])
  })

  it('holds, however many come at once', async () => {
    const attempts = times(20, () =>
      s.tx(async ({ networks }) => {
        await networks.quota('router', 'p1', 1, 7)
        await networks.insert('router', router(), noted('router.create'))
      }),
    )
    expect(await outcomes(attempts)).toEqual({ done: 7, 'conflict over_quota': 13 })
  })
})

describe('a segment', () => {
  const take = (from: number, to: number, fields: object = {}) =>
    s.tx(async ({ networks }) => {
      const made = network()
      const about = { networkType: 'vlan', physicalNetwork: 'bridge' }
      const segmentationId = await networks.takeSegment({ ...about, networkId: made.id, from, to, ...fields })
      await networks.insert('network', { ...made, segmentationId }, noted('network.create'))
      return [made.id, segmentationId] as const
    })

  it('is the lowest that is free; each is given once, and again when its network is gone', async () => {
    const taken = await Promise.all(times(10, () => take(2000, 2009)))
    expect(taken.map(([, id]) => id).sort()).toEqual(times(10, n => 2000 + n))
    expect((await take(2000, 2009))[1]).toBeNull()
    const [networkId] = taken.find(([, id]) => id === 2004)!
    await s.remove('network', networkId)
    expect((await take(2000, 2009))[1]).toBe(2004)
  })

  it('is the one that was asked for, or refused', async () => {
    expect((await take(5, 5))[1]).toBe(5)
    expect(await outcomes([take(5, 5)])).toEqual({ 'conflict segment_in_use': 1 })
    expect((await take(4, 6))[1]).toBe(4)
    expect((await take(4, 6))[1]).toBe(6)
    expect((await take(5, 5, { physicalNetwork: 'other' }))[1]).toBe(5)
    expect((await take(5, 5, { networkType: 'vxlan' }))[1]).toBe(5)
    expect((await take(4_294_967_295, 4_294_967_295, { networkType: 'gre' }))[1]).toBe(4_294_967_295)
  })
})

// Regions that are not believed: since when, why, and what an administrator has said of it.

import { beforeEach, describe, expect, it } from 'vitest'
import type { Region } from '../../src/core/regions/region.ts'
import type { Suspicion } from '../../src/core/regions/suspicion.ts'
import { fileWorld } from '../world.ts'
import { at, noted, rowsOf } from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
let region: Region
beforeEach(async () => {
  await w.query('truncate region cascade')
  region = await s.newRegion({ name: 'Pod1' })
})

const counts = { port: { missing: 8, known: 10 } }
const spec = (fields: Partial<Suspicion> = {}) => ({
  regionId: region.id,
  through: 'network' as const,
  since: at,
  reason: 'too many',
  counts,
  ...fields,
})
const suspicions = () => w.app.store.suspicions
const standing = () => suspicions().get(region.id, 'network')

describe('a region that is suspect', () => {
  it('is so since it became so, by the reason and the counts of the last look', async () => {
    expect(await suspicions().raise(spec())).toBe(true)
    const later = new Date(at.getTime() + 60_000)
    const more = { port: { missing: 9, known: 10 } }
    expect(await suspicions().raise(spec({ since: later, reason: 'more', counts: more }))).toBe(false)
    expect(await standing()).toEqual({ ...spec(), reason: 'more', counts: more, confirmed: null })
  })

  it('through its networking is not so through its hosts', async () => {
    await suspicions().raise(spec())
    expect(await suspicions().get(region.id, 'compute')).toBeNull()
    expect(await suspicions().lower(region.id, 'compute')).toBe(false)
    expect(await suspicions().lower(region.id, 'network')).toBe(true)
    expect(await standing()).toBeNull()
  })

  it('is told with others in the order of their names', async () => {
    const first = await s.newRegion({ name: 'Able' })
    await suspicions().raise(spec())
    await suspicions().raise(spec({ regionId: first.id }))
    expect((await suspicions().list()).map(one => one.regionId)).toEqual([first.id, region.id])
  })

  it('is suspect no more when it is removed', async () => {
    await suspicions().raise(spec())
    await w.query('delete from region')
    expect(await suspicions().list()).toEqual([])
  })
})

describe('an administrator’s word', () => {
  it('stands with the counts that were shown, and stays with the next look', async () => {
    await suspicions().raise(spec())
    const said = { ...(await standing())!, confirmed: { port: 8 } }
    expect(await suspicions().confirm(said, noted('region.confirm'))).toBe(true)
    await suspicions().raise(spec({ reason: 'again' }))
    expect(await standing()).toMatchObject({ reason: 'again', confirmed: { port: 8 } })
    expect((await s.trail()).at(-1)).toMatchObject({ action: 'region.confirm', target: region.id })
  })

  it('of counts that are not so any more is not taken', async () => {
    await suspicions().raise(spec())
    const said = { ...(await standing())!, confirmed: { port: 8 } }
    await suspicions().raise(spec({ counts: { port: { missing: 9, known: 10 } } }))
    expect(await suspicions().confirm(said, noted('region.confirm'))).toBe(false)
    expect(await standing()).toMatchObject({ confirmed: null })
  })
})

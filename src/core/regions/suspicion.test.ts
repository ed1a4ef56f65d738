import { describe, expect, it } from 'vitest'
import { type Blindness, doubtOf, mostGone } from './suspicion.ts'

describe('how many of a kind may be gone at once', () => {
  it.each([
    [1, 3],
    [4, 3],
    [10, 3],
    [19, 3],
    [20, 4],
    [100, 20],
    [249, 49],
    [250, 50],
    [1000, 50],
  ])('of %i at most %i, where the setting is 50', (known, most) => {
    expect(mostGone(known, 50)).toBe(most)
  })

  it('is never less than a few, however little the setting allows', () => {
    expect(mostGone(1000, 1)).toBe(3)
  })
})

const missing = (count: number, known: number) => ({ port: { missing: count, known } })
const sees = null
const noAdmin: Blindness = { sentence: 'the service user lacks the role admin', isPerhapsEmpty: false }
const perhapsEmpty: Blindness = { sentence: 'nothing of others is shown', isPerhapsEmpty: true }

describe('why a look is not followed', () => {
  it.each([
    [3, 4],
    [3, 3],
    [3, 10],
    [50, 1000],
  ])('%i of %i that are gone are no reason', (count, known) => {
    expect(doubtOf({ blind: sees, counts: missing(count, known) }, 50)).toBeNull()
  })

  it.each([
    [4, 4],
    [4, 10],
    [51, 1000],
  ])('%i of %i that are gone at once are', (count, known) => {
    const doubt = doubtOf({ blind: sees, counts: missing(count, known) }, 50)
    expect(doubt).toBe(`${count} of ${known} ports are missing at once`)
  })

  it('each kind is counted by itself, and those that are too many are all named', () => {
    const counts = { ...missing(3, 4), network: { missing: 4, known: 4 }, router: { missing: 9, known: 9 } }
    expect(doubtOf({ blind: sees, counts }, 50)).toBe('4 of 4 networks, 9 of 9 routers are missing at once')
  })

  it.each([noAdmin, perhapsEmpty])('one that is missing, to who does not see as an administrator', blind => {
    expect(doubtOf({ blind, counts: missing(1, 1000) }, 50)).toBe(blind.sentence)
  })

  it('nothing that is missing is no reason, whoever looks', () => {
    expect(doubtOf({ blind: noAdmin, counts: missing(0, 4) }, 50)).toBeNull()
  })
})

describe('an administrator’s word', () => {
  it('lets go as many as were shown, and no more', () => {
    expect(doubtOf({ blind: sees, counts: missing(8, 10) }, 50, { port: 8 })).toBeNull()
    expect(doubtOf({ blind: sees, counts: missing(9, 10) }, 50, { port: 8 })).not.toBeNull()
  })

  it('of one kind says nothing of another', () => {
    const counts = { ...missing(8, 10), network: { missing: 4, known: 4 } }
    expect(doubtOf({ blind: sees, counts }, 50, { port: 8 })).toBe('4 of 4 networks are missing at once')
  })

  it('is believed of a region that shows nothing at all', () => {
    expect(doubtOf({ blind: perhapsEmpty, counts: missing(4, 4) }, 50, { port: 4 })).toBeNull()
    expect(doubtOf({ blind: perhapsEmpty, counts: missing(4, 4) }, 50, null)).not.toBeNull()
  })

  it('of such a region lets go nothing that was not shown, however little', () => {
    const counts = { ...missing(4, 4), router: { missing: 1, known: 9 } }
    expect(doubtOf({ blind: perhapsEmpty, counts }, 50, { port: 4 })).toBe(
      '1 of 9 routers are missing at once',
    )
  })

  it('is not believed of a region whose service user lacks its role', () => {
    expect(doubtOf({ blind: noAdmin, counts: missing(4, 4) }, 50, { port: 4 })).toBe(noAdmin.sentence)
  })
})

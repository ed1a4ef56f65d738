// Holdings of subnets' addresses in PostgreSQL: a unique index keeps an address from being held twice, and an
// exclusion constraint keeps everybody out of others' blocks, whatever the processes do.

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { conflict, notFound } from '../core/error.ts'
import {
  type Address,
  type AddressRange,
  formatAddress,
  formatPool,
  mergeRanges,
  parseAddress,
  parsePool,
  poolSize,
  subtractRanges,
  widthOf,
} from '../core/network/addresses/address.ts'
import type { AllocationPool } from '../core/network/model/model.ts'
import type { Holding, Purpose } from '../core/network/model/network-store.ts'
import { type Db, lockOn, run } from './database.ts'

type NewHolding = Omit<Holding, 'start' | 'end'>

const refusals = { held_range_subnet: () => notFound('The subnet is gone', 'subnet') }

const inUse = (what: string) => conflict(`${what} is in use`, 'address_in_use')

export async function holdings(db: Db, subnetId: string, purposes?: readonly Purpose[]): Promise<Holding[]> {
  const { rows } = await run(
    sql<Holding>`
      select subnet_id as "subnetId", host(lower(range)) as start, host(upper(range)) as end, scope, purpose, holder
      from held_range
      where subnet_id = ${subnetId} ${purposes ? sql`and purpose = any (${purposes}::text[])` : sql``}
      order by lower(range), id`.execute(db),
  )
  return rows
}

/**
 * Inserts holdings, and skips a range that is held already (`on conflict do nothing`): an error would end the
 * whole transaction. False when any was skipped.
 */
async function insert(db: Db, ranges: readonly AllocationPool[], holding: NewHolding) {
  const { subnetId, scope, purpose, holder } = holding
  const result = await run(
    sql`insert into held_range (subnet_id, range, scope, purpose, holder)
        select ${subnetId}, inetrange(first, last, '[]'), ${scope}, ${purpose}, ${holder}
        from unnest(${ranges.map(range => range.start)}::inet[], ${ranges.map(range => range.end)}::inet[])
             as new (first, last)
        on conflict do nothing`.execute(db),
    refusals,
  )
  return Number(result.numAffectedRows ?? 0) === ranges.length
}

export async function hold(db: Db, { start, end, ...holding }: Holding): Promise<void> {
  if (await insert(db, [{ start, end }], holding)) return
  throw inUse(start === end ? `The address ${start}` : `An address of ${start} to ${end}`)
}

export async function release(db: Db, purpose: Purpose, holder: string, subnetId?: string): Promise<void> {
  await run(
    sql`delete from held_range
        where holder = ${holder} and purpose = ${purpose}
          and (${subnetId ?? null}::text is null or subnet_id = ${subnetId ?? null})`.execute(db),
  )
}

export async function lockBlocks(db: Db, subnetId: string): Promise<void> {
  // `for no key update`, because a plain lock on the subnet would make transactions that hold addresses wait.
  await run(sql`select from subnet where id = ${subnetId} for no key update`.execute(db))
}

export async function setBlocks(
  db: Db,
  subnetId: string,
  regionId: string,
  blocks: readonly AllocationPool[],
) {
  await release(db, 'block', regionId, subnetId)
  if (await insert(db, blocks, { subnetId, scope: regionId, purpose: 'block', holder: regionId })) return
  throw inUse('An address of the blocks')
}

/**
 * How many addresses are tried at random before gaps are looked for: almost always enough while less than
 * eight tenths of the subnet are held.
 */
const guesses = 16
/** How many gaps between held addresses are looked for: others may be about to take some of them. */
const gapsAtOnce = 8

/**
 * Holds any free address. It never waits for an address that another transaction is about to hold, but passes
 * it over, so that no two transactions deadlock. The last free addresses are given to one transaction after
 * another. Throws `conflict` (`addresses_contended`) where all free ones are about to be held by others: the
 * transaction is to begin anew.
 */
export async function holdAny(
  db: Db,
  pools: readonly AllocationPool[],
  holding: NewHolding,
): Promise<string | null> {
  const ranges = mergeRanges(pools.map(pool => parsePool(pool)!))
  const guessed = await holdFirstFree(db, anyOf(ranges, guesses), holding)
  if (guessed !== null) return guessed
  await lockOn(db, 'addresses', holding.subnetId)
  const blocks = await holdings(db, holding.subnetId, ['block'])
  const free = subtractRanges(
    ranges,
    blocks.map(block => parsePool(block)!),
  )
  const gaps = await firstGaps(db, holding.subnetId, fromAnywhere(free))
  if (gaps.length === 0) return null
  const found = await holdFirstFree(db, anyOf(gaps, guesses), holding)
  if (found !== null) return found
  throw conflict(
    `Others are taking the last addresses of the subnet ${holding.subnetId}: try again`,
    'addresses_contended',
  )
}

/** So many addresses of the ranges, picked at random with equal chances; none where there are no ranges. */
function anyOf(ranges: readonly AddressRange[], count: number): Address[] {
  const size = poolSize(ranges)
  return size === 0n ? [] : Array.from({ length: count }, () => nth(ranges, randomBelow(size)))
}

const randomBelow = (limit: bigint): bigint => BigInt(`0x${randomBytes(24).toString('hex')}`) % limit

function nth(ranges: readonly AddressRange[], place: bigint): Address {
  let left = place
  const range = ranges.find(({ first, last }) => {
    if (first + left <= last) return true
    left -= last - first + 1n
    return false
  })!
  return { version: range.version, value: range.first + left }
}

/**
 * The same ranges, turned to begin at a random address: so two searches for a gap begin at different ones.
 */
function fromAnywhere(ranges: readonly AddressRange[]): AddressRange[] {
  const [start] = anyOf(ranges, 1)
  if (!start) return []
  const end = (1n << BigInt(widthOf(start.version))) - 1n
  const after = { version: start.version, first: start.value, last: end }
  const before = subtractRanges(ranges, [after])
  return [...subtractRanges(ranges, before), ...before]
}

/**
 * Holds the first of these addresses that nobody holds or is about to hold; null when there is none. Each
 * address is looked up by itself, because a join would read the whole subnet.
 */
async function holdFirstFree(
  db: Db,
  addresses: readonly Address[],
  { subnetId, scope, purpose, holder }: NewHolding,
): Promise<string | null> {
  const { rows } = await run(
    sql<{ address: string }>`
      insert into held_range (subnet_id, range, scope, purpose, holder)
      select ${subnetId}, inetrange(address, address, '[]'), ${scope}, ${purpose}, ${holder}
      from (
        select address from unnest(${addresses.map(formatAddress)}::inet[]) as new (address)
        where (select true from held_range where subnet_id = ${subnetId} and range @> address limit 1) is null
        offset 0) as free
      where pg_try_advisory_xact_lock(hashtextextended(${subnetId} || ' ' || address, 0))
      limit 1
      on conflict do nothing returning host(lower(range)) as address`.execute(db),
    refusals,
  )
  return rows[0]?.address ?? null
}

/** The first gaps between the addresses that are held in these ranges, which have no part of a block. */
async function firstGaps(db: Db, subnetId: string, ranges: readonly AddressRange[]): Promise<AddressRange[]> {
  const pools = ranges.map(formatPool)
  const held = sql`
    from held_range
    where subnet_id = ${subnetId} and purpose <> 'block' and lower(range) between first and last`
  const { rows } = await run(
    sql<{ place: number; after: string | null; before: string | null }>`
      select place, host(gap.after) as after, host(gap.before) as before
      from unnest(${pools.map(pool => pool.start)}::inet[], ${pools.map(pool => pool.end)}::inet[])
           with ordinality as pool (first, last, place)
      cross join lateral (
        select null as after, least as before from (select min(lower(range)) as least ${held}) as held
        where least is distinct from first
        union all
        (select address, next
         from (select lower(range) as address, lead(lower(range)) over (order by lower(range)) as next ${held}) as held
         where case when next is null then address <> last else next <> address + 1 end
         limit ${gapsAtOnce})) as gap
      order by place, gap.after nulls first limit ${gapsAtOnce}`.execute(db),
  )
  return rows.map(({ place, after, before }) => {
    const { version, first, last } = ranges[place - 1]!
    return {
      version,
      first: after === null ? first : parseAddress(after)!.value + 1n,
      last: before === null ? last : parseAddress(before)!.value - 1n,
    }
  })
}

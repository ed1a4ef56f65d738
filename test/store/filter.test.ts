// A filter in SQL says of every host what it says in core.

import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Filter, matches, parseFilter } from '../../src/core/filter/filter.ts'
import { builtInProperties, type Host } from '../../src/core/hosts/host.ts'
import { hostValue } from '../../src/core/hosts/properties.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { filterSql } from '../../src/store/filter.ts'
import { testDatabase } from '../postgres.ts'

let database: Database
beforeAll(async () => {
  const { url } = await testDatabase({ empty: true })
  const options = { connections: 1, name: 'filter test', onError: () => {} }
  const first = openDatabase(url, options)
  // Where texts sort as in a dictionary and the digits of every script are digits, unlike in the tests' own.
  const name = `${new URL(url).pathname.slice(1)}_icu`
  await first.pool.query(
    `create database ${name} template template0 encoding utf8 locale_provider icu icu_locale 'en' locale 'C'`,
  )
  await first.close()
  const changed = new URL(url)
  changed.pathname = `/${name}`
  database = openDatabase(changed.href, options)
  await database.pool.query("set time zone 'Asia/Kolkata'")
})
afterAll(() => database?.close())

const rowOf = (host: Host) => ({
  id: host.id,
  hypervisor_type: host.hypervisorType,
  hypervisor_version: host.hypervisorVersion,
  hypervisor_hostname: host.hypervisorHostname,
  service_name: host.serviceName,
  vcpus: host.vcpus,
  memory_mb: host.memoryMb,
  local_gb: host.localGb,
  cpu_info: host.cpuInfo,
  availability_zone: host.availabilityZone,
  reservable: host.reservable,
  capabilities: host.capabilities,
  created_at: host.createdAt,
  updated_at: host.updatedAt,
  region_id: host.regionId,
  region_name: host.regionName,
})

/** Each host's id, and whether PostgreSQL says that it is what the filter asks for. */
async function found(hosts: readonly Host[], filter: Filter): Promise<[number, boolean][]> {
  const { rows } = await sql<{ id: number; matches: boolean }>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(hosts.map(rowOf))}::jsonb) as given (
        id bigint, hypervisor_type text, hypervisor_version bigint, hypervisor_hostname text,
        service_name text, vcpus int, memory_mb bigint, local_gb bigint, cpu_info text,
        availability_zone text, reservable boolean, capabilities jsonb, created_at timestamptz,
        updated_at timestamptz, region_id text, region_name text)
    ), host as (select * from given), region as (select distinct region_id as id, region_name as name from given)
    select host.id, ${filterSql(filter)} as matches
    from host join region on region.id = host.region_id order by host.id`.execute(database.db)
  return rows.map(row => [row.id, row.matches])
}

const expected = (hosts: readonly Host[], filter: Filter): [number, boolean][] =>
  hosts.map(host => [host.id, matches(filter, name => hostValue(host, name))])

/** Texts that are numbers, or nearly. */
const nearNumbers = [
  ...['0', '-0', '1', '01', '1.0', '1.50', '9', '10', '-9', '-10', '+1', '1e1', '1.', '.5', '--1', '0x10'],
  ...[' 1', '1 ', '1\n', '\n1', '1\n2', '٣', '１', '¹', 'NaN', 'Infinity', '-Infinity', '1_000', '1,5'],
  ...['999999999999999', '999999999999999.999999999999999', '9999999999999999', '0.0000000000000001'],
  ...['0.1', '0.100000000000000', '0.100000000000001', '123456789012345.123456789012345'],
  ...['123456789012345.123456789012344', '123456789012345.13'],
]
const oddTexts = [
  ...['', ' ', 'null', 'NULL', 'true', 'True', 'FALSE', 'a', 'A', 'b', 'ab', 'é', 'e\u0301', 'ß', 'ss', 'z'],
  ...['\uffff', '\ue000', '😀', '😁', 'a😀', 'a\uffff', '%', '_', "'; drop table host; --", '$1', '\\', '"'],
  ...['{}', '[]', '2026', '2026-11-20', '2026-11-20 10:20:30', '1970-01-01 00:00:00', '\u007f', '\u0001'],
]
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...nearNumbers) },
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 6 }).map(some => some.replaceAll('\0', '')),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^-?[0-9]{1,17}(\.[0-9]{1,17})?$/) },
)
const capabilityNames = ['gpu', 'ssd', 'a b', "it's", '__proto__', 'constructor', '😀', '$', '?', 'vcpus']
const int = fc.oneof(fc.constantFrom(0, 1, 8, 9, 10, 16), fc.nat(2 ** 31 - 1))
const long = fc.oneof(int, fc.constantFrom(1e15, 1e15 + 1), fc.nat(Number.MAX_SAFE_INTEGER))
const date = fc.oneof(
  fc.constantFrom(...['1970-01-01T00:00:00Z', '2026-11-20T10:20:30.999Z'].map(at => new Date(at))),
  fc.date({ min: new Date(0), max: new Date('9999-12-30'), noInvalidDate: true }),
)
const regions = ['Pod1', 'Pod2', '10', 'null']

const host = (id: number): fc.Arbitrary<Host> =>
  fc.record({
    id: fc.constant(id),
    regionId: fc.nat(regions.length - 1).map(String),
    regionName: fc.constant(''),
    state: fc.constant('enrolled' as const),
    reservable: fc.boolean(),
    hypervisorId: fc.constant(''),
    hypervisorHostname: text,
    hypervisorType: text,
    hypervisorVersion: long,
    cpuInfo: text,
    serviceName: text,
    vcpus: int,
    memoryMb: long,
    localGb: long,
    availabilityZone: text,
    providerId: fc.constant(''),
    inventory: fc.constant({}),
    capabilities: fc
      .array(fc.tuple(fc.constantFrom(...capabilityNames), text), { maxLength: 8 })
      .map(pairs => Object.fromEntries(pairs)),
    createdAt: date,
    updatedAt: fc.option(date),
  })
const hosts = fc
  .tuple(host(1), host(2), host(9), host(10), host(1e15))
  .map(all => all.map(one => ({ ...one, regionName: regions[Number(one.regionId)]! })))

/** A value like those of the hosts, often one of them. */
const operand = (all: readonly Host[], name: string) => {
  const theirs = all.map(one => hostValue(one, name)).filter(value => value !== undefined && value !== '')
  const some = fc.oneof(
    text.filter(value => value !== ''),
    fc.oneof(int, long, fc.double({ min: -20, max: 20, noNaN: true }), fc.constantFrom(0.1, 5e-324, 1e-320)),
    fc.constantFrom(null, true, false, 'null', 'True', 'false'),
  )
  return theirs.length === 0
    ? some
    : fc.oneof(some, fc.constantFrom(...theirs, ...theirs.map(value => `${value}`)))
}
const operator = fc.constantFrom('==', '=', '!=', '>=', '<=', '>', '<')
const condition = (all: readonly Host[]) =>
  fc
    .constantFrom(...builtInProperties, ...capabilityNames, ...capabilityNames, 'missing')
    .chain(name => fc.tuple(operator, fc.constant(`$${name}`), operand(all, name)))
const filter = (all: readonly Host[]) =>
  fc.letrec(tie => ({
    filter: fc.oneof({ maxDepth: 3, withCrossShrink: true }, condition(all), tie('several'), tie('not')),
    several: fc
      .tuple(fc.constantFrom('and', 'or'), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }))
      .map(([op, of]) => [op, ...of]),
    not: tie('filter').map(of => ['not', of]),
  })).filter

const numRuns = process.env.SOAK === '1' ? 10_000 : 300
const agree = async (all: readonly Host[], text: string): Promise<void> => {
  const asked = parseFilter(text)
  expect(await found(all, asked)).toEqual(expected(all, asked))
}

describe('in PostgreSQL as in core', () => {
  it('a condition holds for the same hosts', async () => {
    const asked = hosts.chain(all => fc.tuple(fc.constant(all), condition(all)))
    const property = fc.asyncProperty(asked, ([all, one]) => agree(all, JSON.stringify(one)))
    await fc.assert(property, { numRuns })
  })

  it('a filter matches the same hosts', async () => {
    const asked = hosts.chain(all => fc.tuple(fc.constant(all), filter(all)))
    const property = fc.asyncProperty(asked, ([all, some]) => agree(all, JSON.stringify(some)))
    await fc.assert(property, { numRuns })
  })

  it('every odd text compares the same with every other', async () => {
    const texts = [...nearNumbers, ...oddTexts]
    const [one] = fc.sample(host(1), 1)
    const all = texts.map((gpu, id) => ({ ...one!, id: id + 1, regionName: 'Pod1', capabilities: { gpu } }))
    for (const value of [...texts.filter(value => value !== ''), 0, 1, 9, 0.1, 1e15]) {
      for (const op of ['==', '<']) await agree(all, JSON.stringify([op, '$gpu', value]))
    }
  })

  it('no condition matches every host, and an and or an or of nothing is what it is', async () => {
    const all = fc.sample(hosts, 1)[0]!
    await agree(all, '')
    for (const op of ['and', 'or'] as const) {
      expect(await found(all, { op, of: [] })).toEqual(expected(all, { op, of: [] }))
    }
  })
})

describe('the SQL', () => {
  it('has nothing of the text of a filter in it', () => {
    const asked = parseFilter('["or", ["==", "$name\'--", "value\'--"], ["<", "$vcpus", "value\'--"]]')
    const { sql: statement, parameters } = filterSql(asked).compile(database.db)
    expect(statement).not.toMatch(/name|value|--/)
    expect(parameters).toContain("name'--")
  })

  it('has room for the longest filter', async () => {
    const conditions = Array.from({ length: 629 }, () => '["<","$a",1]').join(',')
    await agree(fc.sample(hosts, 1)[0]!, `["or",${conditions}]`)
  })
})

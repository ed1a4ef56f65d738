// Authorisation, asked of Atoll and straight of a region's Neutron: on the simulator one of each release, in the lab those
// that are there (ATOLL_LAB). What Atoll does as an admin, a region no longer checks, so that the answers must be the same,
// or there is a line that says why.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { pathOf } from '../world/person.ts'
import { fileWorld } from '../world.ts'
import { askAll, compare, type Difference, type Outcomes } from './compare.ts'
import { explains, reasons } from './differences.ts'
import { rows } from './rows.ts'
import { neutronRules } from './rules.ts'
import { openScene, type Scene } from './scene.ts'
import { atollSide, openPeople, type People, personas, regionSide, type Side } from './sides.ts'
import { unserved } from './unserved.ts'

const w = await fileWorld({ joined: true, lab: true, regions: ['Pod1', 'Pod2'], cloud: { newer: ['Pod2'] } })
let people: People
let atoll: Side
let central: Scene
let ours: Outcomes[]
const regions: { release: string; outcomes: Outcomes[] }[] = []
const differences: Difference[] = []

/** Whether a region's Neutron is the newer one: the simulator is told, a real one shows it by an extension. */
async function releaseOf(side: Side): Promise<string> {
  if (w.kind === 'sim')
    return w.cloud.neutrons.get(side.name)!.region.settings.release === 'zed' ? '21' : '26'
  const { status } = await side.ask(people.tokens.admin, 'GET', '/extensions/quota-check-limit-default')
  return status === 200 ? '26' : '21'
}

beforeAll(async () => {
  const opened = await openPeople(w)
  people = opened
  atoll = atollSide(w)
  const [first] = w.regions as [string]
  central = await openScene(atoll, { people, outside: { availability_zone_hints: [first] } })
  const asked = w.regions.map(async name => {
    const side = regionSide(opened.admin, name)
    const scene = await openScene(side, { people, outside: {} })
    const outcomes = await askAll(side, scene, rows)
    await scene.close()
    return { release: await releaseOf(side), outcomes }
  })
  ours = await askAll(atoll, central, rows)
  for (const one of await Promise.all(asked)) {
    if (regions.some(({ release }) => release === one.release)) continue
    regions.push(one)
    differences.push(...compare(one.release, rows, ours, one.outcomes))
  }
}, 1_200_000)

afterAll(async () => {
  await central?.close()
  await people?.close()
})

const reasonFor = (one: Difference) => reasons.find(reason => explains(reason, one))
const written = ({ release, rule, what, persona, answers }: Difference) =>
  `${release} ${rule} (${what}) as ${persona}: ${answers}`

it('every rule of Neutron has a row, and every row a rule', () => {
  const names = new Set(neutronRules.filter(({ request }) => request).map(({ name }) => name))
  const inRows = new Set(rows.map(({ rule }) => rule))
  expect([...names].filter(name => !inRows.has(name) && !unserved.includes(name))).toEqual([])
  expect([...inRows, ...unserved].filter(name => !names.has(name))).toEqual([])
  expect(unserved.filter(name => inRows.has(name))).toEqual([])
})

it('every answer is the region’s, or there is a line that says why', () => {
  const unexplained = differences.filter(one => !reasonFor(one))
  for (const { release } of regions) {
    const here = differences.filter(one => one.release === release)
    const count = rows.length * personas.length
    const explained = here.filter(one => reasonFor(one)).length
    console.log(
      `Neutron ${release} of the ${w.kind}: ${rows.length} operations as ${personas.length} persons, ${count} answers, ${count - here.length} the same, ${explained} different with a reason, ${here.length - explained} without; ${unserved.length} rules of what is not served`,
    )
  }
  expect(unexplained.map(written)).toEqual([])
})

it('no line is without a difference', () => {
  expect(regions.length).toBeGreaterThan(0)
  const releases = regions.map(({ release }) => release)
  const due = reasons.filter(({ release }) => release === undefined || releases.includes(release))
  expect(due.filter(reason => !differences.some(one => explains(reason, one)))).toEqual([])
})

it('nobody gets from Atoll what a region of the newer release refuses, but for what a line says', () => {
  const newer = differences.filter(({ release }) => release === '26')
  const given = newer.filter(({ answers }) => /^(2\d\d|shown) for (4\d\d|hidden)$/.test(answers))
  expect(given.filter(one => !reasonFor(one)?.gives).map(written)).toEqual([])
})

/** Paths that Neutron's documentation has otherwise. */
const paths: Readonly<Record<string, string>> = { '/quota/{id}': '/quotas/{id}' }

it.each(unserved)('%s is of something that is not served', async name => {
  const { request } = neutronRules.find(rule => rule.name === name)!
  const [verb, ...parts] = name.split(':')
  const kind = verb!.replace(/^[a-z]+_/, '')
  const attribute = parts.join(':')
  const isServed = rows.some(({ rule }) => rule === verb)
  if (attribute === '' || attribute === 'tags' || !isServed) {
    const path = (paths[request!.path] ?? request!.path).replaceAll(/\{\w+\}/g, people.mine)
    const real = verb!.endsWith('_external_gateways') ? `${path}/${verb}` : path
    const { status } = await atoll.ask(people.tokens.admin, request!.method, real, {})
    expect([404, 405], real).toContain(status)
    return
  }
  if (verb!.startsWith('get_')) {
    const path =
      kind === 'port' ? `/ports/${(await central.make('port', { network_id: central.networks.own })).id}` : ''
    const { json } = await atoll.ask(people.tokens.admin, 'GET', path || `/networks/${central.networks.own}`)
    expect(Object.keys(json[kind])).not.toContain(attribute)
    return
  }
  const id = (await central.make(kind, kind === 'port' ? { network_id: central.networks.own } : {})).id
  const [method, path] = verb!.startsWith('update_')
    ? ['PUT', `${pathOf(kind)}/${id}`]
    : ['POST', pathOf(kind)]
  const { status, json } = await atoll.ask(people.tokens.admin, method, path, {
    [kind]: { [attribute]: true },
  })
  expect([status, json.NeutronError.message]).toEqual([
    400,
    expect.stringContaining('Unrecognized attribute'),
  ])
})

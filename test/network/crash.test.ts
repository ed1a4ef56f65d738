// A process is killed at every step of topology T4 being built and torn down, in every request and in the jobs that
// follow from it; the next process tidies up, and the client who got no answer asks again. What there is after each
// request, centrally and in the regions, must be the same as if nobody had died; and nothing once all is removed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cloud } from '../../src/core/cloud.ts'
import type { RegionNetworking } from '../../src/core/network/copies/region-rows.ts'
import { chanceOf, seed } from '../chance.ts'
import { type Death, deathAt, lifeUntil } from '../world/mortal.ts'
import { type Json, type World, world } from '../world.ts'
import { immortal, type Process, type Stage, stage } from './crashing.ts'
import type { Seen } from './picture.ts'

let w: World
let one: string
let two: string

beforeAll(async () => {
  w = await world({ joined: true, lab: true })
  ;[one, two] = w.regions as [string, string]
})
afterAll(() => w?.[Symbol.asyncDispose]())

// The client

class NoAnswer extends Error {}
class Refused extends Error {}

/** Of one run of the script: the process that it talks to, and the ids that it was told. */
interface Client {
  process: Process
  /** True when it has asked this before, and got no answer. */
  isAgain: boolean
  readonly ids: Map<string, string>
}

async function ask(client: Client, method: string, path: string, body?: unknown, as?: 'admin' | 'demo') {
  const answer = await client.process.call(method, `/v2.0${path}`, { body, as })
  if (!answer) throw new NoAnswer()
  return answer
}

async function good(client: Client, method: string, path: string, body?: unknown, as?: 'admin' | 'demo') {
  const { status, json } = await ask(client, method, path, body, as)
  if (status >= 300) throw new Refused(`${method} ${path}: ${status} ${json?.NeutronError?.message}`)
  return json
}

interface Creation {
  readonly kind: 'network' | 'subnet' | 'port' | 'router' | 'floatingip'
  readonly name: string
  readonly spec: (id: (name: string) => string) => Json
  readonly as?: 'admin' | 'demo'
}

/** Whoever got no answer looks whether there is one by this name, and it must be all that was asked for. */
async function create(client: Client, { kind, name, spec, as }: Creation): Promise<void> {
  const label = kind === 'floatingip' ? 'description' : 'name'
  const asked = { [label]: name, ...spec(named => client.ids.get(named)!) }
  const found = client.isAgain ? await good(client, 'GET', `/${kind}s?${label}=${name}`, undefined, as) : null
  const [row] = found?.[`${kind}s`] ?? []
  if (row) {
    client.ids.set(name, row.id)
    expect(row, `the ${kind} ${name} as it is found again`).toMatchObject(partOf(asked))
    return
  }
  const made = await good(client, 'POST', `/${kind}s`, { [kind]: asked }, as)
  client.ids.set(name, made[kind].id)
}

/** What of a request its answer repeats as it was. */
const partOf = ({ port_id, external_gateway_info, allocation_pools }: Json): Json => ({
  ...(port_id === undefined ? {} : { port_id }),
  ...(external_gateway_info === undefined ? {} : { external_gateway_info }),
  ...(allocation_pools === undefined ? {} : { allocation_pools }),
})

async function remove(client: Client, kind: string, name: string, as?: 'admin' | 'demo'): Promise<void> {
  const path = `/${kind}s/${client.ids.get(name)}`
  const { status, json } = await ask(client, 'DELETE', path, undefined, as)
  const isGone = status === 204 || (status === 404 && client.isAgain)
  if (!isGone) throw new Refused(`DELETE ${kind} ${name}: ${status} ${json?.NeutronError?.message}`)
}

async function join(client: Client, router: string, subnet: string): Promise<void> {
  const [routerId, subnetId] = [client.ids.get(router)!, client.ids.get(subnet)!]
  if (client.isAgain) {
    const { ports } = await good(client, 'GET', `/ports?device_id=${routerId}`)
    if (ports.some((port: Json) => port.fixed_ips.some((fixed: Json) => fixed.subnet_id === subnetId))) return
  }
  await good(client, 'PUT', `/routers/${routerId}/add_router_interface`, { subnet_id: subnetId })
}

async function part(client: Client, router: string, subnet: string): Promise<void> {
  const body = { subnet_id: client.ids.get(subnet) }
  const path = `/routers/${client.ids.get(router)}/remove_router_interface`
  const { status, json } = await ask(client, 'PUT', path, body)
  const isGone = status === 200 || (status === 404 && client.isAgain)
  if (!isGone) throw new Refused(`parting ${subnet}: ${status} ${json?.NeutronError?.message}`)
}

const place = (client: Client, port: string, region: string): Promise<void> =>
  good(client, 'PUT', `/ports/${client.ids.get(port)}`, { port: { 'binding:profile': { region } } })

// The script

type Act = readonly [name: string, play: (client: Client) => Promise<void>]

const creation = (kind: Creation['kind'], name: string, spec: Creation['spec'], as?: Creation['as']): Act => [
  `a ${kind} ${name} is made`,
  client => create(client, { kind, name, spec, ...(as === undefined ? {} : { as }) }),
]

const removal = (kind: string, name: string, as?: 'admin'): Act => [
  `the ${kind} ${name} is removed`,
  client => remove(client, kind, name, as),
]

/** What is picked at random (gateways, above all) is apart from the addresses that ports name. */
const pools = (prefix: string) => ({ allocation_pools: [{ start: `${prefix}.10`, end: `${prefix}.90` }] })

const script = (): Act[] => [
  creation(
    'network',
    'ext',
    () => ({
      'router:external': true,
      'provider:network_type': 'vlan',
      'provider:physical_network': 'extern',
      'provider:segmentation_id': 154,
      availability_zone_hints: [two],
    }),
    'admin',
  ),
  creation(
    'subnet',
    'ext-sub',
    id => ({ network_id: id('ext'), ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }),
    'admin',
  ),
  creation('router', 'r', id => ({ external_gateway_info: { network_id: id('ext') } })),
  creation('network', 'net1', () => ({})),
  creation('subnet', 'sub1', id => ({
    network_id: id('net1'),
    ip_version: 4,
    cidr: '10.0.1.0/24',
    ...pools('10.0.1'),
  })),
  creation('network', 'net2', () => ({})),
  creation('subnet', 'sub2', id => ({
    network_id: id('net2'),
    ip_version: 4,
    cidr: '10.0.2.0/24',
    ...pools('10.0.2'),
  })),
  ['r joins sub1', client => join(client, 'r', 'sub1')],
  creation('port', 'p1', id => ({ network_id: id('net1'), fixed_ips: [{ ip_address: '10.0.1.200' }] })),
  creation('floatingip', 'fip1', id => ({ floating_network_id: id('ext'), port_id: id('p1') })),
  ['p1 is placed', client => place(client, 'p1', one)],
  creation('port', 'p2', id => ({
    network_id: id('net2'),
    fixed_ips: [{ ip_address: '10.0.2.200' }],
    'binding:profile': { region: two },
  })),
  ['r joins sub2', client => join(client, 'r', 'sub2')],
  creation('floatingip', 'fip2', id => ({ floating_network_id: id('ext'), port_id: id('p2') })),

  removal('floatingip', 'fip1'),
  ['r parts from sub1', client => part(client, 'r', 'sub1')],
  removal('port', 'p1'),
  removal('floatingip', 'fip2'),
  ['r parts from sub2', client => part(client, 'r', 'sub2')],
  removal('router', 'r'),
  removal('port', 'p2'),
  removal('subnet', 'sub2'),
  removal('network', 'net2'),
  removal('network', 'net1'),
  removal('network', 'ext', 'admin'),
]

// The walk

/** Dead so long that nobody waits for its calls any more. */
const longAgoMs = 600_000

type Phase = 'request' | 'jobs'

interface Performance {
  /** By act: what its request and its jobs were made of. */
  readonly steps: readonly Readonly<Record<Phase, readonly string[]>>[]
  /** By act: what there was after it. */
  readonly seen: readonly Seen[]
  readonly kills: number
  /** What was not as in the undisturbed performance: the first thing only, since others follow from it. */
  readonly wrong: string | null
}

interface Direction {
  /** The death of a phase of an act, if any. */
  death(act: number, phase: Phase): Death | null
  /** Whether a client asks again before the regions are tidied. */
  readonly isHasty: boolean
  /** What there must be after each act. */
  readonly expected: readonly Seen[] | null
}

async function perform(on: Stage, { death, isHasty, expected }: Direction): Promise<Performance> {
  const steps: Record<Phase, readonly string[]>[] = []
  const seen: Seen[] = []
  let kills = 0
  let wrong: string | null = null
  const ids = new Map<string, string>()
  for (const [index, [name, play]] of script().entries()) {
    const request = on.start(lifeUntil(death(index, 'request')), longAgoMs)
    const client: Client = { process: request, isAgain: false, ids }
    const worker = on.start(lifeUntil(death(index, 'jobs')), longAgoMs)
    let where = ''
    try {
      await play(client).catch(error => {
        if (!request.life.isOver) throw error
      })
      if (request.life.isOver) {
        kills += 1
        where = `; killed ${told(death(index, 'request')!, request.life.steps)}`
        await goOn(on, client, play, isHasty)
      }
      await worker.work()
      if (worker.life.isOver) {
        kills += 1
        where += `; its jobs killed ${told(death(index, 'jobs')!, worker.life.steps)}`
        await on.bury()
        const next = on.start(immortal())
        await next.tidy()
        await next.work()
      }
    } catch (error) {
      wrong = `${name}${where}: ${(error as Error).message}`
    }
    const now = await on.see()
    if (expected && wrong === null) {
      const differences = differencesOf(now, expected[index]!)
      if (differences.length > 0) wrong = `${name}${where}:\n    ${differences.join('\n    ')}`
    }
    steps.push({ request: request.life.steps, jobs: worker.life.steps })
    seen.push(now)
    if (wrong !== null) break
  }
  return { steps, seen, kills, wrong }
}

/** Another process comes after the one that died, and the client asks again. */
async function goOn(on: Stage, client: Client, play: Act[1], isHasty: boolean): Promise<void> {
  client.process = on.start(immortal())
  client.isAgain = true
  await on.bury()
  const isDone =
    isHasty &&
    (await play(client).then(
      () => true,
      error => {
        if (error instanceof Refused) return false
        throw error
      },
    ))
  await client.process.tidy()
  if (!isDone) await play(client)
}

const told = ({ step, after }: Death, steps: readonly string[]): string =>
  `${after ? 'after' : 'before'} its step ${step}, ${steps[step - 1]}`

function differencesOf(now: Seen, expected: Seen): string[] {
  return Object.keys(expected).flatMap(what => {
    const [is, was] = [now[what] ?? [], expected[what]!]
    return [
      ...without(was, is).map(line => `missing in ${what}: ${line}`),
      ...without(is, was).map(line => `too much in ${what}: ${line}`),
    ]
  })
}

/** Those lines of which there are more than in the others. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return lines.filter(line => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** Removes what a performance that went wrong has left, so that the next has an empty stage. */
async function sweepUp(): Promise<void> {
  await w[Symbol.asyncDispose]()
  w = await world({ joined: true, lab: true })
}

const undisturbed: Direction = { death: () => null, isHasty: false, expected: null }

/** The performance that all others are held against: one for all of them. */
let wholes: Promise<Performance> | null = null
async function performWhole(on: Stage): Promise<Performance> {
  // The first one makes the project's default groups, which stay.
  await perform(on, undisturbed)
  const whole = await perform(on, undisturbed)
  expect(whole.wrong).toBeNull()
  expect(await on.leftovers()).toEqual({ database: [], regions: [] })
  return whole
}

interface Walk {
  readonly kills: number
  readonly points: number
  readonly wrong: readonly string[]
}

const drawn = seed()
const lot = chanceOf(drawn)()

/** `runs` performances, with a death in each phase of each act that still has a point; without a number: at every point. */
async function walk(
  runs: number | null,
  tamper: (cloud: Cloud) => Cloud = same => same,
  enough = 5,
): Promise<Walk> {
  let on = stage(w)
  wholes ??= performWhole(on)
  const whole = await wholes
  const counts = whole.steps.map(({ request, jobs }) => ({
    request: request.length * 2,
    jobs: jobs.length * 2,
  }))
  const points = counts.reduce((sum, { request, jobs }) => sum + request + jobs, 0)
  const most = Math.max(...counts.flatMap(({ request, jobs }) => [request, jobs]))
  const wrong: string[] = []
  let kills = 0
  on = stage(w, { tamper })
  for (let run = 0; run < (runs ?? most) && wrong.length < enough; run += 1) {
    const death = (act: number, phase: Phase): Death | null => {
      const count = counts[act]![phase]
      if (runs === null) return run < count ? deathAt(run) : null
      if (count === 0) return null
      // Spread over each phase, and over all of them, from where the seed says.
      const offset = (lot + act * 0.618 + (phase === 'jobs' ? 0.5 : 0)) % 1
      return deathAt(Math.floor(((run + offset) / runs) * count))
    }
    const done = await perform(on, { death, isHasty: (run + drawn) % 2 === 1, expected: whole.seen })
    kills += done.kills
    const left = done.wrong === null ? await on.leftovers() : null
    const isClean = left === null || JSON.stringify(left) === JSON.stringify({ database: [], regions: [] })
    if (done.wrong !== null) wrong.push(done.wrong)
    if (!isClean) wrong.push(`left in the end: ${JSON.stringify(left)}`)
    if (done.wrong === null && isClean) continue
    await sweepUp()
    on = stage(w, { tamper })
    await perform(on, undisturbed)
  }
  return { kills, points, wrong }
}

/** As if nobody could be found by a mark: descriptions come without it, but for whoever tidies. */
const blind = (cloud: Cloud): Cloud => ({
  ...cloud,
  networking(region, requestId) {
    const networking = cloud.networking(region, requestId)
    const list = async (kind: never, query?: { fields?: unknown }): Promise<unknown[]> => {
      const rows: { description: string | null }[] = await networking.list(kind, query as never)
      return query?.fields ? rows : rows.map(row => ({ ...row, description: '' }))
    }
    return { ...networking, list: list as RegionNetworking['list'] }
  },
})

describe('topology T4 with a death at every step', () => {
  it('comes to the same end', { timeout: 3_600_000 }, async () => {
    const runs = process.env.SOAK === '1' ? null : Number(process.env.RUNS ?? 1)
    const { kills, points, wrong } = await walk(runs)
    console.log(
      `SEED=${drawn}: ${kills} deaths at the ${points} points of ${script().length} requests and their jobs, ${wrong.length} went wrong`,
    )
    expect(wrong.join('\n')).toBe('')
  })

  it('does not where nothing is looked up by its mark: this test would see it', {
    timeout: 600_000,
  }, async () => {
    const { kills, wrong } = await walk(6, blind, 1)
    console.log(`planted: the first of ${kills} deaths that went wrong: ${wrong[0]}`)
    expect(wrong).not.toEqual([])
  })
})

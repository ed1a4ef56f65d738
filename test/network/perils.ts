// What may befall two who write: the same revision is named by both, they are two processes, the writer is killed, the
// region is slow, or refuses. Each says in words what went wrong; nothing where the laws of writing hold.

import type { FaultSpec } from '../../sim/faults.ts'
import { openCloud } from '../../src/compose.ts'
import type { Store } from '../../src/core/app.ts'
import { watchRegion } from '../../src/core/network/watch/watch.ts'
import { pick } from '../chance.ts'
import { type Death, type Life, lifeUntil } from '../world/mortal.ts'
import { type Reply, type World, world } from '../world.ts'
import { disagreements } from './agreement.ts'
import { immortal, type Process, type Stage, stage } from './crashing.ts'
import { outsideIn } from './regions.ts'
import { difference, everything } from './unseen.ts'
import { type Case, here, Maker, type Scene, type Side, there } from './writes.ts'

/** A fault of ours that the table must see. */
export type Plant = 'the revision is not looked at again' | 'the writing is left out'

/** A world that rows of the table use one after the other. */
export interface Ground extends AsyncDisposable {
  readonly world: World
  readonly external: string
  /** Two processes, each with a log-in of its own, and one that waits for regions only a moment. */
  readonly stages: readonly [Stage, Stage]
  readonly hasty: Stage
  plant: Plant | null
  /** The revision that the callers of a row name. */
  named: { readonly id: string; readonly revision: number } | null
  rows: number
}

export async function ground(): Promise<Ground> {
  const w = await world({ joined: true, settings: { ATOLL_NETWORKING_QUOTA_PORT: '-1' } })
  const clouds = [openCloud(w.config), openCloud(w.config)] as const
  const tamperStore = (store: Store) => planted(store, made)
  const on = (openstack: World['openstack'], timeoutMs?: number) =>
    stage({ ...w, openstack }, { tamperStore, ...(timeoutMs ? { timeoutMs: () => timeoutMs } : {}) })
  const made: Ground = {
    world: w,
    external: (await w.admin.make('network', outsideIn(here))).id,
    stages: [on(clouds[0]), on(clouds[1])],
    hasty: on(clouds[0], impatientMs),
    plant: null,
    named: null,
    rows: 0,
    async [Symbol.asyncDispose]() {
      for (const cloud of clouds) await cloud.close()
      await w[Symbol.asyncDispose]()
    },
  }
  const range = { network_id: made.external, ip_version: 4, cidr: '163.3.124.0/24', enable_dhcp: false }
  await w.admin.make('subnet', range)
  return made
}

/** The store with the ground's plant: each is what a law of `writes/` forbids. */
function planted(store: Store, g: Ground): Store {
  return {
    ...store,
    transact: work =>
      store.transact(tx => {
        if (g.plant === 'the writing is left out')
          return work({ ...tx, writings: { ...tx.writings, begin: async () => 'begun' } })
        if (g.plant === null) return work(tx)
        const lock: typeof tx.networks.lock = async (kind, id) => {
          const row = await tx.networks.lock(kind, id)
          return row && id === g.named?.id ? { ...row, revision: g.named.revision } : row
        }
        return work({ ...tx, networks: { ...tx.networks, lock } })
      }),
  }
}

// What every row does

/** Dead so long that nobody waits for its calls any more. */
const longAgoMs = 600_000

const writer = (on: Stage, { life = immortal(), agoMs = 0 }: { life?: Life; agoMs?: number } = {}): Process =>
  on.start(life, agoMs)

function ask(by: Process, scene: Scene, side: Side, revision?: number): Promise<Reply | null> {
  const { method, path, body } = scene.ask(side)
  const headers = revision === undefined ? {} : { 'if-match': `revision_number=${revision}` }
  return by.call(method, `/v2.0${path}`, { headers, ...(body === undefined ? {} : { body }) })
}

const isGood = (reply: Reply | null): boolean => reply !== null && reply.status < 300
const told = (reply: Reply | null): string =>
  reply ? `${reply.status} ${reply.status < 300 ? '' : reply.text}` : 'no answer'

async function revisionOf({ world: { demo } }: Ground, scene: Scene) {
  const { id, revision_number: revision } = await demo.read(scene.versioned!)
  return { id, revision } as { id: string; revision: number }
}

/** The jobs that follow are done. */
const follow = (g: Ground): Promise<void> => writer(g.stages[0]).work()

/** What the next process does by itself: jobs that nobody has in hand any more, looks, tidying. */
async function recover(g: Ground): Promise<void> {
  const next = writer(g.stages[1])
  await g.stages[1].bury()
  for (let round = 0; round < 2; round += 1) {
    for (const region of g.world.joined) await watchRegion(next.app, region, 0)
    await next.tidy()
    await next.work()
  }
}

/** Sets a scene, plays it, and removes all of it. */
export async function staged(
  g: Ground,
  one: Case,
  play: (scene: Scene) => Promise<string[]>,
): Promise<string[]> {
  g.rows += 1
  const { demo } = g.world
  const maker = new Maker({
    external: g.external,
    tag: `row${g.rows}`,
    call: (method, path, body) => g.world.call(method, `/v2.0${path}`, { as: 'demo', body }),
    work: () => follow(g),
  })
  if (!demo.projectId) throw new Error('demo has no project')
  const scene = await one.make(maker)
  await follow(g)
  const before = await disagreements(g.world)
  if (before.length > 0) throw new Error(`before anything befell it: ${before.join('; ')}`)
  const wrong = await play(scene)
  for (const undo of wrong.length > 0 ? [] : maker.undo.toReversed())
    for (const reply of await undo())
      if (!isGood(reply) && reply.status !== 404) wrong.push(`taken away in the end: ${told(reply)}`)
  if (wrong.length === 0) await follow(g)
  return wrong
}

const agreed = async (g: Ground): Promise<string[]> => disagreements(g.world)

/** What was acknowledged is in the model. */
async function kept(scene: Scene, side: Side, reply: Reply | null): Promise<string[]> {
  if (!isGood(reply)) return []
  return (await scene.isDone(side)) ? [] : [`side ${side} was told ${reply!.status}, and it is not done`]
}

/** Whoever writes next can, and it is kept. */
async function nextWrites(g: Ground, one: Case, scene: Scene): Promise<string[]> {
  const reply = await ask(writer(g.stages[1]), scene, 1)
  const isGone = one.isRemoval && reply?.status === 404
  return isGood(reply) || isGone ? kept(scene, 1, reply) : [`the next writer was told ${told(reply)}`]
}

// The perils

export interface Peril {
  readonly name: string
  isFor(one: Pick<Case, 'isVersioned' | 'span'>): boolean
  /** `isWhole`: at every point, not at one that is drawn. */
  befall(g: Ground, one: Case, chance: () => number, isWhole: boolean): Promise<string[]>
}

const always = (): boolean => true

function sameRevision(name: string, other: 0 | 1): Peril {
  return {
    name: `one revision named by two, ${name}`,
    isFor: ({ isVersioned }) => isVersioned,
    befall: (g, one) =>
      staged(g, one, async scene => {
        g.named = await revisionOf(g, scene)
        const { revision } = g.named
        const first = writer(g.stages[0])
        const second = other === 0 ? first : writer(g.stages[other])
        const replies = await Promise.all([ask(first, scene, 0, revision), ask(second, scene, 1, revision)])
        g.named = null
        const winner = replies.findIndex(isGood) as Side
        const loser: Side = winner === 0 ? 1 : 0
        const isLate = [412, ...(one.isRemoval ? [404] : [])].includes(replies[loser]?.status ?? 0)
        if (!replies.some(isGood) || !isLate) return [`they were told ${replies.map(told).join(' and ')}`]
        const wrong = await kept(scene, winner, replies[winner]!)
        if (!one.isRemoval && (await scene.isDone(loser)))
          wrong.push('the one who was told 412 has changed it')
        await follow(g)
        return [...wrong, ...(await kept(scene, winner, replies[winner]!)), ...(await agreed(g))]
      }),
  }
}

const together: Peril = {
  name: 'two processes that name no revision',
  isFor: always,
  befall: (g, one) =>
    staged(g, one, async scene => {
      const replies = await Promise.all([
        ask(writer(g.stages[0]), scene, 0),
        ask(writer(g.stages[1]), scene, 1),
      ])
      const isFine = (reply: Reply | null) => isGood(reply) || (one.isRemoval && reply?.status === 404)
      if (!replies.every(isFine) || !replies.some(isGood))
        return [`they were told ${replies.map(told).join(' and ')}`]
      await follow(g)
      return [
        ...(await kept(scene, 0, replies[0])),
        ...(await kept(scene, 1, replies[1])),
        ...(await agreed(g)),
      ]
    }),
}

const pointOf = (point: number): Death => ({ step: Math.floor(point / 2) + 1, after: point % 2 === 1 })

const killed: Peril = {
  name: 'killed',
  isFor: always,
  async befall(g, one, chance, isWhole) {
    let points = 0
    const alive = await staged(g, one, async scene => {
      const life = lifeUntil(null)
      const reply = await ask(writer(g.stages[0], { life, agoMs: longAgoMs }), scene, 0)
      points = life.steps.length * 2
      if (!isGood(reply)) return [`whom nothing befell was told ${told(reply)}`]
      await recover(g)
      return [...(await kept(scene, 0, reply)), ...(await agreed(g))]
    })
    if (alive.length > 0) return alive
    const drawn = isWhole ? [...Array(points).keys()] : [Math.floor(chance() * points)]
    for (const point of drawn) {
      const wrong = await killedAt(g, one, pointOf(point), chance() < 0.5)
      if (wrong.length > 0) return wrong
    }
    return []
  },
}

/** `isHasty`: the next writer comes before anybody has looked. */
const killedAt = (g: Ground, one: Case, death: Death, isHasty: boolean): Promise<string[]> =>
  staged(g, one, async scene => {
    const life = lifeUntil(death)
    const reply = await ask(writer(g.stages[0], { life, agoMs: longAgoMs }), scene, 0)
    const wrong: string[] = []
    if (isHasty) wrong.push(...(await nextWrites(g, one, scene)))
    await recover(g)
    wrong.push(...(await kept(scene, 0, reply)), ...(await agreed(g)))
    if (!isHasty) {
      wrong.push(...(await nextWrites(g, one, scene)))
      await follow(g)
      wrong.push(...(await agreed(g)))
    }
    const moment = `${death.after ? 'after' : 'before'} its step ${death.step}, ${life.steps[death.step - 1]}`
    return wrong.map(what => `killed ${moment}${isHasty ? ', and the next came at once' : ''}: ${what}`)
  })

/** How long the hasty one waits for a region, and how long the slow one takes. */
const impatientMs = 400
const slowMs = 900

/** Who gets no answer in time, or none at all: an error may have been done or not, and what was told is kept. */
function slow(name: string, spec: Pick<FaultSpec, 'kind' | 'ms' | 'after'>): Peril {
  return {
    name: `the region ${name}`,
    isFor: always,
    befall: (g, one, chance) =>
      staged(g, one, async scene => {
        const fault = strike(g, one, { ...spec, region: regionOf(one, chance), times: 1 })
        const reply = await ask(writer(g.hasty, { agoMs: longAgoMs }), scene, 0)
        fault.remove()
        await recover(g)
        const wrong = [...(await kept(scene, 0, reply)), ...(await agreed(g))]
        wrong.push(...(await nextWrites(g, one, scene)))
        await follow(g)
        return [...wrong, ...(await agreed(g))].map(what => `who was told ${told(reply)}: ${what}`)
      }),
  }
}

const regionOf = ({ span }: Case, chance: () => number): string =>
  span === 'home' ? here : pick([here, there], chance)

const strike = (g: Ground, one: Case, spec: Omit<FaultSpec, 'service' | 'method'>) =>
  g.world.cloud.faults.add({ ...spec, service: 'neutron', method: one.method })

/**
 * Who is refused has changed nothing anywhere, but for a removal that the second region refuses: of that the first has
 * no copy any more, and the model knows. Who is not, since a job met the refusal, has what was asked.
 */
function refusing(status: number, region: string): Peril {
  return {
    name: `${region} refuses with ${status}`,
    isFor: ({ span }) => span === 'spanning' || region === here,
    befall: (g, one) =>
      staged(g, one, async scene => {
        const before = await everything(g.world)
        const fault = strike(g, one, { kind: 'status', status, region, times: 1 })
        const reply = await ask(writer(g.stages[0]), scene, 0)
        await follow(g)
        fault.remove()
        const wrong = [...(await kept(scene, 0, reply)), ...(await agreed(g))]
        if (!isGood(reply) && !(region === there && one.method === 'DELETE')) {
          const changed = difference(before, await everything(g.world))
          if (Object.keys(changed).length > 0)
            wrong.push(`it has changed ${JSON.stringify(changed, null, 1)}`)
        }
        if (!isGood(reply) && (await scene.isDone(0))) wrong.push('it is done all the same')
        return wrong.map(what => `who was told ${told(reply)}: ${what}`)
      }),
  }
}

export const perils: readonly Peril[] = [
  sameRevision('in one process', 0),
  sameRevision('in two processes', 1),
  together,
  killed,
  slow('is slow: what it does is told too late', { kind: 'latency', ms: slowMs, after: true }),
  slow('is silent', { kind: 'hang' }),
  slow('loses its answer', { kind: 'lost' }),
  ...[400, 409].flatMap(status => [here, there].map(region => refusing(status, region))),
]

// A process is killed at every step of a lease's start, change, end and removal, one by one, and of a host's coming and
// leaving; another process comes after it. What is there in the end must be the same as if nobody had died.

import { describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { enrolHost, removeHost } from '../../src/core/hosts/enrolment.ts'
import type { BeforeEnd, Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease, updateLease } from '../../src/core/leases/leases.ts'
import { createCloud } from '../../src/openstack/cloud.ts'
import type { Regions } from '../../src/openstack/region.ts'
import { hostTurns } from '../../src/worker/hosts.ts'
import { leaseTurns } from '../../src/worker/leases.ts'
import { seed, spread } from '../chance.ts'
import { boot, hourMs, shortly, stateOf, traces } from '../world/leases.ts'
import {
  type Death,
  deathAt,
  Killed,
  type Life,
  lifeUntil,
  mortalRegions,
  mortalStore,
} from '../world/mortal.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ hosts: 4, regions: ['Pod1', 'Pod2'] })

/** A process's own view of the world: it dies with its life. */
const processOf = (life: Life, fault: (regions: Regions) => Regions = same => same): App => ({
  ...w.app,
  store: mortalStore(w.app.store, life),
  cloud: createCloud(mortalRegions(fault(w.openstack.regions), life), { blazarFilter: false }),
})

let workers = 1_000_000

/** Takes what is due, as a process would, until nothing is; or until it dies. */
async function work(app: App): Promise<void> {
  const worker = workers++
  const kinds = [leaseTurns(app), hostTurns(app)]
  for (;;) {
    const turns = await app.store.turns.claim({
      worker,
      kinds: kinds.map(({ kind }) => kind),
      room: 100,
      laneRoom: 100,
      rooms: new Map(),
    })
    if (turns.length === 0) return
    for (const kind of kinds) {
      const works = await kind.begin(turns.filter(turn => turn.kind === kind.kind))
      for (const one of works) await one.run()
    }
  }
}

/** Ends when it has died, too. */
async function untilDeath(life: Life, doing: Promise<unknown>): Promise<void> {
  await doing.catch(error => {
    if (!(error instanceof Killed) && !life.isOver) throw error
  })
}

interface Scene {
  /** What is there before; at rest. */
  set(app: App): Promise<Lease[]>
  /** Makes it due, and gives it its time. */
  play(app: App, leases: readonly Lease[]): Promise<unknown>
}

interface Outcome {
  readonly regions: unknown
  readonly leases: unknown
}

async function outcomeOf(leases: readonly Lease[]): Promise<Outcome> {
  const now = await Promise.all(leases.map(lease => w.app.store.leases.get(lease.id)))
  return {
    regions: ['Pod1', 'Pod2'].map(region => stateOf(w, region, leases)),
    leases: now.map(
      lease =>
        lease && {
          status: lease.status,
          reason: lease.statusReason,
          action: lease.action,
          events: lease.events.map(({ type, status }) => `${type} ${status}`),
          reservations: lease.reservations.map(({ status, hosts }) => [status, hosts]),
        },
    ),
  }
}

/** One performance of a scene, with a death in it or without; then whoever comes next tidies up. */
async function perform(
  scene: Scene,
  death: Death | null,
  fault?: (regions: Regions) => Regions,
): Promise<{ life: Life; outcome: Outcome }> {
  const leases = await scene.set(w.app)
  await work(w.app)
  const life = lifeUntil(death)
  const mortal = processOf(life, fault)
  await untilDeath(
    life,
    scene.play(mortal, leases).then(() => work(mortal)),
  )
  const next = processOf(lifeUntil(null), fault)
  // Whoever died has no lock any more. What it was asked for and had not begun is asked for once more.
  await w.app.store.turns.releaseAbandoned()
  if (life.isOver) await scene.play(next, leases).catch(() => {})
  await work(next)
  const outcome = await outcomeOf(leases)
  await strike(leases)
  return { life, outcome }
}

/** Time goes on, and never back: for us and for the cloud. */
function pass(ms: number): void {
  w.setTime(new Date(w.app.now().getTime() + ms))
  w.cloud.clock.set(w.app.now())
}

async function strike(leases: readonly Lease[]): Promise<void> {
  pass(1_000)
  for (const { id } of leases) {
    if (await w.app.store.leases.get(id)) await removeLease(w.app, w.admin, { id, region: null })
  }
  await work(w.app)
  for (const region of ['Pod1', 'Pod2']) {
    const nova = w.nova(region)
    for (const one of nova.servers()) nova.region.forget(one)
    for (const { id, isPublic } of nova.images()) if (!isPublic) nova.region.images.delete(id)
  }
  expect([...traces(w, 'Pod1'), ...traces(w, 'Pod2')]).toEqual([])
}

/** The deaths of a run: before and after the effect of every step with SOAK=1, else at a tenth of that. */
const deathsIn = (steps: readonly string[]): Death[] => spread(2 * steps.length, drawn).map(deathAt)

/** What is planted is looked for at every step by turns, until it is seen. Returns where it went wrong. */
async function walk(scene: Scene, fault?: (regions: Regions) => Regions) {
  const whole = await perform(scene, null)
  const { steps } = whole.life
  const wrong: string[] = []
  let kills = 0
  const deaths = fault
    ? steps.map((_, index) => ({ step: index + 1, after: index % 2 === 1 }))
    : deathsIn(steps)
  for (const { step, after } of deaths) {
    kills++
    const { life, outcome } = await perform(scene, { step, after }, fault)
    const isSame = JSON.stringify(outcome) === JSON.stringify(whole.outcome)
    if (!isSame) wrong.push(`${after ? 'after' : 'before'} ${step}: ${steps[step - 1]}`)
    if (!isSame && fault) break
    if (!life.isOver) wrong.push(`step ${step} was never reached`)
    if (!isSame) expect.soft(outcome, wrong.at(-1)).toEqual(whole.outcome)
  }
  return { steps, kills, wrong }
}

async function create(spec: Parameters<typeof shortly>[1], beforeEnd: BeforeEnd = ''): Promise<Lease> {
  const given = shortly(w, spec)
  return createLease(w.app, w.demo, {
    ...given,
    beforeEndAt: new Date(w.app.now().getTime() + hourMs / 2),
    reservations: given.reservations.map(one => ({ ...one, beforeEnd })),
  })
}

const due = (app: App, leases: readonly Lease[]): Promise<void> =>
  app.store.turns.ask(leases.map(({ id: key }) => ({ kind: 'lease', key, lane: '' })))
const bootOn = ({ reservations: [one] }: Lease, name: string) =>
  boot(w, { region: one!.regionName, flavor: one!.id, name })

const scenes: Record<string, Scene> = {
  'the start of a lease over two regions': {
    set: async () => {
      const parts = ['Pod1', 'Pod2'].map(
        region => shortly(w, { inMs: hourMs, forMs: hourMs, region, count: 2 }).reservations[0]!,
      )
      const spec = { ...shortly(w, { inMs: hourMs, forMs: hourMs }), reservations: parts }
      return [await createLease(w.app, w.demo, spec)]
    },
    play: async (app, leases) => {
      if (w.app.now() < leases[0]!.startAt) pass(hourMs)
      await due(app, leases)
    },
  },
  'the end of a lease with two servers, and the start of the next on its host': {
    set: async () => {
      const first = await create({ forMs: hourMs, region: 'Pod1', count: 2 }, 'snapshot')
      const next = await createLease(w.app, w.demo, {
        ...shortly(w, { forMs: hourMs, region: 'Pod1', count: 2 }),
        startAt: first.endAt,
        endAt: new Date(first.endAt.getTime() + hourMs),
      })
      await due(w.app, [first])
      await work(w.app)
      pass(120_000)
      await bootOn(first, 'one')
      await bootOn(first, 'two')
      return [first, next]
    },
    play: async (app, leases) => {
      if (w.app.now() < leases[0]!.endAt) pass(hourMs)
      await due(app, leases)
    },
  },
  'the growth of an active lease': {
    set: async () => {
      const lease = await create({ forMs: hourMs, region: 'Pod1' })
      await due(w.app, [lease])
      await work(w.app)
      return [lease]
    },
    play: (app, [lease]) =>
      updateLease(app, w.demo, {
        id: lease!.id,
        reservations: [{ id: lease!.reservations[0]!.id, min: 3, max: 3 }],
      }),
  },
  'the deletion of an active lease with a server': {
    set: async () => {
      const lease = await create({ forMs: hourMs, region: 'Pod1', count: 2 })
      await due(w.app, [lease])
      await work(w.app)
      await bootOn(lease, 'one')
      return [lease]
    },
    play: (app, [lease]) => removeLease(app, w.demo, { id: lease!.id, region: null }),
  },
}

const drawn = seed()

describe('whoever comes after a process that was killed', () => {
  for (const [name, scene] of Object.entries(scenes)) {
    it(`brings ${name} to the same end`, { timeout: 1_800_000 }, async () => {
      const { steps, kills, wrong } = await walk(scene)
      console.log(`seed ${drawn}: ${name}: ${steps.length} steps, ${kills} kills, ${wrong.length} went wrong`)
      expect(wrong).toEqual([])
    })
  }

  it('fails to where the inventories of hosts are not repeated: this test would see it', async () => {
    // As if places were made only together with their class.
    const forgetful = (regions: Regions): Regions => ({
      ...regions,
      region(name, context) {
        const region = regions.region(name, context)
        let isNew = false
        return {
          ...region,
          async call(service, request) {
            if (request.path.startsWith('/resource_classes/') && request.method === 'PUT') {
              const reply = await region.call(service, request)
              isNew = reply.status === 201
              return reply
            }
            const isWriting = request.method === 'PUT' || request.method === 'POST'
            if (request.path.endsWith('/inventories') && isWriting && !isNew)
              return region.call(service, { ...request, method: 'GET', json: undefined })
            return region.call(service, request)
          },
        }
      },
    })
    const { kills, wrong } = await walk(scenes['the start of a lease over two regions']!, forgetful)
    console.log(`planted: of ${kills} kills ${wrong.length} went wrong`)
    expect(wrong.length).toBeGreaterThan(0)
  })
})

describe('a host', () => {
  const hostname = 'pod1-host8'
  const enrol = (app: App) =>
    enrolHost(app, w.admin, { nameOrId: hostname, region: 'Pod1', capabilities: { gpu: 'no' } })
  const found = async () => {
    const region = (await w.app.store.regions.list()).find(one => one.name === 'Pod1')!
    return w.app.store.hosts.find(region.id, hostname)
  }
  /** Long enough for whatever was begun and got lost to be taken up. */
  async function tidy(): Promise<void> {
    await w.app.store.turns.releaseAbandoned()
    const region = (await w.app.store.regions.list()).find(one => one.name === 'Pod1')!
    const host = await w.app.store.hosts.find(region.id, hostname)
    if (host) await w.app.store.turns.ask([{ kind: 'host', key: String(host.id), lane: 'Pod1' }])
    await work(w.app)
  }
  const state = () => JSON.stringify(stateOf(w, 'Pod1', []))
  const withoutChild = (text: string) => {
    const all = JSON.parse(text) as { providers: { name: string }[] }
    return JSON.stringify({
      ...all,
      providers: all.providers.filter(one => one.name !== `atoll:${hostname}`),
    })
  }

  it('whose enrolment nobody finished is open again, or enrolled and closed', async () => {
    const open = withoutChild(state())
    const first = lifeUntil(null)
    await enrol(processOf(first))
    const closed = state()
    await removeHost(w.app, w.admin, { id: (await found())!.id, region: null })
    expect(withoutChild(state())).toBe(open)
    const ends = { undone: 0, finished: 0 }
    // The last death, of whoever has done all, is the one that certainly comes after the enrolment.
    const last = { step: first.steps.length, after: true }
    for (const { step, after } of [...deathsIn(first.steps), last]) {
      const life = lifeUntil({ step, after })
      await untilDeath(life, enrol(processOf(life)))
      await tidy()
      const host = await found()
      const where = `${after ? 'after' : 'before'} ${step}: ${first.steps[step - 1]}`
      if (host) {
        ends.finished++
        expect.soft([host.state, state()], where).toEqual(['enrolled', closed])
        await removeHost(w.app, w.admin, { id: host.id, region: null })
      } else {
        ends.undone++
        expect.soft(withoutChild(state()), where).toBe(open)
      }
    }
    console.log(
      `seed ${drawn}: an enrolment of ${first.steps.length} steps: ${ends.undone} times undone, ${ends.finished} times finished`,
    )
    expect(ends.finished).toBeGreaterThan(0)
  })

  it('whose removal was begun is removed', async () => {
    const open = withoutChild(state())
    const first = lifeUntil(null)
    const { id } = await enrol(w.app)
    await removeHost(processOf(first), w.admin, { id, region: null })
    let stays = 0
    const deaths = deathsIn(first.steps)
    for (const { step, after } of deaths) {
      const host = await enrol(w.app)
      const closed = state()
      const life = lifeUntil({ step, after })
      await untilDeath(life, removeHost(processOf(life), w.admin, { id: host.id, region: null }))
      await tidy()
      const where = `${after ? 'after' : 'before'} ${step}: ${first.steps[step - 1]}`
      const left = await found()
      if (left) {
        stays++
        expect.soft([left.state, state()], where).toEqual(['enrolled', closed])
        await removeHost(w.app, w.admin, { id: host.id, region: null })
      } else expect.soft(withoutChild(state()), where).toBe(open)
    }
    console.log(
      `seed ${drawn}: a removal of ${first.steps.length} steps: ${deaths.length} kills, ${stays} before it was begun`,
    )
  })
})

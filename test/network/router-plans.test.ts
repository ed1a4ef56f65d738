// From every scene of a router to every other: the steps end, stock Neutron refuses none, and all is as it was planned.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { App } from '../../src/core/app.ts'
import { routesIn } from '../../src/core/network/convergence/configure-routes.ts'
import {
  planFor,
  type Ref,
  type RegionPlan,
  refer,
  type Thing,
} from '../../src/core/network/convergence/router-plan.ts'
import { see } from '../../src/core/network/convergence/router-seen.ts'
import { type RouterStep, stepsTo } from '../../src/core/network/convergence/router-steps.ts'
import type { Intent } from '../../src/core/network/copies/intent.ts'
import { seed, sized } from '../chance.ts'
import {
  type Drawn,
  type DrawnNetwork,
  type DrawnScene,
  type RouterWorld,
  routerWorld,
  type ThereRegion,
} from './router-plans-world.ts'

/** How often steps are planned until there are none. */
const mostRounds = 4

interface Run {
  readonly world: RouterWorld
  readonly intents: Intent[]
}

/** As much of Atoll as reading a region needs: rows, and the intents that the steps have left. */
const appOf = ({ world, intents }: Run): App => {
  const router = () => world.scene(1).router
  return {
    networkRules: { limitsOf: () => ({ routes: 30 }) },
    store: {
      intents: { living: async (region: string) => intents.filter(one => one.region === region) },
      networks: {
        get: async () => router(),
        getMany: async (kind: string, ids: readonly string[]) => {
          const { bridge, floatingIps } = world
          if (kind === 'router') return [router()]
          return (kind === 'subnet' ? bridge.subnets : floatingIps).filter(({ id }) => ids.includes(id))
        },
        list: async (kind: string) => {
          const { network, subnets } = world.bridge
          if (kind === 'router') return []
          const places = world.places.get('bridge') ?? []
          return [{ ...network, subnetIds: subnets.map(({ id }) => id), places }]
        },
      },
    },
  } as unknown as App
}

async function look(run: Run, number: 0 | 1, { region, plain }: ThereRegion) {
  const app = appOf(run)
  const scene = run.world.scene(number)
  const here = scene.regions.find(one => one.region.name === region.name)
  const plan = planFor(scene, here, {
    legs: run.world.legs(scene, region),
    routes: here ? (routesIn(app, scene).get(region.name) ?? null) : null,
    ownProject: 'atoll',
  })
  const seen = await see(app, plain.networking, { scene, plan, region, routerId: 'router' })
  return { plan, seen, steps: stepsTo(plan, seen, 'router', true) }
}

/** Does steps until there are none, in this region alone; after `most` steps it stops, as a process that dies. */
async function converge(run: Run, number: 0 | 1, there: ThereRegion, most = Number.POSITIVE_INFINITY) {
  let done = 0
  for (let round = 0; round < mostRounds; round += 1) {
    const { seen, steps } = await look(run, number, there)
    if (steps.length === 0) return
    const ids = new Map(seen.ids)
    for (const step of steps) {
      if (done === most) return
      try {
        carryOut(run, there, step, ids)
      } catch (error) {
        const what = `${JSON.stringify(step)} of ${steps.map(one => one.do).join(' ')} in ${there.region.name}`
        throw new Error(`Refused: ${what}: ${JSON.stringify(error)} ${error}`, { cause: error })
      }
      there.plain.neutron.region.settle()
      done += 1
    }
  }
  throw new Error(`${there.region.name} does not come to rest`)
}

function carryOut(run: Run, { region, plain }: ThereRegion, step: RouterStep, ids: Map<Ref, string>): void {
  const { places, bridge } = run.world
  const idOf = (ref: Ref): string => ids.get(ref) ?? ref
  const put = (id: string, regionalId: string) =>
    places.set(id, [...(places.get(id) ?? []), { region: region.name, id: regionalId }])
  const unplace = (id: string) =>
    places.set(
      id,
      (places.get(id) ?? []).filter(place => place.region !== region.name),
    )
  const forget = ({ id, purpose }: Intent) => {
    run.intents.splice(
      run.intents.findIndex(one => one.id === id),
      1,
    )
    unplace(purpose)
  }
  switch (step.do) {
    case 'ensure': {
      const isThere = (id: string) => places.get(id)?.some(place => place.region === region.name)
      if (!isThere('bridge')) put('bridge', plain.make('network', { projectId: 'atoll', external: true }))
      const networkId = places.get('bridge')!.find(place => place.region === region.name)!.id
      ids.set(refer('network', 'bridge'), networkId)
      for (const subnetId of step.network.subnetIds.filter(id => !isThere(id))) {
        const { ipVersion, cidr } = bridge.subnets.find(({ id }) => id === subnetId)!
        const made = plain.make('subnet', {
          projectId: 'atoll',
          networkId,
          ipVersion,
          cidr,
          gatewayIp: null,
          enableDhcp: false,
        })
        put(subnetId, made)
        ids.set(refer('subnet', subnetId), made)
      }
      return
    }
    case 'make': {
      const { kind, purpose, routedAs } = step.thing
      const id = plain.make(kind, resolved(step.thing.spec, idOf))
      run.intents.push({
        id: `${region.name}/${purpose}`,
        region: region.name,
        resourceType: kind,
        purpose,
        owner: 'router',
        regionalId: id,
      })
      ids.set(refer(kind, purpose), id)
      if (routedAs && !routedAs.kind.startsWith('shadow')) put(routedAs.centralId, id)
      return
    }
    case 'change':
      plain.change('routers', idOf(step.id), resolved(step.spec, idOf))
      return
    case 'addLeg':
      plain.addLeg(idOf(step.router), idOf(step.port))
      return
    case 'dropLeg':
      plain.removeLeg(step.routerId, step.portId)
      if (step.intent) forget(step.intent)
      return
    case 'drop':
      plain.remove(`${step.intent.resourceType}s`, step.intent.regionalId!)
      forget(step.intent)
      return
    case 'leave':
      plain.remove('networks', step.leaving.regionalId)
      for (const id of ['bridge', ...bridge.subnets.map(({ id }) => id)]) unplace(id)
      return
    case 'link':
      plain.change('floatingips', step.link.regionalId, {
        portId: idOf(step.link.port),
        fixedIpAddress: step.link.fixedIp,
      })
      return
    case 'unlink':
      plain.change('floatingips', step.regionalId, { portId: null })
  }
}

/** With the region's ids in place of references. */
function resolved(value: object, idOf: (ref: Ref) => string): Record<string, unknown> {
  const one = (field: string, inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(each => one(field, each))
    if (typeof inner === 'object' && inner !== null) return resolved(inner, idOf)
    return field === 'networkId' || field === 'subnetId' ? idOf(inner as Ref) : inner
  }
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, one(field, inner)]))
}

const addressesOf = (things: readonly { fixedIps?: readonly { ipAddress?: string }[] }[]) =>
  things.flatMap(({ fixedIps }) => (fixedIps ?? []).map(({ ipAddress }) => ipAddress)).sort()

/** The region holds what the plan says, by what it shows and not by the steps. */
async function expectPlan(run: Run, there: ThereRegion): Promise<void> {
  const { plan, seen, steps } = await look(run, 1, there)
  expect(steps).toEqual([])
  const { neutron, legs, floatingIps } = there.plain
  expect(neutron.routers()).toHaveLength(plan.router ? 1 : 0)
  expect(floatingIps().filter(({ portId }) => portId !== null)).toHaveLength(plan.links.length)
  for (const { regionalId, port, fixedIp } of plan.links)
    expect(floatingIps().find(({ id }) => id === regionalId)).toMatchObject({
      portId: seen.ids.get(port),
      fixedIpAddress: fixedIp,
    })
  expect(run.intents.filter(({ region }) => region === there.region.name).length).toBe(thingsOf(plan).length)
  if (!seen.router || !plan.router)
    return expect(neutron.networks().some(({ name }) => name.startsWith('mirror_'))).toBe(false)
  const { name, adminStateUp, externalGateway } = plan.router.spec
  expect(seen.router).toMatchObject({ name, adminStateUp })
  expect(seen.router.externalGateway?.networkId).toBe(
    externalGateway ? seen.ids.get(externalGateway.networkId) : undefined,
  )
  expect(seen.router.externalGateway?.enableSnat).toBe(externalGateway?.enableSnat)
  const planned = plan.legs.map(
    ({ port, thing }) =>
      thing?.spec ?? run.world.scene(1).attached.find(one => refer('port', one.port.id) === port)!.port,
  )
  expect(addressesOf(legs(seen.router.id))).toEqual(addressesOf(planned))
  expect(new Set(seen.router.routes)).toEqual(new Set(plan.routes))
}

const thingsOf = ({ mirrors, router, legs, mirrorPorts }: RegionPlan): Thing[] => [
  ...mirrors,
  ...(router ? [router] : []),
  ...legs.flatMap(({ thing }) => thing ?? []),
  ...mirrorPorts,
]

// What is drawn

const region = fc.nat(3)
const kind = fc.constantFrom<0 | 1 | 2>(0, 1, 1, 2)
const network: fc.Arbitrary<DrawnNetwork> = fc.record({
  home: fc.option(region, { freq: 2 }),
  early: fc.array(region, { maxLength: 3 }),
  late: fc.array(region, { maxLength: 2 }),
  has6: fc.boolean(),
  ports: fc.tuple(region, region),
})
const most = 4
const target = fc.record({ network: fc.nat(most - 1), port: fc.constantFrom<0 | 1>(0, 1) })
const scene: fc.Arbitrary<DrawnScene> = fc.record({
  legs: fc.array(fc.tuple(kind, kind), { minLength: most, maxLength: most }),
  gateway: fc.constantFrom<0 | 1 | null>(0, 1, null),
  enableSnat: fc.boolean(),
  hasAddress: fc.boolean(),
  floating: fc.array(fc.option(target, { freq: 4 }), { minLength: 2, maxLength: 2 }),
  via: fc.uniqueArray(fc.integer({ min: -1, max: most - 1 }), { maxLength: 2 }),
  isUp: fc.boolean(),
  isGone: fc.constantFrom(...Array.from({ length: 9 }, () => false), true),
})
const drawn: fc.Arbitrary<Drawn> = fc.record({
  regions: fc.integer({ min: 1, max: 4 }),
  networks: fc.array(network, { minLength: 1, maxLength: most }),
  exits: fc.tuple(region, region),
  scenes: fc.tuple(scene, scene),
})

describe('the steps of a router from one scene to another', () => {
  const from = seed()
  it(`end in the plan of each region, and none is refused (SEED=${from})`, async () => {
    const cuts = fc.array(fc.option(fc.nat(12), { freq: 3 }), { minLength: 4, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(drawn, cuts, async (one, cuts) => {
        const run: Run = { world: routerWorld(one), intents: [] }
        const { world } = run
        world.begin(0)
        for (const [n, there] of world.regions.entries()) await converge(run, 0, there, cuts[n] ?? undefined)
        // The copies that came later are known to all regions now: routes lead there.
        for (const [n, there] of world.regions.entries()) if (cuts[n] === null) await converge(run, 0, there)
        world.begin(1)
        for (let again = 0; again < 2; again += 1)
          for (const there of world.regions) await converge(run, 1, there)
        for (const there of world.regions) await expectPlan(run, there)
      }),
      { numRuns: sized(2000), seed: from },
    )
  }, 240_000)
})

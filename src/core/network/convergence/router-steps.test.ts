// The difference between what a region should hold of a router and what it holds, without any region.

import { describe, expect, it } from 'vitest'
import type { Intent } from '../copies/intent.ts'
import type { RegionPort, RegionRouter } from '../copies/region-rows.ts'
import {
  type FloatingIpLink,
  nothing,
  type RegionPlan,
  refer,
  type Thing,
  type WantedLeg,
} from './router-plan.ts'
import { type RegionSeen, type RouterStep, stepsTo } from './router-steps.ts'

const router: Thing<'router'> = {
  kind: 'router',
  purpose: 'r1',
  routedAs: { kind: 'router', centralId: 'r1' },
  where: {},
  spec: {
    name: 'r1',
    adminStateUp: true,
    externalGateway: {
      networkId: refer('network', 'bridge'),
      enableSnat: false,
      externalFixedIps: [{ subnetId: refer('subnet', 'bridge'), ipAddress: '100.0.0.7' }],
    },
  },
}

const leg = (purpose: string): WantedLeg => ({
  port: refer('port', purpose),
  thing: { kind: 'port', purpose, routedAs: null, where: {}, spec: { name: purpose } },
})

const plan = (change: Partial<RegionPlan> = {}): RegionPlan => ({
  ...nothing,
  networks: [{ id: 'bridge', subnetIds: ['bridge'] } as unknown as RegionPlan['networks'][number]],
  router,
  legs: [leg('i1')],
  connected: [
    { cidr: '100.0.0.0/24', leg: null },
    { cidr: '10.0.1.0/24', leg: refer('port', 'i1') },
  ],
  ...change,
})

const intent = (resourceType: string, purpose: string, regionalId: string): Intent => ({
  id: `intent-${purpose}`,
  region: 'Pod1',
  resourceType,
  purpose,
  owner: 'r1',
  regionalId,
})

const copy = (change: Partial<RegionRouter> = {}): RegionRouter =>
  ({
    id: 'regional-router',
    name: 'r1',
    adminStateUp: true,
    externalGateway: {
      networkId: 'regional-bridge',
      enableSnat: false,
      externalFixedIps: [{ subnetId: 'regional-bridge-subnet', ipAddress: '100.0.0.7' }],
    },
    routes: [
      { destination: '10.0.2.0/24', nextHop: '100.0.0.1' },
      { destination: '10.0.9.0/24', nextHop: '10.0.3.4' },
    ],
    ...change,
  }) as RegionRouter

const port = (id: string): RegionPort => ({ id, deviceId: 'regional-router' }) as RegionPort

/** Everything of the plan is there, and in order. */
const whole: RegionSeen = {
  router: copy(),
  legs: [port('regional-i1')],
  floatingIps: [],
  intents: [intent('router', 'r1', 'regional-router'), intent('port', 'i1', 'regional-i1')],
  ids: new Map([
    [refer('network', 'bridge'), 'regional-bridge'],
    [refer('subnet', 'bridge'), 'regional-bridge-subnet'],
    [refer('router', 'r1'), 'regional-router'],
    [refer('port', 'i1'), 'regional-i1'],
  ]),
  leaving: [],
}

const empty: RegionSeen = { ...whole, router: null, legs: [], intents: [], ids: new Map() }

/** Steps in short: what is done, and to what. */
const short = (steps: readonly RouterStep[]): string[] =>
  steps.map(step => {
    if (step.do === 'make') return `make ${step.thing.kind} ${step.thing.purpose}`
    if (step.do === 'change') return `change ${Object.keys(step.spec).join(' ')}`
    if (step.do === 'dropLeg') return `dropLeg ${step.portId}`
    if (step.do === 'drop') return `drop ${step.intent.resourceType} ${step.intent.purpose}`
    if (step.do === 'unlink') return `unlink ${step.regionalId}`
    if (step.do === 'link') return `link ${step.link.floatingIpId}`
    if (step.do === 'ensure') return `ensure ${step.network.id}`
    return step.do
  })

const steps = (wanted: RegionPlan, seen: RegionSeen, isOurs = true): string[] =>
  short(stepsTo(wanted, seen, 'r1', isOurs))

describe('where nothing is yet', () => {
  it('the bridge comes first, then the router, its legs’ ports, and the legs', () => {
    expect(steps(plan(), empty)).toEqual(['ensure bridge', 'make router r1', 'make port i1', 'addLeg'])
  })

  it('a crash on the way leaves the rest to do, and nothing twice', () => {
    const made = { ...whole, router: copy({ routes: [] }), legs: [] }
    expect(steps(plan(), made)).toEqual(['addLeg'])
  })
})

describe('where all is as it should be', () => {
  it('there is nothing to do', () => {
    expect(steps(plan(), whole)).toEqual([])
  })
})

describe('a leg that is not wanted any more', () => {
  it('goes after the routes that lead through its subnet', () => {
    const seen = {
      ...whole,
      legs: [...whole.legs, port('regional-i3')],
      intents: [...whole.intents, intent('port', 'i3', 'regional-i3')],
    }
    const [fewer, ...rest] = stepsTo(plan(), seen, 'r1', true)
    expect(fewer).toMatchObject({
      do: 'change',
      spec: { routes: [{ destination: '10.0.2.0/24', nextHop: '100.0.0.1' }] },
    })
    expect(short(rest)).toEqual(['dropLeg regional-i3'])
  })

  it('of a router that lives in the region is not ours to take', () => {
    expect(steps(nothing, { ...whole, intents: [] }, false)).toEqual([])
  })
})

describe('the gateway', () => {
  it('goes from a leg on the bridge to the bridge itself, and no route leads over the bridge in between', () => {
    const bridgeLeg = 'regional-leg'
    const seen = {
      ...whole,
      router: copy({
        externalGateway: { networkId: 'regional-ext', enableSnat: true, externalFixedIps: [] },
        routes: [{ destination: '10.0.2.0/24', nextHop: '100.0.0.9' }],
      }),
      legs: [...whole.legs, port(bridgeLeg)],
      intents: [...whole.intents, intent('port', 'bridge/r1', bridgeLeg)],
    }
    expect(steps(plan(), seen)).toEqual([
      'change routes',
      'dropLeg regional-leg',
      'change externalGateway',
      'change externalGateway',
    ])
  })

  it('goes from the bridge to the external network in two steps, the routes through it first', () => {
    const external = { networkId: refer('network', 'ext'), enableSnat: true, externalFixedIps: [] }
    const wanted = plan({
      router: { ...router, spec: { ...router.spec, externalGateway: external } },
      legs: [leg('i1'), leg('bridge/r1')],
    })
    const seen = { ...whole, ids: new Map([...whole.ids, [refer('network', 'ext'), 'ext']]) }
    expect(steps(wanted, seen)).toEqual([
      'change routes',
      'change externalGateway',
      'change externalGateway',
      'make port bridge/r1',
      'addLeg',
    ])
  })

  it('that only stops translating addresses is changed where it is', () => {
    const seen = {
      ...whole,
      router: copy({ externalGateway: { ...copy().externalGateway!, enableSnat: true }, routes: [] }),
    }
    expect(steps(plan(), seen)).toEqual(['change externalGateway'])
  })
})

describe('a floating IP', () => {
  const link: FloatingIpLink = {
    floatingIpId: 'f1',
    regionalId: 'f1',
    port: refer('port', 'p1'),
    fixedIp: '10.0.1.5',
  }
  const floatingIp = (portId: string | null) =>
    ({ id: 'f1', portId, fixedIpAddress: portId && '10.0.1.5' }) as RegionSeen['floatingIps'][number]
  const ids = new Map([...whole.ids, [refer('port', 'p1'), 'regional-p1']])

  it('is led to its port last of all', () => {
    expect(steps(plan({ links: [link] }), { ...whole, ids, floatingIps: [floatingIp(null)] })).toEqual([
      'link f1',
    ])
    expect(steps(plan({ links: [link] }), { ...empty, floatingIps: [floatingIp(null)] }).at(-1)).toBe(
      'link f1',
    )
  })

  it('that leads there is left alone', () => {
    expect(
      steps(plan({ links: [link] }), { ...whole, ids, floatingIps: [floatingIp('regional-p1')] }),
    ).toEqual([])
  })

  it('that leads elsewhere is taken away first, and then led anew', () => {
    expect(steps(plan({ links: [link] }), { ...whole, ids, floatingIps: [floatingIp('another')] })).toEqual([
      'unlink f1',
      'link f1',
    ])
  })
})

describe('a router that is gone from the model', () => {
  it('goes from the region in an order that stock Neutron takes, the bridge with the last', () => {
    const seen: RegionSeen = {
      ...whole,
      floatingIps: [{ id: 'f1', portId: 'mirror' } as RegionSeen['floatingIps'][number]],
      legs: [port('regional-i1'), port('regional-mirror-leg')],
      intents: [
        ...whole.intents,
        intent('network', 'mirror/n1', 'mirror-network'),
        intent('subnet', 'mirror/s1', 'mirror-subnet'),
        intent('port', 'mirror-leg/r1/s1', 'regional-mirror-leg'),
        intent('port', 'mirror/p1/10.0.1.5', 'mirror'),
      ],
      leaving: [{ kind: 'network', centralId: 'bridge', regionalId: 'regional-bridge' }],
    }
    expect(steps(nothing, seen)).toEqual([
      'unlink f1',
      'change routes',
      'dropLeg regional-i1',
      'dropLeg regional-mirror-leg',
      'drop port mirror/p1/10.0.1.5',
      'change externalGateway',
      'drop router r1',
      'drop subnet mirror/s1',
      'drop network mirror/n1',
      'leave',
    ])
  })
})

// Faults on request, and the log of calls: what goes wrong with which calls to the simulated services.
//
// Over HTTP, on every simulated service and without a token (the simulator listens on loopback only):
//
//   GET    /_faults        every fault with its hits; calls since the last clear
//   POST   /_faults        a fault as below, `path` as a pattern; the answer carries its `id`
//   DELETE /_faults        removes all faults and forgets the calls
//   DELETE /_faults/{id}   removes one
//
//   curl -X POST localhost:15000/_faults -H 'content-type: application/json' \
//     -d '{"kind": "status", "status": 503, "region": "Pod1", "service": "neutron", "times": 2}'

import { randomUUID } from 'node:crypto'

export const faultKinds = [
  'latency', // the answer comes `ms` later
  'status', // an error `status` (500 unless told), in the service's own words
  'hang', // no answer ever
  'reset', // the connection dies before anything happens
  'garbage', // 200 with a body that is no JSON, or with this one
  'lost', // it happens, then the connection dies before the answer
  'endless', // pages of a list never end; the services that have pages see to it
  'skew', // the service's clock is off by `ms`
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Which calls are meant; what is left out stands for any. */
export interface CallPattern {
  region?: string | undefined
  /** keystone, neutron, nova, placement, glance. */
  service?: string | undefined
  method?: string | undefined
  /** Of the path without its query: a RegExp, or a text for the whole path in which `*` stands for anything. */
  path?: RegExp | string | undefined
}

export interface FaultSpec extends CallPattern {
  kind: FaultKind
  /** How often it strikes; for ever unless told. */
  times?: number | undefined
  /** Of latency and skew; a skew below zero is a clock that is late. */
  ms?: number | undefined
  status?: number | undefined
  message?: string | undefined
  /** The service's own name for the error, where it has such names. */
  type?: string | undefined
  /** Of garbage: instead of a page of HTML. */
  body?: unknown
  /** It happens first, and goes wrong on the way back: an error, garbage or silence after the effect. */
  after?: boolean | undefined
}

export interface Fault {
  readonly id: string
  readonly spec: FaultSpec
  /** How often it has struck. */
  readonly hits: number
  remove(): void
}

export interface Call {
  readonly at: Date
  readonly region: string | null
  readonly service: string
  readonly method: string
  readonly path: string
  readonly query: string
  /** The caller's own request id, when it sent one in X-OpenStack-Request-ID. */
  readonly globalRequestId: string | null
}

export interface Faults {
  add(spec: FaultSpec): Fault
  list(): Fault[]
  /** Removes all faults and forgets the calls. */
  clear(): void
  /** Every call so far, oldest first (the newest 100 000). */
  readonly log: readonly Call[]
  /** How many calls of this pattern were made since the last clear. */
  calls(pattern?: CallPattern): number
  /** Used by services: notes a call and says what goes wrong with it. */
  strike(call: Call): FaultSpec[]
  /** Used by services: how far the clock of one is off. */
  skewMs(region: string | null, service: string): number
}

const longestLog = 100_000

interface LiveFault {
  id: string
  spec: FaultSpec
  hits: number
  remove(): void
}

export function createFaults(): Faults {
  const live: LiveFault[] = []
  const log: Call[] = []

  function add(spec: FaultSpec): Fault {
    const fault: LiveFault = { id: randomUUID(), spec, hits: 0, remove: () => remove(fault) }
    live.push(fault)
    return fault
  }

  function remove(fault: LiveFault): void {
    const index = live.indexOf(fault)
    if (index >= 0) live.splice(index, 1)
  }

  /** All latencies add up; of the other faults the oldest strikes alone, so that each gets its turn. */
  function strike(call: Call): FaultSpec[] {
    log.push(call)
    if (log.length > longestLog) log.splice(0, log.length - longestLog / 2)
    const matching = live.filter(fault => fault.spec.kind !== 'skew' && isMatch(fault.spec, call))
    const first = matching.find(fault => fault.spec.kind !== 'latency')
    const striking = matching.filter(fault => fault.spec.kind === 'latency' || fault === first)
    for (const fault of striking) {
      fault.hits += 1
      if (fault.hits >= (fault.spec.times ?? Infinity)) remove(fault)
    }
    return striking.map(fault => fault.spec)
  }

  return {
    add,
    list: () => [...live],
    clear: () => {
      live.length = 0
      log.length = 0
    },
    log,
    calls: (pattern = {}) => log.filter(call => isMatch(pattern, call)).length,
    strike,
    skewMs: (region, service) =>
      live
        .filter(({ spec }) => spec.kind === 'skew')
        .filter(({ spec }) => isSame(spec.region, region) && isSame(spec.service, service))
        .reduce((sum, { spec }) => sum + (spec.ms ?? 0), 0),
  }
}

function isMatch(pattern: CallPattern, call: Call): boolean {
  return (
    isSame(pattern.region, call.region) &&
    isSame(pattern.service, call.service) &&
    isSame(pattern.method?.toUpperCase(), call.method) &&
    isPath(pattern.path, call.path)
  )
}

function isSame(wanted: string | undefined, actual: string | null): boolean {
  return wanted === undefined || wanted === actual
}

function isPath(wanted: RegExp | string | undefined, path: string): boolean {
  if (wanted === undefined) return true
  if (typeof wanted !== 'string') return path.search(wanted) >= 0
  const literals = wanted.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literals.join('.*')}$`).test(path)
}

// Faults on request, and the log of calls: what goes wrong with which calls to the simulated services.
//
// Over HTTP, on every simulated service and without a token (the simulator listens on loopback only):
//
//   GET    /_faults        every fault with its hits; calls since the last clear
//   POST   /_faults        a fault as below, `path` as a pattern; the answer carries its `id`
//   DELETE /_faults        removes all faults and forgets the calls
//   DELETE /_faults/{id}   removes one
//   POST   /_faults/history  from now on services can be restored to what they held some time ago
//
//   curl -X POST localhost:15000/_faults -H 'content-type: application/json' \
//     -d '{"kind": "status", "status": 503, "region": "Pod1", "service": "neutron", "times": 2}'
//     -d '{"kind": "blind", "region": "Pod1", "service": "nova", "user": "atoll"}'
//     -d '{"kind": "restore", "region": "Pod1", "service": "neutron", "seconds_ago": 60}'

import { randomUUID } from 'node:crypto'
import { CannotSwap, Holding, type HoldingSpec } from './holding.ts'

export const faultKinds = [
  'latency', // the answer comes `ms` later
  'status', // an error `status` (500 unless told), in the service's own words
  'hang', // no answer ever
  'reset', // the connection dies before anything happens
  'garbage', // 200 with a body that is no JSON, or with this one
  'lost', // it happens, then the connection dies before the answer
  'endless', // pages of a list never end; the services that have pages see to it
  'blind', // what is read is not there: lists are empty, one thing is a 404; what is written goes through
  'demoted', // the caller's admin role does not count
  'skew', // the service's clock is off by `ms`
  'restore', // the service holds what it held `seconds_ago`; removed, it holds again what it held when this was added
  'empty', // the service holds nothing, as with a new database; removed, as restore
] as const
export type FaultKind = (typeof faultKinds)[number]

/** A pattern of calls; a key that is left out matches any. */
export interface CallPattern {
  region?: string | undefined
  /** The service: keystone, neutron, nova, placement, glance. */
  service?: string | undefined
  method?: string | undefined
  /** The path without its query: a RegExp, or a text for the whole path in which `*` stands for anything. */
  path?: RegExp | string | undefined
}

export interface FaultSpec extends CallPattern {
  kind: FaultKind
  /** Only calls of this user, by name or id. */
  user?: string | undefined
  /** How often the fault strikes; for ever by default. */
  times?: number | undefined
  /** The milliseconds of a latency or a skew; a skew below zero is a clock that is late. */
  ms?: number | undefined
  /** How long ago a restore goes back to. */
  seconds_ago?: number | undefined
  status?: number | undefined
  message?: string | undefined
  /** The service's own name for the error, where it has such names. */
  type?: string | undefined
  /** The body of a garbage answer, instead of a page of HTML. */
  body?: unknown
  /** The call takes effect first and its answer goes wrong: an error, garbage or silence. */
  after?: boolean | undefined
}

export interface Fault {
  readonly id: string
  readonly spec: FaultSpec
  /** How often the fault has struck. */
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

/** The caller, as far as the token tells. */
export interface Person {
  readonly userId?: string
  readonly userName?: string
}

export interface Faults {
  /** Adds a fault. Throws when a restore has no history to go back to, and when no service matches. */
  add(spec: FaultSpec): Fault
  list(): Fault[]
  /** Removes all faults and forgets the calls. */
  clear(): void
  /** Every call so far, oldest first (the newest 100 000). */
  readonly log: readonly Call[]
  /** How many calls of this pattern were made since the last clear. */
  calls(pattern?: CallPattern): number
  /**
   * Keeps from now on the history that a restore goes back in: noted every second, and before the clock is
   * moved.
   */
  remember(): void
  /** Used by services: logs a call and returns the faults that strike it. */
  strike(call: Call, caller?: () => Person | null): FaultSpec[]
  /** Used by services: by how much the service's clock is off. */
  skewMs(region: string | null, service: string): number
  /** Used by services: registers a service's state, for faults of kind restore and empty. */
  keep(spec: HoldingSpec): void
  /** Ends the history. */
  close(): void
}

const longestLog = 100_000

/** Faults that last until they are removed, and do not strike single calls. */
const lasting: readonly FaultKind[] = ['skew', 'restore', 'empty']

/** Faults that strike a call together with any other. */
const mild: readonly FaultKind[] = ['latency', 'blind', 'demoted']

interface LiveFault {
  id: string
  spec: FaultSpec
  hits: number
  remove(): void
}

export function createFaults(): Faults {
  const live: LiveFault[] = []
  const log: Call[] = []
  const holdings = new Set<Holding>()
  let timer: NodeJS.Timeout | undefined

  function add(spec: FaultSpec): Fault {
    const fault: LiveFault = { id: randomUUID(), spec, hits: 0, remove: () => remove(fault) }
    if (spec.kind === 'restore' || spec.kind === 'empty') swap(fault, spec)
    live.push(fault)
    return fault
  }

  /** Swaps the state of all matching services, or of none when one of them cannot. */
  function swap(fault: LiveFault, spec: FaultSpec): void {
    const meant = [...holdings].filter(
      one => isSame(spec.region, one.region) && isSame(spec.service, one.service),
    )
    if (meant.length === 0) throw new CannotSwap('no service of that name and region holds anything')
    const pictures = meant.map(one => (spec.kind === 'empty' ? null : one.pictureOf(spec.seconds_ago)))
    for (const [index, one] of meant.entries()) one.swap(fault, pictures[index] ?? null)
  }

  function remove(fault: LiveFault): void {
    const index = live.indexOf(fault)
    if (index < 0) return
    live.splice(index, 1)
    for (const holding of holdings) holding.swapBack(fault)
  }

  /**
   * The faults that strike a call: all mild ones, and of the others the oldest alone, so that each gets its
   * turn.
   */
  function strike(call: Call, caller: () => Person | null = () => null): FaultSpec[] {
    log.push(call)
    if (log.length > longestLog) log.splice(0, log.length - longestLog / 2)
    const matching = live.filter(({ spec }) => isStriking(spec, call, caller))
    const first = matching.find(fault => !mild.includes(fault.spec.kind))
    const striking = matching.filter(fault => mild.includes(fault.spec.kind) || fault === first)
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
      for (const fault of [...live].reverse()) remove(fault)
      log.length = 0
    },
    log,
    calls: (pattern = {}) => log.filter(call => isMatch(pattern, call)).length,
    remember: () => {
      for (const holding of holdings) holding.remember()
      timer ??= setInterval(() => {
        for (const holding of holdings) holding.note()
      }, 1000).unref()
    },
    strike,
    skewMs: (region, service) =>
      live
        .filter(({ spec }) => spec.kind === 'skew')
        .filter(({ spec }) => isSame(spec.region, region) && isSame(spec.service, service))
        .reduce((sum, { spec }) => sum + (spec.ms ?? 0), 0),
    keep: spec => {
      const holding = new Holding(spec)
      holdings.add(holding)
      if (timer !== undefined) holding.remember()
    },
    close: () => clearInterval(timer),
  }
}

/**
 * Whether a fault strikes a call. A blind one strikes only reads; the caller is looked up only for a fault
 * that names a user.
 */
function isStriking(spec: FaultSpec, call: Call, caller: () => Person | null): boolean {
  if (lasting.includes(spec.kind) || !isMatch(spec, call)) return false
  if (spec.kind === 'blind' && call.method !== 'GET') return false
  if (spec.user === undefined) return true
  const person = caller()
  return spec.user === person?.userId || spec.user === person?.userName
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

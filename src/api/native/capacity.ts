// Capacity over time: free hosts and amounts by instant, and the first slot for so many hosts.

import type { AvailabilityPoint, Slot } from '../../core/capacity/capacity.ts'
import {
  type AvailabilityAsked,
  getAvailability,
  listSlots,
  type SlotsAsked,
} from '../../core/capacity/questions.ts'
import { invalid } from '../../core/error.ts'
import { parseFilter } from '../../core/filter/filter.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { instant, type Parameter, type Parameters, readQuery, wholeNumber } from './query.ts'

const time = (description: string): Parameter => ({
  description: `${description}; in UTC, as 2026-11-21T12:00:00Z`,
  schema: { type: 'string', format: 'date-time' },
})

const place = {
  region: { description: 'Only hosts of this region', schema: { type: 'string' } },
  filter: {
    description: 'Only hosts that match, as in reservations: [">=", "$vcpus", "8"]',
    schema: { type: 'string' },
  },
} as const

const availabilityParameters = {
  from: time('The beginning of the time asked about, now unless told'),
  to: time('Its end, seven days after its beginning unless told'),
  ...place,
}

const tenYears = 315_360_000

const slotParameters = {
  duration: {
    description: 'How long, in seconds',
    schema: { type: 'integer', minimum: 1, maximum: tenYears },
    required: true,
  },
  hosts: {
    description: 'How many hosts, all of them in one region',
    schema: { type: 'integer', minimum: 1, maximum: 100_000, default: 1 },
  },
  not_before: time('The earliest beginning, now unless told'),
  not_after: time('The latest end, a year after not_before unless told'),
  ...place,
  limit: {
    description: 'How many slots at most',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
  },
} as const

/** The query parameters of each path. */
export const capacityParameters: Readonly<Record<string, Parameters>> = {
  '/availability': availabilityParameters,
  '/slots': slotParameters,
}

function parseAvailability(request: Request): AvailabilityAsked {
  const given = readQuery(request, availabilityParameters)
  const [from, to] = [instant(given, 'from'), instant(given, 'to')]
  return { from, to, ...parsePlace(given) }
}

const parsePlace = ({ region, filter = '' }: { region?: string; filter?: string }) => ({
  region: region ?? null,
  filter: parseFilter(filter),
})

/**
 * Parameters that slots may have one day, when they are searched for amounts and not for whole hosts only.
 */
const amounts = ['vcpus', 'memory_mb', 'disk_gb', 'amount']

function parseSlots(request: Request): SlotsAsked {
  const asked = amounts.find(name => request.query.has(name))
  if (asked !== undefined)
    throw invalid(
      `Slots are searched for whole hosts only so far: leave ${asked} out and say how many hosts`,
      'only_hosts',
    )
  const given = readQuery(request, slotParameters)
  return {
    ...parseSize(given),
    notBefore: instant(given, 'not_before'),
    notAfter: instant(given, 'not_after'),
    ...parsePlace(given),
    limit: wholeNumber(given, 'limit', slotParameters),
  }
}

const parseSize = (given: Partial<Record<keyof typeof slotParameters, string>>) => ({
  lengthMs: wholeNumber(given, 'duration', slotParameters) * 1000,
  hosts: wholeNumber(given, 'hosts', slotParameters),
})

const viewAvailability = (points: readonly AvailabilityPoint[]) => ({
  availability: points.map(({ at, hosts, amounts }) => ({ at: at.toISOString(), hosts, amounts })),
})

function viewSlots(slots: readonly Slot[], request: Request) {
  const { lengthMs, hosts } = parseSize(readQuery(request, slotParameters))
  return {
    slots: slots.map(({ at, region }) => ({
      start: at.toISOString(),
      end: new Date(at.getTime() + lengthMs).toISOString(),
      region,
      hosts,
    })),
  }
}

const denied = 'Only readers of a project ask for capacity'

export const capacityRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/availability',
    rule: 'atoll:availability:show',
    denied,
    parse: parseAvailability,
    verb: getAvailability,
    view: viewAvailability,
  }),
  route({
    method: 'GET',
    path: '/slots',
    rule: 'atoll:slots:list',
    denied,
    parse: parseSlots,
    verb: listSlots,
    view: viewSlots,
  }),
]

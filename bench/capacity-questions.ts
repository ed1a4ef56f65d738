// What is asked of promises of capacity when it is measured: over the API, and as verbs whose statements are looked at.

import type { FastifyInstance } from 'fastify'
import type { App, Store } from '../src/core/app.ts'
import type { Caller } from '../src/core/caller.ts'
import { createCapacityReservation } from '../src/core/capacity/capacity-reservations.ts'
import { type CapacityQuery, queryCapacity } from '../src/core/capacity/query.ts'
import type { Size } from './capacity-fill.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const yearDays = 365

/** Where the reservations are few or none: long after the last of them. */
const emptyDays = 600

export interface Place {
  readonly size: Size
  readonly url: string
  /** The first day with reservations. */
  readonly start: Date
  readonly app: App
  readonly caller: Caller
  readonly server: FastifyInstance
  readonly headers: Record<string, string>
  statements(): number
}

export interface Question {
  readonly name: string
  /** Asked the n-th time, over the API; what comes back is looked at. */
  ask(place: Place, n: number): Promise<void>
  /** The same as its verb: what it changes is undone. */
  verb(app: App, place: Place): Promise<unknown>
}

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes are looked into
async function post(place: Place, operation: string, payload: object): Promise<any> {
  const { server, headers } = place
  const reply = await server.inject({ method: 'POST', url: `/promise/${operation}`, headers, payload })
  if (reply.statusCode !== 200) throw new Error(`${operation}: ${reply.statusCode} ${reply.body}`)
  return JSON.parse(reply.body)
}

/** The same hour of the year for both sizes, another one each time. */
const hourOf = (n: number): number => (n * 2_654_435_761) % ((yearDays - 3) * 24)

const windowFrom = ({ start }: Place, n: number, days: number) => {
  const from = new Date(start.getTime() + hourOf(n) * hourMs)
  return { start: from, end: new Date(from.getTime() + days * dayMs) }
}

const amounts = { cores: 4, ram: 8192, instances: 2 }

class Undone extends Error {}

/** What it does is undone when it has asked for its turn, which is the last of it. */
const undoing = (store: Store): Store => ({
  ...store,
  transact: work =>
    store.transact(tx =>
      work({
        ...tx,
        turns: {
          ...tx.turns,
          async ask(asks) {
            await tx.turns.ask(asks)
            throw new Undone()
          },
        },
      }),
    ),
})

const create: Question = {
  name: 'create a reservation of 3 days',
  async ask(place, n) {
    const { result } = await post(place, 'create-reservation', {
      ...windowFrom(place, n, 3),
      capacity: amounts,
    })
    if (result !== 'ok') throw new Error(`it was answered with ${result}`)
  },
  verb: (app, place) =>
    createCapacityReservation({ ...app, store: undoing(app.store) }, place.caller, {
      ...windowFrom(place, 0, 3),
      zone: null,
      amounts,
      elements: [],
      guarantee: 'aggregate',
    }).catch(error => {
      if (!(error instanceof Undone)) throw error
    }),
}

interface Query {
  readonly metric: 'available' | 'reserved'
  readonly days: number
  readonly points: number
  readonly limit: number
  /** How many it is to list at least. */
  readonly listed: number
  /** In days from the beginning; an hour of the year unless told. */
  readonly fromDay?: number
}

function query(name: string, { metric, days, points, limit, listed, fromDay }: Query): Question {
  const operation = metric === 'available' ? 'query-capacity' : 'query-reservation'
  const windowOf = (place: Place, n: number) => {
    if (fromDay === undefined) return windowFrom(place, n, days)
    const from = place.start.getTime() + fromDay * dayMs
    return { start: new Date(from), end: new Date(from + days * dayMs) }
  }
  return {
    name,
    async ask(place, n) {
      const { collections, reservations, utilization } = await post(place, operation, {
        window: windowOf(place, n),
        points,
        limit,
      })
      const found = (collections ?? reservations).length
      if (found < listed || utilization.length === 0 || utilization.length > points)
        throw new Error(`${name}: ${found} listed, ${utilization.length} points`)
    },
    verb: (app, place) => {
      const { start: from, end: to } = windowOf(place, 0)
      const all = {
        zone: null,
        providerId: null,
        without: [],
        some: [],
        every: [],
        marker: null,
        flavor: null,
      }
      const ask: CapacityQuery = {
        ...all,
        metric,
        from,
        to,
        inside: false,
        showUtilization: true,
        points,
        limit,
      }
      return queryCapacity(app, place.caller, ask)
    },
  }
}

/** With so many reservations a list. */
export const questionsOf = (page: number): readonly Question[] => [
  create,
  query('what is available over a year, 1000 points', {
    metric: 'available',
    days: yearDays,
    points: 1000,
    limit: page,
    listed: 1,
    fromDay: 0,
  }),
  query('what is available over a day, 24 points', {
    metric: 'available',
    days: 1,
    points: 24,
    limit: page,
    listed: 1,
  }),
  query(`${page} reservations of a month, and what they hold`, {
    metric: 'reserved',
    days: 30,
    points: 1000,
    limit: page,
    listed: page,
  }),
  query(`${page} reservations of a week, and what they hold`, {
    metric: 'reserved',
    days: 7,
    points: 1000,
    limit: page,
    listed: page,
  }),
  query('the same of a week that has none', {
    metric: 'reserved',
    days: 7,
    points: 1000,
    limit: page,
    listed: 0,
    fromDay: emptyDays,
  }),
]

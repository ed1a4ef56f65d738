// The data tree of the Promise API, to be read: records in lists, one by one, and the capacity of this moment.

import type { App } from '../../core/app.ts'
import type { Caller } from '../../core/caller.ts'
import type { Metric } from '../../core/capacity/query.ts'
import {
  type CapacityNow,
  capacityNow,
  getInstanceRecord,
  getReservationRecord,
  type InstanceRecord,
  listInstanceRecords,
  listPoolRecords,
  listProviders,
  listReservationRecords,
  type Page,
  type PoolRecord,
  type Providers,
  type ReservationRecord,
} from '../../core/capacity/records.ts'
import type { PromiseRules } from '../../core/capacity/rules.ts'
import { malformed, notFound } from '../../core/error.ts'
import { isUuid, type Request, singlesOf } from '../request.ts'
import { type Route, route } from '../route.ts'
import { viewAmounts, viewInstance, viewPool, viewProvider, viewReservation } from './views.ts'

const mostListed = 1000

function parsePage({ query }: Request): Page {
  const { limit, marker } = singlesOf(query, ['limit', 'marker'])
  if (limit !== undefined && !/^-?\d+$/.test(limit)) throw malformed("'limit' must be a whole number")
  const given = Number(limit ?? mostListed)
  return { limit: given < 1 || given > mostListed ? mostListed : given, marker: marker ?? null }
}

const parseNothing = (): null => null

interface Whole {
  readonly providers: Providers
  readonly pools: readonly PoolRecord[]
  readonly reservations: readonly ReservationRecord[]
  readonly instances: readonly InstanceRecord[]
  readonly capacity: CapacityNow
  readonly rules: PromiseRules
}

async function getTree(app: App, caller: Caller, page: Page): Promise<Whole> {
  return {
    providers: await listProviders(app, caller),
    pools: await listPoolRecords(app, caller, page),
    reservations: await listReservationRecords(app, caller, page),
    instances: await listInstanceRecords(app, caller, page),
    capacity: await capacityNow(app, caller),
    rules: app.promiseRules,
  }
}

const getRules = async (app: App): Promise<PromiseRules> => app.promiseRules

const dayMs = 86_400_000

const viewRules = ({ maxFutureStartMs, maxFutureEndMs, maxDurationMs, expiryMs }: PromiseRules) => ({
  ...(maxFutureStartMs === null ? {} : { 'max-future-start-range': maxFutureStartMs / dayMs }),
  ...(maxFutureEndMs === null ? {} : { 'max-future-end-range': maxFutureEndMs / dayMs }),
  'max-duration': maxDurationMs / 3_600_000,
  ...(expiryMs === null ? {} : { expiry: expiryMs / 60_000 }),
})

const viewProviders = ({ providers, isAdmin }: Providers) =>
  providers.map(provider => viewProvider(provider, isAdmin))
const viewPools = (pools: readonly PoolRecord[]) => pools.map(viewPool)
const viewReservations = (records: readonly ReservationRecord[]) => records.map(viewReservation)
const viewInstances = (records: readonly InstanceRecord[]) => records.map(viewInstance)
const viewCapacity = (capacity: CapacityNow) => ({
  total: viewAmounts(capacity.total),
  reserved: viewAmounts(capacity.reserved),
  usage: viewAmounts(capacity.usage),
  available: viewAmounts(capacity.available),
})
const viewPolicy = (rules: PromiseRules) => ({ reservation: viewRules(rules) })

const viewTree = (tree: Whole) => ({
  providers: viewProviders(tree.providers),
  pools: viewPools(tree.pools),
  reservations: viewReservations(tree.reservations),
  allocations: viewInstances(tree.instances),
  capacity: viewCapacity(tree.capacity),
  policy: viewPolicy(tree.rules),
})
const viewRoot = (tree: Whole) => ({ promise: viewTree(tree) })

const named = {
  method: 'GET',
  rule: 'promise:read',
  denied: 'your roles do not allow to read',
  errors: 'data',
} as const

const metrics: readonly Metric[] = ['total', 'reserved', 'usage', 'available']

const ofMetric = (metric: Metric): Route =>
  route({
    ...named,
    path: `/promise/capacity/${metric}`,
    parse: parseNothing,
    verb: capacityNow,
    view: function viewMetric(capacity: CapacityNow) {
      return viewAmounts(capacity[metric])
    },
  })

const parseIdOrName = ({ params }: Request): string => params.id ?? ''
/** The id in the path; empty, which no record has, for a text that is no UUID. */
const parseId = ({ params }: Request): string => (isUuid(params.id ?? '') ? params.id! : '')

async function getProvider(app: App, caller: Caller, id: string): Promise<Providers> {
  const { providers, isAdmin } = await listProviders(app, caller)
  const found = providers.filter(provider => provider.id === id || provider.name === id)
  if (found.length === 0) throw notFound(`there is no provider ${id}`)
  return { providers: found.slice(0, 1), isAdmin }
}

export const treeRoutes: readonly Route[] = [
  route({ ...named, path: '/', parse: parsePage, verb: getTree, view: viewRoot }),
  route({ ...named, path: '/promise', parse: parsePage, verb: getTree, view: viewTree }),
  route({
    ...named,
    path: '/promise/providers',
    parse: parseNothing,
    verb: listProviders,
    view: viewProviders,
  }),
  route({
    ...named,
    path: '/promise/providers/:id',
    parse: parseIdOrName,
    verb: getProvider,
    view: function viewOne(found: Providers) {
      return viewProviders(found)[0]
    },
  }),
  route({ ...named, path: '/promise/pools', parse: parsePage, verb: listPoolRecords, view: viewPools }),
  route({
    ...named,
    path: '/promise/reservations',
    parse: parsePage,
    verb: listReservationRecords,
    view: viewReservations,
  }),
  route({
    ...named,
    path: '/promise/reservations/:id',
    parse: parseId,
    verb: getReservationRecord,
    view: viewReservation,
  }),
  route({
    ...named,
    path: '/promise/allocations',
    parse: parsePage,
    verb: listInstanceRecords,
    view: viewInstances,
  }),
  route({
    ...named,
    path: '/promise/allocations/:id',
    parse: parseId,
    verb: getInstanceRecord,
    view: viewInstance,
  }),
  route({ ...named, path: '/promise/capacity', parse: parseNothing, verb: capacityNow, view: viewCapacity }),
  ...metrics.map(ofMetric),
  route({ ...named, path: '/promise/policy', parse: parseNothing, verb: getRules, view: viewPolicy }),
  route({
    ...named,
    path: '/promise/policy/reservation',
    parse: parseNothing,
    verb: getRules,
    view: viewRules,
  }),
]

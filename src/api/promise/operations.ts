// The operations of the Promise API: ten of the seed's, and two that its documentation names beside them.

import type { App } from '../../core/app.ts'
import type { Caller } from '../../core/caller.ts'
import {
  cancelCapacityReservation,
  createCapacityReservation,
  updateCapacityReservation,
} from '../../core/capacity/capacity-reservations.ts'
import { createInstance, destroyInstance } from '../../core/capacity/instances.ts'
import { decreaseCapacity, increaseCapacity } from '../../core/capacity/pools.ts'
import { addProvider, removeProvider } from '../../core/capacity/providers.ts'
import { type CapacityAnswer, queryCapacity } from '../../core/capacity/query.ts'
import { getInstanceRecord } from '../../core/capacity/records.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import {
  parseCapacityQuery,
  parseDecrease,
  parseInstance,
  parsePool,
  parseProvider,
  parseReservation,
  parseReservationChange,
  parseReservationQuery,
  requireId,
} from './asks.ts'
import { type BodyFields, fieldsOf, unknownKeys } from './body.ts'
import { viewInstance, viewPoint, viewRef } from './views.ts'

interface Operation<Input, Output> {
  readonly name: string
  /** The keys of the operation's input; the answer warns of any other. */
  readonly keys: readonly string[]
  readonly parse: (fields: BodyFields, request: Request) => Input
  readonly verb: (app: App, caller: Caller, input: Input) => Promise<Output>
  readonly view: (output: Output, request: Request) => object
  /** What else the answer warns of. */
  readonly warnings?: (output: Output) => readonly string[]
}

/** Makes a route of an operation: its answer warns of unknown keys, and is wrapped under RESTCONF. */
function operation<Input, Output>({ name, keys, parse, verb, view, warnings }: Operation<Input, Output>) {
  return (wrap: (body: object) => object, path: (name: string) => string): Route => ({
    ...route<Input, Output>({
      method: 'POST',
      path: path(name),
      rule: `promise:${name}`,
      denied: `your roles do not allow ${name}`,
      parse: request => {
        unknownKeys(request, keys)
        return parse(fieldsOf(request), request)
      },
      verb,
      view: (output, request) => {
        const told = [
          ...(warnings?.(output) ?? []),
          ...unknownKeys(request, keys).map(key => `there is no parameter '${key}': it was ignored`),
        ]
        return wrap({ ...view(output, request), ...(told.length > 0 ? { warnings: told } : {}) })
      },
    }),
    parts: { parse: parse.name, verb: verb.name, view: view.name },
  })
}

const ok = (ids: object, message?: string) => ({ ...ids, result: 'ok', ...(message ? { message } : {}) })

const viewRest = ({ hasMore, collections, utilization, fits }: CapacityAnswer) => ({
  utilization: utilization.map(viewPoint),
  ...(fits === null ? {} : { fits }),
  ...(hasMore ? { marker: viewRef(collections.at(-1)!) } : {}),
})

const viewCapacityQuery = (answer: CapacityAnswer) => ({
  collections: answer.collections.map(viewRef),
  ...viewRest(answer),
})

const viewReservationQuery = (answer: CapacityAnswer) => ({
  reservations: answer.collections.map(({ id }) => id),
  ...viewRest(answer),
})

const queryKeys = [
  'zone',
  'provider-id',
  'show-utilization',
  'without',
  'elements',
  'window',
  'points',
  'limit',
  'marker',
  'flavor',
]
const reservationKeys = ['start', 'end', 'zone', 'capacity', 'elements', 'guarantee']
const poolKeys = ['source', 'start', 'end', 'capacity', 'elements']
const providerKeys = [
  'provider-type',
  'endpoint',
  'strategy',
  'username',
  'password',
  'region',
  'tenant',
  'project',
  'user-domain-name',
]

const adminWarning =
  'the provider’s user has the role admin, which Atoll does not need: give it a user with the role member'

export const operations = [
  operation({
    name: 'add-provider',
    keys: providerKeys,
    parse: parseProvider,
    verb: addProvider,
    view: function viewAdded({ id, regionId }) {
      return { ...ok({ 'provider-id': id }), guarantee: regionId === null ? 'budget' : 'aggregate' }
    },
    warnings: ({ isAdmin }) => (isAdmin ? [adminWarning] : []),
  }),
  operation({
    name: 'remove-provider',
    keys: ['provider-id'],
    parse: function parseProviderId(fields) {
      return requireId(fields, 'provider-id')
    },
    verb: removeProvider,
    view: function viewRemoved() {
      return ok({}, 'provider removed')
    },
  }),
  operation({
    name: 'create-reservation',
    keys: reservationKeys,
    parse: parseReservation,
    verb: createCapacityReservation,
    view: function viewCreated({ id }) {
      return { ...ok({ 'reservation-id': id }, 'reservation request accepted'), guarantee: 'aggregate' }
    },
  }),
  operation({
    name: 'update-reservation',
    keys: ['reservation-id', ...reservationKeys],
    parse: parseReservationChange,
    verb: updateCapacityReservation,
    view: function viewUpdated() {
      return ok({}, 'reservation update successful')
    },
  }),
  operation({
    name: 'cancel-reservation',
    keys: ['reservation-id'],
    parse: function parseReservationId(fields) {
      return requireId(fields, 'reservation-id')
    },
    verb: cancelCapacityReservation,
    view: function viewCancelled() {
      return ok({}, 'reservation canceled')
    },
  }),
  operation({
    name: 'query-reservation',
    keys: queryKeys,
    parse: parseReservationQuery,
    verb: queryCapacity,
    view: viewReservationQuery,
  }),
  operation({
    name: 'query-capacity',
    keys: ['capacity', ...queryKeys],
    parse: parseCapacityQuery,
    verb: queryCapacity,
    view: viewCapacityQuery,
  }),
  operation({
    name: 'increase-capacity',
    keys: poolKeys,
    parse: parsePool,
    verb: increaseCapacity,
    view: function viewIncreased({ id }) {
      return ok({ 'pool-id': id }, 'capacity increase successful')
    },
  }),
  operation({
    name: 'decrease-capacity',
    keys: [...poolKeys, 'force'],
    parse: parseDecrease,
    verb: decreaseCapacity,
    view: function viewDecreased({ id }) {
      return ok({ 'pool-id': id }, 'capacity decrease successful')
    },
  }),
  operation({
    name: 'create-instance',
    keys: ['provider-id', 'name', 'image', 'flavor', 'networks', 'reservation-id'],
    parse: parseInstance,
    verb: createInstance,
    view: function viewCreatedInstance({ id }) {
      return ok({ 'instance-id': id }, 'create-instance request accepted')
    },
  }),
  operation({
    name: 'destroy-instance',
    keys: ['instance-id'],
    parse: function parseInstanceId(fields) {
      return requireId(fields, 'instance-id')
    },
    verb: destroyInstance,
    view: function viewDestroyed() {
      return ok({}, 'instance destroyed and resource released back to pool')
    },
  }),
  operation({
    name: 'query-instance',
    keys: ['instance-id'],
    parse: function parseInstanceId(fields) {
      return requireId(fields, 'instance-id')
    },
    verb: getInstanceRecord,
    view: viewInstance,
  }),
]

// Regions, and whether what they show is believed: which are suspect, since when and why, and an administrator's word.

import { malformed } from '../../core/error.ts'
import { type Belief, type Confirmation, confirmRegion, listBeliefs } from '../../core/regions/belief.ts'
import type { Suspicion } from '../../core/regions/suspicion.ts'
import { isObject, kindOf, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'

const confirmPath = '/regions/:name/confirm'

/** By path: what the body may hold. */
export const regionBodies: Readonly<Record<string, object>> = {
  [confirmPath]: {
    type: 'object',
    properties: {
      missing: {
        type: 'object',
        description:
          'How many of each kind are gone, as GET /regions counts them. Without them, or with others, the answer is a 409 that says which they are',
        additionalProperties: { type: 'integer', minimum: 1 },
      },
    },
  },
}

const parseNothing = () => undefined

/** Without a body nothing is said, and the refusal says what is to be. */
function parseConfirmation({ params, body = {} }: Request): Confirmation {
  if (!isObject(body)) throw malformed(`The body must be a JSON object, not ${kindOf(body)}`)
  const { missing = {} } = body
  if (!isObject(missing))
    throw malformed(`missing must be an object that counts each kind, not ${kindOf(missing)}`)
  if (!Object.values(missing).every(count => Number.isInteger(count) && (count as number) > 0))
    throw malformed('missing must say of each kind a whole number from 1')
  return { name: params.name!, counts: missing as Confirmation['counts'] }
}

export const viewRegions = (beliefs: readonly Belief[]) => ({ regions: beliefs.map(viewBelief) })

const viewBelief = ({ region, suspicions }: Belief) => ({
  name: region.name,
  availability_zone: region.availabilityZone,
  state: suspicions.length === 0 ? ('ok' as const) : ('suspect' as const),
  suspicions: suspicions.map(viewSuspicion),
})

const viewSuspicion = ({ through, since, reason, counts, confirmed }: Suspicion) => ({
  through,
  since: since.toISOString(),
  reason,
  counts,
  confirmed,
})

const viewConfirmed = (suspicions: readonly Suspicion[]) => ({ suspicions: suspicions.map(viewSuspicion) })

export const regionRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/regions',
    rule: 'atoll:regions:list',
    denied: 'Only administrators ask which regions are believed',
    parse: parseNothing,
    verb: listBeliefs,
    view: viewRegions,
  }),
  route({
    method: 'POST',
    path: confirmPath,
    rule: 'atoll:regions:confirm',
    denied: 'Only an administrator may say what is gone',
    parse: parseConfirmation,
    verb: confirmRegion,
    view: viewConfirmed,
  }),
]

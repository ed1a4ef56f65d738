// The native API, for all that no other face has a place for: its route table, its policy table and its
// envelope.

import { requireJsonAccepted } from '../accept.ts'
import type { PolicyTable } from '../policy.ts'
import { type ErrorAnswer, type Face, type Problem, sentenceOf } from '../route.ts'
import { retryHeaders, statusOf } from '../status.ts'
import { capacityParameters, capacityRoutes } from './capacity.ts'
import { eventParameters, eventRoutes } from './events.ts'
import { jobRoutes } from './jobs.ts'
import { openApiRoute } from './openapi.ts'
import { regionBodies, regionRoutes } from './regions.ts'
import { topologyParameters, topologyRoutes } from './topology.ts'

const policy: PolicyTable = {
  'atoll:openapi': 'any',
  'atoll:jobs:show': 'reader',
  'atoll:availability:show': 'reader',
  'atoll:slots:list': 'reader',
  'atoll:topology:show': 'reader',
  'atoll:events:list': 'reader',
  'atoll:regions:list': 'admin',
  'atoll:regions:confirm': 'admin',
}

/** Sentences for refusals by the HTTP server before any route. */
const silent: Readonly<Record<number, string>> = {
  404: 'There is nothing at this path',
  405: 'This path has no such method',
}

/** `{"error": {"code", "message", …}}`, with all further details of the error. */
function describeError(problem: Problem): ErrorAnswer {
  const { code, detail } = problem.error
  const { malformed: _, ...known } = detail
  const status = statusOf(problem.error)
  const message = sentenceOf(problem) || silent[status]
  return {
    status,
    contentType: 'application/json',
    headers: retryHeaders(status),
    body: JSON.stringify({ error: { code, message, ...known } }),
  }
}

/**
 * The native face. `schemas` are those of other faces' resources, which its OpenAPI document has beside its
 * own.
 */
export function native(schemas: Readonly<Record<string, object>> = {}): Face {
  const routes = [...jobRoutes, ...capacityRoutes, ...topologyRoutes, ...eventRoutes, ...regionRoutes]
  return {
    name: 'native',
    serviceType: 'atoll',
    policy,
    routes: [
      ...routes,
      openApiRoute(
        routes,
        {
          queries: { ...capacityParameters, ...topologyParameters, ...eventParameters },
          bodies: regionBodies,
        },
        schemas,
      ),
    ],
    check: requireJsonAccepted,
    describe: describeError,
  }
}

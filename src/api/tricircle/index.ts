// The Tricircle Admin API: its route table, its policy table and its envelope. All three documented versions at once.

import { requireJsonAccepted } from '../accept.ts'
import type { PolicyTable } from '../policy.ts'
import type { Face, Route } from '../route.ts'
import { bindingRoutes } from './bindings.ts'
import { describeError } from './errors.ts'
import { jobRoutes } from './jobs.ts'
import { podRoutes } from './pods.ts'
import { routingRoutes } from './routings.ts'
import { versionRoute, versionsRoute } from './versions.ts'

const policy: PolicyTable = {
  'versions:show': 'any',
  'admin_api:pods:list': 'admin',
  'admin_api:pods:show': 'admin',
  'admin_api:pods:create': 'admin',
  'admin_api:pods:delete': 'admin',
  'admin_api:bindings:list': 'admin',
  'admin_api:bindings:show': 'admin',
  'admin_api:bindings:create': 'admin',
  'admin_api:bindings:delete': 'admin',
  'admin_api:routings:list': 'admin',
  'admin_api:routings:show': 'admin',
  'admin_api:routings:create': 'admin',
  'admin_api:routings:put': 'admin',
  'admin_api:routings:delete': 'admin',
  'admin_api:jobs:list': 'admin',
  'admin_api:jobs:schema_list': 'admin',
  'admin_api:jobs:create': 'admin',
  'admin_api:jobs:redo': 'admin',
  'admin_api:jobs:delete': 'admin',
}

export interface TricircleOptions {
  /** The most rows that a list returns at once. */
  readonly pageLimit: number
}

export function tricircle({ pageLimit }: TricircleOptions): Face {
  const collections = [
    ...bindingRoutes(pageLimit),
    ...jobRoutes(pageLimit),
    ...podRoutes,
    ...routingRoutes(pageLimit),
  ]
  const under = (route: Route): Route => ({ ...route, path: `/v1.0${route.path}` })
  return {
    name: 'tricircle',
    serviceType: 'tricircle',
    policy,
    routes: [
      versionsRoute,
      versionRoute(['bindings', 'jobs', 'pods', 'routings']),
      ...collections.map(under),
    ],
    check: requireJsonAccepted,
    describe: describeError,
  }
}

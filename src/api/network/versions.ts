// Neutron's version documents: the versions for everybody, and the resources of v2.0 for callers with a
// token.

import type { PolicyTable } from '../policy.ts'
import type { Request } from '../request.ts'
import { type Face, type Route, route } from '../route.ts'
import { describeError } from './errors.ts'
import { ruled } from './resource.ts'

const policy: PolicyTable = { get_versions: 'public' }

const parseNothing = () => undefined

const viewVersions = (_: unknown, { applicationUrl }: Request) => ({
  versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${applicationUrl}/v2.0/` }] }],
})

const versionsRoute: Route = route({
  ...ruled('get_versions'),
  method: 'GET',
  path: '/',
  parse: parseNothing,
  verb: null,
  view: viewVersions,
})

const core = ['network', 'subnet', 'port'] as const

const viewResources = (_: unknown, { applicationUrl }: Request) => ({
  resources: core.map(name => ({
    name,
    collection: `${name}s`,
    links: [{ rel: 'self', href: `${applicationUrl}/${name}s` }],
  })),
})

/** `GET /v2.0/` */
export const versionRoute: Route = route({
  ...ruled('get_resources'),
  method: 'GET',
  path: '/',
  parse: parseNothing,
  verb: null,
  view: viewResources,
})

export const networkVersions = (): Face => ({
  name: 'network-versions',
  serviceType: 'network',
  policy,
  routes: [versionsRoute],
  check: () => {},
  describe: describeError,
})

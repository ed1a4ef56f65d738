// The version documents of the Tricircle API.

import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { wording } from './errors.ts'

const parseNothing = () => undefined

const viewVersions = (_: unknown, { applicationUrl }: Request) => ({
  versions: [
    {
      status: 'CURRENT',
      links: [{ rel: 'self', href: `${applicationUrl}/v1.0/` }],
      id: 'v1.0',
      updated: '2015-09-09',
    },
  ],
})

const viewVersion = (collections: readonly string[]) =>
  function viewVersion(_: unknown, { applicationUrl }: Request) {
    const links = collections.map(name => ({ rel: name, href: `${applicationUrl}/v1.0/${name}` }))
    return { version: '1.0', links: [{ rel: 'self', href: `${applicationUrl}/v1.0` }, ...links] }
  }

const document = {
  method: 'GET',
  rule: 'versions:show',
  denied: 'Unauthorized to list versions',
  errors: wording.page,
  parse: parseNothing,
  verb: null,
} as const

/** `GET /`: all major versions. */
export const versionsRoute: Route = route({ ...document, path: '/', view: viewVersions })

/** `GET /v1.0`: one version, with a link to each collection. */
export const versionRoute = (collections: readonly string[]): Route =>
  route({ ...document, path: '/v1.0', view: viewVersion(collections) })

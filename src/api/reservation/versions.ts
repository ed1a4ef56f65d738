// The version document of the Reservation API, for whoever asks; and the face of the paths beside the API.

import type { PolicyTable } from '../policy.ts'
import type { Request } from '../request.ts'
import { type Face, type Route, route } from '../route.ts'
import { describeElsewhere } from './errors.ts'

const policy: PolicyTable = { 'blazar:versions:get': 'public' }

const parseNothing = () => undefined

const viewVersions = (_: unknown, { applicationUrl }: Request) => ({
  versions: [
    {
      id: 'v1.0',
      status: 'CURRENT',
      links: [{ href: `${applicationUrl}/v1`, rel: 'self' }],
      min_version: '1.0',
      max_version: '1.0',
    },
  ],
})

const versionsAt = (path: string): Route =>
  route({
    method: 'GET',
    path,
    rule: 'blazar:versions:get',
    denied: "Policy doesn't allow blazar:versions:get to be performed",
    status: 300,
    parse: parseNothing,
    verb: null,
    view: viewVersions,
  })

export const reservationVersions = (): Face => ({
  name: 'reservation-versions',
  serviceType: 'reservation',
  policy,
  routes: [versionsAt('/'), versionsAt('/versions')],
  check: () => {},
  describe: describeElsewhere,
})

// The Reservation API (Blazar's v1): its route table, its policy table and its envelope. Bodies have the
// fields of both the seed's and today's clients.

import type { PolicyTable } from '../policy.ts'
import type { Face } from '../route.ts'
import { describeError, versionHeaders } from './errors.ts'
import { checkHead } from './headers.ts'
import { hostRoutes } from './hosts.ts'
import { leaseRoutes } from './leases.ts'
import { inView } from './view.ts'

const policy: PolicyTable = {
  'blazar:leases:get': 'reader',
  'blazar:leases:get_hosts': 'reader',
  'blazar:leases:post': 'member',
  'blazar:leases:put': 'member',
  'blazar:leases:delete': 'member',
  'blazar:oshosts:get': 'admin',
  'blazar:oshosts:post': 'admin',
  'blazar:oshosts:put': 'admin',
  'blazar:oshosts:delete': 'admin',
  'blazar:oshosts:get_allocations': 'admin',
  'blazar:oshosts:get_resource_properties': 'admin',
  'blazar:oshosts:update_resource_properties': 'admin',
}

export interface ReservationOptions {
  /** The most rows that a page has. */
  readonly pageLimit: number
  /** Whether create and update are answered with 202, as in the seed, or with 201 and 200, as today. */
  readonly accepted: boolean
}

export function reservation({ pageLimit, accepted }: ReservationOptions): Face {
  const statuses = accepted ? { created: 202, changed: 202 } : { created: 201, changed: 200 }
  return {
    name: 'reservation',
    serviceType: 'reservation',
    policy,
    routes: [...leaseRoutes({ pageLimit, ...statuses }), ...hostRoutes(statuses)].map(inView),
    check: checkHead,
    headers: versionHeaders,
    describe: describeError,
  }
}

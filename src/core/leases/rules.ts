// What the operator has set for leases.

import type { BeforeEnd } from './lease.ts'

export interface LeaseRules {
  /** How long before the end `before_end_lease` is due, where a lease does not say; 0: it has none. */
  readonly beforeEndMs: number
  /** What `default` means. */
  readonly beforeEnd: Exclude<BeforeEnd, 'default'>
  /** How long a host rests after a lease. */
  readonly cleaningMs: number
  /** The longest that a lease may be; null: as long as one likes. */
  readonly longestMs: number | null
  /** How many reservations a lease may have. */
  readonly mostReservations: number
  /** How long a start is tried again before the lease is in ERROR. */
  readonly retryForMs: number
}

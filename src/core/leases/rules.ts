// What the operator has set for leases.

import type { BeforeEnd } from './lease.ts'

export interface LeaseRules {
  /** How long before the end `before_end_lease` is due, where a lease does not say; 0: it has none. */
  readonly beforeEndMs: number
  /** The action that `default` stands for. */
  readonly beforeEnd: Exclude<BeforeEnd, 'default'>
  /** How long a host is kept free for cleaning after a lease. */
  readonly cleaningMs: number
  /** The longest that a lease may be; null: no limit. */
  readonly longestMs: number | null
  /** How many reservations a lease may have. */
  readonly mostReservations: number
  /** How long a start is tried again before the lease is in ERROR. */
  readonly retryForMs: number
}

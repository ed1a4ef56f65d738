// Whether reservations of capacity hold what they say, and whether instances take what they are: checks of the ledger.

import { sql } from 'kysely'
import { amountClasses } from '../core/capacity/amounts.ts'
import { check, utc } from './check.ts'

/** The kinds of amounts, each with its class. */
const kinds = sql`(values ${sql.join(
  Object.entries(amountClasses).map(([name, className]) => sql`(${sql.lit(name)}, ${sql.lit(className)})`),
)}) as kind (name, class)`

interface Overdrawn {
  readonly reservation: string
  readonly name: string
  readonly drawn: number
  readonly amount: number
}

/** Law 2, that no more is drawn on a reservation than it has. */
export const drawLimit = check<Overdrawn>(
  ({ reservation, name, drawn, amount }) =>
    `Reservation ${reservation}: ${drawn} ${name} are drawn on it, and it has ${amount}`,
  sql`
    select reservation.id as reservation, kind.name, drawn, amount
    from capacity_reservation as reservation cross join ${kinds}
    cross join lateral (select coalesce((amounts ->> kind.name)::bigint, 0) as amount) as own
    cross join lateral (
      select sum((instance.amounts ->> kind.name)::bigint) as drawn from instance
      where reservation_id = reservation.id and ended_at is null) as taken
    where state = 'living' and drawn > amount order by reservation.id, kind.class`,
)

interface DifferingHold {
  readonly reservation: string
  readonly name: string
  readonly class: string
  readonly held: number | null
  readonly held_from: string | null
  readonly held_to: string | null
  readonly amount: number | null
  readonly from_at: string
  readonly to_at: string
}

/**
 * The holds that a living reservation must have from its last change on: of its provider's budget, and of its
 * region's general scope.
 */
const dueHolds = sql`
  select reservation.id as reservation_id, account_id, class, amount
  from capacity_reservation as reservation join provider on provider.id = provider_id
  cross join lateral (
    select provider.budget as account_id, 'TENANCY' as class, 1 as amount
    union all
    select provider.budget, class, (amounts ->> name)::bigint from ${kinds}
    union all
    select account.id, class, (amounts ->> name)::bigint from ${kinds}
    join account on account.kind = 'scope' and scope = 'general' and account.region_id = provider.region_id
    where class in ('VCPU', 'MEMORY_MB')) as due
  where state = 'living' and to_at > updated_at and amount > 0`

/**
 * Compares holds with reservations. Holds that ended with a reservation's last change are history and are
 * left out.
 */
export const promisesHeld = check<DifferingHold>(
  ({ reservation, name, class: what, held, held_from, held_to, amount, from_at, to_at }) => {
    const has = held === null ? `no ${what}` : `${held} ${what} from ${utc(held_from!)} to ${utc(held_to!)}`
    const due = amount === null ? 'nothing of it' : `${amount} from ${utc(from_at)} to ${utc(to_at)}`
    return `Reservation ${reservation}: of ${name} it holds ${has}, and it is to hold ${due}`
  },
  sql`
    select reservation.id as reservation, name, class, held, held_from, held_to, due.amount,
           reservation.from_at, reservation.to_at
    from (${dueHolds}) as due
    full join (
      select claim_id as reservation_id, account_id, class, sum(amount) as held, min(hold.from_at) as held_from,
             max(hold.from_at) as last_from, min(hold.to_at) as first_to, max(hold.to_at) as held_to
      from hold join capacity_reservation as reservation on reservation.id = claim_id
      where hold.to_at > updated_at group by claim_id, account_id, class) as has using (reservation_id, account_id, class)
    join capacity_reservation as reservation on reservation.id = reservation_id
    join account_name on account_name.id = account_id
    where held is distinct from due.amount
       or held_from < reservation.from_at or last_from > greatest(reservation.from_at, updated_at)
       or first_to <> reservation.to_at or held_to <> reservation.to_at
    order by reservation.id, account_id, class`,
)

interface DifferingUse {
  readonly instance: string
  readonly name: string
  readonly class: string
  readonly used: number
  readonly amount: number
  readonly ended_at: string | null
  readonly until: string | null
}

/**
 * Compares usage with instances. An instance drawn on a living reservation has no usage, as the reservation
 * holds for it; every other one has, until it ends.
 */
export const usageOfInstances = check<DifferingUse>(
  ({ instance, name, class: what, used, amount, ended_at, until }) =>
    ended_at && until
      ? `Instance ${instance}: it ended at ${utc(ended_at)}, and takes ${used} ${what} of ${name} until ${utc(until)}`
      : `Instance ${instance}: it takes ${used} ${what} of ${name}, and is to take ${amount}`,
  sql`
    select instance.id as instance, account_name.name, due.class, used, due.amount, ended_at, null as until
    from instance join provider on provider.id = provider_id
    cross join lateral (
      select 'TENANCY' as class, 1 as amount
      union all select class, (amounts ->> name)::bigint from ${kinds}) as due
    cross join lateral (
      select coalesce(sum(amount), 0) as used from usage
      where account_id = provider.budget and usage.class = due.class and consumer = instance.id::text
        and to_at > now()) as taken
    join account_name on account_name.id = provider.budget
    where ended_at is null and due.amount > 0 and used <> due.amount and not exists (
      select from capacity_reservation where id = reservation_id and state = 'living')
    union all
    select instance.id, account_name.name, class, amount, 0, ended_at, to_at
    from instance join usage on consumer = instance.id::text join account_name on account_name.id = account_id
    where to_at > ended_at
    order by instance, name, class`,
)

// What is known of all that clients have begun, some of which were killed.

/** Where there are more who wait than the machine can serve, some are told that the database gives no answer now. */
const refusals = ['conflict', 'no_capacity', 'not_found', 'invalid', 'upstream', 'unavailable']

export interface Told {
  readonly begun?: string
  readonly ended?: string
  readonly name?: string
  readonly id?: string
  readonly amounts?: Readonly<Record<string, number>> | null
  readonly outcome?: string
  readonly reason?: string
  readonly message?: string
  readonly trouble?: {
    readonly msg: string
    readonly err?: { readonly type: string; readonly stack: string }
  }
}

/** What is known of a reservation by what its client was told. */
export interface Promised {
  /** The last that was acknowledged; null where only its asking is known. */
  amounts: Readonly<Record<string, number>> | null
  isCancelled: boolean
  /** Something was begun about it of which nobody has told the end. */
  isUnknown: boolean
}

export interface Tally {
  kills: number
  readonly done: Map<string, number>
  readonly refused: Map<string, number>
  readonly unknown: Map<string, Told>
  readonly promised: Map<string, Promised>
  /** Instances whose making was acknowledged, and those whose removal was. */
  readonly booted: Set<string>
  readonly destroyed: Set<string>
  /** What is neither done nor refused. */
  readonly errors: string[]
}

export const newTally = (): Tally => ({
  kills: 0,
  done: new Map(),
  refused: new Map(),
  unknown: new Map(),
  promised: new Map(),
  booted: new Set(),
  destroyed: new Set(),
  errors: [],
})

export const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0)

const count = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1)

function begin(tally: Tally, told: Told): void {
  tally.unknown.set(told.begun!, told)
  if (told.name === 'create')
    tally.promised.set(told.id!, { amounts: null, isCancelled: false, isUnknown: true })
  const known = tally.promised.get(told.id!)
  if (known && ['update', 'cancel'].includes(told.name!)) known.isUnknown = true
}

function end(tally: Tally, told: Told): void {
  tally.unknown.delete(told.ended!)
  const { name = '', id = '', outcome = '', reason, message = '' } = told
  const known = tally.promised.get(id)
  if (outcome === 'done') {
    count(tally.done, name)
    if (known && ['create', 'update'].includes(name)) known.amounts = told.amounts ?? null
    if (known && name === 'cancel') known.isCancelled = true
    if (name === 'boot') tally.booted.add(id)
    if (name === 'destroy') tally.destroyed.add(id)
  } else if (refusals.includes(outcome)) count(tally.refused, reason ?? outcome)
  else tally.errors.push(message)
  // Whether it was done is not known where the database did not answer.
  if (known && outcome !== 'unavailable' && ['create', 'update', 'cancel'].includes(name))
    known.isUnknown = false
}

/** Counts what a client tells. */
export function hear(tally: Tally, told: Told): void {
  if (told.begun) begin(tally, told)
  if (told.ended) end(tally, told)
  const { err, msg } = told.trouble ?? {}
  if (err && err.type !== 'AppError') tally.errors.push(`${msg}: ${err.stack}`)
}

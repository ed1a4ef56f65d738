// Circuit breakers: a region that gives no answer is left alone for a while, then tried with one call.

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface Breakers {
  /** Tells whether the lane's region answered. The lane '' needs no region and never breaks. */
  tell(lane: string, answered: boolean): void
  /** How many turns may run at once in lanes whose breaker is not closed: 0 while open, 1 to try. */
  limits(): Map<string, number>
  state(lane: string): BreakerState
}

export interface BreakerOptions {
  /** How many calls in a row have no answer before a breaker opens. */
  readonly failures: number
  /** For how long a breaker opens at first; twice as long each time the trial fails. */
  readonly openMs: number
  readonly maxOpenMs: number
  now(): number
}

interface Breaker {
  failures: number
  openUntil: number
  openMs: number
}

export function createBreakers(options: BreakerOptions): Breakers {
  const broken = new Map<string, Breaker>()

  const stateOf = (breaker: Breaker | undefined): BreakerState => {
    if (!breaker || breaker.failures < options.failures) return 'closed'
    return options.now() < breaker.openUntil ? 'open' : 'half-open'
  }

  return {
    tell(lane, answered) {
      if (lane === '') return
      if (answered) {
        broken.delete(lane)
        return
      }
      const breaker = broken.get(lane) ?? { failures: 0, openUntil: 0, openMs: options.openMs }
      breaker.failures += 1
      if (breaker.failures === options.failures) {
        breaker.openUntil = options.now() + breaker.openMs
      } else if (breaker.failures > options.failures && options.now() >= breaker.openUntil) {
        breaker.openMs = Math.min(breaker.openMs * 2, options.maxOpenMs)
        breaker.openUntil = options.now() + breaker.openMs
      }
      broken.set(lane, breaker)
    },

    limits() {
      const limits = new Map<string, number>()
      for (const [lane, breaker] of broken) {
        const state = stateOf(breaker)
        if (state !== 'closed') limits.set(lane, state === 'open' ? 0 : 1)
      }
      return limits
    },

    state: lane => stateOf(broken.get(lane)),
  }
}

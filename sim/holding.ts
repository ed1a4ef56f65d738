// The state of one service, which a fault swaps for an earlier one or for nothing, and swaps back: as if its
// database had been restored.

import type { Clock } from './clock.ts'
import type { Picture, State } from './picture.ts'

export interface HoldingSpec {
  region: string
  service: string
  clock: Clock
  state: State
}

/** The refusal of a fault of kind restore or empty: no service matches, or it has no such earlier state. */
export class CannotSwap extends Error {}

interface Swap {
  /** The fault that asked for the swap. */
  readonly fault: object
  /** The state before the swap. */
  before: Picture
}

export class Holding {
  readonly region: string
  readonly service: string
  private readonly clock: Clock
  private readonly state: State
  /** Oldest first; null when nobody has asked for a history. */
  private history: { at: number; picture: Picture }[] | null = null
  private readonly swaps: Swap[] = []

  constructor({ region, service, clock, state }: HoldingSpec) {
    this.region = region
    this.service = service
    this.clock = clock
    this.state = state
  }

  /** Keeps a history from now on. */
  remember(): void {
    if (this.history !== null) return
    this.history = []
    this.note()
    this.clock.beforeMove(() => this.note())
  }

  /** Adds the present state to the history, if it has changed. */
  note(): void {
    const last = this.history?.at(-1)
    const picture = this.state.take(last?.picture)
    if (picture !== last?.picture) this.history?.push({ at: this.clock.now().getTime(), picture })
  }

  /** The state of the service so long ago. */
  pictureOf(secondsAgo: number | undefined): Picture {
    const where = `${this.service} of ${this.region}`
    if (typeof secondsAgo !== 'number') throw new CannotSwap('restore asks for seconds_ago, a number')
    if (this.history === null) throw new CannotSwap(`no history is kept of ${where}`)
    const at = this.clock.now().getTime() - secondsAgo * 1000
    const found = this.history.findLast(one => one.at <= at)
    if (found === undefined) throw new CannotSwap(`the history of ${where} does not go back so far`)
    return found.picture
  }

  /** Swaps the state for a picture, or for nothing. */
  swap(fault: object, picture: Picture | null): void {
    this.swaps.push({ fault, before: this.state.take() })
    if (picture === null) this.state.empty()
    else this.state.put(picture)
  }

  /**
   * Takes a swap back. If a later swap is still in force, that one gets this one's earlier state to bring
   * back.
   */
  swapBack(fault: object): void {
    const index = this.swaps.findIndex(one => one.fault === fault)
    const [gone] = index < 0 ? [] : this.swaps.splice(index, 1)
    if (gone === undefined) return
    const later = this.swaps[index]
    if (later === undefined) this.state.put(gone.before)
    else later.before = gone.before
  }
}

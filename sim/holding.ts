// What one service holds, swapped for what it held before or for nothing, and swapped back: as databases are.

import type { Clock } from './clock.ts'
import type { Picture, State } from './picture.ts'

export interface HoldingSpec {
  region: string
  service: string
  clock: Clock
  state: State
}

/** There is nothing to swap, or nothing to swap it for. */
export class CannotSwap extends Error {}

interface Swap {
  /** What asked for it. */
  readonly fault: object
  /** What there was when it was asked for. */
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

  /** Notes what there is now, if it is not what there was. */
  note(): void {
    const last = this.history?.at(-1)
    const picture = this.state.take(last?.picture)
    if (picture !== last?.picture) this.history?.push({ at: this.clock.now().getTime(), picture })
  }

  /** What it held so long ago. */
  pictureOf(secondsAgo: number | undefined): Picture {
    const where = `${this.service} of ${this.region}`
    if (typeof secondsAgo !== 'number') throw new CannotSwap('restore asks for seconds_ago, a number')
    if (this.history === null) throw new CannotSwap(`no history is kept of ${where}`)
    const at = this.clock.now().getTime() - secondsAgo * 1000
    const found = this.history.findLast(one => one.at <= at)
    if (found === undefined) throw new CannotSwap(`the history of ${where} does not go back so far`)
    return found.picture
  }

  /** For what a picture shows, or for nothing. */
  swap(fault: object, picture: Picture | null): void {
    this.swaps.push({ fault, before: this.state.take() })
    if (picture === null) this.state.empty()
    else this.state.put(picture)
  }

  /** What a later swap would bring back then is what this one would have. */
  swapBack(fault: object): void {
    const index = this.swaps.findIndex(one => one.fault === fault)
    const [gone] = index < 0 ? [] : this.swaps.splice(index, 1)
    if (gone === undefined) return
    const later = this.swaps[index]
    if (later === undefined) this.state.put(gone.before)
    else later.before = gone.before
  }
}

// The clockwork: takes due turns, runs them side by side within their lanes' shares, and never forgets one.
//
// Word of an asking (NOTIFY) makes it look at once; the poll finds what that word was lost for, what falls due by time,
// and what others left behind.

import { clearInterval, setInterval } from 'node:timers'
import type { EnlistEvents, Enlisted, Turn, TurnStore } from '../core/clockwork.ts'
import type { Breakers } from './breakers.ts'

/** The work of turns of one kind. */
export interface TurnKind {
  readonly kind: string
  /**
   * Begins a set of turns and returns the work on each. The work writes its own result, under the turn's
   * epoch; it says whether the turn's region answered (null: not known). Turns whose work throws are taken
   * again later.
   */
  begin(turns: readonly Turn[]): Promise<readonly TurnWork[]>
}

export interface TurnWork {
  readonly turn: Turn
  run(): Promise<{ regionAnswered: boolean | null }>
}

export interface ClockworkOptions {
  readonly turns: TurnStore
  readonly kinds: readonly TurnKind[]
  readonly breakers: Breakers
  enlist(events: EnlistEvents): Promise<Enlisted>
  /** How many turns this process works on at once, and how many of one lane. */
  readonly slots: number
  readonly laneSlots: number
  /** How often due turns are looked for without a notification; every quarter of a second by default. */
  readonly pollMs?: number
  onError(error: unknown, what: string): void
}

const usualPollMs = 250
const renewMs = 5_000
const sweepMs = 1_000
const idleMs = 10_000
const idleBatch = 5_000

export class Clockwork {
  readonly #options: ClockworkOptions
  readonly #busy = new Map<string, number>()
  readonly #running = new Map<Promise<void>, Turn>()
  readonly #timers: NodeJS.Timeout[] = []
  #enlisted: Enlisted | null = null
  #enlisting = false
  #claiming = false
  #again = false
  #stopped = false

  constructor(options: ClockworkOptions) {
    this.#options = options
  }

  /**
   * Enlists this process as a worker and begins. Throws when the database is away now; later outages are
   * waited for.
   */
  async start(): Promise<void> {
    await this.#enlist()
    this.#every(this.#options.pollMs ?? usualPollMs, () => this.#claim())
    this.#every(renewMs, () => this.#renew())
    this.#every(sweepMs, () => this.#sweep())
    this.#every(idleMs, () => this.#options.turns.removeIdle(idleBatch))
    void this.#claim()
  }

  /** Takes no more turns, waits for those that run (so long at most), and gives back the rest. */
  async stop(graceMs = 5_000): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    const grace = new Promise(resolve => setTimeout(resolve, graceMs).unref())
    await Promise.race([Promise.all(this.#running.keys()), grace])
    const enlisted = this.#enlisted
    this.#enlisted = null
    if (!enlisted) return
    await this.#options.turns.releaseAll(enlisted.worker)
    await enlisted.close()
  }

  /** How many turns run now, in one lane or in all. */
  running(lane?: string): number {
    return lane === undefined ? this.#running.size : (this.#busy.get(lane) ?? 0)
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    let atWork = false
    const turn = async (): Promise<void> => {
      if (atWork || this.#stopped) return
      atWork = true
      try {
        await work()
      } catch (error) {
        this.#options.onError(error, 'the clockwork could not reach the database')
      } finally {
        atWork = false
      }
    }
    this.#timers.push(setInterval(turn, ms))
  }

  async #enlist(): Promise<void> {
    this.#enlisting = true
    try {
      this.#enlisted = await this.#options.enlist({
        onWake: () => void this.#claim(),
        onLost: error => {
          // Other workers may take our turns now: results that we write under the old worker number are
          // refused.
          this.#options.onError(error, 'this worker is no longer known to the others')
          this.#enlisted = null
        },
      })
    } finally {
      this.#enlisting = false
    }
  }

  /**
   * Renews the turns that run, and no others: a turn whose claim was lost on the way to us, or whose work
   * failed, falls due again.
   */
  async #renew(): Promise<void> {
    if (this.#running.size > 0) await this.#options.turns.renew([...this.#running.values()])
  }

  async #sweep(): Promise<void> {
    if (!this.#enlisted && !this.#enlisting) await this.#enlist()
    if ((await this.#options.turns.releaseAbandoned()) > 0) await this.#claim()
  }

  /** Claims due turns, one claim at a time; a call during a claim causes one more. */
  async #claim(): Promise<void> {
    this.#again = true
    if (this.#claiming) return
    this.#claiming = true
    try {
      while (this.#again && !this.#stopped) {
        // Turns that end in the same tick of the event loop make room as well.
        await new Promise(resolve => setImmediate(resolve))
        this.#again = false
        await this.#claimOnce()
      }
    } catch (error) {
      this.#options.onError(error, 'no turns could be taken')
    } finally {
      this.#claiming = false
    }
  }

  async #claimOnce(): Promise<void> {
    const { turns, kinds, slots, laneSlots } = this.#options
    const room = slots - this.#running.size
    if (!this.#enlisted || room <= 0) return
    const taken = await turns.claim({
      worker: this.#enlisted.worker,
      kinds: kinds.map(({ kind }) => kind),
      room,
      laneRoom: laneSlots,
      rooms: this.#rooms(),
    })
    await Promise.all(kinds.map(kind => this.#begin(kind, taken)))
  }

  /** How many turns more may run in lanes that are partly busy or whose region does not answer. */
  #rooms(): Map<string, number> {
    const { laneSlots, breakers } = this.#options
    const rooms = new Map<string, number>()
    for (const [lane, busy] of this.#busy) rooms.set(lane, Math.max(0, laneSlots - busy))
    for (const [lane, allowed] of breakers.limits()) {
      rooms.set(
        lane,
        Math.max(0, Math.min(rooms.get(lane) ?? laneSlots, allowed - (this.#busy.get(lane) ?? 0))),
      )
    }
    return rooms
  }

  async #begin(kind: TurnKind, taken: readonly Turn[]): Promise<void> {
    const mine = taken.filter(turn => turn.kind === kind.kind)
    if (mine.length === 0) return
    for (const work of await kind.begin(mine)) this.#run(work)
  }

  #run({ turn, run }: TurnWork): void {
    const { lane } = turn
    const work = run()
      .then(({ regionAnswered }) => {
        if (regionAnswered !== null) this.#options.breakers.tell(lane, regionAnswered)
      })
      .catch(error => this.#options.onError(error, `the turn ${turn.kind} ${turn.key} is left for later`))
      .finally(() => {
        this.#running.delete(work)
        this.#count(lane, -1)
        void this.#claim()
      })
    this.#running.set(work, turn)
    this.#count(lane, 1)
  }

  #count(lane: string, by: number): void {
    const busy = (this.#busy.get(lane) ?? 0) + by
    if (busy > 0) this.#busy.set(lane, busy)
    else this.#busy.delete(lane)
  }
}

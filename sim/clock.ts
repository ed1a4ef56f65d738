// The cloud's clock: real time, moved by tests.

export interface Clock {
  now(): Date
  /** Moves the clock by so many milliseconds, back when negative. */
  advance(ms: number): void
  /** Puts the clock to an instant; it goes on from there. */
  set(instant: Date): void
  /** Registers work that is done each time before the clock is moved. */
  beforeMove(work: () => void): void
}

export function createClock(): Clock {
  let offsetMs = 0
  const works: (() => void)[] = []
  const move = (to: number): void => {
    for (const work of works) work()
    offsetMs = to
  }
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance: ms => move(offsetMs + ms),
    set: instant => move(instant.getTime() - Date.now()),
    beforeMove: work => void works.push(work),
  }
}

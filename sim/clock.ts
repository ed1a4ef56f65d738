// The cloud's clock: real time, moved by tests.

export interface Clock {
  now(): Date
  /** Moves the clock by so many milliseconds, back when negative. */
  advance(ms: number): void
  /** Puts the clock to an instant; it goes on from there. */
  set(instant: Date): void
}

export function createClock(): Clock {
  let offsetMs = 0
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance: ms => {
      offsetMs += ms
    },
    set: instant => {
      offsetMs = instant.getTime() - Date.now()
    },
  }
}

// Minutes: leases begin and end with one.

const minuteMs = 60_000

/** The beginning of the minute that an instant is in. */
export const minuteOf = (at: Date): Date => new Date(Math.floor(at.getTime() / minuteMs) * minuteMs)

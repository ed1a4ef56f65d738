// What is done for every region now and then, each by a turn of the clockwork.

import type { TurnAsk } from '../clockwork.ts'

/**
 * `tidy`: what late calls have made twice goes. `survey`: hosts and reservations are as they should be. `watch`: what
 * others do to networks is seen. `review`: every aspect of networks is asked for once more.
 */
export const upkeepKinds = ['tidy', 'survey', 'watch', 'review'] as const
export type UpkeepKind = (typeof upkeepKinds)[number]

export const upkeepAsks = (region: string): TurnAsk[] =>
  upkeepKinds.map(kind => ({ kind, key: region, lane: region }))

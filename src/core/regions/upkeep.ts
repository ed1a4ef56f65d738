// Upkeep: the turns that every region has now and then.

import type { TurnAsk } from '../clockwork.ts'

/**
 * `tidy`: removes surplus things that late calls made. `survey`: compares hosts and reservations. `watch`:
 * reads what others changed in networks. `review`: asks for every aspect of networks.
 */
export const upkeepKinds = ['tidy', 'survey', 'watch', 'review'] as const
export type UpkeepKind = (typeof upkeepKinds)[number]

export const upkeepAsks = (region: string): TurnAsk[] =>
  upkeepKinds.map(kind => ({ kind, key: region, lane: region }))

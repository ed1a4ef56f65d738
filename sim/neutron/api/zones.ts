// The list of availability zones.

import { internalError, wrongMethod } from '../errors.ts'
import { type Caller, isAllowed } from '../model/rules.ts'
import { zonesOf } from '../model/zones.ts'
import type { Region } from '../region.ts'
import type { Answer, Asked } from './answer.ts'

/** `/v2.0/availability_zones`: every zone, once for each kind of agent that makes it one; none for who may not look. */
export function answerZones({ method, path, query }: Asked, region: Region, caller: Caller): Answer {
  if (path.length > 0) throw internalError()
  if (method !== 'GET') throw wrongMethod()
  const zones = (['network', 'router'] as const).flatMap(resource =>
    zonesOf(resource, region).map(name => ({ name, resource, state: 'available' })),
  )
  const isWanted = (zone: Record<string, string>) =>
    ['name', 'resource', 'state'].every(key => {
      const wanted = query.getAll(key)
      return wanted.length === 0 || wanted.includes(zone[key] ?? '')
    })
  const isShown = isAllowed('anybody', caller, {}, region)
  return { status: 200, body: { availability_zones: isShown ? zones.filter(isWanted) : [] } }
}

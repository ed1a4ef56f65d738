// Availability zones, as the agents make them: routers have those of L3 agents, networks those of DHCP agents.

import { refusal } from '../errors.ts'
import type { Region } from '../region.ts'

const agentTypes = { network: 'DHCP agent', router: 'L3 agent' } as const

export type Zoned = keyof typeof agentTypes

/** The zones of living agents that serve networks or routers. */
export function zonesOf(kind: Zoned, region: Region): string[] {
  const agents = [...region.agents.all()].filter(
    agent => agent.agent_type === agentTypes[kind] && agent.isAlive,
  )
  return [...new Set(agents.map(agent => agent.availability_zone ?? 'nova'))]
}

export function checkZones(kind: Zoned, hints: unknown, region: Region): void {
  const known = zonesOf(kind, region)
  const missing = ((hints ?? []) as string[]).filter(hint => !known.includes(hint))
  if (missing.length === 0) return
  const message = `AvailabilityZone ${missing.join(', ')} could not be found.`
  throw refusal(404, 'AvailabilityZoneNotFound', message)
}

// All resources of the API that have the five verbs.

import type { Resource } from './api/resource.ts'
import { addressGroups } from './resources/address-groups.ts'
import { agents } from './resources/agents.ts'
import { floatingips } from './resources/floatingips.ts'
import { networks } from './resources/networks.ts'
import { ports } from './resources/ports.ts'
import { routers } from './resources/routers.ts'
import { securityGroups } from './resources/security-groups.ts'
import { securityRules } from './resources/security-rules.ts'
import { subnets } from './resources/subnets.ts'

export const resources: readonly Resource[] = [
  networks,
  subnets,
  ports,
  routers,
  floatingips,
  securityGroups,
  securityRules,
  addressGroups,
  agents,
]

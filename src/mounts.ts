// Which face answers at which prefix.

import { native } from './api/native/index.ts'
import { network } from './api/network/index.ts'
import { networkSchemas } from './api/network/schemas.ts'
import { networkVersions } from './api/network/versions.ts'
import { promise } from './api/promise/index.ts'
import { reservation } from './api/reservation/index.ts'
import { reservationVersions } from './api/reservation/versions.ts'
import type { Mount } from './api/route.ts'
import { tricircle } from './api/tricircle/index.ts'
import { type Config, ConfigError } from './config/config.ts'

/** The faces at their prefixes, without those that the operator has turned off. */
export const mounts = (config: Config): Mount[] =>
  allMounts(config).filter(({ prefix }) => !config.api.without.includes(prefix))

/**
 * Throws ConfigError for a policy rule that no route has, and for a prefix in `api.without` that no face is
 * mounted at.
 */
export function checkMounts(config: Config): void {
  const all = allMounts(config)
  const rules = all.flatMap(({ face }) => Object.keys(face.policy))
  const rule = Object.keys(config.policy).find(one => !rules.includes(one))
  if (rule) throw new ConfigError(`policy names the rule ${rule}, which no route has: see \`atoll routes\`.`)
  const prefixes = all.map(({ prefix }) => prefix).filter(prefix => prefix !== '')
  const unknown = config.api.without.find(one => !prefixes.includes(one))
  if (unknown) throw new ConfigError(`api.without names ${unknown}; it can be any of ${prefixes.join(', ')}.`)
}

/** All faces at their prefixes. The one at the root owns every path that no other does. */
function allMounts(config: Config): Mount[] {
  const pageLimit = config.api.page_limit
  const tricircleFace = tricircle({ pageLimit })
  const reservationFace = reservation({ pageLimit, accepted: false })
  const networkFace = network({ pageLimit })
  const promiseFace = promise({ restconf: false })
  return [
    { prefix: '/tricircle', face: tricircleFace },
    { prefix: '/reservation', face: reservationVersions() },
    { prefix: '/reservation/v1', face: reservationFace },
    { prefix: '/reservation/:region/v1', face: reservationFace },
    { prefix: '/v1', face: reservation({ pageLimit, accepted: true }) },
    { prefix: '/network', face: networkVersions() },
    { prefix: '/network/v2.0', face: networkFace },
    { prefix: '/v2.0', face: networkFace },
    { prefix: '/promise', face: promiseFace },
    { prefix: '/restjson/opnfv-promise', face: promiseFace },
    { prefix: '/restconf/operations', face: promise({ restconf: true }) },
    { prefix: '/atoll/v1', face: native(networkSchemas()) },
    { prefix: '', face: tricircleFace },
  ]
}

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
import type { Config } from './config.ts'

/** The faces where they are mounted. The root mount owns every path that no other does. */
export function mounts(config: Config): Mount[] {
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

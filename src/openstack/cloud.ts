// core's Cloud port: regions, through their own services.

import type { Cloud } from '../core/cloud.ts'
import { unavailable } from '../core/error.ts'
import { type ComputeOptions, computeOf } from './compute.ts'
import { networkingOf } from './networking.ts'
import type { Regions } from './region.ts'

export const createCloud = (regions: Regions, options: ComputeOptions): Cloud => ({
  networking: (name, requestId) => networkingOf(regions.region(name, { requestId })),
  compute: (name, requestId) => computeOf(regions.region(name, { requestId }), options),
  async ownProject() {
    const projectId = await regions.projectId()
    if (projectId === null) throw unavailable('Keystone gave the service user a token without a project')
    return projectId
  },
})

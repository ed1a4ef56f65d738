// core's Cloud port: regions, through their own services.

import type { Cloud } from '../core/cloud.ts'
import { unavailable } from '../core/error.ts'
import { type ComputeOptions, computeOf } from './compute.ts'
import { networkingOf } from './network.ts'
import { createProviders, type Providers } from './provider.ts'
import type { Regions } from './region.ts'

export interface CloudOptions extends ComputeOptions {
  /** The clouds of users that may be called; none when left out. */
  readonly providers?: Providers
}

/** The role that the service user needs to see and do everything in every region. */
const adminRole = 'admin'

export const createCloud = (
  regions: Regions,
  { providers = createProviders({ allow: [] }), ...options }: CloudOptions,
): Cloud => ({
  networking: (name, requestId) => networkingOf(regions.region(name, { requestId })),
  compute: (name, requestId) => computeOf(regions.region(name, { requestId }), options),
  provider: (login, requestId) => providers.provider(login, requestId),
  async login() {
    const { number, roles } = await regions.login(adminRole)
    return { number, isAdmin: roles.includes(adminRole) }
  },
  async ownProject() {
    const projectId = await regions.projectId()
    if (projectId === null) throw unavailable('Keystone gave the service user a token without a project')
    return projectId
  },
})

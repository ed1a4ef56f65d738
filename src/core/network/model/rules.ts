// What the operator has set for networks.

import type { Kind } from './model.ts'

/** What stock Neutron takes; a region may be set otherwise. */
export interface RegionLimits {
  /** Routes of one router (`max_routes`). */
  readonly routes: number
  /** Host routes of one subnet (`max_subnet_host_routes`). */
  readonly hostRoutes: number
  /** Rules of one group. */
  readonly rules: number
}

export interface NetworkRules {
  /** Where routers' copies meet: each project has one network of so many bits out of this range, and a /64 out of `cidr6`. */
  readonly bridge: { readonly cidr: string; readonly bits: number; readonly cidr6: string }
  /** What networks that span regions lie on, unless a user says otherwise: the same in every region. */
  readonly fabric: {
    readonly networkType: string
    readonly physicalNetwork: string
    readonly from: number
    readonly to: number
  }
  readonly mtu: number
  /** How many of each a project may have; -1: as many as it likes. */
  readonly quotas: Readonly<Record<Kind, number>>
  limitsOf(region: string): RegionLimits
}

// What the operator has set for networks.

import type { Kind } from './model.ts'

/** The limits of stock Neutron, which hold for every region unless the operator says otherwise. */
export interface RegionLimits {
  /** Routes of one router (`max_routes`). */
  readonly routes: number
  /** Host routes of one subnet (`max_subnet_host_routes`). */
  readonly hostRoutes: number
  /** Rules of one group. */
  readonly rules: number
}

export interface NetworkRules {
  /**
   * The ranges of bridges: each project's bridge has a subnet of `bits` bits out of `cidr`, and a /64 out of
   * `cidr6`.
   */
  readonly bridge: { readonly cidr: string; readonly bits: number; readonly cidr6: string }
  /** The segments of spanning networks, unless a user says otherwise: the same in every region. */
  readonly fabric: {
    readonly networkType: string
    readonly physicalNetwork: string
    readonly from: number
    readonly to: number
  }
  readonly mtu: number
  /** How many resources of each kind a project may have; -1: no limit. */
  readonly quotas: Readonly<Record<Kind, number>>
  limitsOf(region: string): RegionLimits
}

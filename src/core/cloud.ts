// What core needs of regions. Everything throws `upstream` with the region, the service and what was answered.

import type { ProviderCloud, ProviderLogin } from './capacity/provider-cloud.ts'
import type { HostFacts } from './hosts/host.ts'
import type { RegionNetworking } from './network/copies/region-rows.ts'

/** A host as its region knows it. */
export type HostPlace = Pick<HostFacts, 'hypervisorHostname' | 'serviceName' | 'providerId' | 'inventory'>

export interface RegionServer {
  readonly id: string
  readonly name: string
  readonly projectId: string
  readonly status: string
}

/** A server as a list of changes has it: those that were deleted show, with that status. */
export interface ChangedServer {
  readonly id: string
  readonly status: string
  readonly updatedAt: Date
}

/** What a reservation of whole hosts is, as a region must know it. */
export interface HostPlacement {
  readonly reservationId: string
  readonly projectId: string
  readonly hosts: readonly HostPlace[]
}

/** A hypervisor as its region sees it now. */
export interface SurveyedHost extends Omit<HostPlace, 'inventory'> {
  readonly isUp: boolean
  /** Nothing lands there but what a reservation lets. */
  readonly isClosed: boolean
}

/** What is in a region, of all that has to do with reservations. */
export interface RegionSurvey {
  readonly hosts: readonly SurveyedHost[]
  /** The reservations that a flavor is there for: ours or somebody else's. */
  readonly reservations: readonly string[]
  /** Servers that came by no reservation of ours. */
  readonly plainServers: readonly (RegionServer & { readonly host: string })[]
}

/** What a region's hosts have in all, and what uses them. */
export interface RegionCapacity {
  /** How much of each class can be placed on a host, by its hypervisor's name. */
  readonly hosts: readonly {
    readonly hypervisorHostname: string
    /** Empty for one that Placement does not know. */
    readonly amounts: Readonly<Record<string, number>>
  }[]
  readonly servers: readonly {
    readonly id: string
    /** The hypervisor's name; null for one that landed nowhere. */
    readonly hypervisorHostname: string | null
    /** The instance that it says it is of. */
    readonly mark: string | null
    /** By class: VCPU, MEMORY_MB, DISK_GB. */
    readonly amounts: Readonly<Record<string, number>>
  }[]
}

/** The Nova and Placement of one region. Every call may be repeated. */
export interface RegionCompute {
  /** Those whose name or id this is: none, one, or several. */
  findHosts(nameOrId: string): Promise<HostFacts[]>
  survey(): Promise<RegionSurvey>
  /** The names of the hypervisors that Nova and Placement both know. */
  hostsSeen(): Promise<string[]>
  /** Looks at every host and every server. */
  capacity(): Promise<RegionCapacity>
  /** Whether a reservation's flavor was made by us. */
  isOurs(reservationId: string): Promise<boolean>
  /** Closes a host to every server without a reservation's flavor. */
  closeHost(host: HostPlace): Promise<void>
  /** Opens it again. */
  openHost(host: HostPlace): Promise<void>
  /** Every server on a host. */
  serversOn(host: HostPlace): Promise<RegionServer[]>
  /** Makes the reservation's flavor and lets it land on these hosts, and nowhere else; last of all the project may use it. */
  openPlacement(placement: HostPlacement): Promise<void>
  /** From now on nothing new lands there by this reservation. */
  closePlacement(placement: HostPlacement): Promise<void>
  /** The servers that came by this reservation. */
  placedServers(placement: HostPlacement): Promise<RegionServer[]>
  /** What was made, changed or deleted since then, by the region's clock. Throws `upstream`, `no_endpoint` where there is no Nova. */
  serversChangedSince(since: Date): Promise<ChangedServer[]>
  /** False when it was gone already. It may take a while to go. */
  removeServer(id: string): Promise<boolean>
  /** Makes an image of a server, unless one by this name was made of it since then. */
  snapshot(server: RegionServer, name: string, since: Date): Promise<void>
  /** Nothing new lands there by this reservation, and where no server does any more, what is left of it goes. */
  clearPlacement(placement: HostPlacement): Promise<Clearing>
}

/**
 * `cleared`: it was there, and the region says that no place of it is taken. `held`: a server has a place still. `unseen`:
 * the region does not know it, since it is gone already or since the region does not show it.
 */
export type Clearing = 'cleared' | 'held' | 'unseen'

export interface CloudLogin {
  readonly number: number
  /** Whether it has the role that shows a service user everything. */
  readonly isAdmin: boolean
}

export interface Cloud {
  /** `requestId` goes with every call: of the request or the job on whose behalf it is made. */
  networking(region: string, requestId: string): RegionNetworking
  compute(region: string, requestId: string): RegionCompute
  /** The OpenStack that these credentials open. */
  provider(login: ProviderLogin, requestId: string): ProviderCloud
  /** The log-in that regions are asked with now: another number after each one. Throws `unavailable`. */
  login(): Promise<CloudLogin>
  /** The project of the service user: what tenants must not pay for is its. */
  ownProject(): Promise<string>
}

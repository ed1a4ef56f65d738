// The calls that core makes to regions. Every call throws `upstream` with the region, the service and the
// answer.

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

/** A reservation of whole hosts, as its region must know it. */
export interface HostPlacement {
  readonly reservationId: string
  readonly projectId: string
  readonly hosts: readonly HostPlace[]
}

/** A hypervisor as its region sees it now. */
export interface SurveyedHost extends Omit<HostPlace, 'inventory'> {
  readonly isUp: boolean
  /** Whether only servers of reservations may land on the host. */
  readonly isClosed: boolean
}

/** The hosts, reservations and servers that a region has. */
export interface RegionSurvey {
  readonly hosts: readonly SurveyedHost[]
  /** The reservations that the region has a flavor of, Atoll's or another's. */
  readonly reservations: readonly string[]
  /** Servers that no reservation of Atoll's placed. */
  readonly plainServers: readonly (RegionServer & { readonly host: string })[]
}

/** The capacity of a region's hosts, and the servers that use it. */
export interface RegionCapacity {
  /** How much of each class can be placed on a host, by its hypervisor's name. */
  readonly hosts: readonly {
    readonly hypervisorHostname: string
    /** Empty for a hypervisor that Placement does not know. */
    readonly amounts: Readonly<Record<string, number>>
  }[]
  readonly servers: readonly {
    readonly id: string
    /** The hypervisor's name; null for one that landed nowhere. */
    readonly hypervisorHostname: string | null
    /** The instance whose mark the server bears. */
    readonly mark: string | null
    /** By class: VCPU, MEMORY_MB, DISK_GB. */
    readonly amounts: Readonly<Record<string, number>>
  }[]
}

/** The Nova and Placement of one region. Every call may be repeated. */
export interface RegionCompute {
  /** The hosts of this name or id: none, one, or several. */
  findHosts(nameOrId: string): Promise<HostFacts[]>
  survey(): Promise<RegionSurvey>
  /** The names of the hypervisors that Nova and Placement both know. */
  hostsSeen(): Promise<string[]>
  /** Looks at every host and every server. */
  capacity(): Promise<RegionCapacity>
  /** Whether a reservation's flavor was made by Atoll. */
  isOurs(reservationId: string): Promise<boolean>
  /** Closes a host to every server without a reservation's flavor. */
  closeHost(host: HostPlace): Promise<void>
  /** Opens a closed host to every server again. */
  openHost(host: HostPlace): Promise<void>
  /** Every server on a host. */
  serversOn(host: HostPlace): Promise<RegionServer[]>
  /** Makes the reservation's flavor and lets it land on these hosts, and nowhere else; last of all the project may use it. */
  openPlacement(placement: HostPlacement): Promise<void>
  /** Lets no new server of the reservation land on its hosts. */
  closePlacement(placement: HostPlacement): Promise<void>
  /** The servers that this reservation placed. */
  placedServers(placement: HostPlacement): Promise<RegionServer[]>
  /**
   * The servers that were made, changed or deleted since then, by the region's clock. Throws `upstream`,
   * `no_endpoint` where there is no Nova.
   */
  serversChangedSince(since: Date): Promise<ChangedServer[]>
  /** False when the server was gone already. Else it may take a while to go. */
  removeServer(id: string): Promise<boolean>
  /** Makes an image of a server, unless one by this name was made of it since then. */
  snapshot(server: RegionServer, name: string, since: Date): Promise<void>
  /** Closes a placement and, once it has no servers any more, removes the rest of it. */
  clearPlacement(placement: HostPlacement): Promise<Clearing>
}

/**
 * `cleared`: the placement was there, and the region says that no server uses it. `held`: a server still uses
 * it. `unseen`: the region does not know the placement, since it is gone already or since the region does not
 * show it.
 */
export type Clearing = 'cleared' | 'held' | 'unseen'

export interface CloudLogin {
  readonly number: number
  /** Whether the service user has the role by which regions show it everything. */
  readonly isAdmin: boolean
}

export interface Cloud {
  /** `requestId` goes with every call: that of the request or job that makes it. */
  networking(region: string, requestId: string): RegionNetworking
  compute(region: string, requestId: string): RegionCompute
  /** The OpenStack that a provider's credentials open. */
  provider(login: ProviderLogin, requestId: string): ProviderCloud
  /** The service user's log-in now; each new log-in has another number. Throws `unavailable`. */
  login(): Promise<CloudLogin>
  /** The project of the service user: it owns the things that must not count for users' projects. */
  ownProject(): Promise<string>
}

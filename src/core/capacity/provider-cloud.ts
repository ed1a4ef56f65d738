// The calls that core makes to a provider's OpenStack, opened by the provider's own credentials: nothing
// there is trusted.

import type { Amounts } from './amounts.ts'

/** The credentials of a provider. The password is in clear here and nowhere else. */
export interface ProviderLogin {
  /** Keystone's URL, in any form that people write it: with `/v2.0`, `/v3` or `/tokens` at its end. */
  readonly endpoint: string
  readonly username: string
  readonly password: string
  readonly userDomain: string | null
  readonly project: {
    readonly id: string | null
    readonly name: string | null
    readonly domain: string | null
  }
  /** The region of its Nova and Neutron; null: the first that the catalog has a Nova of. */
  readonly region: string | null
}

export interface ProviderFlavor {
  readonly id: string
  readonly name: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

/** What a look at a provider shows. */
export interface ProviderSight {
  readonly projectId: string
  readonly projectName: string
  /** Whether the user has the role admin there: then its Nova and Neutron take ids of every project from Atoll. */
  readonly isAdmin: boolean
  /** The region of the Nova that was found. */
  readonly region: string
  readonly flavors: readonly ProviderFlavor[]
  /** The project's quotas; a kind that is unlimited, or that no quota tells, is left out. */
  readonly limits: Partial<Amounts>
}

export interface ProviderServerSpec {
  /** The mark by which the server is found again when Nova's answer was lost. */
  readonly mark: string
  readonly name: string
  readonly image: string
  readonly flavor: string
  readonly networks: readonly string[]
}

export interface ProviderServer {
  readonly id: string
  readonly mark: string | null
  /** Nova's: `BUILD`, `ACTIVE`, `ERROR`, … */
  readonly status: string
}

/**
 * The OpenStack of one provider. Every call throws `upstream` with the service, the status where there was an
 * answer, and a reason: `provider_refused` (the credentials), `endpoint_refused` (an address that may not be
 * called, the provider's own or one that its catalog gives), `no_endpoint`, `not_reached` (the call never got
 * there); its message holds nothing of the answer but its status.
 */
export interface ProviderCloud {
  /** Logs in and reads project, roles, flavors and quotas. */
  look(): Promise<ProviderSight>
  /** Of these ids the networks that are the project's own, or shared with all: an admin is shown others too. */
  usableNetworks(ids: readonly string[]): Promise<readonly string[]>
  /** Returns the server's id. A `status` below 500 in the error means that nothing was made. */
  createServer(spec: ProviderServerSpec): Promise<string>
  /** Every server of the project that bears a mark of ours. */
  listServers(): Promise<readonly ProviderServer[]>
  /** Null when the server is gone. */
  getServer(id: string): Promise<ProviderServer | null>
  /** False when the server was gone already. Else it may take a while to go. */
  removeServer(id: string): Promise<boolean>
}

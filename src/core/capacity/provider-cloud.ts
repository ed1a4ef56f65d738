// What core needs of an OpenStack that a provider's own credentials open: nothing there is trusted.

import type { Amounts } from './amounts.ts'

/** Whom a provider is entered as. The password is in clear here and nowhere else. */
export interface ProviderLogin {
  /** Keystone, in any form that people write it: with `/v2.0`, `/v3` or `/tokens` at its end. */
  readonly endpoint: string
  readonly username: string
  readonly password: string
  readonly userDomain: string | null
  readonly project: {
    readonly id: string | null
    readonly name: string | null
    readonly domain: string | null
  }
  /** Whose Nova and Neutron are meant; null: the first that the catalog has a Nova of. */
  readonly region: string | null
}

export interface ProviderFlavor {
  readonly id: string
  readonly name: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

/** What a provider's credentials let one see. */
export interface ProviderSight {
  readonly projectId: string
  readonly projectName: string
  /** The region of the Nova that was found. */
  readonly region: string
  readonly flavors: readonly ProviderFlavor[]
  /** The project's quotas; what is not limited, and what cannot be told, is not in it. */
  readonly limits: Partial<Amounts>
}

export interface ProviderServerSpec {
  /** By which the server is found again when the answer was lost. */
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
 * One provider. Everything throws `upstream` with the service, the status where there was an answer, and a reason:
 * `provider_refused` (the credentials), `endpoint_refused` (an address that may not be called, the provider's own or one
 * that its catalog gives), `no_endpoint`, `not_reached` (nothing came of what was asked); its message holds nothing of what was answered but its status.
 */
export interface ProviderCloud {
  /** Logs in and looks around. */
  look(): Promise<ProviderSight>
  /** Returns the server's id. A `status` below 500 in the error means that nothing was made. */
  createServer(spec: ProviderServerSpec): Promise<string>
  /** Every server of the project that bears a mark of ours. */
  listServers(): Promise<readonly ProviderServer[]>
  /** Null when it is gone. */
  getServer(id: string): Promise<ProviderServer | null>
  /** False when it was gone already. It may take a while to go. */
  removeServer(id: string): Promise<boolean>
}

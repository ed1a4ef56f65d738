// The rows of a region's Nova.

export interface Service {
  /** The service's id before microversion 2.53. */
  readonly number: number
  readonly uuid: string
  readonly binary: string
  readonly host: string
  isDisabled: boolean
  disabledReason: string | null
  isForcedDown: boolean
  /** Whether the service still reports. */
  isAlive: boolean
}

/** Whether servers can be built on a service's host. */
export const isUp = ({ isAlive, isForcedDown }: Service): boolean => isAlive && !isForcedDown

export interface Host {
  /** The host's name in its compute service and in aggregates. */
  readonly name: string
  readonly hypervisorHostname: string
  /** The hypervisor's id before 2.53. */
  readonly number: number
  /** The hypervisor's id, and that of its root provider, which Placement may have lost. */
  readonly uuid: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
  readonly service: Service
  /** Its compute service's cache of the providers below its root, and the time of it. */
  children: { uuids: ReadonlySet<string>; at: number }
}

export interface Flavor {
  readonly id: string
  /** The number of the row, which a few messages show. */
  readonly number: number
  readonly name: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
  readonly ephemeralGb: number
  readonly swapMb: number
  readonly rxtxFactor: number
  readonly isPublic: boolean
  description: string | null
  readonly extraSpecs: Map<string, string>
  /** Projects that may use it though it is private. */
  readonly access: Set<string>
}

export interface Aggregate {
  readonly id: number
  readonly uuid: string
  name: string
  /** Names of hosts, in the order in which they were added. */
  readonly hosts: Set<string>
  readonly metadata: Map<string, string>
  readonly createdAt: number
  updatedAt: number | null
}

/** A flavor as it was when a server got it. */
export type EmbeddedFlavor = Readonly<
  Omit<Flavor, 'extraSpecs' | 'access' | 'number' | 'isPublic' | 'description'>
> & { readonly extraSpecs: ReadonlyMap<string, string> }

export type VmState =
  | 'building'
  | 'active'
  | 'stopped'
  | 'error'
  | 'resized'
  | 'shelved_offloaded'
  | 'deleted'

export interface Fault {
  code: number
  message: string
  at: number
}

export interface Address {
  network: string
  ip: string
  version: 4 | 6
  mac: string
}

/**
 * A port that a server asks for: one that exists, or one to be made on a network; no groups stand for the
 * default one.
 */
export type WantedPort =
  | { portId: string }
  | { networkId: string; fixedIp: string | null; groupIds: readonly string[] }

export interface Server {
  readonly id: string
  /** The number of the row, as in instance-00000001. */
  readonly number: number
  name: string
  /** The hostname of the guest, made of the server's first name. */
  readonly hostname: string
  readonly projectId: string
  readonly userId: string
  readonly imageId: string
  /** The traits that the image requires of a host. */
  readonly imageTraits: readonly string[]
  flavor: EmbeddedFlavor
  readonly metadata: Readonly<Record<string, string>>
  readonly description: string | null
  readonly hints: Readonly<Record<string, unknown>>
  /** The zone that was asked for. */
  readonly zone: string | null
  host: string | null
  vmState: VmState
  taskState: string | null
  fault: Fault | null
  readonly wantedPorts: readonly WantedPort[]
  addresses: readonly Address[]
  readonly createdAt: number
  updatedAt: number
  launchedAt: number | null
  deletedAt: number | null
  /** The host and flavor before a resize that waits to be confirmed. */
  old: { host: string; flavor: EmbeddedFlavor } | null
}

/** The name that a server has on its host. */
export const instanceName = ({ number }: Server): string => `instance-${number.toString(16).padStart(8, '0')}`

export function embed(flavor: Flavor): EmbeddedFlavor {
  const {
    extraSpecs,
    access: _access,
    number: _number,
    isPublic: _isPublic,
    description: _d,
    ...rest
  } = flavor
  return { ...rest, extraSpecs: new Map(extraSpecs) }
}

const statuses: Record<VmState, string> = {
  building: 'BUILD',
  active: 'ACTIVE',
  stopped: 'SHUTOFF',
  error: 'ERROR',
  resized: 'VERIFY_RESIZE',
  shelved_offloaded: 'SHELVED_OFFLOADED',
  deleted: 'DELETED',
}

export function statusOf({ vmState, taskState }: Server): string {
  if (taskState === 'rebooting') return 'REBOOT'
  if (taskState === 'rebooting_hard') return 'HARD_REBOOT'
  if (taskState?.startsWith('resize_')) return 'RESIZE'
  return statuses[vmState]
}

// The hosts that make up a region's general capacity, and their store's port.

export type ClassAmounts = Readonly<Record<string, number>>

/** The classes of a host that promises are made of. */
const promised = ['VCPU', 'MEMORY_MB', 'DISK_GB']

export const promisedOf = (amounts: ClassAmounts): ClassAmounts =>
  Object.fromEntries(
    Object.entries(amounts).filter(([name, amount]) => promised.includes(name) && amount > 0),
  )

export interface GeneralHost {
  readonly hypervisorHostname: string
  readonly amounts: ClassAmounts
}

export interface GeneralWriter {
  /** The hosts that make up a region's general capacity. */
  hosts(regionId: string): Promise<GeneralHost[]>
  put(regionId: string, hosts: readonly GeneralHost[]): Promise<void>
  /** Takes a host out of the general capacity and returns its amounts; null when it was not in it. */
  take(regionId: string, hypervisorHostname: string): Promise<ClassAmounts | null>
  /**
   * The usage of a region's general scope by servers that are no instances: its amounts by class, and its
   * consumer; null when there is none.
   */
  others(scope: number): Promise<{ readonly consumer: string; readonly amounts: ClassAmounts } | null>
}

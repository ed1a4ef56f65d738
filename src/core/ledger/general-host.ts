// The hosts that a region's general capacity is made of, and their store's port.

export type ClassAmounts = Readonly<Record<string, number>>

/** What of a host can be promised. */
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
  /** The hosts that a region's general capacity is made of. */
  hosts(regionId: string): Promise<GeneralHost[]>
  put(regionId: string, hosts: readonly GeneralHost[]): Promise<void>
  /** Returns what it was made of; null when it was none of them. */
  take(regionId: string, hypervisorHostname: string): Promise<ClassAmounts | null>
  /** What runs in a region beside our instances, by class, and under which name it was taken; null when nothing does. */
  others(scope: number): Promise<{ readonly consumer: string; readonly amounts: ClassAmounts } | null>
}

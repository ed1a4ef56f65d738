// The rows of a region's Placement: providers in trees, inventories, and allocations of consumers.

export interface Inventory {
  total: number
  reserved: number
  min_unit: number
  max_unit: number
  step_size: number
  allocation_ratio: number
}

export interface Provider {
  readonly uuid: string
  name: string
  generation: number
  parent: Provider | null
  root: Provider
  readonly children: Set<Provider>
  /** By resource class. */
  readonly inventories: Map<string, Inventory>
  /** Allocated amounts by resource class, of all consumers together. */
  readonly used: Map<string, number>
  readonly consumers: Set<Consumer>
  readonly traits: Set<string>
  /** Uuids of the aggregates that the provider is in. */
  readonly aggregates: Set<string>
}

/** Amounts by resource class. */
export type Amounts = ReadonlyMap<string, number>

export interface Consumer {
  readonly uuid: string
  generation: number
  projectId: string
  userId: string
  type: string
  allocations: ReadonlyMap<Provider, Amounts>
}

export const capacityOf = ({ total, reserved, allocation_ratio }: Inventory): number =>
  Math.trunc((total - reserved) * allocation_ratio)

/** Whether a provider can give so much of a class, besides what is allocated already. */
export function hasRoom(provider: Provider, resourceClass: string, amount: number, used: number): boolean {
  const inventory = provider.inventories.get(resourceClass)
  if (inventory === undefined) return false
  const { min_unit, max_unit, step_size } = inventory
  const isUnit = amount >= min_unit && amount <= max_unit && amount % step_size === 0
  return isUnit && used + amount <= capacityOf(inventory)
}

/** A provider and all below it. */
export function treeOf(provider: Provider): Provider[] {
  return [provider, ...[...provider.children].flatMap(treeOf)]
}

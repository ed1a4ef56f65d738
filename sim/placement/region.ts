// One region's Placement: providers, inventories and allocations. Every change of its state is made here.

import { State } from '../picture.ts'
import { isCustom, standardClasses, standardTraits } from './names.ts'
import { codes, conflict, invalid, inventoryInUse } from './refusals.ts'
import { type Amounts, type Consumer, hasRoom, type Inventory, type Provider, treeOf } from './rows.ts'

export interface ProviderSpec {
  uuid: string
  name: string
  parent: Provider | null
}

export interface ConsumerSpec {
  uuid: string
  projectId: string
  userId: string
  type: string
  allocations: ReadonlyMap<Provider, Amounts>
}

export class PlacementRegion {
  /** Providers by uuid. */
  readonly providers = new Map<string, Provider>()
  readonly providersByName = new Map<string, Provider>()
  /** The providers that have an inventory, by resource class. */
  readonly suppliers = new Map<string, Set<Provider>>()
  readonly consumers = new Map<string, Consumer>()
  readonly classes = new Set(standardClasses)
  readonly traits = new Set(standardTraits)
  /** The tables that Placement's database would hold, for faults of kind restore and empty. */
  readonly state = new State([
    this.providers,
    this.providersByName,
    this.suppliers,
    this.consumers,
    this.classes,
    this.traits,
  ])
  /** Called with a provider that is about to be removed. */
  onRemove: (provider: Provider) => void = () => undefined

  addProvider({ uuid, name, parent }: ProviderSpec): Provider {
    const taken = this.providers.has(uuid) ? `uuid: ${uuid}` : `name: ${name}`
    if (this.providers.has(uuid) || this.providersByName.has(name)) {
      throw conflict(`Conflicting resource provider ${taken} already exists.`, codes.duplicate)
    }
    const provider = { uuid, name, generation: 0, parent, children: new Set<Provider>() }
    const added: Provider = Object.assign(provider, {
      root: parent?.root as Provider,
      inventories: new Map<string, Inventory>(),
      used: new Map<string, number>(),
      consumers: new Set<Consumer>(),
      traits: new Set<string>(),
      aggregates: new Set<string>(),
    })
    if (parent === null) added.root = added
    parent?.children.add(added)
    this.providers.set(uuid, added)
    this.providersByName.set(name, added)
    return added
  }

  /** Renames a provider, and gives it another parent unless that makes a loop. */
  changeProvider(provider: Provider, name: string, parent: Provider | null): void {
    const holder = this.providersByName.get(name)
    if (holder !== undefined && holder !== provider) {
      throw conflict(`Conflicting resource provider ${name} already exists.`, codes.duplicate)
    }
    this.providersByName.delete(provider.name)
    provider.name = name
    this.providersByName.set(name, provider)
    if (parent === provider.parent) return
    provider.parent?.children.delete(provider)
    provider.parent = parent
    parent?.children.add(provider)
    for (const one of treeOf(provider)) one.root = parent?.root ?? provider
  }

  removeProvider(provider: Provider): void {
    const { uuid } = provider
    if (provider.children.size > 0) {
      const words = `Unable to delete parent resource provider ${uuid}: It has child resource providers.`
      throw conflict(words, codes.isParent)
    }
    if (provider.consumers.size > 0) {
      const words = `Unable to delete resource provider ${uuid}: Resource provider has allocations.`
      throw conflict(words, codes.providerInUse)
    }
    this.onRemove(provider)
    for (const resourceClass of provider.inventories.keys())
      this.suppliers.get(resourceClass)?.delete(provider)
    provider.parent?.children.delete(provider)
    this.providers.delete(uuid)
    this.providersByName.delete(provider.name)
  }

  /** Removes a provider, all below it, and their allocations, as when its host is removed. */
  removeTree(root: Provider): void {
    for (const provider of treeOf(root).reverse()) {
      for (const consumer of [...provider.consumers]) this.release(consumer)
      this.removeProvider(provider)
    }
  }

  /** Replaces a provider's inventories. Throws a conflict for a class that is in use and would go. */
  setInventories(provider: Provider, inventories: ReadonlyMap<string, Inventory>): void {
    for (const resourceClass of provider.inventories.keys()) {
      if (inventories.has(resourceClass) || !this.isUsed(provider, resourceClass)) continue
      throw conflict(`update conflict: ${inventoryInUse(resourceClass, provider.uuid)}`, codes.inUse)
    }
    for (const resourceClass of provider.inventories.keys())
      this.suppliers.get(resourceClass)?.delete(provider)
    provider.inventories.clear()
    for (const [resourceClass, inventory] of inventories)
      this.setInventory(provider, resourceClass, inventory)
    provider.generation += 1
  }

  /** Sets the inventory of one class; the caller raises the generation. */
  setInventory(provider: Provider, resourceClass: string, inventory: Inventory): void {
    provider.inventories.set(resourceClass, inventory)
    const suppliers = this.suppliers.get(resourceClass) ?? new Set()
    this.suppliers.set(resourceClass, suppliers.add(provider))
  }

  removeInventory(provider: Provider, resourceClass: string): void {
    provider.inventories.delete(resourceClass)
    this.suppliers.get(resourceClass)?.delete(provider)
    provider.generation += 1
  }

  isUsed(provider: Provider, resourceClass: string): boolean {
    return (provider.used.get(resourceClass) ?? 0) > 0
  }

  setTraits(provider: Provider, traits: Iterable<string>): void {
    replace(provider.traits, traits)
    provider.generation += 1
  }

  /** Sets a provider's aggregates; before 1.19 that does not raise the generation. */
  setAggregates(provider: Provider, aggregates: Iterable<string>, isCounted = true): void {
    replace(provider.aggregates, aggregates)
    if (isCounted) provider.generation += 1
  }

  removeTrait(name: string): void {
    if (!isCustom(name)) throw invalid(`Cannot delete standard trait ${name}.`)
    if ([...this.providers.values()].some(provider => provider.traits.has(name))) {
      throw conflict(`The trait ${name} is in use by a resource provider.`)
    }
    this.traits.delete(name)
  }

  removeClass(name: string): void {
    const failed = 'Error in delete resource class: Cannot delete'
    if (!isCustom(name)) throw invalid(`${failed} standard resource class ${name}.`)
    if ((this.suppliers.get(name)?.size ?? 0) > 0) {
      throw conflict(`${failed} resource class ${name}. Class is in use in inventory.`)
    }
    this.classes.delete(name)
    this.suppliers.delete(name)
  }

  /** Replaces a consumer's allocations; when that is refused, the old ones stay. */
  allocate(spec: ConsumerSpec): void {
    const known = this.consumers.get(spec.uuid)
    for (const [provider, amounts] of spec.allocations) {
      for (const [resourceClass, amount] of amounts) {
        const own = known?.allocations.get(provider)?.get(resourceClass) ?? 0
        checkRoom(provider, resourceClass, amount, (provider.used.get(resourceClass) ?? 0) - own)
      }
    }
    const generation = (known?.generation ?? 0) + 1
    if (known !== undefined) this.release(known)
    if (spec.allocations.size === 0) return
    const consumer: Consumer = { ...spec, generation }
    this.consumers.set(spec.uuid, consumer)
    for (const [provider, amounts] of spec.allocations) {
      provider.consumers.add(consumer)
      provider.generation += 1
      for (const [resourceClass, amount] of amounts) count(provider, resourceClass, amount)
    }
  }

  release(consumer: Consumer): void {
    for (const [provider, amounts] of consumer.allocations) {
      provider.consumers.delete(consumer)
      for (const [resourceClass, amount] of amounts) count(provider, resourceClass, -amount)
    }
    this.consumers.delete(consumer.uuid)
  }
}

function replace(set: Set<string>, values: Iterable<string>): void {
  const given = [...values]
  set.clear()
  for (const value of given) set.add(value)
}

function count(provider: Provider, resourceClass: string, amount: number): void {
  provider.used.set(resourceClass, (provider.used.get(resourceClass) ?? 0) + amount)
}

function checkRoom(provider: Provider, resourceClass: string, amount: number, used: number): void {
  const failed = 'Unable to allocate inventory:'
  const where = `'${resourceClass}' on resource provider '${provider.uuid}'`
  const inventory = provider.inventories.get(resourceClass)
  if (inventory === undefined) throw conflict(`${failed} Inventory for ${where} invalid.`)
  if (hasRoom(provider, resourceClass, amount, used)) return
  const isUnit = hasRoom(provider, resourceClass, amount, Number.NEGATIVE_INFINITY)
  const why = isUnit
    ? 'The requested amount would exceed the capacity.'
    : 'The requested amount would violate inventory constraints.'
  throw conflict(`${failed} Unable to create allocation for ${where}. ${why}`)
}

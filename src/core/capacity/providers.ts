// The verbs of providers: add, remove, and looking at them again now and then.

import type { App } from '../app.ts'
import type { Caller } from '../caller.ts'
import { AppError, conflict, invalid } from '../error.ts'
import { type Note, noteOf } from '../note.ts'
import type { Region } from '../regions/region.ts'
import { discoverRegion } from './general.ts'
import { noProvider, type Provider, providerKind } from './provider.ts'
import type { ProviderCloud, ProviderLogin, ProviderSight } from './provider-cloud.ts'

/** How old the last look at a provider may get. */
export const refreshMs = 300_000

/** Whether the last look at a provider is longer ago. */
export const isOlder = (app: Pick<App, 'now'>, { refreshedAt }: Provider, ms: number): boolean =>
  app.now().getTime() - refreshedAt.getTime() >= ms

const secretPlace = (id: string): string => `provider:${id}`

/** A provider's OpenStack, opened with the provider's credentials. */
export function openProvider(
  app: Pick<App, 'cloud' | 'secrets'>,
  { id, login, sealedPassword }: Provider,
  requestId: string,
): ProviderCloud {
  const password = app.secrets.open(sealedPassword, secretPlace(id))
  return app.cloud.provider({ ...login, password }, requestId)
}

/**
 * Registers a provider: its credentials must open the project and region that they name. Where the region is
 * one of Atoll's, its general capacity is discovered too. Throws `upstream` (with the reasons of
 * ProviderCloud), `unavailable`.
 */
export async function addProvider(app: App, caller: Caller, login: ProviderLogin): Promise<Provider> {
  const note = noteOf(app, caller, 'provider.add')
  const sight = await app.cloud.provider(login, caller.requestId).look()
  const region = await regionOf(app, sight)
  const { password, ...shown } = login
  const id = app.newId()
  const now = app.now()
  const provider = await app.store.transact(async tx => {
    const made: Provider = {
      id,
      name: sight.projectName,
      login: { ...shown, region: sight.region },
      sealedPassword: app.secrets.seal(password, secretPlace(id)),
      regionId: region?.id ?? null,
      budget: await tx.ledger.addBudget(now),
      isAdmin: sight.isAdmin,
      flavors: sight.flavors,
      limits: sight.limits,
      refreshedAt: now,
      lastError: null,
      suspicion: null,
      createdAt: now,
    }
    await tx.providers.insert(made, note)
    await tx.turns.ask([{ kind: providerKind, key: id, lane: '', at: new Date(now.getTime() + refreshMs) }])
    return made
  })
  if (region) await lookAround(app, region.name, note)
  return provider
}

async function regionOf(app: App, { region }: ProviderSight): Promise<Region | null> {
  return (await app.store.regions.list()).find(one => one.name === region) ?? null
}

/**
 * Discovers the region's general capacity. The region's survey does so again: a failure now delays the first
 * promise and loses nothing.
 */
async function lookAround(app: App, region: string, { caller }: Note): Promise<void> {
  try {
    await discoverRegion(app, region)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    app.report(error, `what ${region} has could not be seen (${caller.requestId}); that is tried later`)
  }
}

/**
 * Removes a provider with its pools. Throws `not_found`, `conflict` (`in_use`) while it has living
 * reservations or charged instances.
 */
export async function removeProvider(
  app: Pick<App, 'now' | 'store'>,
  caller: Caller,
  id: string,
): Promise<void> {
  await app.store.transact(async tx => {
    const provider = await tx.providers.get(id)
    if (!provider) throw noProvider(id)
    await tx.ledger.lock([provider.budget])
    const uses = await tx.providers.uses(id)
    if (uses > 0)
      throw conflict(
        `the provider has ${uses} reservations and instances: cancel and destroy them first`,
        'in_use',
      )
    await tx.providers.remove(id, noteOf(app, caller, 'provider.remove'))
  })
}

/**
 * The providers whose region has this name or lies in this zone. Throws `invalid` for a zone that no region
 * has.
 */
export async function providersIn(app: Pick<App, 'store'>, zone: string | null): Promise<Provider[]> {
  const providers = await app.store.providers.list()
  if (zone === null) return providers
  const regions = (await app.store.regions.list()).filter(one =>
    [one.name, one.availabilityZone, one.localAvailabilityZone].includes(zone),
  )
  if (regions.length === 0 || zone === '') throw invalid(`there is no zone ${zone}`, 'no_zone')
  const ids = new Set(regions.map(one => one.id))
  return providers.filter(({ regionId }) => regionId !== null && ids.has(regionId))
}

/**
 * Looks at a provider anew; a look that fails is noted with the provider, and what the last one showed stays.
 */
export async function refreshProvider(
  app: Pick<App, 'now' | 'store'>,
  provider: Provider,
  cloud: ProviderCloud,
): Promise<Provider> {
  try {
    const { flavors, limits, isAdmin } = await cloud.look()
    const sight = { flavors, limits, isAdmin }
    await app.store.transact(tx => tx.providers.setSight(provider.id, sight, null, app.now()))
    return { ...provider, ...sight, refreshedAt: app.now(), lastError: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    await app.store.transact(tx => tx.providers.setSight(provider.id, null, error.message, app.now()))
    throw error
  }
}

// The few questions that verbs ask of the model beside single rows.

import type { App } from '../ports.ts'
import type { Kind, Kinds, Port } from './model.ts'
import type { Condition } from './network-store.ts'

/** All rows that these conditions fit, whoever's they are. */
export async function all<K extends Kind>(
  app: App,
  kind: K,
  ...where: readonly Condition[]
): Promise<Kinds[K][]> {
  const query = { sight: 'atoll', where, sort: [], limit: null, marker: null, reverse: false } as const
  return (await app.store.networks.list(kind, query)) ?? []
}

/** As `all`, but no more than so many. */
export async function some<K extends Kind>(
  app: App,
  kind: K,
  limit: number,
  ...where: readonly Condition[]
): Promise<Kinds[K][]> {
  const query = { sight: 'atoll', where, sort: [], limit, marker: null, reverse: false } as const
  return (await app.store.networks.list(kind, query)) ?? []
}

export const interfaceOwner = 'network:router_interface'

/** The ports by which a router is on its networks. */
export const interfacesOf = (app: App, routerId: string): Promise<Port[]> =>
  all(app, 'port', { field: 'deviceId', in: [routerId] }, { field: 'deviceOwner', in: [interfaceOwner] })

/** The ports by which routers are on a network. */
export const interfacesOn = (app: App, networkId: string): Promise<Port[]> =>
  all(app, 'port', { field: 'networkId', in: [networkId] }, { field: 'deviceOwner', in: [interfaceOwner] })

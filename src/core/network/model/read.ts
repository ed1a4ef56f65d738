// Reading one resource of the central model, as a caller may see it.

import type { App } from '../../app.ts'
import { type Caller, isAtLeast } from '../../caller.ts'
import { AppError, notFound } from '../../error.ts'
import { type Kind, type Kinds, wordOf } from './model.ts'
import type { Sight } from './network-store.ts'

/** The sight of a caller: an admin's is all, anybody else's their project's and what is shared with all. */
export const sightOf = (caller: Caller): Sight =>
  isAtLeast(caller, 'admin') ? null : { projectId: caller.projectId ?? '' }

export interface GetAsk<K extends Kind> {
  readonly kind: K
  readonly id: string
}

/** A resource that the caller may see; throws `not_found` (`network`, `port`, … as reason). */
export async function getResource<K extends Kind>(
  app: Pick<App, 'store'>,
  caller: Caller,
  { kind, id }: GetAsk<K>,
): Promise<Kinds[K]> {
  const row = await app.store.networks.get(kind, id, sightOf(caller))
  if (!row) throw unknown(kind, id)
  return row
}

/**
 * A resource that the caller may change: one of their project, a subnet on a network of theirs, or any for an admin.
 * Throws `not_found`, or `forbidden` for one that the caller may only see.
 */
export async function getOwn<K extends Kind>(
  app: Pick<App, 'store'>,
  caller: Caller,
  ask: GetAsk<K>,
): Promise<Kinds[K]> {
  const row = await getResource(app, caller, ask)
  if (row.projectId === caller.projectId || isAtLeast(caller, 'admin')) return row
  if (ask.kind === 'subnet') {
    const network = await app.store.networks.get('network', (row as Kinds['subnet']).networkId, 'atoll')
    if (network?.projectId === caller.projectId) return row
  }
  throw new AppError(
    'forbidden',
    `The ${wordOf(ask.kind)} ${ask.id} is another project's: it is only shown to yours`,
    {
      rule: `update_${ask.kind}`,
      needs: 'admin',
    },
  )
}

export const unknown = (kind: Kind, id: string) => notFound(`There is no ${wordOf(kind)} ${id}`, kind)

// A provider: credentials for one project of one OpenStack, and the budget of what may be promised of it.

import { notFound } from '../error.ts'
import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'
import type { ProviderFlavor, ProviderLogin } from './provider-cloud.ts'

export interface Provider {
  readonly id: string
  /** The project's name there. */
  readonly name: string
  readonly login: Omit<ProviderLogin, 'password'>
  /** The password, sealed for `provider:ID`. */
  readonly sealedPassword: string
  /** The region of Atoll's that it is in; null where Atoll knows none: then there is a budget and nothing else. */
  readonly regionId: string | null
  /** Its budget's account in the ledger. */
  readonly budget: number
  readonly flavors: readonly ProviderFlavor[]
  readonly limits: Partial<Amounts>
  readonly refreshedAt: Date
  /** Why it could not be refreshed the last time. */
  readonly lastError: string | null
  /** Why what it does not show is not taken for gone; null while it is believed. */
  readonly suspicion: { readonly since: Date; readonly reason: string } | null
  readonly createdAt: Date
}

export interface ProviderStore {
  /** In order of creation. */
  list(): Promise<Provider[]>
  get(id: string): Promise<Provider | null>
}

export interface ProviderWriter {
  insert(provider: Provider, note: Note): Promise<void>
  /** What was seen of it; null where it could not be seen. */
  setSight(
    id: string,
    sight: Pick<Provider, 'flavors' | 'limits'> | null,
    error: string | null,
    at: Date,
  ): Promise<void>
  /** Null: it is believed. */
  setSuspicion(id: string, suspicion: Provider['suspicion']): Promise<void>
  /** How many living reservations and charged instances it has. */
  uses(id: string): Promise<number>
  /** False when there is none. Its pools go with it. */
  remove(id: string, note: Note): Promise<boolean>
}

export const noProvider = (id: string) =>
  notFound(`no matching provider found for specified identifier: ${id}`, 'no_provider')

/** The clockwork's kind of the turns in which a provider is looked at, by its id. */
export const providerKind = 'provider'

// A provider: credentials for one project of one OpenStack, and its budget.

import { notFound } from '../error.ts'
import type { Note } from '../note.ts'
import type { Amounts } from './amounts.ts'
import type { ProviderFlavor, ProviderLogin } from './provider-cloud.ts'

export interface Provider {
  readonly id: string
  /** The project's name in the provider's OpenStack. */
  readonly name: string
  readonly login: Omit<ProviderLogin, 'password'>
  /** The password, sealed for `provider:ID`. */
  readonly sealedPassword: string
  /**
   * The region of Atoll that the provider is in; null where Atoll has no such region: then it has a budget
   * and no general scope.
   */
  readonly regionId: string | null
  /** Its budget's account in the ledger. */
  readonly budget: number
  /** Whether its user has the role admin, which it needs for nothing. */
  readonly isAdmin: boolean
  readonly flavors: readonly ProviderFlavor[]
  readonly limits: Partial<Amounts>
  readonly refreshedAt: Date
  /** Why the last look at the provider failed. */
  readonly lastError: string | null
  /** Why servers that the provider does not show are not taken for gone; null while it is believed. */
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
  /** Writes what the last look at the provider showed; null where it failed. */
  setSight(
    id: string,
    sight: Pick<Provider, 'flavors' | 'limits' | 'isAdmin'> | null,
    error: string | null,
    at: Date,
  ): Promise<void>
  /** Writes why a provider is not believed; null: it is believed. */
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

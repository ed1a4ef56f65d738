// A store over a database of its own, and regions, bindings and routings to put into it.

import { randomUUID } from 'node:crypto'
import type { App, Store } from '../../src/core/app.ts'
import { AppError } from '../../src/core/error.ts'
import type { Note } from '../../src/core/note.ts'
import type { Binding } from '../../src/core/regions/binding.ts'
import type { Region } from '../../src/core/regions/region.ts'
import type { RoutingSpec } from '../../src/core/routing/routing.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { createStore } from '../../src/store/store.ts'
import { testDatabase } from '../postgres.ts'

export interface Stored {
  readonly url: string
  readonly database: Database
  readonly store: Store
  /** For verbs that ask for the store, the time and ids, and for nothing else. */
  readonly app: App
  newRegion(fields?: Partial<Region>): Promise<Region>
  /** Every line of the audit trail, oldest first. */
  trail(): Promise<Line[]>
}

export interface Line {
  at: Date
  request_id: string
  user_id: string
  project_id: string | null
  action: string
  target: string
  state: Record<string, unknown>
}

export async function stored(): Promise<Stored> {
  const { url } = await testDatabase()
  const database = openDatabase(url, { connections: 20, name: 'store test', onError: () => {} })
  const store = createStore(database.db)
  return {
    url,
    database,
    store,
    app: { store, now: () => new Date(), newId: randomUUID as () => string } as App,
    async newRegion(fields = {}) {
      const made = region(fields)
      await store.regions.create(made, noted('region.create'))
      return made
    },
    trail: async () => (await database.pool.query<Line>('select * from audit order by id')).rows,
  }
}

export const caller = {
  userId: 'u1',
  userName: 'user',
  projectId: 'p1',
  projectName: 'project',
  roles: ['admin'],
  requestId: 'req-1',
}
export const at = new Date('2026-11-20T10:20:30.456Z')
export const noted = (action: string): Note => ({ caller, at, action })
export const region = (fields: Partial<Region> = {}): Region => ({
  id: randomUUID(),
  name: `Pod-${randomUUID()}`,
  availabilityZone: 'az1',
  localAvailabilityZone: '',
  dataCenter: '',
  createdAt: new Date(),
  ...fields,
})
export const routing = (regionId: string, fields: Partial<RoutingSpec> = {}): RoutingSpec => ({
  centralId: randomUUID(),
  regionalId: randomUUID(),
  regionId,
  projectId: 'p1',
  resourceType: 'network',
  ...fields,
})
export const binding = (regionId: string, fields: Partial<Binding> = {}): Binding => ({
  id: randomUUID(),
  projectId: 'p1',
  regionId,
  createdAt: new Date(),
  updatedAt: null,
  ...fields,
})
/** How each attempt ended: `done`, or what the refusal says. */
export async function outcomes(attempts: Promise<unknown>[]): Promise<Record<string, number>> {
  const count: Record<string, number> = {}
  for (const attempt of await Promise.allSettled(attempts)) {
    const outcome = attempt.status === 'fulfilled' ? 'done' : reasonOf(attempt.reason)
    count[outcome] = (count[outcome] ?? 0) + 1
  }
  return count
}
function reasonOf(error: unknown): string {
  if (!(error instanceof AppError)) throw error
  return `${error.code} ${error.detail.reason}`
}
export const times = <T>(n: number, make: (index: number) => T): T[] =>
  Array.from({ length: n }, (_, index) => make(index))

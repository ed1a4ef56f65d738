// A binding: which region a project's unplaced things go to. Its shape and its store's port.

import type { Note } from '../note.ts'
import type { PageRequest } from '../page.ts'

export interface Binding {
  readonly id: string
  readonly projectId: string
  readonly regionId: string
  readonly createdAt: Date
  readonly updatedAt: Date | null
}

export type BindingSpec = Pick<Binding, 'projectId' | 'regionId'>

export interface BindingStore {
  /** Up to `limit` bindings in order of creation, after the one with the id `marker`. */
  list(page: PageRequest<string>): Promise<Binding[]>
  get(id: string): Promise<Binding | null>
  /** The ids of the regions that a project is bound to, in order of binding. */
  regionsOf(projectId: string): Promise<string[]>
  /** Throws `conflict` when the project is bound to the region already, `invalid` when the region is gone. */
  create(binding: Binding, note: Note): Promise<void>
  /** False when there is no such binding. */
  remove(id: string, note: Note): Promise<boolean>
}

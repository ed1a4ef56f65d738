// A world in which there are more persons, who see less of the Networking API.

import { type Person, type Reply, type World, type WorldSpec, world } from '../../world.ts'
import { personWith } from '../people.ts'

export interface Networked extends AsyncDisposable {
  readonly w: World
  /** An admin; a member, a reader and a stranger of a project of their own each. */
  readonly admin: Person
  readonly demo: Person
  readonly alt: Person
  readonly reader: Person
}

export async function networked(spec: WorldSpec = {}): Promise<Networked> {
  const w = await world({ joined: true, ...spec })
  return {
    w,
    admin: w.admin,
    demo: w.demo,
    alt: personWith(w, 'alt', ['member']),
    reader: personWith(w, 'reader', ['reader']),
    [Symbol.asyncDispose]: () => w[Symbol.asyncDispose](),
  }
}

/** The error of an answer: its status, Neutron's name for it, and what is said. */
export const errorOf = ({ status, json }: Reply): [number, string, string] => [
  status,
  json?.NeutronError?.type,
  json?.NeutronError?.message,
]

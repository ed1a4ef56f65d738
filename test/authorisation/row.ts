// A row of the table: one operation on one kind of thing, and the rules of Neutron that it asks.

import { pathOf } from '../world/person.ts'
import type { Json } from '../world.ts'
import type { Scene, Where, Whose } from './scene.ts'

export interface Request {
  readonly method: string
  readonly path: string
  readonly body?: object
}

export interface Row {
  /** The rule that it is about; a row may touch others too. */
  readonly rule: string
  /** What sort of thing it is done to. */
  readonly what: string
  /** Makes what the request needs, and says what is asked. */
  request(scene: Scene): Promise<Request>
  /** Of a look: the attribute that is shown or hidden. */
  readonly attribute?: string
}

type Make = (scene: Scene) => Promise<string> | string
type Fields = object | ((scene: Scene) => Promise<object> | object)

const fieldsOf = async (fields: Fields, scene: Scene): Promise<object> =>
  typeof fields === 'function' ? fields(scene) : fields

/** `what` names the thing; `id` makes it. */
export interface Thing {
  readonly what: string
  readonly id: Make
}

export const get = (kind: string, things: readonly Thing[], attributes: readonly string[] = []): Row[] =>
  things.flatMap(({ what, id }) => {
    const request = async (s: Scene) => ({ method: 'GET', path: `${pathOf(kind)}/${await id(s)}` })
    return [
      { rule: `get_${kind}`, what, request },
      ...attributes.map(attribute => ({ rule: `get_${kind}:${attribute}`, what, request, attribute })),
    ]
  })

export const remove = (kind: string, things: readonly Thing[]): Row[] =>
  things.map(({ what, id }) => ({
    rule: `delete_${kind}`,
    what,
    request: async s => ({ method: 'DELETE', path: `${pathOf(kind)}/${await id(s)}` }),
  }))

/** `fields` by the rule's attribute; an empty name is the verb's own rule. */
export const update = (
  kind: string,
  things: readonly Thing[],
  changes: Readonly<Record<string, Fields>>,
): Row[] =>
  things.flatMap(({ what, id }) =>
    Object.entries(changes).map(([attribute, fields]) => ({
      rule: attribute === '' ? `update_${kind}` : `update_${kind}:${attribute}`,
      what,
      request: async (s: Scene) => ({
        method: 'PUT',
        path: `${pathOf(kind)}/${await id(s)}`,
        body: { [kind]: await fieldsOf(fields, s) },
      }),
    })),
  )

export const create = (
  kind: string,
  things: readonly { readonly what: string; readonly fields: Fields }[],
  more: Readonly<Record<string, Fields>> = { '': {} },
): Row[] =>
  things.flatMap(({ what, fields }) =>
    Object.entries(more).map(([attribute, others]) => ({
      rule: attribute === '' ? `create_${kind}` : `create_${kind}:${attribute}`,
      what,
      request: async (s: Scene) => ({
        method: 'POST',
        path: pathOf(kind),
        body: { [kind]: { ...(await fieldsOf(fields, s)), ...(await fieldsOf(others, s)) } },
      }),
    })),
  )

/** A thing of somebody's, made for the row. */
export const ofWhom = (kind: string, whose: Whose, fields: Fields = {}): Thing => ({
  what: whose,
  id: async s => (await s.make(kind, await fieldsOf(fields, s), whose)).id,
})

export const port = (whose: Whose, where: Where): Thing => ({
  what: `${whose} on ${where}`,
  id: async s => (await s.make('port', { network_id: s.networks[where], security_groups: [] }, whose)).id,
})

export const idOf = async (made: Promise<Json>): Promise<string> => (await made).id

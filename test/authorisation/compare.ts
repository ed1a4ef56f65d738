// Asks one side every row as every person, and compares what two sides have answered.

import { pathOf } from '../world/person.ts'
import type { Row } from './row.ts'
import type { Scene } from './scene.ts'
import { type Answer, type Persona, personas, type Side } from './sides.ts'

export type Outcomes = Readonly<Record<Persona, string>>

/** `200`, `403`; of a look at one attribute also whether it is there. */
function outcomeOf({ attribute }: Row, { status, json }: Answer): string {
  if (attribute === undefined || status !== 200) return String(status)
  const [shown] = Object.values(json) as [object]
  return Object.hasOwn(shown, attribute) ? 'shown' : 'hidden'
}

/** What each person gets for a row. What is refused changes nothing, so that the next person is asked the same. */
async function ask(side: Side, scene: Scene, row: Row): Promise<Outcomes> {
  const outcomes = {} as Record<Persona, string>
  let request = await row.request(scene)
  for (const persona of personas) {
    const { method, path, body } = request
    const answer = await side.ask(scene.people.tokens[persona], method, path, body)
    if (answer.status >= 500)
      throw new Error(
        `${side.name}: ${persona} ${method} ${path}: ${answer.status} ${JSON.stringify(answer.json)}`,
      )
    outcomes[persona] = outcomeOf(row, answer)
    if (answer.status >= 300 || method === 'GET') continue
    if (path.endsWith('/add_router_interface'))
      await scene.do('PUT', path.replace(/add_router_interface$/, 'remove_router_interface'), body)
    for (const [kind, made] of Object.entries(method === 'POST' ? answer.json : {}))
      if (path === pathOf(kind)) scene.noted(kind, (made as { id: string }).id)
    if (persona !== personas.at(-1)) request = await row.request(scene)
  }
  await scene.clear()
  return outcomes
}

export async function askAll(side: Side, scene: Scene, rows: readonly Row[]): Promise<Outcomes[]> {
  const all: Outcomes[] = []
  for (const row of rows) {
    try {
      all.push(await ask(side, scene, row))
    } catch (error) {
      throw new Error(`${side.name}, ${row.rule} (${row.what})`, { cause: error })
    }
  }
  return all
}

/** One question to which two sides gave different answers. */
export interface Difference {
  readonly release: string
  readonly rule: string
  readonly what: string
  readonly persona: Persona
  /** `403 for 201`: Atoll's answer, and the region's. */
  readonly answers: string
}

export function compare(
  release: string,
  rows: readonly Row[],
  ours: readonly Outcomes[],
  theirs: readonly Outcomes[],
): Difference[] {
  return rows.flatMap(({ rule, what }, at) =>
    personas
      .filter(persona => ours[at]![persona] !== theirs[at]![persona])
      .map(persona => ({
        release,
        rule,
        what,
        persona,
        answers: `${ours[at]![persona]} for ${theirs[at]![persona]}`,
      })),
  )
}

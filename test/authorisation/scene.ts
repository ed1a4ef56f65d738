// The things that the rows of the table are about, on one side: networks of several projects, and whatever a row needs
// of its own. An admin makes them all.

import { pathOf } from '../world/person.ts'
import type { Json } from '../world.ts'
import type { People, Side } from './sides.ts'

/** Whose a thing is. */
export type Whose = 'mine' | 'owners' | 'others' | 'admins'
/** A network by what it is to the members: their own, the owner's that is shared, another project's, one outside. */
export type Where = 'own' | 'shared' | 'foreign' | 'outside'

export interface Scene {
  readonly people: People
  readonly networks: Readonly<Record<Where, string>>
  readonly subnets: Readonly<Record<Where, string>>
  /** What a network outside is given beside being that. */
  readonly outside: object
  /** Makes one thing, and removes it after the row. */
  make(kind: string, fields?: object, whose?: Whose): Promise<Json>
  /** Notes what a row's own request has made. */
  noted(kind: string, id: string): void
  do(method: string, path: string, body?: object): Promise<Json>
  /** An address of a subnet, and a MAC, that nobody has. */
  address(where: Where): string
  mac(): string
  /** Notes what has to be done before the things that are there by now can be removed. */
  undo(work: () => Promise<unknown>): void
  /** Removes what the row has made. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface SceneSpec {
  readonly people: People
  /** The hints of the network outside: Atoll wants to know its region. */
  readonly outside: object
}

const owners: Readonly<Record<Where, Whose>> = {
  own: 'mine',
  shared: 'owners',
  foreign: 'others',
  outside: 'admins',
}
const ranges: Readonly<Record<Where, string>> = {
  own: '10.131',
  shared: '10.132',
  foreign: '10.133',
  outside: '10.134',
}

export async function openScene(side: Side, { people, outside }: SceneSpec): Promise<Scene> {
  const made: (() => Promise<unknown>)[] = []
  let last = 0
  const admin = people.tokens.admin

  async function good(method: string, path: string, body?: object): Promise<Json> {
    const { status, json } = await side.ask(admin, method, path, body)
    if (status < 300) return json
    throw new Error(
      `${side.name}: ${method} ${path} ${JSON.stringify(body)}: ${status} ${JSON.stringify(json)}`,
    )
  }

  async function make(kind: string, fields: object = {}, whose: Whose = 'mine'): Promise<Json> {
    const project_id = people[whose]
    const row = (await good('POST', pathOf(kind), { [kind]: { project_id, ...fields } }))[kind]
    noted(kind, row.id)
    return row
  }

  /** What is gone already when it is to be removed is none of the scene's business. */
  const noted = (kind: string, id: string) =>
    void made.push(async () => {
      const { status } = await side.ask(admin, 'DELETE', `${pathOf(kind)}/${id}`)
      if (status >= 300 && status !== 404)
        throw new Error(`${side.name}: ${kind} ${id} does not go: ${status}`)
    })

  /** Undoes in the opposite order what came after this many things. */
  async function clear(after: number): Promise<void> {
    for (const undo of made.splice(after).reverse()) await undo()
  }

  const [networks, subnets] = [{}, {}] as [Record<Where, string>, Record<Where, string>]
  const kinds = {
    own: {},
    shared: { shared: true },
    foreign: {},
    outside: { 'router:external': true, ...outside },
  }
  for (const where of ['own', 'shared', 'foreign', 'outside'] as const) {
    networks[where] = (await make('network', kinds[where], owners[where])).id
    const range = {
      network_id: networks[where],
      ip_version: 4,
      cidr: `${ranges[where]}.0.0/16`,
      enable_dhcp: false,
    }
    const pools = [{ start: `${ranges[where]}.1.1`, end: `${ranges[where]}.9.250` }]
    subnets[where] = (await make('subnet', { ...range, allocation_pools: pools }, owners[where])).id
  }
  const base = made.length

  return {
    people,
    networks,
    subnets,
    outside,
    make,
    noted,
    undo: work => void made.push(work),
    do: good,
    address: where => `${ranges[where]}.77.${(last++ % 250) + 1}`,
    mac: () =>
      `fa:16:3e:99:${(last >> 8).toString(16).padStart(2, '0')}:${(last++ & 255).toString(16).padStart(2, '0')}`,
    clear: () => clear(base),
    async close() {
      await clear(0)
      // A project's default group is made without being asked for.
      for (const project of [people.mine, people.owners, people.others]) {
        const { security_groups: groups } = await good('GET', `/security-groups?project_id=${project}`)
        for (const { id } of groups) await side.ask(admin, 'DELETE', `/security-groups/${id}`)
      }
    },
  }
}

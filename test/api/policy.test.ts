// Who may do what: every route asked by everybody, against the committed table (policy-table.ts).

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { mounts } from '../../src/mounts.ts'
import { seed, share } from '../chance.ts'
import { type Reply, type World, world } from '../world.ts'
import { type Person, people, strangers, tokens } from './people.ts'
import { policyTable, readTable } from './policy-table.ts'
import { allRoutes, goodRequests, pathWith, rowCounts } from './requests.ts'

const config = loadConfig(undefined, {})
const routes = allRoutes({ config })
const rows = readTable(policyTable)

/** For whoever asks, by the policy of its face. */
const isPublic = (name: string): boolean => {
  const { face, route } = routes.find(one => one.name === name)!
  return mounts(config).find(mount => mount.face.name === face)!.face.policy[route.rule] === 'public'
}

/** By its status, or by what a Promise answers with 200. */
const isRefused = ({ status, json }: Reply): boolean =>
  status >= 400 || (json?.['opnfv-promise:output'] ?? json)?.result === 'error'

describe('the policy table', () => {
  it('has one row for every route, and none for a route that is not there', () => {
    expect(rows.map(row => row.route).sort()).toEqual(routes.map(route => route.name).sort())
  })

  it('has a status for everybody', () => {
    for (const row of rows) expect(Object.keys(row.statuses), row.route).toEqual([...people])
  })

  it('lets no stranger pass anywhere but at what is public', () => {
    for (const { route, statuses } of rows.filter(row => !isPublic(row.route)))
      for (const stranger of strangers) expect(statuses[stranger], `${route} ${stranger}`).toBe(401)
    expect(rows.map(row => row.route).filter(isPublic)).toEqual([
      'GET /reservation',
      'GET /reservation/versions',
      'GET /network',
    ])
  })
})

describe('the policy of every face', () => {
  it('has a rule for each of its routes, and no rule that no route has', () => {
    for (const { face } of mounts(config)) {
      const named = new Set(face.routes.map(route => route.rule))
      expect(Object.keys(face.policy).sort(), face.name).toEqual([...named].sort())
    }
  })
})

describe('every route answers everybody as the table says', () => {
  let w: World
  let secrets: Record<Person, string | undefined>
  const drawn = seed()
  beforeAll(async () => {
    console.log(`other names of routes: SEED=${drawn}`)
    w = await world()
    secrets = await tokens(w)
  })
  afterAll(() => w[Symbol.asyncDispose]())

  /** Other mounts and names of a route lead to the same code. */
  const isAlias = ({ route }: (typeof rows)[number]): boolean =>
    routes.some(({ name, own }) => name === route && name !== own)
  const asked = [...rows.filter(row => !isAlias(row)), ...share(rows.filter(isAlias), drawn)]

  it.each(asked)('$route', async ({ route, statuses }) => {
    const { method, path, own } = routes.find(one => one.name === route)!
    let request = await goodRequests[own]!(w)
    let counts = await rowCounts(w)
    const ask = async (person: Person) => {
      const secret = secrets[person]
      const as = secret === undefined ? 'nobody' : { token: secret }
      const reply = await w.call(method, pathWith(path, request.id), { as, body: request.body })
      if (isRefused(reply)) {
        expect(await rowCounts(w), 'who is refused changes nothing').toEqual(counts)
      } else {
        // Who creates takes what the next one would have.
        if (method === 'POST') request = await goodRequests[own]!(w)
        counts = await rowCounts(w)
      }
      return reply
    }
    const found: Record<string, number> = {}
    for (const person of people.slice(1)) {
      const reply = await ask(person)
      found[person] = reply.status
      const isStranger = reply.json?.error?.title === 'Unauthorized'
      const isTold = strangers.includes(person) && !isPublic(route)
      expect(isStranger, `${person} is told to log in`).toBe(isTold)
    }
    // Last: what the admin asks for is done.
    found.admin = (await ask('admin')).status
    expect(found).toEqual(statuses)
  })
})

describe('the operator’s policy', () => {
  it('takes the place of the default, in both directions', async () => {
    await using w = await world({
      settings: { ATOLL_POLICY: '{"admin_api:pods:list": reader, "admin_api:routings:list": nobody}' },
    })
    expect((await w.call('GET', '/v1.0/pods', { as: 'demo' })).status).toBe(200)
    const refused = await w.call('GET', '/v1.0/routings')
    expect(refused.status).toBe(403)
    expect(refused.json.forbidden.policy).toEqual({ rule: 'admin_api:routings:list', needs: 'nobody' })
  })
})

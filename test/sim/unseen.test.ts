// Services that do not show a user what is there: blind ones, and those that do not take the user for an admin.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type Person, startRegion, type TestRegion } from './nova-region.ts'

let r: TestRegion
let ids: { network: string; own: string; shared: string; port: string; server: string; host: string }

beforeAll(async () => {
  r = await startRegion()
  const network = await makeNetwork(r.demo, {})
  const port = await r.demo.neutron('POST', '/ports', { port: { network_id: network } })
  ids = {
    network,
    own: await makeNetwork(r.admin, {}),
    shared: await makeNetwork(r.admin, { shared: true, project_id: r.demo.projectId }),
    port: port.body.port.id,
    server: (await r.demo.boot()).id,
    host: r.nova.host('H1').uuid,
  }
})
afterAll(() => r[Symbol.asyncDispose]())
beforeEach(() => r.cloud.faults.clear())

async function makeNetwork(who: Person, fields: object): Promise<string> {
  const { body } = await who.neutron('POST', '/networks', { network: { name: 'n', ...fields } })
  return body.network.id
}

type Ask = (who: Person) => Promise<Answer>

const statuses = (who: Person, asks: readonly Ask[]): Promise<number[]> =>
  Promise.all(asks.map(async ask => (await ask(who)).status))

const networkIds = async (who: Person): Promise<string[]> =>
  (await who.neutron('GET', '/networks')).body.networks.map(({ id }: { id: string }) => id).sort()

const neutronOnes: readonly Ask[] = [
  who => who.neutron('GET', `/networks/${ids.network}`),
  who => who.neutron('GET', `/ports/${ids.port}`),
]
const novaOnes: readonly Ask[] = [
  who => who.nova('GET', `/servers/${ids.server}`),
  who => who.nova('GET', `/os-hypervisors/${ids.host}`),
  who => who.nova('GET', `/flavors/${r.nova.flavor('plain')!.id}`),
]
const placementOnes: readonly Ask[] = [
  who => who.placement('GET', `/resource_providers/${ids.host}`),
  who => who.placement('GET', `/resource_providers/${ids.host}/inventories`),
]

describe('a blind service', () => {
  test('Neutron lists nothing, and one thing is a 404 in its words', async () => {
    const fault = r.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'neutron' })
    for (const kind of ['networks', 'ports', 'security-groups', 'security-group-rules', 'agents']) {
      const { body } = await r.admin.neutron('GET', `/${kind}`)
      expect(body).toEqual({ [kind.replaceAll('-', '_')]: [] })
    }
    const one = await r.admin.neutron('GET', `/networks/${ids.network}`)
    expect(one.status).toBe(404)
    expect(one.body.NeutronError.type).toBe('NetworkNotFound')
    expect(await statuses(r.admin, neutronOnes)).toEqual([404, 404])
    expect(await statuses(r.admin, [...novaOnes, ...placementOnes])).toEqual([200, 200, 200, 200, 200])
    fault.remove()
    expect(await statuses(r.admin, neutronOnes)).toEqual([200, 200])
    expect(await networkIds(r.admin)).toContain(ids.network)
  })

  test('Nova lists nothing, and one thing is a 404 in its words', async () => {
    const fault = r.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'nova' })
    expect((await r.admin.nova('GET', '/servers?all_tenants=1')).body).toEqual({ servers: [] })
    expect((await r.admin.nova('GET', '/os-hypervisors')).body).toEqual({ hypervisors: [] })
    expect((await r.admin.nova('GET', '/os-aggregates')).body).toEqual({ aggregates: [] })
    expect((await r.admin.nova('GET', `/servers/${ids.server}`)).body.itemNotFound.code).toBe(404)
    expect(await statuses(r.admin, novaOnes)).toEqual([404, 404, 404])
    fault.remove()
    expect(await statuses(r.admin, novaOnes)).toEqual([200, 200, 200])
  })

  test('Placement lists nothing, and one thing is a 404 in its words', async () => {
    const fault = r.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'placement' })
    expect((await r.admin.placement('GET', '/resource_providers')).body).toEqual({ resource_providers: [] })
    const one = await r.admin.placement('GET', `/resource_providers/${ids.host}`)
    expect(one.body.errors[0].status).toBe(404)
    expect(await statuses(r.admin, placementOnes)).toEqual([404, 404])
    fault.remove()
    expect(await statuses(r.admin, placementOnes)).toEqual([200, 200])
  })

  test('is blind for one user alone when that is asked for, by name or by id', async () => {
    for (const user of ['demo', r.cloud.keystone.userId('demo')]) {
      const fault = r.cloud.faults.add({ kind: 'blind', region: 'Pod1', user })
      expect(await statuses(r.demo, [neutronOnes[0]!, novaOnes[0]!])).toEqual([404, 404])
      expect(await statuses(r.admin, [neutronOnes[0]!, novaOnes[0]!])).toEqual([200, 200])
      fault.remove()
      expect(await statuses(r.demo, [neutronOnes[0]!, novaOnes[0]!])).toEqual([200, 200])
    }
  })

  test('does what it is told: what is written stays when it sees again', async () => {
    const fault = r.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'neutron' })
    const made = await makeNetwork(r.demo, {})
    expect((await r.demo.neutron('GET', `/networks/${made}`)).status).toBe(404)
    expect((await r.demo.neutron('DELETE', `/networks/${made}`)).status).toBe(204)
    const kept = await makeNetwork(r.demo, {})
    fault.remove()
    expect((await r.demo.neutron('GET', `/networks/${made}`)).status).toBe(404)
    expect((await r.demo.neutron('GET', `/networks/${kept}`)).status).toBe(200)
  })

  test('leaves other faults their turn', async () => {
    r.cloud.faults.add({ kind: 'blind', region: 'Pod1', times: 2 })
    r.cloud.faults.add({ kind: 'status', status: 503, region: 'Pod1', times: 1 })
    const seen: number[] = []
    for (let count = 0; count < 3; count++) seen.push((await neutronOnes[0]!(r.demo)).status)
    expect(seen).toEqual([503, 404, 200])
  })
})

test('any fault can mean one user alone', async () => {
  r.cloud.faults.add({ kind: 'status', status: 503, region: 'Pod1', user: 'demo' })
  expect(await statuses(r.demo, [neutronOnes[0]!, novaOnes[0]!])).toEqual([503, 503])
  expect(await statuses(r.admin, [neutronOnes[0]!, novaOnes[0]!])).toEqual([200, 200])
})

/** What an admin's token does not do, and does again: by a fault, and by Keystone. */
const ways: readonly [string, () => Promise<() => Promise<unknown>>][] = [
  [
    'by a fault',
    async () => {
      const fault = r.cloud.faults.add({ kind: 'demoted', region: 'Pod1', user: 'admin' })
      return async () => fault.remove()
    },
  ],
  [
    'because the role is taken away in Keystone',
    async () => {
      const { keystone, authUrl } = r.cloud
      const [project, user] = [keystone.projectId('admin'), keystone.userId('admin')]
      keystone.grant(user, 'member', project)
      const role = [...keystone.state.roles.values()].find(({ name }) => name === 'admin')!
      const headers = { 'x-auth-token': keystone.issue(user, { kind: 'system' }) }
      const change = async (method: string) => {
        const path = `${authUrl}/projects/${project}/users/${user}/roles/${role.id}`
        expect((await fetch(path, { method, headers })).status).toBe(204)
      }
      await change('DELETE')
      return () => change('PUT')
    },
  ],
]

describe.each(ways)('an admin who is none any more %s', (_way, lose) => {
  test("sees of Neutron what is its project's own and what is shared, and changes nothing else", async () => {
    const regain = await lose()
    expect(await networkIds(r.admin)).toEqual([ids.own, ids.shared].sort())
    const hidden = await r.admin.neutron('GET', `/networks/${ids.network}`)
    expect([hidden.status, hidden.body.NeutronError.type]).toEqual([404, 'NetworkNotFound'])
    expect((await r.admin.neutron('DELETE', `/ports/${ids.port}`)).status).toBe(404)
    const network = { name: 'n', project_id: r.demo.projectId }
    expect((await r.admin.neutron('POST', '/networks', { network })).status).toBe(400)
    await regain()
    expect(await networkIds(r.admin)).toContain(ids.network)
  })

  test('is refused the lists of Nova that are for admins, and the servers of others are not there', async () => {
    const regain = await lose()
    const paths = ['/servers?all_tenants=1', '/os-hypervisors', '/os-services', '/os-aggregates']
    for (const path of paths) expect((await r.admin.nova('GET', path)).status).toBe(403)
    expect((await r.admin.nova('GET', '/servers')).body).toEqual({ servers: [] })
    expect((await r.admin.nova('GET', `/servers/${ids.server}`)).status).toBe(404)
    await regain()
    for (const path of paths) expect((await r.admin.nova('GET', path)).status).toBe(200)
  })

  test('is refused everything of Placement', async () => {
    const regain = await lose()
    expect(await statuses(r.admin, placementOnes)).toEqual([403, 403])
    expect((await r.admin.placement('PUT', '/traits/CUSTOM_X')).status).toBe(403)
    await regain()
    expect(await statuses(r.admin, placementOnes)).toEqual([200, 200])
  })
})

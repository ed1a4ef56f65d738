// The topology by the native API: what may be asked, and in what words it is answered.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Reply } from '../../world.ts'

const w = await fileWorld({ joined: true })
let networkId: string
beforeAll(async () => {
  const home = { name: 'net1', availability_zone_hints: ['Pod1'] }
  networkId = (await make('network', home)).id
  await make('subnet', { network_id: networkId, ip_version: 4, cidr: '10.0.1.0/24', name: 'sub1' })
  await make('port', { network_id: networkId, name: 'port1' })
})

const make = (kind: string, fields: object) => w.demo.make(kind, fields)

const ask = (query: Record<string, string> = {}, as: 'admin' | 'demo' = 'demo') =>
  w.call('GET', `/atoll/v1/topology?${new URLSearchParams(query)}`, { as })

const refused = (reply: Reply) => [reply.status, reply.json?.error?.message]

describe('the topology', () => {
  it('has every region with what is in it, what is nowhere, links and jobs', async () => {
    const { status, json } = await ask({ ports: 'true' })
    const projectId = w.cloud.keystone.projectId('demo')
    const ok = { state: 'ok', error: null, job_id: null }
    expect(status).toBe(200)
    expect(json).toEqual({
      regions: [
        {
          name: 'Pod1',
          availability_zone: 'az1',
          ...ok,
          suspicions: [],
          networks: [
            {
              id: networkId,
              regional_id: networkId,
              project_id: projectId,
              name: 'net1',
              external: false,
              ...ok,
              subnets: [
                {
                  id: expect.any(String),
                  regional_id: expect.any(String),
                  name: 'sub1',
                  cidr: '10.0.1.0/24',
                  gateway_ip: '10.0.1.1',
                  ...ok,
                },
              ],
              port_count: 1,
              ports: [
                {
                  id: expect.any(String),
                  regional_id: expect.any(String),
                  project_id: projectId,
                  network_id: networkId,
                  name: 'port1',
                  mac_address: expect.stringMatching(/^fa:16:3e:/),
                  fixed_ips: [
                    { subnet_id: expect.any(String), ip_address: expect.stringMatching(/^10\.0\.1\./) },
                  ],
                  device_owner: '',
                  device_id: '',
                  host_id: '',
                  status: expect.any(String),
                  ...ok,
                },
              ],
            },
          ],
          routers: [],
          floating_ips: [],
        },
        {
          name: 'Pod2',
          availability_zone: 'az2',
          ...ok,
          suspicions: [],
          networks: [],
          routers: [],
          floating_ips: [],
        },
      ],
      links: [],
      nowhere: { networks: [], routers: [], port_count: 0, ports: [] },
      // Nobody works here, and the port's groups are still to come to the region.
      jobs: [
        expect.objectContaining({
          type: 'seg_rule_setup',
          status: 'NEW',
          region: null,
          resource: { project_id: projectId },
          asked_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.000Z$/),
        }),
      ],
    })
  })

  it('has each port where a region or a network is named, unless told otherwise', async () => {
    const portsOf = async (query: Record<string, string>) =>
      (await ask(query)).json.regions[0].networks[0].ports?.length ?? null
    expect(await portsOf({})).toBeNull()
    expect(await portsOf({ region: 'Pod1' })).toBe(1)
    expect(await portsOf({ network: networkId })).toBe(1)
    expect(await portsOf({ network: networkId, ports: 'false' })).toBeNull()
  })

  it('of a project is for admins', async () => {
    const [mine, other] = ['demo', 'admin'].map(name => w.cloud.keystone.projectId(name))
    expect((await ask({ project: mine! }, 'admin')).json).toEqual((await ask()).json)
    expect((await ask({ project: other! }, 'admin')).json.regions[0].networks).toEqual([])
    expect((await ask({ project: mine! })).status).toBe(200)
    expect(refused(await ask({ project: other! }))).toEqual([403, 'Only an admin asks for another project'])
  })
})

it('says which region is suspect; why, only to admins, since that counts what all have there', async () => {
  const region = (await w.app.store.regions.list()).find(({ name }) => name === 'Pod2')!
  const suspicion = {
    through: 'network',
    since: w.app.now(),
    reason: '9 of 9 ports are missing at once',
  } as const
  await w.app.store.suspicions.raise({ regionId: region.id, ...suspicion, counts: {} })
  const shown = { ...suspicion, since: suspicion.since.toISOString() }
  const seenBy = async (as: 'admin' | 'demo', query = {}) =>
    (await ask(query, as)).json.regions.map(({ suspicions }: { suspicions: object[] }) => suspicions)
  expect(await seenBy('admin')).toEqual([[], [shown]])
  expect(await seenBy('demo')).toEqual([[], [{ ...shown, reason: null }]])
  const project = w.cloud.keystone.projectId('demo')
  expect(await seenBy('admin', { project })).toEqual(await seenBy('demo'))
  await w.app.store.suspicions.lower(region.id, 'network')
})

describe('what cannot be asked', () => {
  it.each<[Record<string, string>, number, string]>([
    [{ region: 'Nowhere' }, 404, 'There is no region Nowhere'],
    // It holds nothing.
    [{ region: 'CentralRegion' }, 404, 'There is no region CentralRegion'],
    [{ network: 'none' }, 404, 'There is no network none'],
    [{ ports: 'yes' }, 400, 'The parameter ports is true or false'],
    [{ ports: '' }, 400, 'The parameter ports is true or false'],
    [{ foo: '1' }, 400, 'There is no parameter foo; there are region, network, project, ports'],
  ])('%j', async (query, status, sentence) => {
    expect(refused(await ask(query))).toEqual([status, sentence])
  })

  it('is a network of another project', async () => {
    const body = { network: { name: 'secret' } }
    const secret = (await w.call('POST', '/v2.0/networks', { body })).json.network
    expect(refused(await ask({ network: secret.id }))).toEqual([404, `There is no network ${secret.id}`])
    expect((await ask()).text).not.toContain('secret')
  })
})

it('the document describes its parameters', async () => {
  const { paths } = (await w.call('GET', '/atoll/v1/openapi.json')).json
  const { operationId, parameters } = paths['/atoll/v1/topology'].get
  expect(operationId).toBe('topology')
  expect(parameters.map(({ in: place, name }: Record<string, string>) => `${place} ${name}`)).toEqual([
    'query region',
    'query network',
    'query project',
    'query ports',
  ])
  expect(parameters[3].schema).toEqual({ type: 'boolean' })
})

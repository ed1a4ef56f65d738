// Every call of python-tricircleclient as it stands on the wire, and what that client needs of the answer.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Reply, type Served } from '../world.ts'

const w = await fileWorld()
let s: Served
/** The path of the URL that the client finds in the catalog, to which it appends its own. */
let endpoint: string
beforeAll(async () => {
  s = await w.listen()
  const url = await endpointOf('tricircle')
  endpoint = new URL(url).pathname
})

async function endpointOf(type: string): Promise<string> {
  const headers = { 'x-auth-token': await w.token('admin') }
  const reply = await fetch(`${w.cloud.authUrl}/auth/catalog`, { headers })
  const { catalog } = (await reply.json()) as {
    catalog: { type: string; endpoints: { interface: string; url: string }[] }[]
  }
  const service = catalog.find(one => one.type === type)
  return service!.endpoints.find(one => one.interface === 'public')!.url
}

type User = 'admin' | 'demo'
type Fields = Record<string, string | number | null | undefined>

/** What is set of the options of a command. */
const given = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Names sorted, and blanks as `+`: Python's urlencode. */
function query(fields: Fields): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(given(fields))) parameters.set(name, String(value))
  parameters.sort()
  return parameters.size > 0 ? `?${parameters}` : ''
}

async function send(method: string, path: string, body?: object, user: User = 'admin'): Promise<Reply> {
  const headers = {
    'user-agent': 'python-keystoneauth1',
    'accept-encoding': 'gzip, deflate',
    accept: 'application/json, */*',
    'x-auth-token': await w.token(user),
    // It names a type for what it reads as well, and none for what it deletes.
    ...(method === 'DELETE' ? {} : { 'content-type': 'application/json' }),
    ...(body || method === 'PUT' ? { 'content-length': String(body ? JSON.stringify(body).length : 0) } : {}),
  }
  const reply = await s.ask(endpoint + path, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  expect(reply.headers['x-openstack-request-id'], 'it prints the id of the request').toMatch(/^req-/)
  // With one of these the client breaks down before it has told its user anything.
  if (reply.status >= 400) expect(reply.text, 'the text of an error').not.toBe('')
  expect(reply.headers['retry-after'], 'a time to come again').toBeUndefined()
  return reply
}

/** The JSON of an answer that the client reads as such. */
async function read(method: string, path: string, body?: object) {
  const reply = await send(method, path, body)
  expect(reply.status, reply.text).toBeGreaterThanOrEqual(200)
  expect(reply.status, reply.text).toBeLessThan(300)
  expect(reply.json, 'JSON').not.toBeUndefined()
  return reply.json
}

/** A call whose answer the client does not look at, as long as it is no error. */
async function expectDone(method: string, path: string): Promise<void> {
  const reply = await send(method, path)
  expect(Math.floor(reply.status / 100), reply.text).toBe(2)
}

/** By status, the client's own exceptions for a text that begins so. */
const known: Record<number, Record<string, string>> = {
  409: {
    'Record already exists': 'RecordAlreadyExists',
    'Pod region name duplicated with the top region name': 'PodRegionDuplicated',
    'Top region already exists': 'TopRegionAlreadyExists',
  },
}
const classes: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  404: 'NotFound',
  409: 'Conflict',
}

/** The exception that the client makes of an error, and the text that it shows. */
async function refusal(method: string, path: string, body?: object, user?: User) {
  const { status, text } = await send(method, path, body, user)
  const own = Object.entries(known[status] ?? {}).find(([sentence]) => text.startsWith(sentence))
  return { status, exception: own?.[1] ?? classes[status] ?? 'ClientException', text }
}

const podCreate = (pod: Fields) => read('POST', '/pods', { pod: given(pod) })
const routingList = (options: Fields = {}) => read('GET', `/routings${query(options)}`)
const routingCreate = (routing: Fields) => read('POST', '/routings', { routing: given(routing) })

const podFields = ['az_name', 'dc_name', 'pod_az_name', 'pod_id', 'region_name']

describe('the catalog', () => {
  it('names a URL that ends in the version, since the client appends /pods', () => {
    expect(endpoint).toBe('/tricircle/v1.0')
  })
})

describe('multiregion networking pod', () => {
  it('create sends what is set and shows every field', async () => {
    const { pod } = await podCreate({ region_name: 'CentralRegion' })
    expect(Object.keys(pod)).toEqual(expect.arrayContaining(podFields))
    const all = { region_name: 'Pod1', az_name: 'az1', pod_az_name: 'nova', dc_name: 'dc' }
    expect((await podCreate(all)).pod).toMatchObject(all)
  })

  it('list shows pod_id and region_name', async () => {
    const { pods } = await read('GET', '/pods')
    expect(pods.map((pod: Fields) => pod.region_name)).toEqual(['CentralRegion', 'Pod1'])
    expect(pods[0].pod_id).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('show and delete take an id', async () => {
    const { pod } = await podCreate({ region_name: 'Pod2', az_name: 'az2' })
    expect(await read('GET', `/pods/${pod.pod_id}`)).toEqual({ pod })
    await expectDone('DELETE', `/pods/${pod.pod_id}`)
    expect((await refusal('GET', `/pods/${pod.pod_id}`)).status).toBe(404)
  })

  it.each([
    [{ region_name: 'Pod1', az_name: 'az1' }, 'RecordAlreadyExists'],
    [{ region_name: 'CentralRegion', az_name: 'az1' }, 'PodRegionDuplicated'],
    [{ region_name: 'Pod9' }, 'TopRegionAlreadyExists'],
  ])('create %o makes it raise %s, which it knows by the start of the text', async (pod, exception) => {
    expect(await refusal('POST', '/pods', { pod })).toMatchObject({ status: 409, exception })
  })

  it('create without a name shows a bare sentence', async () => {
    const { status, text } = await refusal('POST', '/pods', { pod: { az_name: 'az1' } })
    expect([status, text]).toEqual([422, 'Valid region_name is required for pod'])
  })

  it('show and delete of a pod that is not there say so', async () => {
    const shown = await refusal('GET', '/pods/nope')
    expect(shown).toMatchObject({
      status: 404,
      exception: 'NotFound',
      text: expect.stringContaining('Pod not found'),
    })
    const deleted = await refusal('DELETE', '/pods/nope')
    expect(deleted).toEqual({ status: 404, exception: 'NotFound', text: 'Pod not found' })
  })

  it('is for administrators', async () => {
    expect(await refusal('GET', '/pods', undefined, 'demo')).toMatchObject({
      status: 401,
      exception: 'Unauthorized',
    })
  })
})

describe('multiregion networking routing', () => {
  const types = ['network', 'subnet', 'port', 'router', 'security_group']
  let podId: string
  let project: string
  beforeAll(async () => {
    podId = (await read('GET', '/pods')).pods[1].pod_id
    project = w.cloud.keystone.projectId('admin')
    for (const type of types) {
      const ids = { top_id: `top-${type}`, bottom_id: `bottom-${type}` }
      await routingCreate({ ...ids, pod_id: podId, project_id: project, resource_type: type })
    }
  })

  it('list shows id, pod_id, resource_type and top_id, the newest first', async () => {
    const { routings } = await routingList()
    expect(routings.map((routing: Fields) => routing.resource_type)).toEqual(types.toReversed())
    expect(routings[0]).toMatchObject({ id: expect.any(Number), pod_id: podId, top_id: 'top-security_group' })
  })

  it('list takes a page, and never looks at the link', async () => {
    const first = await routingList({ limit: 2 })
    expect(first.routings).toHaveLength(2)
    const next = await routingList({ limit: 2, marker: first.routings[1].id })
    expect(next.routings.map((routing: Fields) => routing.resource_type)).toEqual(['port', 'subnet'])
  })

  it('list takes every filter that there is, a time among them', async () => {
    const [routing] = (await routingList({ resource_type: 'port' })).routings
    const { id: _, updated_at: __, ...filters } = routing
    expect((await routingList(filters)).routings).toEqual([routing])
    expect((await routingList({ ...filters, created_at: '2001-01-01 00:00:00' })).routings).toEqual([])
    await read('PUT', `/routings/${routing.id}`, { routing: { bottom_id: 'bottom-port' } })
    const [updated] = (await routingList(filters)).routings
    expect((await routingList({ updated_at: updated.updated_at })).routings).toEqual([updated])
  })

  it('show, update and delete take an id; the answer to an update is read as JSON', async () => {
    const [routing] = (await routingList({ resource_type: 'router' })).routings
    expect(await read('GET', `/routings/${routing.id}`)).toEqual({ routing })
    await read('PUT', `/routings/${routing.id}`, { routing: { bottom_id: 'elsewhere' } })
    expect((await read('GET', `/routings/${routing.id}`)).routing.bottom_id).toBe('elsewhere')
    await expectDone('DELETE', `/routings/${routing.id}`)
    expect(await refusal('DELETE', `/routings/${routing.id}`)).toMatchObject({
      status: 404,
      exception: 'NotFound',
    })
    expect(await refusal('GET', `/routings/${routing.id}`)).toMatchObject({
      status: 404,
      exception: 'NotFound',
    })
  })

  it.each([
    ['create', 'POST', '/routings', { routing: { top_id: 'x' } }, 400],
    ['list', 'GET', '/routings?limit=many', undefined, 400],
    ['list', 'GET', '/routings?marker=0', undefined, 400],
    ['update', 'PUT', '/routings/999999', { routing: { top_id: 'x' } }, 404],
  ] as const)('%s, refused, shows why', async (_, method, path, body, status) => {
    const refused = await refusal(method, path, body)
    expect(refused).toMatchObject({ status, text: expect.stringMatching(/"message":".+"/) })
  })

  it('is for administrators', async () => {
    expect(await refusal('GET', '/routings', undefined, 'demo')).toMatchObject({ status: 403 })
  })
})

describe('multiregion networking job', () => {
  /** The client's own table: what it sends for a type, and looks for in the answer. */
  const resources: Record<string, string[]> = {
    configure_route: ['router_id'],
    router_setup: ['pod_id', 'router_id', 'network_id'],
    port_delete: ['pod_id', 'port_id'],
    seg_rule_setup: ['project_id'],
    update_network: ['pod_id', 'network_id'],
    trunk_sync: ['pod_id', 'trunk_id'],
    subnet_update: ['pod_id', 'subnet_id'],
    shadow_port_setup: ['pod_id', 'network_id'],
    sfc_sync: ['pod_id', 'portchain_id', 'network_id'],
    resource_recycle: ['project_id'],
  }
  let values: Record<string, string>
  const job = (type: string, fields: Record<string, string> = values) => ({
    type,
    project_id: values.project_id,
    resource: Object.fromEntries(resources[type]!.map(key => [key, fields[key] ?? null])),
  })
  beforeAll(async () => {
    const pod_id = (await read('GET', '/pods')).pods[1].pod_id as string
    const project_id = w.cloud.keystone.projectId('admin')
    const ids = ['router', 'port', 'network', 'trunk', 'subnet', 'portchain'].map(name => [
      `${name}_id`,
      `a-${name}`,
    ])
    values = { pod_id, project_id, ...Object.fromEntries(ids) }
    for (const type of ['router', 'port', 'network', 'trunk', 'subnet', 'port_chain']) {
      const ids = { top_id: `a-${type.replace('_', '')}`, bottom_id: `b-${type}` }
      await routingCreate({ ...ids, pod_id, project_id, resource_type: type })
    }
  })

  it.each(Object.keys(resources))(
    'create --type %s gives every value back, or says that it cannot be run',
    async type => {
      if (type in w.app.jobHandlers) {
        expect((await read('POST', '/jobs', { job: job(type) })).job).toMatchObject({
          ...job(type),
          status: 'NEW',
        })
      } else {
        const refused = await refusal('POST', '/jobs', { job: job(type) })
        expect(refused).toMatchObject({ status: 400, text: expect.stringContaining(type) })
      }
    },
  )

  it('create with options that are not set sends null for them, and is told so', async () => {
    const refused = await refusal('POST', '/jobs', { job: job('port_delete', {}) })
    expect(refused).toMatchObject({
      status: 400,
      exception: 'BadRequest',
      text: expect.stringContaining('pod_id'),
    })
  })

  it('list shows id, project_id, status, timestamp and type, by filters with the status in small letters', async () => {
    const options = { limit: 10, project_id: values.project_id, status: 'new', type: 'port_delete' }
    const { jobs } = await read('GET', `/jobs${query(options)}`)
    expect(jobs).toEqual([
      { ...job('port_delete'), id: expect.any(String), status: 'NEW', timestamp: expect.any(String) },
    ])
    expect((await read('GET', `/jobs${query({ ...options, marker: jobs[0].id })}`)).jobs).toEqual([])
  })

  it('show, redo and delete take an id; redo sends no body and reads JSON', async () => {
    const { id } = (await read('POST', '/jobs', { job: job('port_delete') })).job
    expect((await read('GET', `/jobs/${id}`)).job).toMatchObject(job('port_delete'))
    expect(await read('PUT', `/jobs/${id}`)).toBeNull()
    await expectDone('DELETE', `/jobs/${id}`)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect(await refusal(method, `/jobs/${id}`)).toMatchObject({ status: 404, exception: 'NotFound' })
    }
  })

  it('is for administrators', async () => {
    expect(await refusal('GET', '/jobs', undefined, 'demo')).toMatchObject({ status: 403 })
  })
})

describe('a bad day', () => {
  const ask = async (spoil: (token: string) => void): Promise<Reply> => {
    const { keystone, faults } = w.cloud
    const token = keystone.issue(keystone.userId('admin'), keystone.projectId('admin'))
    spoil(token)
    const headers = { accept: 'application/json, */*', 'x-auth-token': token }
    const reply = await s.ask(`${endpoint}/pods`, { headers })
    faults.clear()
    return reply
  }
  const keystoneDown = () => void w.cloud.faults.add({ kind: 'status', status: 503, service: 'keystone' })

  it('of its user: a token that ran out', async () => {
    const reply = await ask(token => w.cloud.keystone.expire(token))
    expect([reply.status, reply.headers['retry-after']]).toEqual([401, undefined])
    expect(reply.text).toContain('The request you have made requires authentication.')
  })

  it('of Keystone, which is down', async () => {
    const reply = await ask(keystoneDown)
    expect(reply.status).toBe(503)
    expect(reply.text).toContain('The Keystone service is temporarily unavailable.')
  })

  it('of Keystone, told without a Retry-After', async () => {
    expect((await ask(keystoneDown)).headers['retry-after']).toBeUndefined()
  })
})

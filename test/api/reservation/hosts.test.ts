// Hosts of the Reservation API: enrolled, shown, changed, removed; their allocations and properties.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Reply } from '../../world.ts'

const w = await fileWorld({ joined: true })

const at = '/reservation/v1/os-hosts'
const enrol = (body: object, path = at) => w.call('POST', path, { body })
const refusal = (reply: Reply) => [reply.status, reply.json.error_message]

const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)

describe('a host', () => {
  it('is enrolled by its name, and shown with every field of the original', async () => {
    const reply = await enrol({ name: 'pod1-host1', gpu: 'True', n: 5, on: true })
    expect(reply.status, reply.text).toBe(201)
    expect(Object.entries(reply.json.host)).toEqual([
      ['created_at', time],
      ['updated_at', null],
      ['id', expect.stringMatching(/^[1-9]\d*$/)],
      ['vcpus', 16],
      ['cpu_info', expect.any(String)],
      ['hypervisor_type', expect.any(String)],
      ['hypervisor_version', expect.any(Number)],
      ['hypervisor_hostname', 'pod1-host1'],
      ['service_name', 'pod1-host1'],
      ['memory_mb', 65536],
      ['local_gb', 1000],
      ['status', null],
      ['availability_zone', 'nova'],
      ['trust_id', null],
      ['reservable', true],
      ['region', 'Pod1'],
      ['gpu', 'True'],
      ['n', '5'],
      ['on', 'true'],
    ])
  })

  it('is shown and listed as it was enrolled', async () => {
    const { hosts } = (await w.call('GET', at)).json
    expect(hosts.map((host: { hypervisor_hostname: string }) => host.hypervisor_hostname)).toEqual([
      'pod1-host1',
    ])
    const shown = await w.call('GET', `${at}/${hosts[0].id}`)
    expect([shown.status, shown.json]).toEqual([200, { host: hosts[0] }])
    expect(hosts[0]).toMatchObject({ gpu: 'True', n: '5', on: 'true', region: 'Pod1' })
    const view = (region: string) => w.call('GET', `/reservation/${region}/v1/os-hosts`)
    expect((await view('Pod1')).json).toEqual({ hosts })
    expect((await view('Pod2')).json).toEqual({ hosts: [] })
    const elsewhere = await w.call('GET', `/reservation/Pod2/v1/os-hosts/${hosts[0].id}`)
    expect(refusal(elsewhere)).toEqual([404, `Object with {'host_id': '${hosts[0].id}'} not found`])
  })

  it('is enrolled by its id, in the region that the body or the path names, and with 202 at the seed’s path', async () => {
    const hypervisor = w.nova('Pod1').host('pod1-host2')
    expect((await enrol({ id: hypervisor.uuid })).json.host).toMatchObject({
      hypervisor_hostname: 'pod1-host2',
    })
    const twins = ['Pod1', 'Pod2'].map(region => w.nova(region))
    for (const nova of twins) nova.addHost({ name: 'twin' })
    expect(refusal(await enrol({ name: 'twin' }))[0]).toBe(409)
    const first = await enrol({ name: 'twin', region: 'Pod2' }, '/v1/os-hosts')
    expect([first.status, first.json.host.region]).toEqual([202, 'Pod2'])
    expect('region' in first.json.host).toBe(true)
    const second = await enrol({ name: 'twin' }, '/reservation/Pod1/v1/os-hosts')
    expect([second.status, second.json.host.region]).toEqual([201, 'Pod1'])
    expect(first.json.host.id).not.toBe(second.json.host.id)
  })

  it.each<[object, number, string]>([
    [{}, 403, 'Invalid values for host {}'],
    [{ gpu: '1' }, 403, 'Invalid values for host {gpu}'],
    [{ name: '' }, 403, 'Invalid values for host {}'],
    [{ name: null }, 403, 'Invalid values for host {}'],
    [{ name: 'zzz' }, 404, "Host 'zzz' not found!"],
    [{ name: ['x'] }, 400, 'Malformed parameter name (must be a string, not an array)'],
    [{ name: 'x'.repeat(256) }, 400, 'Malformed parameter name (at most 255 characters)'],
    [{ name: 'pod1-host3', ['k'.repeat(65)]: 'v' }, 400, 'Extra capability key too long'],
    [{ name: 'pod1-host3', '': 'v' }, 400, 'Extra capability key is empty'],
    [{ name: 'pod1-host3', gpu: null }, 400, 'Malformed parameter gpu (must be a string, not null)'],
    [{ name: 'pod1-host3', gpu: { a: 1 } }, 400, 'Malformed parameter gpu (must be a string, not an object)'],
    [{ name: 'pod1-host3', gpu: '€'.repeat(1001) }, 400, 'Malformed parameter gpu (at most 1000 characters)'],
    [{ name: 'pod1-host3', region: 7 }, 400, 'Malformed parameter region (must be a string, not a number)'],
  ])('is refused when its body is %j: %i', async (body, status, sentence) => {
    const before = (await w.call('GET', at)).text
    const reply = await enrol(body)
    expect(reply.json).toEqual({ error_code: status, error_message: sentence, error_name: status })
    expect(reply.status).toBe(status)
    expect((await w.call('GET', at)).text).toBe(before)
  })

  it('is refused in a region’s view when its body names another', async () => {
    const reply = await enrol({ name: 'pod1-host3', region: 'Pod2' }, '/reservation/Pod1/v1/os-hosts')
    expect(refusal(reply)).toEqual([
      400,
      'Malformed parameter region (this is the view of the region Pod1: leave it out)',
    ])
  })

  it('is refused in a region that there is not, and a second time', async () => {
    expect((await enrol({ name: 'pod1-host3', region: 'Nowhere' })).status).toBe(404)
    expect((await enrol({ name: 'pod1-host1' })).status).toBe(409)
  })

  const own = [
    ...[
      'id',
      'vcpus',
      'cpu_info',
      'hypervisor_type',
      'hypervisor_version',
      'hypervisor_hostname',
      'service_name',
    ],
    ...[
      'memory_mb',
      'local_gb',
      'status',
      'availability_zone',
      'trust_id',
      'reservable',
      'created_at',
      'updated_at',
    ],
  ]
  const sentence = (name: string) =>
    `Malformed parameter ${name} (Nova or the server says it: it is the name of no extra capability)`

  it.each(own.slice(1))('takes no capability called %s, which it has of itself', async name => {
    expect(refusal(await enrol({ name: 'pod1-host3', [name]: '4' }))).toEqual([400, sentence(name)])
  })

  it.each([...own, 'region', 'name'])('takes none by an update either: %s', async name => {
    const { id } = (await w.call('GET', at)).json.hosts[0]
    for (const body of [{ [name]: '4' }, { values: { [name]: '4' } }, { [name]: null }])
      expect(refusal(await w.call('PUT', `${at}/${id}`, { body }))).toEqual([400, sentence(name)])
  })
})

describe('an update of a host', () => {
  let id: string
  beforeAll(async () => {
    id = (await enrol({ name: 'pod2-host1', gpu: 'True', color: 'red' })).json.host.id
  })
  const put = (body: object, path = `${at}/${id}`) => w.call('PUT', path, { body })

  it('answers with the host under its key and beside it, for readers of both', async () => {
    const reply = await put({ gpu: 'False' })
    expect(reply.status).toBe(200)
    const { host, ...fields } = reply.json
    expect(host).toEqual(fields)
    expect(host).toMatchObject({ id, gpu: 'False', color: 'red', updated_at: time })
    expect((await w.call('GET', `${at}/${id}`)).json).toEqual({ host })
  })

  it('may be flat or under values (003:1964), and removes what is null', async () => {
    expect((await put({ values: { banana: 'false' } }, `/v1/os-hosts/${id}`)).status).toBe(202)
    const reply = await put({ banana: null, n: 7.5, ok: false })
    expect(reply.json.host).toMatchObject({ n: '7.5', ok: 'false' })
    expect(reply.json.host).not.toHaveProperty('banana')
    expect((await put({ values: 'text' })).json.host).toMatchObject({ values: 'text' })
    expect(refusal(await put({ values: { a: '1' }, b: '2' }))).toEqual([
      400,
      'Malformed parameter values (must be a string, not an object)',
    ])
  })

  it('keeps what is called like a key of the answer where it belongs', async () => {
    const { json } = await put({ host: 'rack-7', __proto__x: '1' })
    expect(json.host.host).toBe('rack-7')
    expect((await put({ host: null })).json.host).not.toHaveProperty('host')
  })

  it.each([{}, { values: {} }])('with nothing in it is refused: %j', async body => {
    const reply = await put(body)
    expect([reply.status, reply.json]).toEqual([
      400,
      { error_code: 400, error_message: 'No data to update', error_name: 'INTERNAL_SERVER_ERROR' },
    ])
  })

  it('of a host that there is not is refused', async () => {
    for (const other of ['999999', '0', '-1', '01', 'abc', '9'.repeat(30), '1.5']) {
      const sentence = `Object with {'host_id': '${other}'} not found`
      expect(refusal(await put({ a: 'b' }, `${at}/${other}`))).toEqual([404, sentence])
      expect(refusal(await w.call('GET', `${at}/${other}`))).toEqual([404, sentence])
      expect(refusal(await w.call('DELETE', `${at}/${other}`))).toEqual([404, sentence])
      expect(refusal(await w.call('GET', `${at}/${other}/allocation`))).toEqual([404, sentence])
    }
  })
})

describe('the removal of a host', () => {
  it('is a 204 without a body, and the host may be enrolled again', async () => {
    const { id } = (await enrol({ name: 'pod2-host2' })).json.host
    const reply = await w.call('DELETE', `${at}/${id}`)
    expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([204, '', 'application/json'])
    expect((await w.call('GET', `${at}/${id}`)).status).toBe(404)
    expect((await enrol({ name: 'pod2-host2' })).status).toBe(201)
  })
})

describe('properties', () => {
  const list = async (query = '') =>
    (await w.call('GET', `${at}/properties${query}`)).json.resource_properties
  const patch = (name: string, body: unknown) => w.call('PATCH', `${at}/properties/${name}`, { body })

  beforeAll(async () => {
    for (const name of ['pod2-host3', 'pod2-host4'])
      await enrol({ name, rack: name.slice(-1), shade: 'dark' })
  })

  it('are names, and in detail what is known of them', async () => {
    expect(await list()).toContainEqual({ property: 'rack' })
    for (const query of ['?detail=True', '?detail=False', '?detail=x&all=True'])
      expect(await list(query)).toContainEqual({ property: 'rack', private: false, values: ['3', '4'] })
    expect(await list('?detail=')).toContainEqual({ property: 'rack' })
  })

  it('are made private and public again; the private ones are listed when all are asked for', async () => {
    const reply = await patch('rack', { private: true })
    expect([reply.status, reply.json]).toEqual([
      200,
      {
        resource_property: {
          created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/),
          updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/),
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          resource_type: 'physical:host',
          property_name: 'rack',
          private: true,
        },
      },
    ])
    expect(await list()).not.toContainEqual({ property: 'rack' })
    expect(await list('?all=1&detail=1')).toContainEqual({
      property: 'rack',
      private: true,
      values: ['3', '4'],
    })
    await patch('rack', { private: false })
    expect(await list()).toContainEqual({ property: 'rack' })
  })

  it.each<[string, unknown, number, string]>([
    ['nope', { private: true }, 404, 'Resource property nope not found'],
    ['shade', {}, 400, 'Missing parameter private'],
    ['shade', { property_name: 'x' }, 400, 'Missing parameter private'],
    [
      'shade',
      { private: true, property_name: 'x' },
      400,
      'Malformed parameter property_name (only private can be changed)',
    ],
    ['shade', { private: 'true' }, 400, 'Malformed parameter private (must be true or false, not a string)'],
    ['shade', { private: null }, 400, 'Malformed parameter private (must be true or false, not null)'],
    ['shade', [], 400, 'The body must be a JSON object, not an array'],
  ])('are not changed otherwise: %s to %j', async (name, body, status, sentence) => {
    expect(refusal(await patch(name, body))).toEqual([status, sentence])
    expect(await list('?detail=1')).toContainEqual({ property: 'shade', private: false, values: ['dark'] })
  })
})

describe('allocations', () => {
  let hostId: string
  let lease: { id: string; reservations: { id: string }[] }
  beforeAll(async () => {
    hostId = (await enrol({ name: 'pod2-host5' })).json.host.id
    const body = {
      name: 'allocated',
      start_date: '2031-01-01 10:00',
      end_date: '2031-01-02 10:00',
      reservations: [
        {
          resource_type: 'physical:host',
          min: 1,
          max: 1,
          hypervisor_properties: '["==", "$hypervisor_hostname", "pod2-host5"]',
          resource_properties: '',
        },
      ],
    }
    lease = (await w.call('POST', '/reservation/v1/leases', { as: 'demo', body })).json.lease
  })
  const entry = () => ({
    id: lease.reservations[0]!.id,
    lease_id: lease.id,
    start_date: '2031-01-01T10:00:00.000000',
    end_date: '2031-01-02T10:00:00.000000',
  })

  it('are told of every host, also of those that have none', async () => {
    const { allocations } = (await w.call('GET', `${at}/allocations`)).json
    const { hosts } = (await w.call('GET', at)).json
    expect(allocations.map((one: { resource_id: string }) => one.resource_id)).toEqual(
      hosts.map((host: { id: string }) => host.id),
    )
    expect(allocations).toContainEqual({ resource_id: hostId, reservations: [entry()] })
    expect(allocations.filter((one: { reservations: [] }) => one.reservations.length > 0)).toHaveLength(1)
  })

  it('are told of one host', async () => {
    const reply = await w.call('GET', `${at}/${hostId}/allocation`)
    expect([reply.status, reply.json]).toEqual([
      200,
      { allocation: { resource_id: hostId, reservations: [entry()] } },
    ])
  })

  it.each<[string, () => string, boolean]>([
    ['lease_id', () => lease.id, true],
    ['lease_id', () => '00000000-0000-4000-8000-000000000000', false],
    ['lease_id', () => 'x', false],
    ['reservation_id', () => lease.reservations[0]!.id, true],
    ['reservation_id', () => "' or 1=1", false],
    ['foo', () => '1', true],
  ])('are filtered by %s, and by nothing that there is not', async (name, value, isFound) => {
    const query = `${name}=${encodeURIComponent(value())}`
    const one = await w.call('GET', `${at}/${hostId}/allocation?${query}`)
    expect(one.json.allocation.reservations).toEqual(isFound ? [entry()] : [])
    const all = (await w.call('GET', `${at}/allocations?${query}`)).json.allocations
    expect(all.find((it: { resource_id: string }) => it.resource_id === hostId).reservations).toHaveLength(
      isFound ? 1 : 0,
    )
  })

  it('keep a host from being removed', async () => {
    const reply = await w.call('DELETE', `${at}/${hostId}`)
    expect(reply.status).toBe(409)
    expect(reply.json.error_message).toMatch(
      new RegExp(`^Can't delete host ${hostId}\\. The host is reserved\\.`),
    )
  })

  it('are of the region whose view it is', async () => {
    const { allocations } = (await w.call('GET', '/reservation/Pod1/v1/os-hosts/allocations')).json
    expect(allocations.map((one: { reservations: [] }) => one.reservations.length)).not.toContain(1)
    expect((await w.call('GET', `/reservation/Pod1/v1/os-hosts/${hostId}/allocation`)).status).toBe(404)
  })
})

it('hosts are for administrators', async () => {
  for (const path of ['', '/1', '/allocations', '/properties', '/1/allocation'])
    expect((await w.call('GET', `${at}${path}`, { as: 'demo' })).status).toBe(403)
})

// Networks: what they look like, what may be said of them and by whom.

import { describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })

const projectOf = (name: string) => w.cloud.keystone.projectId(name)

const plain = () => ({
  id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  name: '',
  description: '',
  project_id: projectOf('demo'),
  tenant_id: projectOf('demo'),
  subnets: [],
  admin_state_up: true,
  status: 'ACTIVE',
  shared: false,
  'router:external': false,
  is_default: false,
  ipv4_address_scope: null,
  ipv6_address_scope: null,
  l2_adjacency: true,
  dns_domain: '',
  mtu: 1500,
  availability_zones: [],
  availability_zone_hints: [],
  port_security_enabled: true,
  qos_policy_id: null,
  vlan_transparent: null,
  tags: [],
  revision_number: 1,
  created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  updated_at: expect.stringMatching(/Z$/),
  'atoll:regions': [],
})

const ofAdmins = {
  'provider:network_type': 'vlan',
  'provider:physical_network': 'bridge',
  'provider:segmentation_id': expect.any(Number),
}

describe('a network', () => {
  it('is made with defaults, and shows a member no more than is theirs to know', async () => {
    const made = await w.demo.make('network')
    expect(made).toEqual(plain())
    const path = `/networks/${made.id}`
    expect((await w.demo.get(path)).json).toEqual({ network: made })
    expect((await w.admin.get(path)).json).toEqual({ network: { ...made, ...ofAdmins } })
  })

  it('is changed by what is given, and counts its changes', async () => {
    const { id, ...made } = await w.demo.make('network', { name: 'before' })
    const change = { name: 'after', description: 'd', admin_state_up: 'false', port_security_enabled: 0 }
    const reply = await w.demo.put(`/networks/${id}`, { network: change })
    expect([reply.status, reply.json.network]).toEqual([
      200,
      {
        ...made,
        id,
        ...{ name: 'after', description: 'd', admin_state_up: false, port_security_enabled: false },
        revision_number: 2,
        updated_at: expect.any(String),
      },
    ])
  })

  it('lives in the one region that its hints name, with the id that it has there', async () => {
    const made = await w.demo.make('network', { availability_zone_hints: ['Pod1'] })
    expect(made).toMatchObject({
      availability_zone_hints: ['Pod1'],
      availability_zones: ['Pod1'],
      'atoll:regions': [{ region: 'Pod1', id: made.id }],
    })
    expect(
      w.cloud.neutrons
        .get('Pod1')!
        .networks()
        .map(({ id }) => id),
    ).toContain(made.id)
  })

  it('goes, and is not there any more', async () => {
    const { id } = await w.demo.make('network')
    const reply = await w.demo.del(`/networks/${id}`)
    expect([reply.status, reply.text]).toEqual([204, ''])
    expect(errorOf(await w.demo.get(`/networks/${id}`))[1]).toBe('NetworkNotFound')
  })

  it('is made, changed and removed at one revision only, where one is asked for', async () => {
    const { id } = await w.demo.make('network')
    const path = `/networks/${id}`
    const at = (revision: string) => ({ headers: { 'if-match': revision } })
    const body = { network: { name: 'x' } }
    expect(errorOf(await w.demo.put(path, body, at('revision_number=99'))).slice(0, 2)).toEqual([
      412,
      'RevisionNumberConstraintFailed',
    ])
    expect((await w.demo.del(path, at('revision_number=99'))).status).toBe(412)
    expect(errorOf(await w.demo.put(path, body, at('revision_number=x')))).toEqual([
      400,
      'BadRequest',
      'Bad if-match request: Revision number etag must be in the format of revision_number=<int>.',
    ])
    expect((await w.demo.put(path, body, at('revision_number=1'))).json.network.revision_number).toBe(2)
    expect((await w.demo.del(path, at('"revision_number=2"'))).status).toBe(204)
  })
})

describe('what may be said of a network', () => {
  const bad = 'HTTPBadRequest'
  it.each([
    [{ name: 5 }, bad, "Invalid input for name. Reason: '5' is not a valid string."],
    [{ name: null }, bad, "Invalid input for name. Reason: 'None' is not a valid string."],
    [
      { name: 'x'.repeat(256) },
      bad,
      /^Invalid input for name. Reason: 'x{256}' exceeds maximum length of 255.$/,
    ],
    [{ description: [] }, bad, "Invalid input for description. Reason: '[]' is not a valid string."],
    [
      { admin_state_up: 'maybe' },
      'InvalidInput',
      "Invalid input for operation: 'maybe' cannot be converted to boolean.",
    ],
    [
      { admin_state_up: null },
      'InvalidInput',
      "Invalid input for operation: 'None' cannot be converted to boolean.",
    ],
    [{ port_security_enabled: {} }, 'InvalidInput', /^Invalid input for operation: '{}' cannot be converted/],
    [{ mtu: -1 }, bad, "Invalid input for mtu. Reason: '-1' should be non-negative."],
    [{ mtu: 'x' }, 'InvalidInput', "Invalid input for operation: 'x' is not an integer."],
    [{ mtu: 1e10 }, bad, /^Invalid input for mtu. Reason: '10000000000' is too large/],
    [
      { availability_zone_hints: 'a' },
      bad,
      "Invalid input for availability_zone_hints. Reason: 'a' is not a list.",
    ],
    [
      { availability_zone_hints: ['a', 'a'] },
      bad,
      "Invalid input for availability_zone_hints. Reason: Duplicate items in the list: 'a'.",
    ],
    [{ dns_domain: 'foo' }, bad, "Invalid input for dns_domain. Reason: 'foo' is not a FQDN."],
    [{ dns_domain: 5 }, 'InvalidInput', 'Invalid input for operation: Input value 5 must be string type.'],
    [{ id: 'x' }, bad, "Attribute 'id' not allowed in POST"],
    [{ status: 'DOWN' }, bad, "Attribute 'status' not allowed in POST"],
    [{ tags: ['a'] }, bad, "Attribute 'tags' not allowed in POST"],
    [{ 'atoll:regions': [] }, bad, "Attribute 'atoll:regions' not allowed in POST"],
    [{ bogus: 1, more: 2 }, bad, "Unrecognized attribute(s) 'bogus, more'"],
    [{ constructor: 1 }, bad, "Unrecognized attribute(s) 'constructor'"],
    [{ qos_policy_id: 'x' }, 'BadRequest', 'qos_policy_id is not offered here: leave it out'],
    [{ vlan_transparent: true }, 'BadRequest', 'vlan_transparent is not offered here: leave it out'],
    [
      { project_id: 'other' },
      bad,
      /^Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin/,
    ],
    [{ tenant_id: 'other' }, bad, /^Specifying 'project_id'/],
    [{ project_id: 'a', tenant_id: 'b' }, bad, "'project_id' and 'tenant_id' do not match"],
  ] as const)('is not %j', async (fields, type, message) => {
    const reply = await w.demo.post('/networks', { network: fields })
    const sentence = typeof message === 'string' ? message : expect.stringMatching(message)
    expect(errorOf(reply)).toEqual([400, type, sentence])
    expect((await w.demo.get('/networks?name=5')).json.networks).toEqual([])
  })

  it.each([
    ['{}', "Unable to find 'network' in request body"],
    ['', "Unable to find 'network' in request body"],
    ['{"network": null}', "Unable to find 'network' in request body"],
    ['{"network": "x"}', "Object 'network' contains invalid data"],
    ['{"network": []}', "Object 'network' contains invalid data"],
    ['[]', 'Body contains invalid data'],
    ['{"networks": {}}', 'Body contains invalid data'],
    ['{"networks": []}', 'Resources required'],
    ['{"networks": [1]}', "Object 'network' contains invalid data"],
  ])('is in a body that has it: not %s', async (raw, message) => {
    const reply = await w.demo.post('/networks', undefined, { raw })
    expect(errorOf(reply)).toEqual([400, 'HTTPBadRequest', message])
  })

  it('is what a create takes as well for nothing', async () => {
    const fields = { mtu: 0, qos_policy_id: null, vlan_transparent: null, is_default: false }
    expect(await w.demo.make('network', fields)).toEqual(plain())
  })

  it('of its provider, of sharing and of being external is said by admins only', async () => {
    const { id } = await w.demo.make('network')
    for (const [name, value] of Object.entries({
      shared: true,
      'router:external': true,
      is_default: true,
      'provider:network_type': 'vlan',
      'provider:physical_network': 'bridge',
      'provider:segmentation_id': 2001,
    })) {
      if (name !== 'is_default') {
        const reply = await w.demo.post('/networks', { network: { [name]: value } })
        expect(errorOf(reply)).toEqual([
          403,
          'PolicyNotAuthorized',
          `(rule:create_network and rule:create_network:${name}) is disallowed by policy`,
        ])
      }
      const changed = await w.demo.put(`/networks/${id}`, { network: { [name]: value } })
      expect([400, 403], name).toContain(changed.status)
    }
    const usual = { 'router:external': false, shared: 'no' }
    expect(await w.demo.make('network', usual)).toEqual(plain())
    const said = { 'provider:network_type': 'vlan', 'provider:physical_network': 'bridge' }
    expect(await w.admin.make('network', { ...said, 'provider:segmentation_id': '2345' })).toMatchObject({
      ...said,
      'provider:segmentation_id': 2345,
    })
    const taken = await w.admin.post('/networks', { network: { ...said, 'provider:segmentation_id': 2345 } })
    expect(errorOf(taken).slice(0, 2)).toEqual([409, 'VlanIdInUse'])
  })

  it('for another project is said by admins only', async () => {
    const other = await w.admin.make('network', { tenant_id: projectOf('demo'), name: 'given' })
    expect(other).toMatchObject({ project_id: projectOf('demo'), tenant_id: projectOf('demo') })
    expect((await w.demo.get(`/networks/${other.id}`)).json.network.name).toBe('given')
  })

  it('names zones and regions that there are', async () => {
    const reply = await w.demo.post('/networks', { network: { availability_zone_hints: ['nope'] } })
    expect(errorOf(reply).slice(0, 2)).toEqual([404, 'AvailabilityZoneNotFound'])
  })
})

describe('what a change may say', () => {
  it.each([
    [{ id: 'x' }, 'Cannot update read-only attribute id'],
    [{ availability_zone_hints: [] }, 'Cannot update read-only attribute availability_zone_hints'],
    [{ status: 'DOWN' }, 'Cannot update read-only attribute status'],
    [{ project_id: 'x' }, 'Cannot update read-only attribute project_id'],
    [{ bogus: 1 }, "Unrecognized attribute(s) 'bogus'"],
  ])('is not %j', async (fields, message) => {
    const { id } = await w.demo.make('network')
    const reply = await w.demo.put(`/networks/${id}`, { network: fields })
    expect(errorOf(reply)).toEqual([400, 'HTTPBadRequest', message])
  })

  it('is one network', async () => {
    const { id } = await w.demo.make('network')
    const reply = await w.demo.put(`/networks/${id}`, { networks: [{ name: 'x' }] })
    expect(errorOf(reply)).toEqual([400, 'HTTPBadRequest', 'Bulk operation not supported'])
    expect(errorOf(await w.demo.del(`/networks/${id}`, { body: {} }))[2]).toBe(
      'Request body is not supported in DELETE.',
    )
  })
})

describe('several networks at once', () => {
  it('are all made, in order', async () => {
    const networks = [{ name: 'bulk-1' }, { network: { name: 'bulk-2' } }]
    const { status, json } = await w.demo.post('/networks', { networks })
    expect(status).toBe(201)
    expect(json.networks.map(({ name }: { name: string }) => name)).toEqual(['bulk-1', 'bulk-2'])
  })

  it('are none where one is not right, or cannot be made', async () => {
    const count = async () => (await w.demo.get('/networks?fields=id')).json.networks.length
    const before = await count()
    const wrong = await w.demo.post('/networks', { networks: [{ name: 'a' }, { bogus: 1 }] })
    expect(wrong.status).toBe(400)
    const impossible = await w.demo.post('/networks', {
      networks: [{ name: 'a' }, { availability_zone_hints: ['nope'] }],
    })
    expect(errorOf(impossible)[1]).toBe('AvailabilityZoneNotFound')
    expect(await count()).toBe(before)
  })
})

// Security groups and their rules: what they look like, and what may be said of them.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })
const alt = w.person('alt', ['member'])
let group: string
beforeAll(async () => {
  group = (await w.demo.make('security_group', { name: 'g' })).id
})

const rule = (more: object = {}) => ({ security_group_id: group, direction: 'ingress', ...more })
const make = (more: object = {}) => w.demo.make('security_group_rule', rule(more))
const refused = async (more: object) =>
  errorOf(await w.demo.post('/security-group-rules', { security_group_rule: rule(more) }))

describe('a security group', () => {
  it('is made with the rules that let everything leave', async () => {
    const project_id = w.cloud.keystone.projectId('demo')
    const made = await w.demo.make('security_group', { name: 'web', description: 'd' })
    expect(made).toEqual({
      id: expect.any(String),
      name: 'web',
      description: 'd',
      project_id,
      tenant_id: project_id,
      stateful: true,
      shared: false,
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      'atoll:regions': [],
      security_group_rules: expect.any(Array),
    })
    const sides = made.security_group_rules.map(({ direction, ethertype }: Record<string, string>) => [
      direction,
      ethertype,
    ])
    expect(sides.sort()).toEqual([
      ['egress', 'IPv4'],
      ['egress', 'IPv6'],
    ])
    expect((await w.admin.get(`/security-groups/${made.id}`)).json.security_group).toEqual(made)
  })

  it('called default is there for every project, once, and stays', async () => {
    const { json } = await alt.get('/security-groups')
    expect(json.security_groups.map(({ name }: { name: string }) => name)).toEqual(['default'])
    const [{ id }] = json.security_groups
    const body = { security_group: { name: 'DEFAULT' } }
    expect(errorOf(await alt.post('/security-groups', body)).slice(0, 2)).toEqual([
      409,
      'SecurityGroupDefaultAlreadyExists',
    ])
    const rename = { security_group: { name: 'x' } }
    expect(errorOf(await alt.put(`/security-groups/${id}`, rename)).slice(0, 2)).toEqual([
      409,
      'SecurityGroupCannotUpdateDefault',
    ])
    expect(errorOf(await alt.del(`/security-groups/${id}`)).slice(0, 2)).toEqual([
      409,
      'SecurityGroupCannotRemoveDefault',
    ])
  })

  it('is changed, filtered and removed', async () => {
    const { id } = await w.demo.make('security_group', { name: 'h', stateful: false })
    const change = { name: 'i', description: 'e', stateful: 'yes' }
    const { json } = await w.demo.put(`/security-groups/${id}`, { security_group: change })
    expect(json.security_group).toMatchObject({ ...change, stateful: true, revision_number: 2 })
    const find = async (query: string) =>
      (await w.demo.get(`/security-groups?${query}&fields=id`)).json.security_groups
    expect(await find('name=i&description=e&stateful=true&shared=false')).toEqual([{ id }])
    expect(await find('name=i&shared=true')).toEqual([])
    expect((await w.demo.del(`/security-groups/${id}`)).status).toBe(204)
  })

  it.each([
    [{ name: 5 }, 400, 'HTTPBadRequest'],
    [{ stateful: 'x' }, 400, 'InvalidInput'],
    [{ security_group_rules: [] }, 400, 'HTTPBadRequest'],
    [{ bogus: 1 }, 400, 'HTTPBadRequest'],
    [{ shared: true }, 400, 'HTTPBadRequest'],
  ])('is not %j', async (fields, status, type) => {
    const reply = await w.demo.post('/security-groups', { security_group: fields })
    expect(errorOf(reply).slice(0, 2)).toEqual([status, type])
  })
})

describe('a rule', () => {
  it('lets something pass, and shows what', async () => {
    const made = await make({
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: '22',
      remote_ip_prefix: '10.0.0.9/8',
    })
    expect(made).toEqual({
      id: expect.any(String),
      description: '',
      project_id: w.cloud.keystone.projectId('demo'),
      tenant_id: w.cloud.keystone.projectId('demo'),
      security_group_id: group,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: 22,
      remote_ip_prefix: '10.0.0.9/8',
      normalized_cidr: '10.0.0.0/8',
      remote_group_id: null,
      remote_address_group_id: null,
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      'atoll:regions': [],
    })
    expect((await w.demo.get(`/security-group-rules/${made.id}`)).json.security_group_rule).toEqual(made)
    const shown = (await w.demo.get(`/security-groups/${group}`)).json.security_group.security_group_rules
    expect(shown).toContainEqual(made)
  })

  it.each([
    [{ protocol: 6, port_range_min: 80, port_range_max: 80 }, { protocol: '6' }],
    [
      { protocol: 'UDP', port_range_min: 1, port_range_max: 65535 },
      { protocol: 'udp', port_range_min: null },
    ],
    [
      { protocol: 'icmp', port_range_min: 8, port_range_max: 0 },
      { port_range_min: 8, port_range_max: 0 },
    ],
    [
      { protocol: 'icmpv6', ethertype: 'ipv6' },
      { protocol: 'ipv6-icmp', ethertype: 'IPv6' },
    ],
    [{ remote_ip_prefix: '10.7.7.7' }, { remote_ip_prefix: '10.7.7.7/32' }],
    [
      { protocol: '253', description: 'd' },
      { protocol: '253', description: 'd' },
    ],
  ])('may say %j', async (more, shown) => {
    expect(await make(more)).toMatchObject(shown)
  })

  const tcp = { protocol: 'tcp' }
  it.each([
    [{ direction: 'x' }, 400, 'HTTPBadRequest'],
    [{ direction: undefined }, 400, 'HTTPBadRequest'],
    [{ security_group_id: randomUUID() }, 404, 'SecurityGroupNotFound'],
    [{ ethertype: 'IPv5' }, 400, 'SecurityGroupRuleInvalidEtherType'],
    [{ protocol: 'x' }, 400, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 256 }, 400, 'SecurityGroupRuleInvalidProtocol'],
    [{ ...tcp, port_range_min: 'x' }, 400, 'SecurityGroupInvalidPortValue'],
    [{ ...tcp, port_range_min: 70000 }, 400, 'SecurityGroupInvalidPortValue'],
    [{ ...tcp, port_range_min: 0, port_range_max: 0 }, 400, 'SecurityGroupInvalidPortValue'],
    [{ ...tcp, port_range_min: 80, port_range_max: 20 }, 400, 'SecurityGroupInvalidPortRange'],
    [{ ...tcp, port_range_min: 80 }, 400, 'SecurityGroupInvalidPortRange'],
    [{ port_range_min: 80, port_range_max: 80 }, 400, 'SecurityGroupProtocolRequiredWithPorts'],
    [{ protocol: 'gre', port_range_min: 1, port_range_max: 2 }, 400, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'icmp', port_range_min: 300 }, 400, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', port_range_max: 1 }, 400, 'SecurityGroupMissingIcmpType'],
    [{ remote_ip_prefix: 'x' }, 400, 'InvalidCIDR'],
    [{ remote_ip_prefix: '2001:db8::/64' }, 400, 'SecurityGroupRuleParameterConflict'],
    [{ protocol: 'ipv6-icmp' }, 400, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ remote_group_id: 'x' }, 400, 'HTTPBadRequest'],
    [{ remote_address_group_id: randomUUID() }, 400, 'BadRequest'],
    [{ bogus: 1 }, 400, 'HTTPBadRequest'],
  ])('does not say %j', async (more, status, type) => {
    expect((await refused(more)).slice(0, 2)).toEqual([status, type])
  })

  it('is not made twice, however it is said', async () => {
    await make({ protocol: 'tcp', port_range_min: 443, port_range_max: 443 })
    for (const again of [{ protocol: '6' }, { protocol: 'tcp', remote_ip_prefix: '0.0.0.0/0' }])
      expect((await refused({ port_range_min: 443, port_range_max: 443, ...again })).slice(0, 2)).toEqual([
        409,
        'SecurityGroupRuleExists',
      ])
  })

  it('is found by what it says, and removed', async () => {
    const { id } = await make({ protocol: 'udp', port_range_min: 53, port_range_max: 53 })
    const query = `security_group_id=${group}&protocol=UDP&port_range_min=53&direction=ingress&fields=id`
    expect((await w.demo.get(`/security-group-rules?${query}`)).json.security_group_rules).toEqual([{ id }])
    expect((await w.demo.del(`/security-group-rules/${id}`)).status).toBe(204)
    expect(errorOf(await w.demo.get(`/security-group-rules/${id}`))[1]).toBe('SecurityGroupRuleNotFound')
  })

  it('comes with others, all or none', async () => {
    const rules = (...ports: number[]) =>
      ports.map(port => rule({ protocol: 'tcp', port_range_min: port, port_range_max: port }))
    const made = await w.demo.post('/security-group-rules', { security_group_rules: rules(7001, 7002) })
    expect([made.status, made.json.security_group_rules.length]).toEqual([201, 2])
    const twice = await w.demo.post('/security-group-rules', { security_group_rules: rules(7003, 7001) })
    expect(errorOf(twice)[1]).toBe('SecurityGroupRuleExists')
    const { json } = await w.demo.get(`/security-group-rules?port_range_min=7003`)
    expect(json.security_group_rules).toEqual([])
  })
})

// Whose things they are: another project's are never shown, changed or counted; shared ones are seen and used.

import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf, pathOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })
const alt = w.person('alt', ['member'])
const reader = w.person('reader', ['reader'])
const ids: Record<string, string> = {}
beforeAll(async () => {
  const name = 'secret-name'
  const network_id = (await w.demo.make('network', { name })).id
  ids.network = network_id
  ids.subnet = (await w.demo.make('subnet', { name, network_id, ip_version: 4, cidr: '10.0.0.0/24' })).id
  ids.port = (await w.demo.make('port', { name, network_id })).id
  ids.router = (await w.demo.make('router', { name })).id
  ids.security_group = (await w.demo.make('security_group', { name })).id
  ids.security_group_rule = (
    await w.demo.make('security_group_rule', {
      security_group_id: ids.security_group,
      direction: 'ingress',
      description: name,
    })
  ).id
})

const kinds = [
  ['network', 'NetworkNotFound'],
  ['subnet', 'SubnetNotFound'],
  ['port', 'PortNotFound'],
  ['router', 'RouterNotFound'],
  ['security_group', 'SecurityGroupNotFound'],
  ['security_group_rule', 'SecurityGroupRuleNotFound'],
] as const

describe.each(kinds)('a %s of another project', (kind, type) => {
  const one = () => `${pathOf(kind)}/${ids[kind]}`

  it('is not there: not to be shown, not to be changed, not to be removed', async () => {
    const before = (await w.demo.get(one())).text
    expect(errorOf(await alt.get(one())).slice(0, 2)).toEqual([404, type])
    expect(errorOf(await alt.del(one())).slice(0, 2)).toEqual([404, type])
    if (kind !== 'security_group_rule')
      expect(errorOf(await alt.put(one(), { [kind]: { name: 'x' } })).slice(0, 2)).toEqual([404, type])
    expect((await w.demo.get(one())).text).toBe(before)
  })

  it('is in no list, whatever it is asked by', async () => {
    const project = w.cloud.keystone.projectId('demo')
    for (const query of [
      `id=${ids[kind]}`,
      `project_id=${project}`,
      `tenant_id=${project}`,
      'name=secret-name',
    ]) {
      const { text } = await alt.get(`${pathOf(kind)}?${query}`)
      expect(text, query).not.toContain('secret-name')
      expect(text, query).not.toContain(ids[kind])
    }
    expect(errorOf(await alt.get(`${pathOf(kind)}?limit=1&marker=${ids[kind]}`)).slice(0, 2)).toEqual([
      404,
      type,
    ])
  })

  it('is an admin’s to see and to change', async () => {
    const { json } = await w.admin.get(`${pathOf(kind)}?id=${ids[kind]}&fields=id`)
    expect(json[`${kind}s`]).toEqual([{ id: ids[kind] }])
    if (kind !== 'security_group_rule') {
      const reply = await w.admin.put(one(), { [kind]: { description: 'by an admin' } })
      expect([reply.status, reply.json[kind]?.description]).toEqual([200, 'by an admin'])
    }
  })

  it('is a reader’s neither to make nor to change', async () => {
    const refused = (verb: string) => [
      403,
      'PolicyNotAuthorized',
      `rule:${verb}_${kind} is disallowed by policy`,
    ]
    expect(errorOf(await reader.post(pathOf(kind), { [kind]: {} }))).toEqual(refused('create'))
    expect(errorOf(await reader.del(one()))).toEqual(refused('delete'))
  })
})

describe('nothing is made of what is another project’s', () => {
  it.each([
    ['subnet', { ip_version: 4, cidr: '10.9.0.0/24' }, 'network_id', 'network', 'NetworkNotFound'],
    ['port', {}, 'network_id', 'network', 'NetworkNotFound'],
    [
      'security_group_rule',
      { direction: 'ingress' },
      'security_group_id',
      'security_group',
      'SecurityGroupNotFound',
    ],
  ])('no %s', async (kind, fields, field, of, type) => {
    const body = { [kind]: { ...fields, [field]: ids[of] } }
    expect(errorOf(await alt.post(pathOf(kind), body)).slice(0, 2)).toEqual([404, type])
  })
})

describe('a shared network', () => {
  it('is seen and used by everybody, and is its owner’s to change', async () => {
    const { id } = await w.admin.make('network', { name: 'shared', shared: true })
    const subnet = await w.admin.make('subnet', { network_id: id, ip_version: 4, cidr: '10.5.0.0/24' })
    expect((await alt.get(`/networks/${id}`)).json.network.shared).toBe(true)
    expect((await alt.get('/networks?shared=true&fields=name')).json.networks).toEqual([{ name: 'shared' }])
    expect((await alt.get(`/subnets/${subnet.id}`)).status).toBe(200)
    const port = await alt.make('port', { network_id: id })
    expect(port.fixed_ips[0].subnet_id).toBe(subnet.id)
    expect([403, 404]).toContain((await alt.put(`/networks/${id}`, { network: { name: 'x' } })).status)
    expect([403, 404]).toContain((await alt.del(`/networks/${id}`)).status)
    expect((await w.admin.get(`/networks/${id}`)).json.network.name).toBe('shared')
    expect((await alt.del(`/ports/${port.id}`)).status).toBe(204)
  })
})

// What is read of the regions themselves: availability zones, agents, quotas.

import { describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const w = await fileWorld({ joined: true })
const alt = w.person('alt', ['member'])
const reader = w.person('reader', ['reader'])

describe('the availability zones', () => {
  const zones = async (query = '') =>
    (await reader.get(`/availability_zones${query}`)).json.availability_zones as Record<string, string>[]

  it('are the zones and the regions, each for networks and for routers', async () => {
    const all = await zones()
    expect(new Set(all.map(({ name }) => name))).toEqual(new Set(['az1', 'az2', 'Pod1', 'Pod2']))
    expect(all).toContainEqual({ name: 'Pod1', resource: 'network', state: 'available' })
    expect(all).toContainEqual({ name: 'Pod1', resource: 'router', state: 'available' })
  })

  it('are filtered, and shown in part', async () => {
    expect(await zones('?name=Pod1&resource=router')).toEqual([
      { name: 'Pod1', resource: 'router', state: 'available' },
    ])
    expect(await zones('?name=Pod1&resource=router&fields=name')).toEqual([{ name: 'Pod1' }])
    expect(await zones('?state=unavailable')).toEqual([])
  })
})

describe('the agents', () => {
  it('are those of all regions, and say of which', async () => {
    const { json } = await w.admin.get('/agents')
    const regions = json.agents.map(
      (agent: Record<string, { region: string }[]>) => agent['atoll:regions']?.[0]?.region,
    )
    expect(new Set(regions)).toEqual(new Set(['Pod1', 'Pod2']))
    const [agent] = json.agents
    expect(agent).toMatchObject({ alive: true, admin_state_up: true, host: expect.any(String) })
    expect((await w.admin.get(`/agents/${agent.id}`)).json.agent).toMatchObject({ id: agent.id })
    expect(errorOf(await w.admin.get('/agents/nope')).slice(0, 2)).toEqual([404, 'AgentNotFound'])
  })

  it('are filtered by what they are, and by nothing else', async () => {
    const count = async (query: string) => (await w.admin.get(`/agents?${query}`)).json.agents.length
    expect(await count('agent_type=L3+agent&atoll:regions=Pod1')).toBe(1)
    expect(await count('alive=false')).toBe(0)
    expect(await count('alive=True&atoll:regions=Pod1&fields=id')).toBeGreaterThan(0)
    expect(errorOf(await w.admin.get('/agents?bogus=1'))).toEqual([
      400,
      'InvalidInput',
      "Invalid input for operation: 'bogus' is not supported for filtering.",
    ])
  })
})

describe('the quotas', () => {
  it('are a project’s to read, with what it uses', async () => {
    await w.demo.make('network')
    const own = w.cloud.keystone.projectId('demo')
    const limits = (await w.demo.get(`/quotas/${own}`)).json.quota
    expect(Object.keys(limits).sort()).toEqual([
      'floatingip',
      'network',
      'port',
      'router',
      'security_group',
      'security_group_rule',
      'subnet',
    ])
    expect((await w.demo.get(`/quotas/${own}/default`)).json.quota).toEqual(limits)
    const { network } = (await w.demo.get(`/quotas/${own}/details.json`)).json.quota
    expect(network).toEqual({ limit: limits.network, used: 1, reserved: 0 })
  })

  it('of another project are an admin’s to read', async () => {
    const own = w.cloud.keystone.projectId('demo')
    expect((await w.admin.get(`/quotas/${own}`)).status).toBe(200)
    expect(errorOf(await alt.get(`/quotas/${own}`))).toEqual([
      403,
      'PolicyNotAuthorized',
      'rule:get_quota is disallowed by policy',
    ])
  })
})

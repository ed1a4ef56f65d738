// Pods over the Tricircle Admin API.

import { describe, expect, it } from 'vitest'
import { fileWorld } from '../../world.ts'
import { newLease, sharedHost, viewed } from '../reservable.ts'

const w = await fileWorld()

const create = (pod: object, options = {}) => w.call('POST', '/v1.0/pods', { body: { pod }, ...options })

describe('a pod', () => {
  it('is created, shown, listed in order of creation, and deleted', async () => {
    const central = await create({ region_name: 'CentralRegion', pod_az_name: 'dropped', dc_name: ' dc ' })
    if (central.status !== 200) console.log(JSON.stringify(w.logLines.at(-2)))
    expect(central.status).toBe(200)
    expect(central.json.pod).toEqual({
      pod_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      region_name: 'CentralRegion',
      pod_name: 'CentralRegion',
      pod_az_name: '',
      dc_name: 'dc',
      az_name: '',
    })
    const local = await create({ pod_name: 'Pod1', az_name: 'az1', pod_az_name: 'nova' })
    expect(local.json.pod).toMatchObject({ region_name: 'Pod1', az_name: 'az1', pod_az_name: 'nova' })
    const id = local.json.pod.pod_id
    expect((await w.call('GET', `/v1.0/pods/${id}`)).json).toEqual(local.json)
    expect((await w.call('GET', '/tricircle/v1.0/pods')).json.pods).toEqual([
      central.json.pod,
      local.json.pod,
    ])
    const removed = await w.call('DELETE', `/v1.0/pods/${id}`)
    expect([removed.status, removed.json]).toEqual([200, {}])
    expect((await w.call('GET', `/v1.0/pods/${id}`)).status).toBe(404)
  })

  it('with hosts, leases or a provider is in use, and the refusal names them', async () => {
    await sharedHost(w)
    const pods = (await w.call('GET', '/v1.0/pods')).json.pods as { pod_id: string; region_name: string }[]
    const path = `/v1.0/pods/${pods.find(pod => pod.region_name === viewed)!.pod_id}`
    const refusal = async () => {
      const { status, text } = await w.call('DELETE', path)
      return [status, text]
    }
    const inUse = (by: string) => [409, `Pod ${viewed} is in use by ${by}: delete them first`]
    expect(await refusal()).toEqual(inUse('1 host'))
    await newLease(w)
    expect(await refusal()).toEqual(inUse('1 host, 1 lease'))
    const provider = {
      'provider-type': 'openstack',
      endpoint: w.cloud.authUrl.replace(/v3$/, 'v2.0/tokens'),
      username: 'admin',
      password: 'atoll',
      region: viewed,
      tenant: { name: 'admin' },
    }
    expect((await w.call('POST', '/promise/add-provider', { body: provider })).status).toBe(200)
    expect(await refusal()).toEqual(inUse('1 host, 1 lease, 1 provider'))
  })
})

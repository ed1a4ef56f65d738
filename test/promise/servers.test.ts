// A provider entered with its own credentials, a promise of it, and a server made of the promise: on the simulator's Nova, and
// on the lab's real one.

import { expect, it } from 'vitest'
import { answered, serversOf } from '../world/servers.ts'
import { fileWorld, type Json } from '../world.ts'

const w = await fileWorld({ joined: true, lab: true, regions: ['Pod1'] })
await w.startWork()
const opened = await serversOf(w)
const servers = opened!
const [region] = w.regions as [string]

async function ask(operation: string, body: object, as: 'admin' | 'demo' = 'demo'): Promise<Json> {
  return (await w.call('POST', `/promise/${operation}`, { as, body })).json
}

const read = async (path: string): Promise<Json> =>
  (await w.call('GET', `/promise/promise${path}`, { as: 'demo' })).json

it.skipIf(!opened)('from the seed’s own body to a server that is gone again', async () => {
  const { authUrl, username, password, projectName } = w.logIn('demo')
  const added = await ask(
    'add-provider',
    {
      'provider-type': 'openstack',
      endpoint: `${authUrl.replace(/\/v3$/, '')}/v2.0/tokens`,
      username,
      password,
      region,
      tenant: { id: w.demo.projectId, name: projectName },
    },
    'admin',
  )
  expect(added).toMatchObject({ result: 'ok', guarantee: 'aggregate' })
  const source = added['provider-id']
  const flavors = (await read('/providers'))[0].services.compute.flavors
  expect(flavors.map((flavor: Json) => flavor.id)).toContain(servers.flavor.id)

  const { vcpus, memoryMb } = servers.flavor
  const capacity = { cores: 2 * vcpus, ram: 2 * memoryMb, instances: 2, gigabytes: 2 }
  expect(await ask('increase-capacity', { source, capacity }, 'admin')).toMatchObject({ result: 'ok' })
  const reservation = await ask('create-reservation', { capacity })
  expect(reservation).toMatchObject({ result: 'ok', guarantee: 'aggregate' })

  const image = servers.imageId(region)
  const instance = { name: 'promised', image, flavor: servers.flavor.id }
  const drawn = { ...instance, 'reservation-id': reservation['reservation-id'] }
  const made = await ask('create-instance', drawn)
  expect(made).toMatchObject({ result: 'ok' })
  const id = made['instance-id']
  const active = await answered(
    () => ask('query-instance', { 'instance-id': id }),
    answer => answer?.status === 'active',
  )
  expect(active).toMatchObject({ priority: 'high', 'instance-ref': { provider: source } })
  expect((await read('/capacity')).reserved).toMatchObject({ cores: vcpus, instances: 1 })

  // All of the budget is promised: a server beside the promise has no room.
  expect(await ask('create-instance', instance)).toMatchObject({ result: 'conflict' })
  // What Nova refuses is charged to nobody.
  const refused = await ask('create-instance', { ...drawn, image: '00000000-0000-4000-8000-000000000000' })
  expect(refused).toMatchObject({ result: 'error', message: expect.stringContaining('400') })
  expect((await read('/capacity')).reserved).toMatchObject({ cores: vcpus, instances: 1 })

  expect(await ask('destroy-instance', { 'instance-id': id })).toMatchObject({ result: 'ok' })
  await answered(
    () => read('/capacity'),
    answer => answer?.reserved.instances === 2,
  )
  expect(await ask('cancel-reservation', { 'reservation-id': drawn['reservation-id'] })).toMatchObject({
    result: 'ok',
  })
  expect((await read('/capacity')).available).toMatchObject(capacity)
  expect(await ask('remove-provider', { 'provider-id': source }, 'admin')).toMatchObject({ result: 'ok' })
})

// NFVI capacity information, as SOL005 shows it: what each region's hosts have for everybody.

import { expect, it } from 'vitest'
import { promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)

const infos = '/nfvici/v1/nfvi_capacity_infos'

it('has total, reserved, allocated and available capacity of a region, by its id and its name', async () => {
  await s.promised({ cores: 100, ram: 51200, instances: 10 })
  const vims = await s.read(infos)
  const pod1 = vims.find((one: { vimName: string }) => one.vimName === 'Pod1')
  expect(vims.map((one: { vimName: string }) => one.vimName)).toEqual(['Pod1', 'Pod2'])
  const [before] = pod1.capacityInfoPerZone[0].computeResource
  await s.ask('create-reservation', { capacity: { cores: 5 } })
  await s.ask('create-instance', s.instanceBody())

  const shown = await s.read(`${infos}/${pod1.vimId}`, { as: 'demo' })
  const { total } = before.capacityInformation
  expect(shown.capacityInfoPerZone).toEqual([
    {
      zoneId: 'az1',
      timestamp: expect.stringMatching(/Z$/),
      computeResource: [
        {
          resourceTypeId: 'vCpu',
          capacityInformation: { total, reserved: 5, allocated: 1, available: total - 6 },
        },
        { resourceTypeId: 'vMemory', capacityInformation: expect.objectContaining({ allocated: 512 }) },
      ],
    },
  ])
  expect(await s.read(`${infos}/Pod1`)).toMatchObject({ vimId: pod1.vimId, vimName: 'Pod1' })
})

it.each(['nowhere', 'CentralRegion'])('has nothing of %s: a 404', async vim => {
  const reply = await w.call('GET', `/promise${infos}/${vim}`)
  expect([reply.status, reply.json.message]).toEqual([404, `there is no VIM ${vim}`])
})

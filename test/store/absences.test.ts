// What left the model because a region did not show it any more: kept as it was, with its addresses and its MAC, until it
// is back, a verb names it, or a day is over.

import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Kind } from '../../src/core/network/model/model.ts'
import { forgetAbsences } from '../../src/core/network/watch/tidy.ts'
import type { Region } from '../../src/core/regions/region.ts'
import { fileWorld } from '../world.ts'
import { at, floatingip, holding, network, noted, router, rowsOf, subnet } from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
let region: Region
beforeEach(async () => {
  await w.query('truncate network, subnet, port, router, routing, region, intent, absent, audit cascade')
  region = await s.newRegion({ name: 'Pod1' })
})

const absences = () => w.app.store.absences
const hours = (count: number): Date => new Date(at.getTime() + count * 3_600_000)
const lose = (
  kind: 'network' | 'subnet' | 'port' | 'router' | 'floatingip',
  id: string,
  links: object[] = [],
) =>
  s.tx(tx =>
    tx.networks.lose(
      { kind, id, regionId: region.id, regionalId: id, links: links as never },
      { ...noted(`${kind}.lose`), at },
    ),
  )
const takeBack = (kind: 'network' | 'port' | 'router', id: string, regionalId = id) =>
  s.tx(tx => tx.networks.takeBack({ kind, id, regionId: region.id, regionalId }, noted(`${kind}.take_in`)))
const heldBy = async (subnetId: string, holder: string) =>
  (await w.app.store.networks.holdings(subnetId)).filter(one => one.holder === holder)

/** A port with an address, which is in the region and bears the mark of an intent. */
async function aPort() {
  const sub = await s.addSubnet()
  const port = await s.addPort(sub.networkId, { name: 'kept' }, [{ subnetId: sub.id, ipAddress: '10.0.0.9' }])
  await s.place('port', port.id, region)
  const purpose = randomUUID()
  const intent = { id: purpose, region: 'Pod1', resourceType: 'port', purpose, owner: '' }
  await w.app.store.intents.declare(intent, at)
  await w.app.store.intents.noteId(purpose, port.id, port.id)
  return { sub, port, intentId: purpose }
}

describe('what is seen to be gone', () => {
  it('leaves the model, and is absent: its address stays held, its intent has ended by absence', async () => {
    const { sub, port, intentId } = await aPort()
    expect(await lose('port', port.id)).toBe(true)
    expect(await s.get('port', port.id)).toBeNull()
    expect(await heldBy(sub.id, port.id)).toHaveLength(1)
    expect((await w.app.store.intents.states([intentId])).get(intentId)).toMatchObject({ state: 'absent' })
    expect(await absences().kinds(region.id)).toEqual(['port'])
    expect(await absences().withIds(region.id, 'port', [port.id])).toMatchObject([{ id: port.id }])
    expect([...(await absences().withMarks(region.id, 'port', [intentId])).keys()]).toEqual([intentId])
  })

  it('that nobody knows is not absent either', async () => {
    expect(await lose('port', randomUUID())).toBe(false)
    expect(await absences().kinds(region.id)).toEqual([])
  })

  it('is looked for in its own region and among its own kind only', async () => {
    const { port } = await aPort()
    await lose('port', port.id)
    const other = await s.newRegion({ name: 'Pod2' })
    expect(await absences().withIds(other.id, 'port', [port.id])).toEqual([])
    expect(await absences().withIds(region.id, 'network', [port.id])).toEqual([])
  })

  it('has its address taken by nobody, unless the region itself gives it to somebody', async () => {
    const { sub, port } = await aPort()
    await lose('port', port.id)
    const other = holding(sub.id, '10.0.0.9')
    await expect(s.tx(tx => tx.networks.hold(other))).rejects.toMatchObject({
      detail: { reason: 'address_in_use' },
    })
    expect(await s.tx(tx => tx.networks.giveWay(sub.id, '10.0.0.9'))).toBe(true)
    await s.tx(tx => tx.networks.hold(other))
    expect(await heldBy(sub.id, port.id)).toEqual([])
  })

  it('gives way with nothing that a port of the model has', async () => {
    const { sub, port } = await aPort()
    expect(await s.tx(tx => tx.networks.giveWay(sub.id, '10.0.0.9'))).toBe(false)
    expect(await heldBy(sub.id, port.id)).toHaveLength(1)
  })

  it('keeps its MAC on its network, and on no other', async () => {
    const { sub, port } = await aPort()
    const isKept = (networkId: string) => s.tx(tx => tx.networks.isMacKept(networkId, port.macAddress))
    expect(await isKept(sub.networkId)).toBe(false)
    await lose('port', port.id)
    expect(await isKept(sub.networkId)).toBe(true)
    expect(await isKept((await s.addNetwork()).id)).toBe(false)
  })
})

describe('what is seen again', () => {
  it('is what it was, where it was, with its address and its mark', async () => {
    const { sub, port, intentId } = await aPort()
    const before = await s.get('port', port.id)
    const links = [{ floatingIpId: 'f', fixedIpAddress: '10.0.0.9', routerId: 'r' }]
    await lose('port', port.id, links)
    expect(await takeBack('port', port.id)).toEqual({ links })
    expect(await s.get('port', port.id)).toEqual(before)
    expect(await heldBy(sub.id, port.id)).toHaveLength(1)
    expect((await w.app.store.intents.states([intentId])).get(intentId)).toEqual({
      state: 'living',
      regionalId: port.id,
    })
    expect(await absences().kinds(region.id)).toEqual([])
  })

  it('comes back once, whoever sees it', async () => {
    const { port } = await aPort()
    await lose('port', port.id)
    const answers = await Promise.all([takeBack('port', port.id), takeBack('port', port.id)])
    expect(answers.filter(one => one !== null)).toHaveLength(1)
  })

  it('by its mark, is known by the id that it has now', async () => {
    const { port } = await aPort()
    await lose('port', port.id)
    await takeBack('port', port.id, 'another')
    expect((await s.get('port', port.id))?.places).toEqual([{ region: 'Pod1', id: 'another' }])
  })

  it('stays absent while what it needs is not there', async () => {
    const net = await s.addNetwork()
    const sub = await s.add('subnet', subnet(net.id))
    await s.place('subnet', sub.id, region)
    await lose('subnet', sub.id)
    await lose('network', net.id)
    await expect(
      s.tx(tx =>
        tx.networks.takeBack(
          { kind: 'subnet', id: sub.id, regionId: region.id, regionalId: sub.id },
          noted('subnet.take_in'),
        ),
      ),
    ).rejects.toMatchObject({ code: expect.stringMatching(/conflict|not_found/) })
    expect(await absences().kinds(region.id)).toEqual(expect.arrayContaining(['subnet', 'network']))
  })

  it.each<[Kind, () => Promise<string>]>([
    ['network', async () => (await s.add('network', network({ zoneHints: ['Pod1'], name: 'ñ' }))).id],
    ['router', async () => (await s.add('router', router({ name: 'r', distributed: true }))).id],
    [
      'floatingip',
      async () => (await s.add('floatingip', floatingip((await s.addNetwork({ external: true })).id))).id,
    ],
  ])('is the same in every field: %s', async (kind, make) => {
    const id = await make()
    await s.place(kind, id, region)
    const before = await s.get(kind, id)
    await lose(kind as 'network', id)
    expect(await s.get(kind, id)).toBeNull()
    expect(await takeBack(kind as 'network', id)).not.toBeNull()
    expect(await s.get(kind, id)).toEqual(before)
  })
})

describe('what is absent', () => {
  it('and is named by a verb comes back no more; its address is free and its mark surplus', async () => {
    const { sub, port, intentId } = await aPort()
    await lose('port', port.id)
    await s.remove('port', port.id)
    expect(await takeBack('port', port.id)).toBeNull()
    expect(await heldBy(sub.id, port.id)).toEqual([])
    expect((await w.app.store.intents.states([intentId])).get(intentId)).toMatchObject({ state: 'removed' })
  })

  it('for less than a day stays so; then it is forgotten, and its address and its MAC are free', async () => {
    const { sub, port } = await aPort()
    await lose('port', port.id)
    expect(await forgetAbsences({ ...w.app, now: () => hours(23.9) })).toBe(0)
    expect(await heldBy(sub.id, port.id)).toHaveLength(1)
    expect(await forgetAbsences({ ...w.app, now: () => hours(24.1) })).toBe(1)
    expect(await heldBy(sub.id, port.id)).toEqual([])
    expect(await s.tx(tx => tx.networks.isMacKept(sub.networkId, port.macAddress))).toBe(false)
    expect(await takeBack('port', port.id)).toBeNull()
  })
})

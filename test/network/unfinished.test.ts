// Changes of what lives in one region whose writer died after the region had made them: whoever comes finishes them.

import { describe, expect, it } from 'vitest'
import { byOne } from '../../src/core/network/writes/one-writer.ts'
import { fileWorld, type Json } from '../world.ts'
import { look } from './regions.ts'

const w = await fileWorld({ joined: true })

const atHome = { availability_zone_hints: ['Pod1'] }
const region = (await w.app.store.regions.list()).find(({ name }) => name === 'Pod1')!

/** As a writer leaves it who has asked the region and died before the model knew: its time is over. */
async function left(kind: 'router' | 'port', id: string, name: string): Promise<void> {
  const writing = {
    kind,
    id,
    regionId: region.id,
    token: w.app.newId(),
    until: new Date(0),
    verb: 'update',
    undo: null,
  } as const
  expect(await w.app.store.writings.begin(writing, w.app.now())).toBe('begun')
  await w.region('Pod1').update(kind, id, { name })
}

async function made(kind: 'router' | 'port'): Promise<Json> {
  if (kind === 'router') return w.demo.make('router', { name: 'old', ...atHome })
  const { id: network_id } = await w.demo.make('network', { name: 'n', ...atHome })
  await w.demo.make('subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/24' })
  return w.demo.make('port', { network_id, name: 'old' })
}

describe.each(['router', 'port'] as const)('a change of a %s that nobody ended', kind => {
  it('is the model’s with the region’s next look, and its revision rises', async () => {
    const { id, revision_number } = await made(kind)
    await left(kind, id, 'new')
    await look(w)
    const now = await w.demo.read(`/${kind}s/${id}`)
    expect(now.name).toBe('new')
    expect(now.revision_number).toBeGreaterThan(revision_number)
    expect(await w.app.store.writings.left(region.id, w.app.now())).toEqual([])
  })

  it('is finished by the next writer, who is told when the revision is another one by that', async () => {
    const { id, revision_number } = await made(kind)
    await left(kind, id, 'new')
    const headers = { 'if-match': `revision_number=${revision_number}` }
    const change = { [kind]: { name: 'mine' } }
    expect((await w.demo.put(`/${kind}s/${id}`, change, { headers })).status).toBe(412)
    expect((await w.demo.read(`/${kind}s/${id}`)).name).toBe('new')
    expect((await w.demo.put(`/${kind}s/${id}`, change)).status).toBe(200)
    expect((await w.region('Pod1').get(kind, id))?.name).toBe('mine')
  })

  it('that the region refuses leaves the model as it was, and nobody waits for it', async () => {
    const { id } = await made(kind)
    w.cloud.faults.add({
      kind: 'status',
      status: 400,
      region: 'Pod1',
      service: 'neutron',
      method: 'PUT',
      times: 1,
    })
    expect((await w.demo.put(`/${kind}s/${id}`, { [kind]: { name: 'refused' } })).status).toBe(400)
    expect((await w.demo.read(`/${kind}s/${id}`)).name).toBe('old')
    expect((await w.demo.put(`/${kind}s/${id}`, { [kind]: { name: 'taken' } })).status).toBe(200)
  })
})

it('what only one may do at a time is done by one after the other', async () => {
  const what = { kind: 'convergence', id: 'r/1', regionId: region.id }
  const order: string[] = []
  await Promise.all(
    ['a', 'b', 'c'].map(name =>
      byOne(w.app, what, async () => {
        order.push(`${name} begins`)
        await w.app.store.regions.list()
        order.push(`${name} ends`)
      }),
    ),
  )
  expect(order.map(one => one.split(' ')[1])).toEqual(Array(3).fill(['begins', 'ends']).flat())
  for (const at of [0, 2, 4]) expect(order[at]![0]).toBe(order[at + 1]![0])
})

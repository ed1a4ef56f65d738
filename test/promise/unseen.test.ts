// Promises with servers while their provider cannot be seen: nothing that is charged ends, nothing is removed, and what was
// taken for gone and shows again is what it was.

import { beforeEach, describe, expect, it } from 'vitest'
import type { FaultSpec } from '../../sim/faults.ts'
import { discoverRegion } from '../../src/core/capacity/general.ts'
import { runProvider } from '../../src/core/capacity/watch-instances.ts'
import { AppError } from '../../src/core/error.ts'
import { checkLedger } from '../../src/store/ledger-check.ts'
import { until } from '../wait.ts'
import { hourMs, promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
let provider: string
let reservation: string

const capacity = { cores: 10, ram: 10_240, instances: 10, gigabytes: 100 }
const servers = () => w.nova('Pod1').servers()

beforeEach(async () => {
  await s.clear()
  provider = await s.promised(capacity)
  reservation = (await s.ask('create-reservation', { capacity: { cores: 2, ram: 1024, instances: 2 } }))[
    'reservation-id'
  ]
})

async function make(drawn: boolean): Promise<string> {
  const more = drawn ? { 'reservation-id': reservation } : {}
  const id = (await s.ask('create-instance', s.instanceBody(more)))['instance-id']
  await until(() => servers().every(({ taskState, vmState }) => taskState === null && vmState === 'active'), {
    what: 'the server is active',
  })
  await look()
  return id
}

/** One look at the provider and at its region; the message of what is refused. */
async function look(): Promise<string | null> {
  try {
    await runProvider(w.app, provider)
    await discoverRegion(w.app, 'Pod1')
    return null
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.message
  }
}

/** What is charged to whom, what is available, and what runs. */
async function picture(): Promise<unknown> {
  const rows = await w.query(
    `select id, status, server_id, reservation_id, ended_at from instance order by id`,
  )
  const hosts = await w.database.pool.query('select * from general_host order by 1, 2')
  return {
    rows,
    hosts: hosts.rows,
    capacity: await s.read('/promise/capacity/available'),
    servers: servers().map(({ id, host }) => ({ id, host })),
  }
}

const removals = (): number => w.cloud.faults.calls({ service: 'nova', method: 'DELETE' })

const doubtOf = async (): Promise<string | null> =>
  (await w.app.store.providers.get(provider))!.suspicion?.reason ?? null

const plagues: [string, FaultSpec][] = [
  ['a Nova that is blind for all', { kind: 'blind', region: 'Pod1', service: 'nova' }],
  [
    'a Nova that is blind for the service user',
    { kind: 'blind', region: 'Pod1', service: 'nova', user: 'atoll' },
  ],
  [
    'a Nova that is blind for the provider’s user',
    { kind: 'blind', region: 'Pod1', service: 'nova', user: 'admin' },
  ],
  ['a Placement that is blind', { kind: 'blind', region: 'Pod1', service: 'placement' }],
  ['an emptied region', { kind: 'empty', region: 'Pod1' }],
]

describe('promises with servers under', () => {
  it.each(plagues)('%s are what they were: for one look, and for a day', async (_what, fault) => {
    for (const drawn of [true, true, false]) await make(drawn)
    const before = await picture()
    for (const looks of [1, 24]) {
      const planted = w.cloud.faults.add(fault)
      for (let at = 0; at < looks; at++) {
        if (looks > 1) w.setTime(new Date(w.app.now().getTime() + hourMs))
        await look()
      }
      planted.remove()
      w.setTime(null)
      expect(await look()).toBeNull()
      expect(await picture()).toEqual(before)
      expect(removals()).toBe(0)
    }
    expect(await doubtOf()).toBeNull()
  })

  it('a provider that shows none of several says so of itself until it shows them', async () => {
    await make(true)
    await make(false)
    const planted = w.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'nova', user: 'admin' })
    await look()
    expect(await doubtOf()).toBe('2 of 2 servers are missing at once')
    planted.remove()
    await look()
    expect(await doubtOf()).toBeNull()
  })
})

it('servers that were all deleted in their Nova are gone, and their provider is believed', async () => {
  const made = [await make(true), await make(false)]
  const nova = w.nova('Pod1')
  for (const server of servers()) nova.region.forget(server)
  await look()
  expect(await doubtOf()).toBeNull()
  for (const id of made)
    expect(await w.app.store.instances.get(id)).toMatchObject({ status: 'gone', endedBy: 'absence' })
})

describe('one server that was taken for gone and shows again', () => {
  it.each([
    ['on its reservation', true],
    ['by itself', false],
  ])('is charged as it was, %s', async (_how, drawn) => {
    const id = await make(drawn)
    const before = await picture()
    const planted = w.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'nova', user: 'admin' })
    await look()
    expect(await w.app.store.instances.get(id)).toMatchObject({ status: 'gone', endedBy: 'absence' })
    planted.remove()
    await look()
    expect(await picture()).toEqual(before)
    expect(removals()).toBe(0)
    const findings = await checkLedger(w.database.db)
    expect(findings.flatMap(({ wrong }) => wrong)).toEqual([])
  })

  it('is charged by itself, beyond what there is, where others have drawn its room', async () => {
    const id = await make(true)
    const planted = w.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'nova', user: 'admin' })
    await look()
    planted.remove()
    await s.ask('create-instance', s.instanceBody({ 'reservation-id': reservation }))
    await s.ask('create-instance', s.instanceBody({ 'reservation-id': reservation }))
    await look()
    expect(await w.app.store.instances.get(id)).toMatchObject({ endedAt: null, reservationId: null })
    const findings = await checkLedger(w.database.db)
    expect(findings.flatMap(({ wrong }) => wrong)).toEqual([])
  })
})

describe('what was really removed', () => {
  it('at the provider is gone', async () => {
    const id = await make(false)
    for (const one of servers()) w.nova('Pod1').region.forget(one)
    await look()
    expect(await w.app.store.instances.get(id)).toMatchObject({ status: 'gone', endedBy: 'absence' })
  })

  it('by a verb while nothing showed is removed when it shows', async () => {
    const id = await make(false)
    const planted = w.cloud.faults.add({ kind: 'empty', region: 'Pod1', service: 'nova' })
    await s.ask('destroy-instance', { 'instance-id': id })
    expect(await w.app.store.instances.get(id)).toMatchObject({ status: 'gone', endedBy: 'verb' })
    planted.remove()
    expect(servers()).toHaveLength(1)
    await look()
    await until(() => servers().length === 0, { what: 'the server is gone' })
  })

  it('is seen as removed where an absence is taken for a verb (a planted fault)', async () => {
    await make(false)
    const planted = w.cloud.faults.add({ kind: 'blind', region: 'Pod1', service: 'nova', user: 'admin' })
    await look()
    await w.query(`update instance set ended_by = 'verb' where ended_by = 'absence'`)
    planted.remove()
    await look()
    expect(removals()).toBeGreaterThan(0)
  })
})

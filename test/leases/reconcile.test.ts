// The survey of a region: what it has lost of hosts and reservations is made again, and what should not be there is told.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import { createLease, removeLease } from '../../src/core/leases/leases.ts'
import { reconcileHosts } from '../../src/core/leases/reconcile.ts'
import { diagnose } from '../../src/diagnosis.ts'
import { until } from '../wait.ts'
import { hostsFor, leaseIs, traces } from '../world/leases.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ workers: true, regions: ['Pod1'], hosts: 3 })

const nova = () => w.nova('Pod1')
const compute = () => w.app.cloud.compute('Pod1', 'req-00000000-0000-4000-8000-000000000001')
const verdict = { doubt: null, change: null, since: null, counts: { host: { missing: 0, known: 3 } } }
const nothing = { closed: [], opened: [], cleared: [], unknown: [], foreign: [], verdict }

describe('a region that is as it should be', () => {
  it('is left alone', async () => {
    const lease = await createLease(w.app, w.demo, hostsFor(w, 1))
    await leaseIs(w, lease.id, 'ACTIVE')
    expect(await reconcileHosts(w.app, 'Pod1')).toEqual(nothing)
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await leaseIs(w, lease.id, null)
  })
})

describe('a host', () => {
  it('that somebody has opened is closed again', async () => {
    const [host] = w.hosts
    await compute().openHost(host!)
    expect(await reconcileHosts(w.app, 'Pod1')).toEqual({ ...nothing, closed: [host!.hypervisorHostname] })
    expect(nova().aggregate('freepool')!.hosts).toContain(host!.serviceName)
    expect(await reconcileHosts(w.app, 'Pod1')).toEqual(nothing)
  })

  it('that is down takes no reservation until it is up again', async () => {
    for (const host of w.hosts) nova().breakHost(host.serviceName)
    await reconcileHosts(w.app, 'Pod1')
    await expect(createLease(w.app, w.demo, hostsFor(w, 1))).rejects.toThrow('Not enough hosts available')
    for (const host of w.hosts) nova().mendHost(host.serviceName)
    await reconcileHosts(w.app, 'Pod1')
    const lease = await createLease(w.app, w.demo, hostsFor(w, 3))
    await leaseIs(w, lease.id, 'ACTIVE')
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await leaseIs(w, lease.id, null)
  })
})

describe('a reservation', () => {
  it('that the region has lost is enacted anew', async () => {
    const lease = await createLease(w.app, w.demo, hostsFor(w, 1))
    await leaseIs(w, lease.id, 'ACTIVE')
    const { id } = lease.reservations[0]!
    await compute().closePlacement({ reservationId: id, projectId: w.demo.projectId!, hosts: [] })
    expect(
      nova()
        .flavors()
        .map(flavor => flavor.id),
    ).not.toContain(id)
    expect(await reconcileHosts(w.app, 'Pod1')).toEqual({ ...nothing, opened: [id] })
    await leaseIs(w, lease.id, 'ACTIVE')
    expect(
      nova()
        .flavors()
        .map(flavor => flavor.id),
    ).toContain(id)
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await leaseIs(w, lease.id, null)
  })

  it('that a verb has ended, and that a late call has let in, is cleared', async () => {
    const lease = await createLease(w.app, w.demo, hostsFor(w, 1))
    await leaseIs(w, lease.id, 'ACTIVE')
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await leaseIs(w, lease.id, null)
    const late = {
      reservationId: lease.reservations[0]!.id,
      projectId: w.demo.projectId!,
      hosts: [w.hosts[0]!],
    }
    await compute().openPlacement(late)
    expect(await reconcileHosts(w.app, 'Pod1')).toEqual({ ...nothing, cleared: [late.reservationId] })
    expect(traces(w, 'Pod1')).toEqual([])
  })

  it('that this Atoll does not know is told, and stays as it is', async () => {
    const another = { reservationId: w.app.newId(), projectId: w.demo.projectId!, hosts: [w.hosts[0]!] }
    await compute().openPlacement(another)
    const there = traces(w, 'Pod1')
    expect(await reconcileHosts(w.app, 'Pod1')).toEqual({ ...nothing, unknown: [another.reservationId] })
    expect(traces(w, 'Pod1')).toEqual(there)
    expect(await compute().clearPlacement(another)).toBe('cleared')
  })

  it('of somebody else is none of ours', async () => {
    const theirs = w.app.newId()
    nova()
      .flavors()
      .find(flavor => flavor.id === theirs)
    await expect(compute().isOurs(theirs)).resolves.toBe(false)
  })
})

describe('a server that should not be there', () => {
  it('is told, and its host is not given to anybody while it is there', async () => {
    nova().setIsolation(false)
    const there = w.hosts.map(host => host.serviceName)
    const id = await boot(there[0]!)
    const { foreign } = await reconcileHosts(w.app, 'Pod1')
    expect(foreign).toEqual([{ host: w.hosts[0]!.hypervisorHostname, server: id }])
    await expect(createLease(w.app, w.demo, hostsFor(w, 3))).rejects.toThrow('Not enough hosts available')
    await compute().removeServer(id)
    await until(() => nova().serversOn(there[0]!).length === 0, { what: 'the host is empty' })
    expect((await reconcileHosts(w.app, 'Pod1')).foreign).toEqual([])
    const lease = await createLease(w.app, w.demo, hostsFor(w, 3))
    expect(lease.reservations[0]!.hosts).toHaveLength(3)
    nova().setIsolation(true)
  })
})

describe('the doctor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-doctor-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const keyFile = join(folder, 'secrets.key')
  const findings = async (): Promise<string[]> => {
    const database = { ...w.config.database, url: w.databaseUrl }
    const found: string[] = []
    const log = pino({ level: 'silent' })
    await diagnose({ ...w.config, database, key_file: keyFile }, log, ({ good, subject, sentence }) => {
      if (subject === 'Pod1 hosts') found.push(`${good ? 'ok' : 'BAD'} ${sentence}`)
    })
    return found
  }

  it('finds closed hosts well', async () => {
    expect(await findings()).toEqual(['ok 3 enrolled hosts are closed to plain servers'])
  })

  it('finds a host that is open', async () => {
    await compute().openHost(w.hosts[0]!)
    expect(await findings()).toEqual([expect.stringMatching(/^BAD 1 of 3 enrolled hosts are open/)])
    await reconcileHosts(w.app, 'Pod1')
  })

  it('says which option is missing when a plain server is there', async () => {
    nova().setIsolation(false)
    const id = await boot(w.hosts[1]!.serviceName)
    expect(await findings()).toEqual([
      expect.stringMatching(
        /^BAD 1 servers .* set enable_isolated_aggregate_filtering = true under \[scheduler\]/,
      ),
    ])
    await compute().removeServer(id)
    nova().setIsolation(true)
  })
})

async function post(path: string, body: object): Promise<unknown> {
  const reply = await fetch(`${nova().url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-auth-token': await w.token('admin') },
    body: JSON.stringify(body),
  })
  expect(reply.ok).toBe(true)
  return reply.json()
}

/** A plain server of the admin's, forced onto a host. */
async function boot(host: string): Promise<string> {
  const spec = {
    name: 'foreign',
    flavorRef: nova()
      .flavors()
      .find(flavor => flavor.name === 'm1.tiny')!.id,
    imageRef: nova().images()[0]!.id,
    networks: [],
    availability_zone: `nova:${host}`,
  }
  const { server } = (await post('/servers', { server: spec })) as { server: { id: string } }
  await until(() => nova().serversOn(host).length > 0, { what: 'the server is on its host' })
  return server.id
}

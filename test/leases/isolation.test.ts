// Who lands on hosts that are hosts: servers of leases, and nobody else.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { removeHost } from '../../src/core/hosts/enrolment.ts'
import type { Lease } from '../../src/core/leases/lease.ts'
import { createLease, removeLease } from '../../src/core/leases/leases.ts'
import { reservedTrait } from '../../src/openstack/isolation.ts'
import { meanwhile } from '../wait.ts'
import { boot, clearLeases, hourMs, leaseIs, shortly, traces } from '../world/leases.ts'
import { type World, world } from '../world.ts'

const hostnamesOf = (w: World, lease: Lease): string[] =>
  lease.reservations.flatMap(({ hosts }) =>
    hosts.map(id => w.hosts.find(host => host.id === id)!.hypervisorHostname),
  )

const active = async (w: World, count = 1): Promise<Lease> => {
  const lease = await createLease(w.app, w.demo, shortly(w, { forMs: hourMs, region: 'Pod1', count }))
  return (await leaseIs(w, lease.id, 'ACTIVE'))!
}

describe('on a stock Nova', () => {
  let w: World

  beforeAll(async () => {
    w = await world({ workers: true, regions: ['Pod1'], hosts: 7 })
  })
  afterEach(() => clearLeases(w))
  afterAll(() => w?.[Symbol.asyncDispose]())

  /** The one that is not enrolled, of eight. */
  const open = 'pod1-host8'

  it('plain servers of any project land on no enrolled host, leased or free', async () => {
    await active(w, 3)
    for (let n = 0; n < 4; n++) {
      for (const as of ['demo', 'admin'] as const)
        expect((await boot(w, { region: 'Pod1', as })).host).toBe(open)
    }
  })

  it('servers with a lease’s flavor land on its hosts; another project does not even see it', async () => {
    const lease = await active(w, 2)
    const flavor = lease.reservations[0]!.id
    const hosts = [1, 2].map(() => boot(w, { region: 'Pod1', flavor }))
    const landed = (await Promise.all(hosts)).map(server => server.host)
    expect(landed.sort()).toEqual(hostnamesOf(w, lease).sort())
    const full = await boot(w, { region: 'Pod1', flavor })
    expect([full.vmState, full.host]).toEqual(['error', null])
    const project = w.cloud.keystone.addProject('alt')
    w.cloud.keystone.addUser({ name: 'alt', password: 'alt', projectId: project })
    await expect(boot(w, { region: 'Pod1', as: 'alt', flavor })).rejects.toThrow('could not be found')
  })

  it('an image that asks for the trait opens no host', async () => {
    await active(w)
    const image = w.nova('Pod1').addImage({
      name: 'clever',
      isPublic: true,
      properties: { [`trait:${reservedTrait}`]: 'required' },
    })
    const server = await boot(w, { region: 'Pod1', imageId: image.id })
    expect([server.vmState, server.host]).toEqual(['error', null])
  })

  it('what compute services write of their own hosts takes nothing away', async () => {
    const lease = await active(w)
    w.nova('Pod1').refreshHosts()
    expect((await boot(w, { region: 'Pod1' })).host).toBe(open)
    const server = await boot(w, { region: 'Pod1', flavor: lease.reservations[0]!.id })
    expect([server.host]).toEqual(hostnamesOf(w, lease))
  })

  it('a host with something to come or to clear away is not removed; then it is, and is open to all', async () => {
    const lease = await active(w)
    const [name = ''] = hostnamesOf(w, lease)
    const host = w.hosts.find(one => one.hypervisorHostname === name)!
    const remove = () => removeHost(w.app, w.admin, { id: host.id, region: null })
    const server = await boot(w, { region: 'Pod1', flavor: lease.reservations[0]!.id })
    await expect(remove()).rejects.toMatchObject({ detail: { reason: 'reserved' } })
    w.nova('Pod1').makeUndying(server.id)
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await expect(remove()).rejects.toMatchObject({ detail: { reason: 'reserved' } })
    w.nova('Pod1').letDie(server.id)
    await leaseIs(w, lease.id, null)
    await remove()
    expect(await w.app.store.hosts.get(host.id)).toBeNull()
    const landed = new Set<string | null>()
    for (let n = 0; n < 4; n++) landed.add((await boot(w, { region: 'Pod1', as: 'admin' })).host)
    expect([...landed].sort()).toEqual([name, open].sort())
  })
})

describe('on a Nova with Blazar’s filter', () => {
  let w: World

  beforeAll(async () => {
    const settings = { ATOLL_NOVA_BLAZAR_FILTER: 'true' }
    w = await world({ workers: true, regions: ['Pod1'], hosts: 7, settings })
    // As its operators have it: the filter alone.
    Object.assign(w.nova('Pod1').region.settings, { hasBlazarFilter: true, isIsolating: false })
  })
  afterEach(() => clearLeases(w))
  afterAll(() => w?.[Symbol.asyncDispose]())

  const pools = () =>
    w
      .nova('Pod1')
      .aggregates()
      .map(({ name, hosts }) => [name === 'freepool' ? name : 'own', hosts.size])

  it('the hint lands where the lease is, of its project alone, and pools come and go', async () => {
    expect(pools()).toEqual([['freepool', 7]])
    const lease = await active(w, 2)
    expect(pools()).toEqual([
      ['freepool', 5],
      ['own', 2],
    ])
    const hints = { reservation: lease.reservations[0]!.id }
    const mine = await boot(w, { region: 'Pod1', hints, name: 'mine' })
    expect(hostnamesOf(w, lease)).toContain(mine.host)
    const foreign = await boot(w, { region: 'Pod1', as: 'admin', hints })
    expect([foreign.vmState, foreign.host]).toEqual(['error', null])
    const plain = await boot(w, { region: 'Pod1' })
    expect(plain.host).toBe('pod1-host8')
    const byFlavor = await boot(w, { region: 'Pod1', flavor: lease.reservations[0]!.id })
    expect(hostnamesOf(w, lease)).toContain(byFlavor.host)
    await removeLease(w.app, w.demo, { id: lease.id, region: null })
    await leaseIs(w, lease.id, null)
    expect(pools()).toEqual([['freepool', 7]])
    expect(traces(w, 'Pod1')).toEqual([])
    const left = w.nova('Pod1').servers()
    expect(left.map(({ id }) => id).sort()).toEqual([plain.id, foreign.id].sort())
  })

  it('a host is in one of the pools at any moment', async () => {
    const open: string[] = []
    const enrolled = w.hosts.map(host => host.hypervisorHostname)
    const look = (): void => {
      const pooled = w
        .nova('Pod1')
        .aggregates()
        .flatMap(({ hosts }) => [...hosts])
      open.push(...enrolled.filter(name => !pooled.includes(name)))
    }
    const life = async (): Promise<void> => {
      const lease = await active(w, 3)
      await removeLease(w.app, w.demo, { id: lease.id, region: null })
      await leaseIs(w, lease.id, null)
    }
    await meanwhile(look, life())
    expect(open).toEqual([])
  })
})

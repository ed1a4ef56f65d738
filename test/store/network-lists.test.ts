// Lists of the central model: who sees what, every condition, and pages in any order from any row on, both ways.

import { beforeAll, describe, expect, it } from 'vitest'
import type { Kind } from '../../src/core/network/model/model.ts'
import type {
  FieldCondition,
  Order,
  ResourceQuery,
  Sight,
} from '../../src/core/network/model/network-store.ts'
import { chanceOf, pick, seed } from '../chance.ts'
import { fileWorld } from '../world.ts'
import { at, floatingip, group, network, noted, router, rowsOf, rule, subnet, times } from './rows.ts'

const w = await fileWorld()
const s = rowsOf(w)
/** Rows named by their ids, for conditions and sight. */
beforeAll(async () => {
  await s.add('network', network({ id: 'own', zoneHints: ['az1', 'az2'], segmentationId: 7 }))
  await s.add(
    'network',
    network({ id: 'foreign', projectId: 'p2', zoneHints: ['az2'], physicalNetwork: null }),
  )
  await s.add('network', network({ id: 'shared', projectId: 'p2', shared: true, mtu: 9000 }))
  await s.add('network', network({ id: 'external', projectId: 'p3', external: true, updatedAt: hour(1) }))
  await s.add('network', network({ id: 'going', deleting: true, name: 'a_b%' }))
  await s.add('network', network({ id: 'bridge', shared: true, bridgeOf: 'p1' }))
  for (const id of ['own', 'foreign', 'shared', 'external', 'bridge'])
    await s.add('subnet', subnet(id, { id: `sub-${id}`, projectId: id === 'own' ? 'p1' : 'p2' }))
  await s.add('subnet', subnet('own', { id: 'sub-six', ipVersion: 6, cidr: '2001:db8::/64' }))
  const [one, two] = [await s.newRegion({ name: 'Pod1' }), await s.newRegion({ name: 'Pod2' })]
  for (const region of [one, two]) await s.place('network', 'own', region)
  await s.place('network', 'foreign', two)
  await s.place('security_group', 'web', two)
  for (const id of ['web', 'db']) await s.add('security_group', group({ id }))
  await s.add('security_group_rule', rule('web', { id: 'rule-web', portRangeMin: 80, protocol: 'tcp' }))
  await s.add('security_group_rule', rule('db', { id: 'rule-db', remoteGroupId: 'web' }))
  const fixed = (subnetId: string, ipAddress: string) => ({ subnetId, ipAddress })
  await s.addPort('own', { id: 'port-1', securityGroupIds: ['web', 'db'], deviceId: 'vm' }, [
    fixed('sub-own', '10.0.0.15'),
    fixed('sub-six', '2001:db8::15'),
  ])
  await s.addPort('own', { id: 'port-2', securityGroupIds: ['db'] }, [fixed('sub-own', '10.0.0.150')])
  await s.addPort('foreign', { id: 'port-3', projectId: 'p2' }, [fixed('sub-foreign', '10.0.0.15')])
  await s.addPort('own', { id: 'port-4' })
  await s.addPort('shared', { id: 'port-5', projectId: 'p3', name: 'guest' })
  await s.addPort('bridge', { id: 'port-6', projectId: 'p3' })
  await s.add('router', router({ id: 'router-1' }))
  await s.add('floatingip', floatingip('external', { id: 'fip-1', portId: 'port-1' }))
  await s.add('floatingip', floatingip('external', { id: 'fip-2', projectId: 'p2' }))
})

const hour = (hours: number): Date => new Date(at.getTime() + hours * 3_600_000)

describe('who looks', () => {
  const seen = (kind: Kind, sight: Sight) => s.list(kind, { sight })

  it('as a project sees its own, and networks that are shared or external with their subnets', async () => {
    expect(await seen('network', { projectId: 'p1' })).toEqual(['external', 'going', 'own', 'shared'])
    expect(await seen('network', { projectId: 'p9' })).toEqual(['external', 'shared'])
    expect(await seen('subnet', { projectId: 'p1' })).toEqual([
      'sub-external',
      'sub-own',
      'sub-shared',
      'sub-six',
    ])
    expect(await seen('floatingip', { projectId: 'p1' })).toEqual(['fip-1'])
    for (const kind of ['router', 'security_group', 'security_group_rule'] as const)
      expect(await seen(kind, { projectId: 'p2' })).toEqual([])
  })

  it('as a network’s project sees what others have on it: their ports, and a subnet that an admin made for them', async () => {
    expect(await seen('port', { projectId: 'p2' })).toEqual(['port-3', 'port-5'])
    expect(await seen('port', { projectId: 'p1' })).toEqual(['port-1', 'port-2', 'port-4'])
    expect(await seen('port', { projectId: 'p3' })).toEqual(['port-5', 'port-6'])
    expect(await seen('subnet', { projectId: 'p3' })).toContain('sub-external')
    expect(await w.app.store.networks.get('port', 'port-5', { projectId: 'p2' })).toMatchObject({
      id: 'port-5',
    })
    const guest: ResourceQuery['where'] = [{ field: 'name', in: ['guest'] }]
    expect(await s.list('port', { where: guest, sight: { projectId: 'p2' } })).toEqual(['port-5'])
    expect(await s.list('port', { sight: { projectId: 'p2' }, marker: 'port-3' })).toEqual(['port-5'])
    expect(await s.list('port', { sight: { projectId: 'p2' }, limit: 1, reverse: true })).toEqual(['port-5'])
  })

  it('as an admin sees everything but bridges, and Atoll itself those too', async () => {
    const all = ['external', 'foreign', 'going', 'own', 'shared']
    expect(await seen('network', null)).toEqual(all)
    expect(await seen('network', 'atoll')).toEqual(['bridge', ...all])
    expect(await seen('subnet', null)).not.toContain('sub-bridge')
    expect(await seen('subnet', 'atoll')).toContain('sub-bridge')
    expect(await seen('port', null)).toEqual(['port-1', 'port-2', 'port-3', 'port-4', 'port-5', 'port-6'])
  })

  it('finds no more when asking for one row', async () => {
    const see = (kind: Kind, id: string, sight: Sight) => w.app.store.networks.get(kind, id, sight)
    expect(await see('network', 'foreign', { projectId: 'p1' })).toBeNull()
    expect(await see('subnet', 'sub-foreign', { projectId: 'p1' })).toBeNull()
    expect(await see('network', 'bridge', null)).toBeNull()
    expect(await see('port', 'port-3', { projectId: 'p1' })).toBeNull()
    expect(await see('network', 'shared', { projectId: 'p1' })).toMatchObject({ id: 'shared' })
  })

  it('may not begin at a row that they do not see', async () => {
    expect(await s.list('network', { sight: { projectId: 'p1' }, marker: 'foreign' })).toBeNull()
    expect(await s.list('network', { sight: null, marker: 'bridge' })).toBeNull()
    expect(await s.list('port', { marker: 'nowhere' })).toBeNull()
  })
})

describe('the condition', () => {
  const found = (kind: Kind, ...where: FieldCondition[]) => s.list(kind, { where, sight: null })

  it('that a field is one of some values', async () => {
    expect(await found('network', { field: 'id', in: ['own', 'shared', 'none'] })).toEqual(['own', 'shared'])
    expect(await found('network', { field: 'mtu', in: [9000, 1e12, 1.5] })).toEqual(['shared'])
    expect(await found('network', { field: 'external', in: [true] })).toEqual(['external'])
    expect(await found('network', { field: 'deleting', in: [true] })).toEqual(['going'])
    expect(await found('network', { field: 'name', in: ["'; drop table port --", 'a_b%'] })).toEqual([
      'going',
    ])
    expect(await found('subnet', { field: 'ipVersion', in: [6] })).toEqual(['sub-six'])
    expect(await found('port', { field: 'deviceId', in: ['vm'] })).toEqual(['port-1'])
    expect(await found('network', { field: 'id', in: [] })).toEqual([])
  })

  it('that a field has no value, or one of some', async () => {
    expect(await found('network', { field: 'physicalNetwork', in: [null] })).toEqual(['foreign'])
    expect(await found('security_group_rule', { field: 'portRangeMin', in: [null, 80] })).toEqual([
      'rule-db',
      'rule-web',
    ])
    expect(await found('floatingip', { field: 'portId', in: [null] })).toEqual(['fip-2'])
  })

  it('that a list has one of some values', async () => {
    expect(await found('network', { field: 'zoneHints', has: ['az2', 'x'] })).toEqual(['foreign', 'own'])
    expect(await found('network', { field: 'zoneHints', has: ['az1'] })).toEqual(['own'])
    expect(await found('network', { field: 'subnetIds', has: ['sub-six', 'sub-shared'] })).toEqual([
      'own',
      'shared',
    ])
    expect(await found('port', { field: 'securityGroupIds', has: ['db'] })).toEqual(['port-1', 'port-2'])
  })

  it('that a port has an address, one in a subnet, or one with a text in it', async () => {
    const at15 = { fixedIp: 'ipAddress', in: ['10.0.0.15'] } as const
    expect(await found('port', at15)).toEqual(['port-1', 'port-3'])
    expect(
      await found('port', { fixedIp: 'ipAddress', in: ['2001:DB8:0::15', 'no address', 'fe80::1%eth0'] }),
    ).toEqual(['port-1'])
    expect(await found('port', { fixedIp: 'subnetId', in: ['sub-own', 'none'] })).toEqual([
      'port-1',
      'port-2',
    ])
    expect(await found('port', { fixedIp: 'ipAddressSubstr', in: ['0.15'] })).toEqual([
      'port-1',
      'port-2',
      'port-3',
    ])
    expect(await found('port', { fixedIp: 'ipAddressSubstr', in: ['%', '8::1'] })).toEqual(['port-1'])
    expect(await found('port', at15, { fixedIp: 'subnetId', in: ['sub-own'] })).toEqual(['port-1'])
  })

  it('that it is in one of some regions', async () => {
    expect(await found('network', { region: ['Pod1'] })).toEqual(['own'])
    expect(await found('network', { region: ['Pod2', 'Pod1', 'none'] })).toEqual(['foreign', 'own'])
    expect(await found('security_group_rule', { region: ['Pod2'] })).toEqual(['rule-web'])
    expect(await found('port', { region: ['Pod1'] })).toEqual([])
  })

  it('that it was changed since', async () => {
    expect(await found('network', { changedSince: hour(0.5) })).toEqual(['external'])
    expect(await found('network', { changedSince: hour(1) })).toEqual(['external'])
    expect(await found('network', { changedSince: hour(2) })).toEqual([])
  })

  it('holds together with all others', async () => {
    const where: FieldCondition[] = [
      { field: 'projectId', in: ['p2'] },
      { region: ['Pod2'] },
      { field: 'shared', in: [false] },
    ]
    expect(await found('network', ...where)).toEqual(['foreign'])
    expect(await s.list('network', { where, sight: { projectId: 'p1' } })).toEqual([])
  })

  it('on what the kind has not is a programming error', async () => {
    const wrong: [Kind, FieldCondition][] = [
      ['port', { field: 'name; drop table port', in: ['x'] }],
      ['port', { field: 'constructor', in: ['x'] }],
      ['network', { field: 'places', in: ['x'] }],
      ['port', { field: 'profile', in: ['x'] }],
      ['port', { field: 'name', has: ['x'] }],
      ['port', { field: 'subnetIds', has: ['x'] }],
      ['network', { fixedIp: 'subnetId', in: ['x'] }],
    ]
    for (const [kind, condition] of wrong)
      await expect(found(kind, condition), JSON.stringify(condition)).rejects.toThrow(kind)
    const sort = [{ field: 'fixedIps', descending: false }]
    await expect(s.list('port', { sort })).rejects.toThrow('port has no field fixedIps')
  })
})

describe('what is worked out', () => {
  it('is in a stable order: addresses as they were held, subnets and rules as they were made', async () => {
    expect((await s.get('port', 'port-1'))?.fixedIps).toEqual([
      { subnetId: 'sub-own', ipAddress: '10.0.0.15' },
      { subnetId: 'sub-six', ipAddress: '2001:db8::15' },
    ])
    expect((await s.get('network', 'own'))?.subnetIds).toEqual(['sub-own', 'sub-six'])
    const { id } = await s.add('security_group', group({ projectId: 'p8' }))
    const rules = times(5, n => rule(id, { projectId: 'p8', id: `r${9 - n}`, createdAt: hour(n) }))
    for (const one of [...rules].reverse()) await s.add('security_group_rule', one)
    expect((await s.get('security_group', id))?.rules.map(one => one.id)).toEqual(rules.map(one => one.id))
    await s.remove('security_group', id)
  })
})

const seeded = seed()

describe(`a page (SEED=${seeded})`, () => {
  const chance = chanceOf(seeded)
  const count = 60
  /** Of a project of their own, with many ties and nulls. */
  const rows = times(count, n =>
    network({
      id: `n${String(n).padStart(3, '0')}`,
      projectId: 'pages',
      name: pick(['', 'B', 'a', 'ä', 'b'], chance),
      mtu: pick([1400, 1500], chance),
      segmentationId: pick([null, 1, 2], chance),
      physicalNetwork: pick([null, 'x'], chance),
      external: pick([true, false], chance),
    }),
  )
  beforeAll(() =>
    s.tx(async ({ networks }) => {
      for (const row of rows) await networks.insert('network', row, noted('network.create'))
    }),
  )

  const where: FieldCondition[] = [{ field: 'projectId', in: ['pages'] }]
  const page = (query: Partial<ResourceQuery>) => s.list('network', { where, sight: null, ...query })

  const orders: Order[][] = [
    [],
    ...[false, true].flatMap(descending => [
      [{ field: 'id', descending }],
      [{ field: 'name', descending }],
      [{ field: 'segmentationId', descending }],
      [
        { field: 'external', descending },
        { field: 'name', descending },
      ],
      [
        { field: 'physicalNetwork', descending },
        { field: 'segmentationId', descending: !descending },
        { field: 'name', descending },
      ],
      [
        { field: 'mtu', descending },
        { field: 'id', descending: !descending },
        { field: 'name', descending },
      ],
      [{ field: 'zoneHints', descending }],
    ]),
  ]

  /** As the order says, with no value after all values. */
  function compare(order: readonly Order[], a: object, b: object): number {
    for (const { field, descending } of order) {
      const [one, other] = [a, b].map(row => (row as Record<string, unknown>)[field]) as [string, string]
      const beyond = one === null ? other !== null : other !== null && one > other
      if (`${one}` !== `${other}`) return beyond === descending ? -1 : 1
    }
    return 0
  }

  for (const sort of orders) {
    const title = sort.map(one => `${one.field} ${one.descending ? 'down' : 'up'}`).join(', ') || 'no order'

    it(`by ${title}: all pages are the list, forwards and backwards`, async () => {
      const all = (await page({ sort }))!
      expect(new Set(all).size).toBe(count)
      const found = all.map(id => rows.find(row => row.id === id)!)
      for (const [index, row] of found.slice(1).entries())
        expect(compare(sort, found[index]!, row)).toBeLessThanOrEqual(0)
      const forwards: string[] = []
      for (let marker: string | null = null; ; marker = forwards.at(-1)!) {
        const next: string[] = (await page({ sort, limit: 7, marker }))!
        forwards.push(...next)
        if (next.length < 7) break
      }
      expect(forwards).toEqual(all)
      const backwards: string[] = []
      for (let marker: string | null = null; ; marker = backwards[0]!) {
        const next: string[] = (await page({ sort, limit: 7, marker, reverse: true }))!
        backwards.unshift(...next)
        if (next.length < 7) break
      }
      expect(backwards).toEqual(all)
    })
  }

  it('begins where its marker is, be that in the page or not', async () => {
    const sort = [{ field: 'name', descending: false }]
    const all = (await page({ sort }))!
    for (const [index, marker] of all.entries()) {
      expect(await page({ sort, marker, limit: 1 })).toEqual(all.slice(index + 1, index + 2))
      expect(await page({ sort, marker, limit: 1, reverse: true })).toEqual(
        all.slice(Math.max(0, index - 1), index),
      )
    }
    const marker = 'own'
    expect(await page({ marker, limit: 5 })).toEqual((await page({}))!.filter(id => id > marker).slice(0, 5))
  })
})

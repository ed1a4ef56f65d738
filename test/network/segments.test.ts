// Segments of the fabric: whoever has a number of it, has it in all regions. What Atoll makes holds its own; what a region
// has made by itself closes its number for what is new, and the doctor tells where two have one.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { marked } from '../../src/core/network/copies/intent.ts'
import { lookAtSegments } from '../../src/core/network/watch/look-at-segments.ts'
import { diagnose, type Finding } from '../../src/diagnosis.ts'
import { noted } from '../store/rows.ts'
import { errorOf } from '../world/person.ts'
import { fileWorld, type Json } from '../world.ts'

const w = await fileWorld({ joined: true, regions: ['Pod1', 'Pod2', 'Pod3'] })

let next = 2500
/** A number that no test has used. */
const fresh = (): number => next++

const on = (number?: number, physical = 'bridge') => ({
  'provider:network_type': 'vlan',
  'provider:physical_network': physical,
  ...(number === undefined ? {} : { 'provider:segmentation_id': number }),
})
const at = (region: string) => ({ availability_zone_hints: [region] })
const ask = (fields: Json) => w.admin.post('/networks', { network: fields })
const inUse = (number: number, by = '') => [
  409,
  'VlanIdInUse',
  `The segment ${number} of bridge is in use${by}`,
]
const numberOf = (network: Json): number => network['provider:segmentation_id']

/** The region's networks on a number of the fabric. */
const inRegion = (region: string, number: number) =>
  w
    .neutron(region)
    .networks()
    .filter(({ segments }) =>
      segments.some(one => one.physical_network === 'bridge' && one.segmentation_id === number),
    )
const holders = (number: number) =>
  w.query<{ network_id: string }>(
    `select network_id from segment where physical_network = 'bridge' and segmentation_id = $1`,
    [number],
  )
const seen = (region: string) =>
  w.query<{ id: string; number: number }>(
    `select regional_id as id, segmentation_id::int as number from seen_segment
     join region on region.id = region_id where region.name = $1 order by 2`,
    [region],
  )

const joined = (name: string) => w.joined.find(region => region.name === name)!
const look = async (...regions: string[]): Promise<void> => {
  for (const region of regions) await lookAtSegments(w.app, joined(region))
}

/** A network that somebody makes in a region, past Atoll. */
const foreign = (region: string, number: number, fields: object = {}) =>
  w.region(region).create('network', {
    projectId: w.demo.projectId!,
    name: 'foreign',
    networkType: 'vlan',
    physicalNetwork: 'bridge',
    segmentationId: number,
    ...fields,
  })

// Other projects are seen in every region: else a list would prove nothing.
beforeAll(async () => {
  for (const region of w.regions)
    await w.region(region).create('network', { projectId: w.demo.projectId!, name: 'somebody’s' })
})

describe('a segment that a network of one region has on the fabric', () => {
  it('is refused to a network that spans regions, and back again', async () => {
    const [one, other] = [fresh(), fresh()]
    await w.admin.make('network', { name: 'own', ...on(one), ...at('Pod1') })
    expect(errorOf(await ask({ name: 'span', ...on(one) }))).toEqual(inUse(one))
    await w.admin.make('network', { name: 'span', ...on(other) })
    const calls = w.neutron('Pod3').calls('POST', 'networks')
    const external = { 'router:external': true, ...on(other), ...at('Pod3') }
    expect(errorOf(await ask({ name: 'x', ...external }))).toEqual(inUse(other))
    expect(errorOf(await ask({ name: 'x', ...on(other), ...at('Pod3') }))).toEqual(inUse(other))
    // The region was not even asked.
    expect(w.neutron('Pod3').calls('POST', 'networks')).toBe(calls)
    expect(inRegion('Pod3', other)).toEqual([])
  })

  it('is refused to a network of another region', async () => {
    const number = fresh()
    await w.admin.make('network', { name: 'own', ...on(number), ...at('Pod1') })
    expect(errorOf(await ask({ name: 'own', ...on(number), ...at('Pod2') }))).toEqual(inUse(number))
  })

  it('is passed over where Atoll chooses', async () => {
    const before = numberOf(await w.admin.make('network', { name: 'span', ...on() }))
    await w.admin.make('network', { name: 'own', ...on(before + 1), ...at('Pod1') })
    expect(numberOf(await w.admin.make('network', { name: 'span', ...on() }))).toBe(before + 2)
  })

  it('is free when the network is gone', async () => {
    const number = fresh()
    const { id } = await w.admin.make('network', { name: 'own', ...on(number), ...at('Pod1') })
    await w.admin.remove(`/networks/${id}`)
    await w.admin.make('network', { name: 'span', ...on(number) })
  })

  it('is one network’s when eight ask for it at once in two regions', async () => {
    const number = fresh()
    const asked = Array.from({ length: 8 }, (_, n) =>
      ask({ name: 'own', ...on(number), ...at(n % 2 === 0 ? 'Pod1' : 'Pod2') }),
    )
    const told = (await Promise.all(asked)).map(({ status }) => status).sort()
    expect(told).toEqual([201, ...Array(7).fill(409)])
    expect([...inRegion('Pod1', number), ...inRegion('Pod2', number)]).toHaveLength(1)
    expect(await holders(number)).toHaveLength(1)
  })

  it('is one network’s when what spans regions asks for it at the same time', async () => {
    const number = fresh()
    const asked = Array.from({ length: 8 }, (_, n) =>
      ask({ name: 'n', ...on(number), ...(n % 2 === 0 ? at('Pod1') : {}) }),
    )
    const told = (await Promise.all(asked)).map(({ status }) => status).sort()
    expect(told).toEqual([201, ...Array(7).fill(409)])
    const [holder] = await holders(number)
    const there = inRegion('Pod1', number).map(({ id }) => id)
    expect(there.filter(id => id !== holder!.network_id)).toEqual([])
  })

  it('is nobody else’s business on a physical network that joins no regions', async () => {
    const number = fresh()
    await w.admin.make('network', { name: 'a', ...on(number, 'extern'), ...at('Pod1') })
    await w.admin.make('network', { name: 'b', ...on(number, 'extern'), ...at('Pod2') })
  })
})

describe('a region that chooses on the fabric by itself', () => {
  it('is refused its choice where that is taken, and keeps nothing', async () => {
    const number = fresh()
    await w.admin.make('network', { name: 'span', ...on(number) })
    const { settings } = w.neutron('Pod1').region
    const { vlans } = settings
    settings.vlans = { ...vlans, bridge: [number, number] }
    const reply = await ask({ name: 'own', ...on(), ...at('Pod1') })
    settings.vlans = vlans
    expect(errorOf(reply)).toEqual([
      409,
      'VlanIdInUse',
      `Pod1 chose the segment ${number} of bridge, which is in use elsewhere: its own ranges are to be apart from the fabric`,
    ])
    expect(inRegion('Pod1', number)).toEqual([])
  })

  it('holds its choice where that is free', async () => {
    const number = fresh()
    const { settings } = w.neutron('Pod1').region
    const { vlans } = settings
    settings.vlans = { ...vlans, bridge: [number, number] }
    const { id } = await w.admin.make('network', { name: 'own', ...on(), ...at('Pod1') })
    settings.vlans = vlans
    expect(await holders(number)).toEqual([{ network_id: id }])
  })

  it('has no range there in the simulator: a number is to be named', async () => {
    const reply = await ask({ name: 'own', ...on(), ...at('Pod1') })
    expect(reply.status).toBe(400)
    expect(JSON.stringify(reply.json)).toContain('bridge requires segmentation_id to be specified')
  })
})

describe('a segment of the fabric that a region shows', () => {
  it('is closed for what is new, until the region shows it no more', async () => {
    const number = fresh()
    const { id } = await foreign('Pod1', number)
    await look('Pod1')
    const by = `: Pod1 shows it of the network ${id}`
    expect(errorOf(await ask({ name: 'span', ...on(number) }))).toEqual(inUse(number, by))
    expect(errorOf(await ask({ name: 'own', ...on(number), ...at('Pod2') }))).toEqual(inUse(number, by))
    await w.region('Pod1').remove('network', id)
    await look('Pod1')
    await w.admin.make('network', { name: 'span', ...on(number) })
  })

  it('is passed over where Atoll chooses', async () => {
    const before = numberOf(await w.admin.make('network', { name: 'span', ...on() }))
    await foreign('Pod2', before + 1)
    await look('Pod2')
    expect(numberOf(await w.admin.make('network', { name: 'span', ...on() }))).toBe(before + 2)
  })

  it('may be another region’s too', async () => {
    const number = fresh()
    const [one, other] = [await foreign('Pod1', number), await foreign('Pod2', number)]
    await look('Pod1', 'Pod2')
    expect(await seen('Pod1')).toContainEqual({ id: one.id, number })
    expect(await seen('Pod2')).toContainEqual({ id: other.id, number })
  })

  it('is not that of a copy, of a network at home, or of one that is just being made', async () => {
    const { id: network_id, ...span } = await w.admin.make('network', { name: 'span', ...on() })
    await w.admin.make('subnet', { network_id, ip_version: 4, cidr: '10.3.0.0/24' })
    await w.admin.make('port', { network_id, 'binding:profile': { region: 'Pod3' } })
    await w.admin.make('network', { name: 'own', ...on(fresh()), ...at('Pod3') })
    const intent = { id: randomUUID(), region: 'Pod3', resourceType: 'network', owner: '' }
    await w.app.store.intents.declare({ ...intent, purpose: intent.id }, new Date())
    const made = await foreign('Pod3', fresh(), { description: marked('', intent.id) })
    expect(inRegion('Pod3', numberOf(span))).toHaveLength(1)
    await look('Pod3')
    expect(await seen('Pod3')).toEqual([])
    await w.region('Pod3').remove('network', made.id)
  })

  it('stays closed while the region is suspect, or hides what is others’', async () => {
    const number = fresh()
    const { id } = await foreign('Pod1', number)
    await look('Pod1')
    const before = await seen('Pod1')
    const fault = w.cloud.faults.add({ kind: 'demoted', region: 'Pod1', service: 'neutron', user: 'atoll' })
    await look('Pod1')
    fault.remove()
    expect(await seen('Pod1')).toEqual(before)
    const regionId = joined('Pod1').id
    const suspicion = {
      regionId,
      through: 'network',
      since: new Date(),
      reason: 'for a test',
      counts: {},
    } as const
    await w.app.store.suspicions.raise(suspicion)
    await w.region('Pod1').remove('network', id)
    await look('Pod1')
    expect(await seen('Pod1')).toEqual(before)
    await w.app.store.suspicions.lower(regionId, 'network')
    await look('Pod1')
    expect(await seen('Pod1')).not.toContainEqual({ id, number })
  })

  it('is held from then on by a network of Atoll’s that was made before segments were held', async () => {
    const number = fresh()
    const { id } = await w.admin.make('network', { name: 'own', ...on(number), ...at('Pod2') })
    await w.query('delete from segment where network_id = $1', [id])
    await look('Pod2')
    expect(await holders(number)).toEqual([{ network_id: id }])
    expect(errorOf(await ask({ name: 'span', ...on(number) }))).toEqual(inUse(number))
  })

  it('is kept for a network that left the model, which has it when it is back', async () => {
    const number = fresh()
    const { id } = await w.admin.make('network', { name: 'own', ...on(number), ...at('Pod2') })
    const absence = { kind: 'network', id, regionId: joined('Pod2').id, regionalId: id } as const
    await w.app.store.transact(tx => tx.networks.lose({ ...absence, links: [] }, noted('network.lose')))
    await w.region('Pod2').remove('network', id)
    await look('Pod2')
    expect(await holders(number)).toEqual([])
    expect((await ask({ name: 'span', ...on(number) })).status).toBe(409)
    await w.app.store.transact(tx => tx.networks.takeBack(absence, noted('network.take_in')))
    expect(await holders(number)).toEqual([{ network_id: id }])
    expect(await seen('Pod2')).not.toContainEqual({ id, number })
  })
})

describe('the doctor', () => {
  const segments = async (): Promise<Finding[]> => {
    const findings: Finding[] = []
    await diagnose(w.config, w.log, finding => findings.push(finding))
    return findings.filter(({ subject }) => subject.endsWith(' segments'))
  }
  const about = async (id: string) => (await segments()).filter(({ sentence }) => sentence.includes(id))

  const mend = (region: string) =>
    `Make one of the two anew: ${region}'s own on another physical network, or on a segment outside 2000 to 2999 that no other region uses, the other without naming a segment. Keep ${region}'s tenant ranges apart from the fabric; what was mended shows within an hour`

  it('tells which network of a region has the segment of one that spans regions, until it has not', async () => {
    const number = fresh()
    const { id: spanId } = await w.admin.make('network', { name: 'span', ...on(number) })
    const { id } = await foreign('Pod1', number)
    await look('Pod1')
    expect(await about(id)).toEqual([
      {
        good: false,
        subject: 'Pod1 segments',
        sentence: expect.stringMatching(
          new RegExp(
            `^its network ${id} \\(foreign\\) is on segment ${number} of bridge \\(seen \\d{4}-\\S+Z\\), and the network ${spanId} \\(span\\), which spans regions, has it: Pod1 refuses a copy of that one \\(VlanIdInUse\\), and elsewhere the two are on one layer 2\\. ${mend('Pod1')}$`,
          ),
        ),
      },
    ])
    await w.region('Pod1').remove('network', id)
    await look('Pod1')
    expect(await about(id)).toEqual([])
  })

  it('tells of one that has the segment of a network of another region', async () => {
    const number = fresh()
    const { id: ownId } = await w.admin.make('network', { name: 'own', ...on(number), ...at('Pod2') })
    const { id } = await foreign('Pod3', number)
    await look('Pod3')
    const [finding, ...more] = await about(id)
    expect(more).toEqual([])
    expect(finding!.sentence).toContain(
      `, and the network ${ownId} (own) in Pod2 has it too: the two are on one layer 2. ${mend('Pod3')}`,
    )
  })

  it('tells once of two regions whose own have one segment', async () => {
    const number = fresh()
    const [one, other] = [await foreign('Pod2', number), await foreign('Pod3', number, { name: '' })]
    await look('Pod2', 'Pod3')
    const [finding, ...more] = await about(one.id)
    expect(more).toEqual([])
    expect(finding).toMatchObject({ good: false, subject: 'Pod2 segments' })
    expect(finding!.sentence).toContain(`and the network ${other.id} (no name) in Pod3 has it too`)
  })
})

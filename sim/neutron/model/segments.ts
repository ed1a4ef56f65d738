// Segments of networks: those that are asked for, free or taken.

import { invalidInput, refusal } from '../errors.ts'
import type { Region } from '../region.ts'
import type { Segment } from '../rows.ts'
import { type Fields, isGiven } from './attributes.ts'

interface Wanted {
  type: unknown
  physical: unknown
  id: unknown
}

export const provider = {
  type: 'provider:network_type',
  physical: 'provider:physical_network',
  id: 'provider:segmentation_id',
} as const

/** Takes the segments that a network asks for; one of the region's choice when it asks for none. */
export function takeSegments(fields: Fields, region: Region): Segment[] {
  const own = readWanted(fields)
  const isProvider = [own.type, own.physical, own.id].some(isGiven)
  const list = fields.segments as Fields[] | undefined
  if (list !== undefined && isProvider) {
    const message = 'Segments and provider values cannot both be set.'
    throw refusal(400, 'SegmentsSetInConjunctionWithProviders', message)
  }
  const wanted = list?.map(readWanted) ?? (isProvider ? [own] : [])
  if (wanted.length === 0) return [takeFrom([tunnels(region), ...vlans(region, null)], region)]
  for (const one of wanted) checkWanted(one, region)
  const taken: Segment[] = []
  try {
    for (const one of wanted) taken.push(take(one, region))
  } catch (error) {
    for (const segment of taken) giveBack(segment, region)
    throw error
  }
  return taken
}

export function giveBack(segment: Segment, region: Region): void {
  region.segments.delete(keyOf(segment))
}

/** Gives a segment another number. */
export function renumber(segment: Segment, id: number, region: Region): Segment {
  const next = { ...segment, segmentation_id: id }
  if (id === segment.segmentation_id) return segment
  if (segment.network_type !== 'vlan') throw invalidInput('Only VLAN type networks can be updated.')
  checkWanted({ type: next.network_type, physical: next.physical_network, id }, region)
  const taken = claim(next, region)
  giveBack(segment, region)
  return taken
}

/** The largest MTU of a network: that of the physical network less the tunnel's overhead. */
export function largestMtu(segments: readonly Segment[], region: Region): number {
  const overheads = segments.map(segment => (segment.network_type === 'vxlan' ? 50 : 0))
  return region.settings.mtu - Math.max(0, ...overheads)
}

function readWanted(fields: Fields): Wanted {
  return { type: fields[provider.type], physical: fields[provider.physical], id: fields[provider.id] }
}

function checkWanted({ type, physical, id }: Wanted, { settings }: Region): void {
  if (!isGiven(type)) throw invalidInput('network_type required')
  switch (type) {
    case 'local':
    case 'flat':
      if (type === 'local' && isGiven(physical)) {
        throw invalidInput('physical_network prohibited for local provider network')
      }
      if (type === 'flat' && !isGiven(physical)) {
        throw invalidInput('physical_network required for flat provider network')
      }
      if (isGiven(id)) throw invalidInput(`segmentation_id prohibited for ${type} provider network`)
      return
    case 'vlan':
      checkVlan(physical, id, settings.vlans)
      return
    case 'vxlan':
      if (isGiven(physical)) throw invalidInput('provider:physical_network specified for vxlan network')
      return
    default:
      throw invalidInput(`network_type value '${String(type)}' not supported`)
  }
}

function checkVlan(physical: unknown, id: unknown, known: Region['settings']['vlans']): void {
  if (!isGiven(physical)) {
    if (isGiven(id)) throw invalidInput('segmentation_id requires physical_network for VLAN provider network')
    return
  }
  if (!Object.hasOwn(known, String(physical))) {
    throw invalidInput(`physical_network '${String(physical)}' unknown for VLAN provider network`)
  }
  if (known[String(physical)] === null && !isGiven(id)) {
    throw invalidInput(
      `Physical network ${String(physical)} requires segmentation_id to be specified when creating a provider network`,
    )
  }
  if (isGiven(id) && (Number(id) < 1 || Number(id) > 4094)) {
    throw invalidInput('segmentation_id out of range (1 through 4094)')
  }
}

function take({ type, physical, id }: Wanted, region: Region): Segment {
  const wanted = {
    network_type: String(type),
    physical_network: isGiven(physical) ? String(physical) : null,
    segmentation_id: isGiven(id) ? Number(id) : null,
  }
  if (wanted.network_type === 'local') return wanted
  if (wanted.network_type === 'flat' || wanted.segmentation_id !== null) return claim(wanted, region)
  const isTunnel = wanted.network_type === 'vxlan'
  return takeFrom(isTunnel ? [tunnels(region)] : vlans(region, wanted.physical_network), region)
}

function claim(segment: Segment, region: Region): Segment {
  if (!region.segments.has(keyOf(segment))) {
    region.segments.set(keyOf(segment), segment)
    return segment
  }
  const { network_type, physical_network, segmentation_id } = segment
  const failed = 'Unable to create the'
  if (network_type === 'flat') {
    const message = `${failed} flat network. Physical network ${physical_network} is in use.`
    throw refusal(409, 'FlatNetworkInUse', message)
  }
  if (network_type === 'vlan') {
    const message = `${failed} network. The VLAN ${segmentation_id} on physical network ${physical_network} is in use.`
    throw refusal(409, 'VlanIdInUse', message)
  }
  throw refusal(409, 'TunnelIdInUse', `${failed} network. The tunnel ID ${segmentation_id} is in use.`)
}

const tunnels = (region: Region): Lane => ({
  network_type: 'vxlan',
  physical_network: null,
  range: region.settings.vnis,
})

const vlans = (region: Region, physical: string | null): Lane[] =>
  Object.entries(region.settings.vlans)
    .filter(([name]) => physical === null || name === physical)
    .flatMap(([physical_network, range]) =>
      range === null ? [] : [{ network_type: 'vlan', physical_network, range }],
    )

interface Lane extends Omit<Segment, 'segmentation_id'> {
  range: readonly [number, number]
}

/** The next free segment of the first range that has one. */
function takeFrom(lanes: readonly Lane[], region: Region): Segment {
  for (const { range, network_type, physical_network } of lanes) {
    const [lowest, highest] = range
    const size = highest - lowest + 1
    for (let step = 0; step < size; step += 1) {
      // Begins about where the last one was taken, so that a thousand networks cost a thousand steps.
      const segmentation_id = lowest + ((region.segments.size + step) % size)
      const segment = { network_type, physical_network, segmentation_id }
      if (!region.segments.has(keyOf(segment))) return claim(segment, region)
    }
  }
  const message = 'Unable to create the network. No tenant network is available for allocation.'
  throw refusal(503, 'NoNetworkAvailable', message)
}

function keyOf({ network_type, physical_network, segmentation_id }: Segment): string {
  return `${network_type} ${physical_network ?? ''} ${segmentation_id ?? ''}`
}

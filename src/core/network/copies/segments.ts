// Segments of networks: choosing one for a network that spans regions, and holding the one that a network of one region
// has on the fabric, where every region would find it.

import type { App, Transaction } from '../../app.ts'
import { AppError, conflict, invalid } from '../../error.ts'
import type { Region } from '../../regions/region.ts'
import type { Network } from '../model/model.ts'
import type { NetworkRules } from '../model/rules.ts'
import type { NetworkSpec } from '../model/specs.ts'

type SegmentSpec = Pick<NetworkSpec, 'networkType' | 'physicalNetwork' | 'segmentationId'>
type Segment = Pick<Network, 'networkType' | 'physicalNetwork' | 'segmentationId'>

/**
 * The segment of a network that spans regions, the same in all of them. Throws `invalid` (`not_supported`) for a type
 * that only one region can have, `conflict` (`segment_in_use`, `no_segments`).
 */
export async function segmentFor(
  app: Pick<App, 'networkRules'>,
  tx: Transaction,
  networkId: string,
  { networkType, physicalNetwork, segmentationId }: SegmentSpec,
): Promise<Segment> {
  const { fabric } = app.networkRules
  const type = networkType ?? fabric.networkType
  if (type === 'local') {
    throw invalid(
      'A network of type local cannot span regions: name its one region with --availability-zone-hint REGION',
      'not_supported',
    )
  }
  const physical = physicalNetwork ?? (type === fabric.networkType ? fabric.physicalNetwork : null)
  if (type === 'flat') return { networkType: type, physicalNetwork: physical, segmentationId: null }
  if (segmentationId === undefined && type !== fabric.networkType) {
    throw invalid(
      `A ${type} network that spans regions needs its segmentation id: Atoll picks ids of ${fabric.networkType} networks only`,
      'not_supported',
    )
  }
  const range = segmentationId === undefined ? fabric : { from: segmentationId, to: segmentationId }
  const taken = await tx.networks.takeSegment({
    networkId,
    networkType: type,
    physicalNetwork: physical ?? '',
    from: range.from,
    to: range.to,
  })
  if (taken === null) {
    throw conflict(
      `All segments from ${range.from} to ${range.to} of ${physical} are taken: widen networking.first_segment to last_segment`,
      'no_segments',
    )
  }
  return { networkType: type, physicalNetwork: physical, segmentationId: taken }
}

type Given = { readonly [N in keyof Segment]?: Segment[N] | null | undefined }

/** The number of a segment of the fabric; null for one that is not the fabric's, or has no number. */
export const numberOnFabric = (
  { fabric }: NetworkRules,
  { networkType, physicalNetwork, segmentationId }: Given,
): number | null =>
  networkType === fabric.networkType && physicalNetwork === fabric.physicalNetwork
    ? (segmentationId ?? null)
    : null

/**
 * Before a region is asked for a network of its own on a segment that the caller names. Throws `conflict`
 * (`segment_in_use`) where it is the fabric's, and taken.
 */
export async function checkNamedSegment(app: App, home: Region, named: SegmentSpec): Promise<void> {
  const number = numberOnFabric(app.networkRules, named)
  if (number === null) return
  await app.store.transact(tx => tx.networks.checkSegment(askFor(app.networkRules, home, number, '')))
}

/**
 * Holds the segment that a network has got in its one region, where it is the fabric's; `named` is what the caller had
 * asked for. Throws `conflict` (`segment_in_use`).
 */
export async function holdSegment(
  { networkRules }: Pick<App, 'networkRules'>,
  tx: Transaction,
  { home, made, named }: { home: Region; made: Segment & Pick<Network, 'id'>; named: SegmentSpec },
): Promise<void> {
  const number = numberOnFabric(networkRules, made)
  if (number === null) return
  try {
    await tx.networks.takeSegment(askFor(networkRules, home, number, made.id))
  } catch (error) {
    if (named.segmentationId !== undefined || !isTaken(error)) throw error
    throw conflict(
      `${home.name} chose the segment ${number} of ${made.physicalNetwork}, which is in use elsewhere: its own ranges are to be apart from the fabric`,
      'segment_in_use',
    )
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof AppError && error.detail.reason === 'segment_in_use'

const askFor = ({ fabric }: NetworkRules, home: Region, number: number, networkId: string) => ({
  networkId,
  networkType: fabric.networkType,
  physicalNetwork: fabric.physicalNetwork,
  from: number,
  to: number,
  homeId: home.id,
})

// Choosing the segment of a network that spans regions.

import type { App, Transaction } from '../../app.ts'
import { conflict, invalid } from '../../error.ts'
import type { Network } from '../model/model.ts'
import type { NetworkSpec } from '../model/specs.ts'

type SegmentSpec = Pick<NetworkSpec, 'networkType' | 'physicalNetwork' | 'segmentationId'>

/**
 * The segment of a network that spans regions, the same in all of them. Throws `invalid` (`not_supported`) for a type
 * that only one region can have, `conflict` (`segment_in_use`, `no_segments`).
 */
export async function segmentFor(
  app: Pick<App, 'networkRules'>,
  tx: Transaction,
  networkId: string,
  { networkType, physicalNetwork, segmentationId }: SegmentSpec,
): Promise<Pick<Network, 'networkType' | 'physicalNetwork' | 'segmentationId'>> {
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

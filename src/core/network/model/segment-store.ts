// Segments of the fabric in the store: what Atoll makes holds its own, what regions show closes theirs.

export interface SegmentAsk {
  readonly networkId: string
  readonly networkType: string
  readonly physicalNetwork: string
  readonly from: number
  readonly to: number
  /** The id of the one region where the network lives: it has judged itself what it shows. */
  readonly homeId?: string
}

export interface Fabric {
  readonly networkType: string
  readonly physicalNetwork: string
}

/** A network on the fabric, as a region shows it. */
export interface ShownNetwork {
  /** The region's id of it. */
  readonly id: string
  readonly name: string
  readonly segmentationId: number
}

/** All networks that a region shows on the fabric. */
export interface SegmentSight {
  readonly regionId: string
  readonly shown: readonly ShownNetwork[]
  readonly at: Date
}

/** A network that a region showed on a segment which another network has. */
export interface SegmentClash extends ShownNetwork {
  readonly region: string
  readonly physicalNetwork: string
  readonly seenAt: Date
  /** The other one: of one region, or spanning where `region` is null. */
  readonly other: { readonly id: string; readonly name: string; readonly region: string | null }
}

export interface SegmentStore {
  /** The region's ids of the networks whose numbers are closed, but for those that wait for an absent network. */
  seenSegments(regionId: string): Promise<string[]>
  /** Every clash, in order of the regions' names. */
  segmentClashes(): Promise<SegmentClash[]>
}

export interface SegmentWriter {
  /** A free id of the range, or this one; null when there is none left, `conflict` (`segment_in_use`) for one that is taken. */
  takeSegment(ask: SegmentAsk): Promise<number | null>
  /** Throws `conflict` (`segment_in_use`) as `takeSegment` would for this one, and takes nothing. */
  checkSegment(ask: SegmentAsk): Promise<void>
  /**
   * Replaces what the region was seen to have. A network of the model that holds no segment takes its own where that is
   * free; all that hold none then close their numbers.
   */
  seeSegments(fabric: Fabric, sight: SegmentSight): Promise<void>
}

// The simulated Placement of one region as a service of its own.

import type { Clock } from '../clock.ts'
import type { Faults } from '../faults.ts'
import { startService } from '../http.ts'
import { addRoutes, type Shell } from './api/routes.ts'
import { envelope, notFound } from './refusals.ts'
import { PlacementRegion } from './region.ts'

export interface PlacementSpec extends Shell {
  region: string
  clock: Clock
  faults: Faults
  host?: string | undefined
  /** The port; 0, the default, picks a free one. */
  port?: number | undefined
}

export interface PlacementService {
  /** Placement's whole state in the region; tests may read and change it. */
  readonly region: PlacementRegion
  /** Placement's URL, without a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

export async function startPlacement(spec: PlacementSpec): Promise<PlacementService> {
  const { region: name, clock, faults } = spec
  const region = new PlacementRegion()
  const { url, close } = await startService({
    ...spec,
    name: 'placement',
    envelope,
    notFound: () => {
      throw notFound('')
    },
    build: app => addRoutes(app, region, spec),
  })
  faults.keep({ region: name, service: 'placement', clock, state: region.state })
  return { region, url, close }
}

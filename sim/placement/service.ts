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
  /** 0, the default, picks a free one. */
  port?: number | undefined
}

export interface PlacementService {
  /** All that it holds; tests may look and change. */
  readonly region: PlacementRegion
  /** Without a slash at the end. */
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

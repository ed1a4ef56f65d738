// The job port_delete: a port's copy goes from a region.

import type { App } from '../../app.ts'

/** A port's central id, and its id in the region of the copy. */
export interface PortCopy {
  readonly portId: string
  readonly regionId: string
}

/**
 * Removes a port's copy from the region of this name. One without a routing there is not Atoll's, and stays.
 */
export async function removeCopy(
  app: Pick<App, 'cloud' | 'store'>,
  region: string,
  requestId: string,
  { portId, regionId }: PortCopy,
): Promise<void> {
  const filter = { centralId: portId, resourceType: 'port', regionId }
  const [routing] = await app.store.routings.list(filter, { limit: 1, marker: null })
  if (!routing?.regionalId) return
  await app.cloud.networking(region, requestId).remove('port', routing.regionalId)
}

// The job port_delete: a port's copy goes from a region.

import type { App } from '../../app.ts'

/** Which port, centrally, and which region, by its id here. */
export interface PortCopy {
  readonly portId: string
  readonly regionId: string
}

/** Removes a port's copy from the region of this name. One that is not routed there is not ours, and stays. */
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

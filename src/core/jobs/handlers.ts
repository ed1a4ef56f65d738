// What each type of job does in its region. All of them bring the region to what the central model says now, so a
// run more does no harm, and a trigger that was lost is made good by the next.

import type { RegionNetworking } from '../cloud.ts'
import type { App, JobHandler } from '../ports.ts'
import type { Job } from './job.ts'

/** The handlers of this release, by type. */
export const jobHandlers: Readonly<Record<string, JobHandler>> = {
  port_delete: deletePort,
  update_network: updateNetwork,
  subnet_update: updateSubnet,
}

/** Removes a port's copy from the region. One that is not routed there is not ours, and stays. */
async function deletePort(app: App, job: Job): Promise<void> {
  const id = await regionalId(app, job, 'port', job.resource.port_id!)
  if (id !== null) await networking(app, job).removePort(id)
}

/**
 * Pushes description, administrative state and sharing; the name never, since copies bear the name that they are
 * found by. A network that is gone, here or there, needs nothing.
 */
async function updateNetwork(app: App, job: Job): Promise<void> {
  const network = await app.store.networks.network(job.resource.network_id!)
  const id = await regionalId(app, job, 'network', job.resource.network_id!)
  if (network === null || id === null) return
  const region = networking(app, job)
  if ((await region.networkIs(id, network)) === false) await region.updateNetwork(id, network)
}

/** Pushes description, DHCP, host routes and name servers; gateway and pools belong to the region. */
async function updateSubnet(app: App, job: Job): Promise<void> {
  const subnet = await app.store.networks.subnet(job.resource.subnet_id!)
  const id = await regionalId(app, job, 'subnet', job.resource.subnet_id!)
  if (subnet === null || id === null) return
  const region = networking(app, job)
  if ((await region.subnetIs(id, subnet)) === false) await region.updateSubnet(id, subnet)
}

const networking = (app: App, job: Job): RegionNetworking => app.cloud.networking(job.region, `req-${job.id}`)

/** The id of a central resource's copy in the job's region; null when there is none. */
async function regionalId(
  app: App,
  job: Job,
  resourceType: string,
  centralId: string,
): Promise<string | null> {
  const filter = { centralId, resourceType, regionId: job.resource.pod_id! }
  const [routing] = await app.store.routings.list(filter, { limit: 1, marker: null })
  return routing?.regionalId ?? null
}

// The handler of each type of job in its region. All of them bring the region to what the central model says
// now, so a second run does no harm, and a job that was lost is made good by the next.

import type { App, JobHandler } from '../app.ts'
import { ownCaller } from '../caller.ts'
import { notFound } from '../error.ts'
import type { Job } from '../jobs/job.ts'
import type { Region } from '../regions/region.ts'
import { configureRoutes } from './convergence/configure-routes.ts'
import { setUpGroupRules } from './groups/groups-in-region.ts'
import { pushNetwork, pushPools, pushSubnet } from './networks/push.ts'
import { removeCopy } from './ports/remove-copy.ts'
import { setUpRouter } from './routers/setup-router.ts'

/** The handlers of this release, by type. */
export const jobHandlers: Readonly<Record<string, JobHandler>> = {
  configure_route: (app, job) => configureRoutes(app, callerOf(job), job.resource.router_id!),
  router_setup: async (app, job) =>
    setUpRouter(app, callerOf(job), await regionOf(app, job), {
      routerId: job.resource.router_id!,
      projectId: job.projectId,
    }),
  port_delete: (app, job) =>
    removeCopy(app, job.region, callerOf(job).requestId, {
      portId: job.resource.port_id!,
      regionId: job.resource.pod_id!,
    }),
  seg_rule_setup: (app, job) => setUpGroupRules(app, job.resource.project_id!, callerOf(job).requestId),
  update_network: async (app, job) =>
    pushNetwork(app, callerOf(job), await regionOf(app, job), job.resource.network_id!),
  subnet_update: async (app, job) =>
    pushSubnet(app, callerOf(job), await regionOf(app, job), job.resource.subnet_id!),
  shadow_port_setup: async (app, job) =>
    pushPools(app, callerOf(job), await regionOf(app, job), job.resource.network_id!),
}

const callerOf = (job: Job) => ownCaller(`req-${job.id}`)

/** The region that the job is for. Throws `not_found` where it has been removed since. */
async function regionOf(app: App, job: Job): Promise<Region> {
  const region = await app.store.regions.get(job.resource.pod_id!)
  if (!region) throw notFound(`The pod ${job.resource.pod_id} is no more`)
  return region
}

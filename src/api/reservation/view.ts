// One region's view of the API: the same routes under the region's name.

import type { App } from '../../core/app.ts'
import { notFound } from '../../core/error.ts'
import { listRegions } from '../../core/regions/regions.ts'
import type { Request } from '../request.ts'
import type { Route } from '../route.ts'

/** The same route, which first checks that the region exists. */
export const inView = (route: Route): Route => ({
  ...route,
  async handle(app, caller, request) {
    if (regionOf(request) !== null) await requireRegion(app, regionOf(request)!)
    return route.handle(app, caller, request)
  },
})

/** The region whose view the request's path names; null in the view of all. */
export const regionOf = ({ params }: Request): string | null => params.region ?? null

async function requireRegion(app: App, name: string): Promise<void> {
  const regions = await listRegions(app)
  if (!regions.some(region => region.name === name)) throw notFound(`There is no region ${name}`, 'no_region')
}

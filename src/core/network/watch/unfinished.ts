// Changes that a writer began in a region and never ended, since it died or got no answer in its time. The
// model gets what the region made of them.

import { finish } from '../copies/at-home.ts'
import type { Watcher } from '../ports/adopt-port.ts'
import { mirrorChange } from '../ports/port-change.ts'
import { mirrorRouter } from '../routers/routers.ts'

/** Brings the model to the region, for each change that was left; returns how many. Throws `upstream`. */
export async function finishLeft({ app, caller, region }: Watcher): Promise<number> {
  const left = await app.store.writings.left(region.id, app.now())
  for (const { kind, id } of left)
    await finish(app, { kind, id, regionId: region.id }, async () => {
      if (kind === 'router') await mirrorRouter(app, { id, region })
      else if (kind === 'port') await mirrorChange(app, caller, region, id)
      // A convergence that was left is ended by the router's job.
    })
  return left.length
}

// Changes that a writer began in a region and never ended, since it died or got no answer in its time.

import { endLeftGroup } from '../groups/security-groups.ts'
import { endLeftNetwork } from '../networks/networks.ts'
import { endLeftSubnet } from '../networks/subnets.ts'
import type { Watcher } from '../ports/adopt-port.ts'
import { endLeftPort } from '../ports/port-change.ts'
import { endLeftFloatingIp } from '../routers/floating-ips.ts'
import { endLeftRouter } from '../routers/routers.ts'
import { type EndLeft, endLeftOf } from '../writes/one-writer.ts'

/** By the kind of a writing. */
const endings: Readonly<Record<string, EndLeft>> = {
  network: endLeftNetwork,
  subnet: endLeftSubnet,
  port: endLeftPort,
  router: endLeftRouter,
  floatingip: endLeftFloatingIp,
  security_group: endLeftGroup,
  // The router's job converges it.
  convergence: async () => {},
}

/** Ends each change that was left in the region. Throws `upstream`. */
export async function endAllLeft({ app, caller, region }: Watcher): Promise<void> {
  const left = await app.store.writings.left(region.id, app.now())
  for (const one of left) await endLeftOf(app, caller, { ...one, regionId: region.id }, endings[one.kind]!)
}

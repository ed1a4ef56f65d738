// What the contract tests run against, past Atoll: the regions of the simulator, or the real services of a lab
// (ATOLL_LAB=its folder).
import { randomUUID } from 'node:crypto'
import { createCatalog } from '../../src/openstack/catalog.ts'
import { createRegions, type RegionClient } from '../../src/openstack/region.ts'
import { createSession, type Session } from '../../src/openstack/session.ts'
import { type LogIn, openPlace, type Place } from '../world/place.ts'

export interface Target extends Pick<Place, 'kind' | 'authUrl' | 'close'> {
  /** Of the service user, who has the admin role. */
  readonly credentials: LogIn
  /** Of somebody with the member role in a project of the same name. */
  readonly member: LogIn
  readonly regionNames: readonly string[]
  readonly session: Session
  /** A region of the target, asked a few rows at a time so that small lists have pages too. */
  region(name?: string): RegionClient
  /** Whether the catalog has a service of that type in the first region: the lab may run without Nova. */
  has(serviceType: string): boolean
  /** Begins the names of all that a test makes. */
  readonly prefix: string
}

export const requestId = (): string => `req-${randomUUID()}`

export async function openTarget(): Promise<Target> {
  const place = await openPlace({ regions: ['Pod1', 'Pod2'], lab: true })
  const credentials = place.logIn('service')
  const session = createSession(credentials)
  const catalog = createCatalog(session)
  const regions = createRegions({ session, catalog, pageSize: 2 })
  const endpoints = await catalog.endpoints(requestId())
  return {
    ...place,
    credentials,
    member: place.logIn('demo'),
    regionNames: place.regions,
    session,
    region: (name = place.regions[0]!) => regions.region(name, { requestId: requestId() }),
    has: type => endpoints.some(one => one.serviceType === type && one.region === place.regions[0]),
    prefix: `contract-${randomUUID().slice(0, 8)}`,
    async close() {
      await regions.close()
      await session.close()
      await place.close()
    },
  }
}

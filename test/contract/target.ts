// What the contract tests run against: the simulator, or the real services of a lab (ATOLL_LAB=its folder).
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCloud } from '../../sim/cloud.ts'
import { createCatalog } from '../../src/openstack/catalog.ts'
import { createRegions, type Region } from '../../src/openstack/region.ts'
import { createSession, type Session, type SessionSettings } from '../../src/openstack/session.ts'

export interface Target {
  readonly kind: 'sim' | 'lab'
  readonly authUrl: string
  /** Of the service user, who has the admin role. */
  readonly credentials: SessionSettings
  /** Of somebody with the member role in a project of the same name. */
  readonly member: SessionSettings & { readonly username: string; readonly password: string }
  readonly regionNames: readonly string[]
  readonly session: Session
  /** A region of the target, asked a few rows at a time so that small lists have pages too. */
  region(name?: string): Region
  /** Whether the catalog has a service of that type in the first region: the lab may run without Nova. */
  has(serviceType: string): boolean
  /** Begins the names of all that a test makes. */
  readonly prefix: string
  close(): Promise<void>
}

export const requestId = (): string => `req-${randomUUID()}`

export async function openTarget(): Promise<Target> {
  const lab = process.env.ATOLL_LAB
  const { kind, credentials, member, regionNames, stop } = lab ? theLab(lab) : await theSimulator()
  const session = createSession(credentials)
  const catalog = createCatalog(session)
  const regions = createRegions({ session, catalog, pageSize: 2 })
  const endpoints = await catalog.endpoints(requestId())
  return {
    kind,
    authUrl: credentials.authUrl,
    credentials,
    member,
    regionNames,
    session,
    region: (name = regionNames[0]!) => regions.region(name, { requestId: requestId() }),
    has: type => endpoints.some(one => one.serviceType === type && one.region === regionNames[0]),
    prefix: `contract-${randomUUID().slice(0, 8)}`,
    async close() {
      await regions.close()
      await session.close()
      await stop()
    },
  }
}

function theLab(folder: string) {
  const endpoints = JSON.parse(readFileSync(join(folder, 'etc/endpoints.json'), 'utf8'))
  const regions = endpoints.regions as Record<string, Record<string, string>>
  const authUrl: string = endpoints.keystone
  return {
    kind: 'lab' as const,
    credentials: { authUrl, username: 'product', password: 'secret', projectName: 'service' },
    member: { authUrl, username: 'demo', password: 'secret', projectName: 'demo' },
    regionNames: Object.keys(regions).filter(name => regions[name]?.network),
    stop: async () => undefined,
  }
}

async function theSimulator() {
  const regionNames = ['Pod1', 'Pod2']
  const cloud = await startCloud({ regions: regionNames })
  const { authUrl } = cloud
  return {
    kind: 'sim' as const,
    credentials: { authUrl, username: 'atoll', password: 'atoll', projectName: 'service' },
    member: { authUrl, username: 'demo', password: 'atoll', projectName: 'demo' },
    regionNames,
    stop: () => cloud.close(),
  }
}

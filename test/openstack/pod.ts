// A region of one's own for a test: a Keystone that is content with everybody, and services that answer as told.
import type { ServerResponse } from 'node:http'
import { createCatalog } from '../../src/openstack/catalog.ts'
import { createRegions, type RegionClient } from '../../src/openstack/region.ts'
import { createSession } from '../../src/openstack/session.ts'
import { httpServer, keystone, type SeenRequest } from './servers.ts'

export interface Pod extends AsyncDisposable {
  readonly region: RegionClient
  /** The service's own URL. */
  readonly url: string
  readonly seen: SeenRequest[]
}

export interface PodSpec {
  /** Put at the end of the service's URL in the catalog. */
  readonly suffix?: string
  readonly timeoutMs?: number
  readonly pageSize?: number
  readonly type?: 'network' | 'compute' | 'placement'
}

/** `Pod1` with one service, Neutron unless told, that answers by `answer`. */
export async function pod(
  answer: (response: ServerResponse, request: SeenRequest, number: number) => void,
  { suffix = '', timeoutMs = 60_000, pageSize = 2, type = 'network' }: PodSpec = {},
): Promise<Pod> {
  const service = await httpServer(answer)
  const identity = await keystone({ [type]: service.url + suffix })
  const session = createSession({ authUrl: identity.url, username: 'a', password: 'b', projectName: 'c' })
  const regions = createRegions({ session, catalog: createCatalog(session), timeoutMs, pageSize })
  const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'
  return {
    region: regions.region('Pod1', { requestId }),
    url: service.url,
    seen: service.seen,
    async [Symbol.asyncDispose]() {
      await Promise.all([regions.close(), session.close()])
      await Promise.all([service[Symbol.asyncDispose](), identity[Symbol.asyncDispose]()])
    },
  }
}

/** A network as Neutron describes it. */
export const network = (id: string, more: object = {}): object => ({
  id,
  name: 'n',
  project_id: 'p1',
  tenant_id: 'p1',
  description: '',
  admin_state_up: true,
  status: 'ACTIVE',
  shared: false,
  'router:external': false,
  subnets: [],
  mtu: 1450,
  revision_number: 1,
  created_at: '2026-11-20T23:53:08Z',
  updated_at: '2026-11-20T23:53:08Z',
  'some:future_field': { deep: ['x'] },
  ...more,
})

// Calls to Nova: the microversion, lists page by page, and answers that mean that the work is done already.
import type { z } from 'zod'
import { isGone } from './fault.ts'
import type { Reply } from './http.ts'
import { followPages } from './paging.ts'
import type { QueryItem, RegionCall, RegionClient, RegionReply } from './region.ts'
import { many } from './wire-fields.ts'

/** The oldest microversion that has every field read here (Pike); every later Nova speaks it too. */
const headers = { 'openstack-api-version': 'compute 2.53' }

/** Throws as `RegionClient.call`. */
export const callNova = (region: RegionClient, request: RegionCall): Promise<RegionReply> =>
  region.call('compute', { ...request, headers })

/**
 * Makes a call that may be done already: false when Nova answers with that status instead. Throws as
 * `RegionClient.call`.
 */
export async function unless(region: RegionClient, status: number, request: RegionCall): Promise<boolean> {
  const accept = (reply: Reply) => reply.status === status && (status !== 404 || isGone(reply))
  return (await callNova(region, { ...request, accept })).status !== status
}

/** Every row of a list that has pages. Throws as `followPages`. */
export function listAll<T extends { readonly id: string }>(
  region: RegionClient,
  path: string,
  key: string,
  row: z.ZodType<T>,
  query: readonly QueryItem[],
): Promise<T[]> {
  return followPages(region, {
    service: 'compute',
    path,
    query,
    headers,
    many: key,
    rows: many(row),
    idOf: one => one.id,
  })
}

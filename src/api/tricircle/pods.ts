// Pods: the Tricircle API's view of regions.

import { invalid, notFound } from '../../core/error.ts'
import type { Region, RegionSpec } from '../../core/regions/region.ts'
import { createRegion, getRegion, listRegions, removeRegion } from '../../core/regions/regions.ts'
import { isUuid, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { wording } from './errors.ts'
import { objectUnder, textField } from './fields.ts'

const nameLength = 255

/** A pod as it goes over the wire: by its newer name and by its older one. */
const viewRegion = (region: Region) => ({
  pod_id: region.id,
  region_name: region.name,
  pod_az_name: region.localAvailabilityZone,
  dc_name: region.dataCenter,
  az_name: region.availabilityZone,
  pod_name: region.name,
})

const viewPod = (region: Region) => ({ pod: viewRegion(region) })
const viewPods = (regions: readonly Region[]) => ({ pods: regions.map(viewRegion) })
export const viewNothing = () => ({})
const parseNothing = () => undefined

function parsePodId({ params }: Request): string {
  if (!isUuid(params.id!)) throw notFound('Pod not found')
  return params.id!
}

function parsePod({ body }: Request): RegionSpec {
  const pod = objectUnder(body, 'pod', 'Request body pod not found')
  const availabilityZone = textField(pod, 'az_name', nameLength)
  return {
    name: parseName(pod, availabilityZone === ''),
    availabilityZone,
    localAvailabilityZone: textField(pod, 'pod_az_name', nameLength),
    dataCenter: textField(pod, 'dc_name', nameLength),
  }
}

/** The region's name, under the newer key or the older one. */
function parseName(pod: Record<string, unknown>, central: boolean): string {
  const newer = textField(pod, 'region_name', nameLength)
  const older = textField(pod, 'pod_name', nameLength)
  if (newer && older && newer !== older) {
    throw invalid(`region_name ${newer} and pod_name ${older} are two names for one pod: give one of them`)
  }
  const name = newer || older
  if (name) return name
  const key = 'pod_name' in pod && !('region_name' in pod) ? 'pod_name' : 'region_name'
  throw invalid(`Valid ${key} is required for ${central ? 'top region' : 'pod'}`)
}

/**
 * Sentences of errors. Clients recognise the first three by how they begin (tricircleclient v1, exceptions).
 */
const sentences = {
  central_exists: 'Top region already exists',
  name_is_central: 'Pod region name duplicated with the top region name',
  name_taken: 'Record already exists',
  not_found: 'Pod not found',
}

export const podRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/pods',
    rule: 'admin_api:pods:list',
    denied: 'Unauthorized to list pods',
    errors: wording.page,
    sentences,
    parse: parseNothing,
    verb: listRegions,
    view: viewPods,
  }),
  route({
    method: 'GET',
    path: '/pods/:id',
    rule: 'admin_api:pods:show',
    denied: 'Unauthorized to show a pod',
    errors: wording.page,
    sentences,
    parse: parsePodId,
    verb: getRegion,
    view: viewPod,
  }),
  route({
    method: 'POST',
    path: '/pods',
    rule: 'admin_api:pods:create',
    denied: 'Unauthorized to create a pod',
    errors: wording.page,
    sentences,
    parse: parsePod,
    verb: createRegion,
    view: viewPod,
  }),
  route({
    method: 'DELETE',
    path: '/pods/:id',
    rule: 'admin_api:pods:delete',
    denied: 'Unauthorized to delete a pod',
    errors: wording.pageOrText,
    sentences,
    parse: parsePodId,
    verb: removeRegion,
    view: viewNothing,
  }),
]

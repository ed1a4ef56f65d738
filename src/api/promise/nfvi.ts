// NFVI capacity information as SOL005 shows it: a view of the ledger, a region for a VIM and its zone for a resource zone.

import { getNfviCapacity, listNfviCapacities, type NfviCapacity } from '../../core/capacity/nfvi.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'

const parseNothing = (): null => null
const parseVim = ({ params }: Request): string => params.vimId ?? ''

/** SOL005's names for classes of compute resources. */
const measurements = { VCPU: 'vCpu', MEMORY_MB: 'vMemory' } as const

const viewNfvi = ({ region, at, capacity }: NfviCapacity) => ({
  vimId: region.id,
  vimName: region.name,
  capacityInfoPerZone: [
    {
      zoneId: region.availabilityZone,
      timestamp: at.toISOString(),
      computeResource: Object.entries(measurements).map(([className, resourceTypeId]) => ({
        resourceTypeId,
        capacityInformation: capacity[className],
      })),
    },
  ],
})

const viewAll = (all: readonly NfviCapacity[]) => all.map(viewNfvi)

const named = {
  method: 'GET',
  rule: 'promise:nfvi',
  denied: 'your roles do not allow to read',
  errors: 'data',
} as const

export const nfviRoutes: readonly Route[] = [
  route({
    ...named,
    path: '/nfvici/v1/nfvi_capacity_infos',
    parse: parseNothing,
    verb: listNfviCapacities,
    view: viewAll,
  }),
  route({
    ...named,
    path: '/nfvici/v1/nfvi_capacity_infos/:vimId',
    parse: parseVim,
    verb: getNfviCapacity,
    view: viewNfvi,
  }),
]

// NFVI capacity information as SOL005 shows it: a view of the ledger, a region for a VIM and its zone for a resource zone.

import type { Caller } from '../../core/caller.ts'
import { listNfviCapacities, type NfviCapacity } from '../../core/capacity/nfvi.ts'
import { notFound } from '../../core/error.ts'
import type { App } from '../../core/ports.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'

const parseNothing = (): null => null
const parseVim = ({ params }: Request): string => params.vimId ?? ''

async function getNfviCapacity(app: App, caller: Caller, vimId: string): Promise<NfviCapacity> {
  const found = (await listNfviCapacities(app, caller)).find(
    ({ region }) => region.id === vimId || region.name === vimId,
  )
  if (!found) throw notFound(`there is no VIM ${vimId}`)
  return found
}

/** What SOL005 calls them, of compute resources. */
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

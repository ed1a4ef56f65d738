// core's Cloud port: regions, through their own services.

import { isDeepStrictEqual } from 'node:util'
import type { Cloud, NetworkAspect, RegionNetworking, SubnetAspect } from '../core/cloud.ts'
import type { RegionalThing } from '../core/network/intent.ts'
import { intentOf } from '../core/network/intent.ts'
import { type ComputeOptions, computeOf } from './compute.ts'
import { create, get, list, remove, update } from './neutron.ts'
import { networks, ports, subnets } from './neutron-tables.ts'
import type { Region, Regions } from './region.ts'

export const createCloud = (regions: Regions, options: ComputeOptions): Cloud => ({
  networking: (name, requestId) => networkingOf(regions.region(name, { requestId })),
  compute: (name, requestId) => computeOf(regions.region(name, { requestId }), options),
})

const networkAspect = ({ description, adminStateUp, shared }: NetworkAspect) => ({
  description,
  adminStateUp,
  shared,
})

const subnetAspect = ({ description, enableDhcp, hostRoutes, dnsNameservers }: SubnetAspect) => ({
  description,
  enableDhcp,
  hostRoutes: hostRoutes.map(({ destination, nexthop }) => ({ destination, nextHop: nexthop })),
  dnsNameservers: [...dnsNameservers],
})

/** Whether what is there has every field of what is wanted, and with that value. */
const has = (actual: object, wanted: object): boolean =>
  Object.entries(wanted).every(([field, value]) =>
    isDeepStrictEqual((actual as Record<string, unknown>)[field] ?? '', value),
  )

/** What Neutron does not say when it was made counts as new. */
const thing = ({ id, createdAt }: { id: string; createdAt: Date | null }): RegionalThing => ({
  id,
  createdAt: createdAt ?? new Date(8.64e15),
})

function networkingOf(region: Region): RegionNetworking {
  return {
    removePort: id => remove(region, ports, id),
    async networkIs(id, wanted) {
      const network = await get(region, networks, id)
      return network && has(network, networkAspect(wanted))
    },
    async updateNetwork(id, wanted) {
      await update(region, networks, id, networkAspect(wanted))
    },
    async subnetIs(id, wanted) {
      const subnet = await get(region, subnets, id)
      return subnet && has(subnet, subnetAspect(wanted))
    },
    async updateSubnet(id, wanted) {
      await update(region, subnets, id, subnetAspect(wanted))
    },
    networkMaker: ({ name, projectId }) => ({
      make: async mark => thing(await create(region, networks, { name, projectId, description: mark })),
      find: async mark => (await list(region, networks, { where: { description: mark } })).map(thing),
      remove: id => remove(region, networks, id),
    }),
    async markedNetworks() {
      const found = await list(region, networks, { fields: ['id', 'description', 'createdAt'] })
      return found.flatMap(network => {
        const mark = network.description ?? ''
        return intentOf(mark) === null ? [] : [{ ...thing(network), mark }]
      })
    },
    removeNetwork: id => remove(region, networks, id),
  }
}

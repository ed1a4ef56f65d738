// Reservations of whole hosts on a stock Nova: a place for each server below the hosts' own providers, and a private
// flavor that asks for one of them.

import type { Clearing, HostPlace, HostPlacement } from '../core/cloud.ts'
import { again, allOf, ignoring } from './again.ts'
import { childOf, reservedTrait } from './isolation.ts'
import { addFlavorAccess, createFlavor, removeFlavor, setExtraSpecs } from './nova-flavors.ts'
import {
  addInventory,
  ensureResourceClass,
  getInventories,
  type Inventory,
  removeInventory,
  removeResourceClass,
  setInventories,
} from './placement.ts'
import type { RegionClient } from './region.ts'

/**
 * How many places a reservation has on each whole host: so many that the host's own capacity is the real
 * limit.
 */
const places = 1000

/** The beginning of every reservation's place key in the extra specs of flavors. */
export const placePrefix = 'resources_ATOLL:'

const classOf = ({ reservationId }: HostPlacement): string =>
  `CUSTOM_RESERVATION_${reservationId.toUpperCase().replaceAll('-', '_')}`

/** The extra spec by which a reservation's flavor asks for one of its places. */
export const placeKey = (placement: HostPlacement): string => `${placePrefix}${classOf(placement)}`

const placesOf = (reserved: number): Inventory => ({
  total: places,
  reserved,
  minUnit: 1,
  maxUnit: 1,
  stepSize: 1,
  allocationRatio: 1,
})

export async function openPlacement(region: RegionClient, placement: HostPlacement): Promise<void> {
  await allOf([makePlaces(region, placement), makeFlavor(region, placement)])
  // The project gets access last: before its extra specs are set, the flavor would be a plain one.
  await addFlavorAccess(region, placement.reservationId, placement.projectId)
}

async function makePlaces(region: RegionClient, placement: HostPlacement): Promise<void> {
  const name = classOf(placement)
  await ensureResourceClass(region, name)
  await allOf(placement.hosts.map(host => setPlaces(region, host, name)))
}

async function makeFlavor(region: RegionClient, placement: HostPlacement): Promise<void> {
  const { reservationId, hosts } = placement
  await createFlavor(region, {
    id: reservationId,
    name: `reservation:${reservationId}`,
    vcpus: least(hosts, 'VCPU'),
    memoryMb: least(hosts, 'MEMORY_MB'),
    diskGb: least(hosts, 'DISK_GB'),
    isPublic: false,
  })
  await setExtraSpecs(region, reservationId, {
    [placeKey(placement)]: '1',
    [`trait_ATOLL:${reservedTrait}`]: 'required',
  })
}

/** The amount of a class that every one of these hosts has. */
const least = (hosts: readonly HostPlace[], name: string): number =>
  Math.max(
    name === 'DISK_GB' ? 0 : 1,
    Math.min(
      ...hosts.map(({ inventory }) => (inventory[name]?.total ?? 0) - (inventory[name]?.reserved ?? 0)),
    ),
  )

/**
 * Makes the places for a reservation's servers on a host: at first without looking, as mostly there are none
 * yet.
 */
async function setPlaces(region: RegionClient, host: HostPlace, name: string): Promise<void> {
  if (await addInventory(region, childOf(host), name, placesOf(0))) return
  await again(async () => {
    const known = await getInventories(region, childOf(host))
    const there = known.inventories[name]
    if (there?.total === places && there.reserved === 0) return
    const inventories = { ...known.inventories, [name]: placesOf(0) }
    await setInventories(region, childOf(host), { ...known, inventories })
  })
}

export async function closePlacement(region: RegionClient, placement: HostPlacement): Promise<void> {
  const name = classOf(placement)
  await allOf(
    placement.hosts.map(host =>
      again(async () => {
        // A host that is gone takes nothing new; the others are to be closed all the same.
        const known = await getInventories(region, childOf(host)).catch(ignoring(404))
        const there = known?.inventories[name]
        if (!known || !there || there.reserved === there.total) return
        const inventories = { ...known.inventories, [name]: placesOf(places) }
        await setInventories(region, childOf(host), { ...known, inventories })
      }),
    ),
  )
  await removeFlavor(region, placement.reservationId)
}

/**
 * Removes the flavor, the places and their resource class, which goes last, and only where no host has places
 * any more.
 */
export async function clearPlacement(region: RegionClient, placement: HostPlacement): Promise<Clearing> {
  const name = classOf(placement)
  const [, ...places] = await allOf([
    removeFlavor(region, placement.reservationId).then(() => 'cleared'),
    ...placement.hosts.map(host => cleared(removeInventory(region, childOf(host), name))),
  ])
  if (places.includes('held')) return 'held'
  const clearing = await cleared(removeResourceClass(region, name))
  // That the class was there says little: it is soon made again in a Placement that has lost its data, and
  // places are not.
  return clearing === 'cleared' && places.includes('unseen') ? 'unseen' : clearing
}

const cleared = (removal: Promise<boolean>): Promise<Clearing> =>
  removal.then(
    wasThere => (wasThere ? 'cleared' : 'unseen'),
    error => ignoring(409)(error) ?? 'held',
  )

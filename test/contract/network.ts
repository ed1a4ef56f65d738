// Two regions' networking for contract tests: what is made is removed in the end, and refusals are told in short.
import { randomUUID } from 'node:crypto'
import { AppError } from '../../src/core/error.ts'
import type {
  LegBy,
  MadeKind,
  RegionNetworking,
  RegionRows,
  ThingSpec,
} from '../../src/core/network/copies/region-rows.ts'
import { networkingOf } from '../../src/openstack/network.ts'
import type { World } from '../world.ts'

type Legged = { readonly id: string }

/** One region, which forgets what a test made there. */
export interface Place extends Pick<RegionNetworking, 'list' | 'get' | 'update' | 'remove'> {
  readonly name: string
  readonly all: RegionNetworking
  make<K extends MadeKind>(kind: K, spec: ThingSpec<K>): Promise<RegionRows[K]>
  addLeg(router: Legged, leg: LegBy): Promise<string>
  removeLeg(router: Legged, leg: LegBy): Promise<boolean>
}

/** Two regions whose rows are gone before the world ends, with the default groups of tenants. */
export async function placesOf(w: World) {
  const tenants: string[] = []
  const places = w.regions.map(name => placeOf(w, name))
  const [pod1, pod2] = places as [Place, Place]
  w.after(async () => {
    for (const { list, remove } of places)
      for (const projectId of tenants)
        for (const { id } of await list('security_group', { where: { projectId }, fields: ['id'] }))
          await remove('security_group', id)
  })
  return {
    pod1,
    pod2,
    /** The project of the service user. */
    ours: (await w.openstack.session.projectId())!,
    /** A project that nobody has had before. */
    tenant(): string {
      tenants.push(randomUUID().replaceAll('-', ''))
      return tenants.at(-1)!
    },
  }
}

function placeOf(w: World, name: string): Place {
  const all = networkingOf(w.services(name))
  const undo = (one: () => Promise<unknown>) => w.after(() => one().catch(() => undefined))
  return {
    ...all,
    name,
    all,
    async make(kind, spec) {
      const row = await all.create(kind, spec)
      undo(() => all.remove(kind, row.id))
      return row
    },
    async addLeg({ id }, leg) {
      const { portId } = await all.addLeg(id, leg)
      undo(async () => {
        await all.update('router', id, { routes: [] })
        await all.removeLeg(id, leg)
      })
      return portId
    },
    removeLeg: ({ id }, leg) => all.removeLeg(id, leg),
  }
}

/** How a call is refused: `409 VlanIdInUse`. Throws when it is not. */
export async function refused(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('it was not refused'),
    cause => cause as unknown,
  )
  if (!(error instanceof AppError) || error.code !== 'upstream') throw error
  return `${error.detail.status} ${error.detail.reason}`
}

let segment = Math.floor(Math.random() * 1000)
/** A VLAN of the physical networks that regions share, another at each call; two runs at a time are not likely to pick the same. */
export const anySegment = (): number => {
  segment = (segment + 1) % 1000
  return 2000 + segment
}

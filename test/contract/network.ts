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
import { openTarget, type Target } from './target.ts'

type Legged = { readonly id: string }

/** One region, which forgets what a test made there. */
export interface Place extends Pick<RegionNetworking, 'list' | 'get' | 'update' | 'remove'> {
  readonly name: string
  readonly all: RegionNetworking
  make<K extends MadeKind>(kind: K, spec: ThingSpec<K>): Promise<RegionRows[K]>
  addLeg(router: Legged, leg: LegBy): Promise<string>
  removeLeg(router: Legged, leg: LegBy): Promise<boolean>
}

export interface Networking {
  readonly target: Target
  readonly isThere: boolean
  readonly pod1: Place
  readonly pod2: Place
  /** The project of the service user. */
  readonly ours: string
  /** A project that nobody has had before. */
  tenant(): string
  close(): Promise<void>
}

type Undo = () => Promise<unknown>

export async function openNetworking(): Promise<Networking> {
  const target = await openTarget()
  const isThere = target.has('network')
  if (!isThere) console.warn(`NOT RUN: the ${target.kind} has no Neutron in its first region`)
  const undo: Undo[] = []
  const tenants: string[] = []
  const places = target.regionNames.map(name => placeOf(name, networkingOf(target.region(name)), undo))
  const [pod1, pod2] = places as [Place, Place]

  async function dropDefaultGroups(): Promise<void> {
    for (const { list, remove } of places) {
      for (const projectId of tenants) {
        for (const { id } of await list('security_group', { where: { projectId }, fields: ['id'] })) {
          await remove('security_group', id)
        }
      }
    }
  }

  return {
    target,
    isThere,
    pod1,
    pod2,
    ours: (await target.session.projectId())!,
    tenant() {
      tenants.push(randomUUID().replaceAll('-', ''))
      return tenants.at(-1)!
    },
    async close() {
      for (const one of undo.reverse()) await one().catch(() => undefined)
      await dropDefaultGroups()
      await target.close()
    },
  }
}

function placeOf(name: string, all: RegionNetworking, undo: Undo[]): Place {
  return {
    ...all,
    name,
    all,
    async make(kind, spec) {
      const row = await all.create(kind, spec)
      undo.push(() => all.remove(kind, row.id))
      return row
    },
    async addLeg({ id }, leg) {
      const { portId } = await all.addLeg(id, leg)
      undo.push(async () => {
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

/** A VLAN of the physical networks that regions share; two runs at a time are not likely to pick the same. */
export const anySegment = (): number => 2000 + Math.floor(Math.random() * 1000)

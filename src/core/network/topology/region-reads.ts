// Reading zones, agents and quotas of regions through the central API.

import type { App } from '../../app.ts'
import { type Caller, isAtLeast } from '../../caller.ts'
import { AppError, notFound } from '../../error.ts'
import type { RegionAgent } from '../copies/region-rows.ts'
import type { Kind } from '../model/model.ts'
import { regionsOf } from '../model/where.ts'

/** A zone or a region as a hint may name it, for networks and for routers. */
export interface Zone {
  readonly name: string
  readonly state: 'available'
  readonly resource: 'network' | 'router'
}

/** Every zone and region that a hint may name. */
export async function listZones(app: Pick<App, 'store'>, _caller: Caller): Promise<Zone[]> {
  const regions = await regionsOf(app.store)
  const names = new Set(regions.flatMap(({ name, availabilityZone }) => [availabilityZone, name]))
  return [...names].flatMap(name =>
    (['network', 'router'] as const).map(resource => ({ name, state: 'available' as const, resource })),
  )
}

export type PlacedAgent = RegionAgent & { readonly region: string }

/**
 * The agents of all regions that answer; a region that does not is reported to the log, and its agents are
 * missing.
 */
export async function listAgents(app: App, caller: Caller): Promise<PlacedAgent[]> {
  const regions = await regionsOf(app.store)
  const lists = await Promise.all(
    regions.map(async ({ name }) => {
      try {
        const agents = await app.cloud.networking(name, caller.requestId).list('agent')
        return agents.map(agent => ({ ...agent, region: name }))
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'upstream') throw error
        app.report(error, `the agents of ${name}`)
        return []
      }
    }),
  )
  return lists.flat()
}

/** Throws `not_found` (`agent`). */
export async function getAgent(app: App, caller: Caller, id: string): Promise<PlacedAgent> {
  const agent = (await listAgents(app, caller)).find(one => one.id === id)
  if (!agent) throw notFound(`Agent ${id} could not be found.`, 'agent')
  return agent
}

/** By kind, how many resources a project may have (-1: no limit), and has. */
export type Quotas = Readonly<Record<Kind, { readonly limit: number; readonly used: number }>>

/** Throws `forbidden` to members for another project than their own. */
export async function getQuotas(
  app: Pick<App, 'networkRules' | 'store'>,
  caller: Caller,
  projectId: string,
): Promise<Quotas> {
  if (projectId !== caller.projectId && !isAtLeast(caller, 'admin')) {
    throw new AppError('forbidden', `The quotas of the project ${projectId} are not shown to others`, {
      rule: 'get_quota',
      needs: 'admin',
    })
  }
  const { quotas } = app.networkRules
  const used = await app.store.networks.counts(projectId)
  const kinds = Object.keys(quotas) as Kind[]
  return Object.fromEntries(
    kinds.map(kind => [kind, { limit: quotas[kind], used: used[kind] }]),
  ) as unknown as Quotas
}

// Agents and availability zones of regions, which are read only and not in the central model.

import {
  getAgent,
  listAgents,
  listZones,
  type PlacedAgent,
  type Zone,
} from '../../core/network/topology/region-reads.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { viewTime } from './attributes.ts'
import { invalidInput, shown } from './refusals.ts'
import { ruled } from './resource.ts'
import { namesOf, type ShownFields } from './view.ts'

const viewAgent = (agent: PlacedAgent): ShownFields => ({
  id: agent.id,
  agent_type: agent.agentType,
  binary: agent.binary,
  host: agent.host,
  alive: agent.alive,
  admin_state_up: agent.adminStateUp,
  availability_zone: agent.availabilityZone,
  description: agent.description,
  heartbeat_timestamp: agent.heartbeatAt && viewTime(agent.heartbeatAt).replace('T', ' ').replace('Z', ''),
  'atoll:regions': [{ region: agent.region, id: agent.id }],
})

const agentFilters = [
  'id',
  'agent_type',
  'binary',
  'host',
  'alive',
  'admin_state_up',
  'availability_zone',
  'description',
  'atoll:regions',
]
const zoneFilters = ['name', 'resource', 'state']
const controls = ['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir']

/** The text of an attribute that a filter is compared with. */
const textOf = (row: ShownFields, name: string): string => {
  const value = name === 'atoll:regions' ? (row[name] as { region: string }[])[0]?.region : row[name]
  return String(value).toLowerCase()
}

/** The views that match the query's filters, with the fields that the query asks for. */
function chosen(
  views: readonly ShownFields[],
  { query }: Request,
  filters: readonly string[],
): ShownFields[] {
  const tests = [...query].filter(([name]) => filters.includes(name))
  const names = namesOf(query)
  return views
    .filter(row =>
      tests.every(([name, texts]) => texts.some(text => text.toLowerCase() === textOf(row, name))),
    )
    .map(row =>
      names.length === 0
        ? row
        : Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name))),
    )
}

/** Refuses unknown filters: agents are the one list where Neutron does not ignore them. */
function parseAgents({ query }: Request): void {
  const unknown = [...query.keys()].find(name => !agentFilters.includes(name) && !controls.includes(name))
  if (unknown !== undefined) throw invalidInput(`'${shown(unknown)}' is not supported for filtering`)
}

const parseNothing = () => undefined
/** The id in the path, shortened for the refusal: an agent's is never that long. */
const parseAgentId = ({ params }: Request): string => shown(params.id)

const viewAgents = (agents: readonly PlacedAgent[], request: Request) => ({
  agents: chosen(agents.map(viewAgent), request, agentFilters),
})

const viewOneAgent = (agent: PlacedAgent) => ({ agent: viewAgent(agent) })

const viewZones = (zones: readonly Zone[], request: Request) => ({
  availability_zones: chosen(
    zones.map(({ name, resource, state }) => ({ name, resource, state })),
    request,
    zoneFilters,
  ),
})

export const regionRoutes: readonly Route[] = [
  route({
    ...ruled('get_agent'),
    method: 'GET',
    path: '/agents',
    parse: parseAgents,
    verb: listAgents,
    view: viewAgents,
  }),
  route({
    ...ruled('get_agent'),
    method: 'GET',
    path: '/agents/:id',
    parse: parseAgentId,
    verb: getAgent,
    view: viewOneAgent,
  }),
  route({
    ...ruled('get_availability_zone'),
    method: 'GET',
    path: '/availability_zones',
    parse: parseNothing,
    verb: listZones,
    view: viewZones,
  }),
]

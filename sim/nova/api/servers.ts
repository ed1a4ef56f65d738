// Servers: listed, made, shown and deleted.

import { remove } from '../life.ts'
import { badRequest, forbidden, notFound } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import { type Server, statusOf } from '../rows.ts'
import { type Answer, type Asked, nothing, ok, type Route, readBody, readText } from './asked.ts'
import { pageOf } from './pages.ts'
import { createServers } from './server-create.ts'
import { view, viewShort } from './server-view.ts'

export const serverRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/servers',
    rule: 'servers:index',
    answer: asked => list(asked, 'index', viewShort),
  },
  {
    method: 'GET',
    path: '/servers/detail',
    rule: 'servers:detail',
    answer: asked => list(asked, 'detail', view),
  },
  { method: 'POST', path: '/servers', rule: 'servers:create', answer: createServers },
  {
    method: 'GET',
    path: '/servers/:id',
    rule: 'servers:show',
    answer: asked => ok({ server: view(serverOf(asked), asked) }),
  },
  { method: 'PUT', path: '/servers/:id', rule: 'servers:update', answer: update },
  {
    method: 'DELETE',
    path: '/servers/:id',
    rule: 'servers:delete',
    answer: asked => {
      remove(asked.region, serverOf(asked))
      return nothing
    },
  },
]

/** The server that the path names; another project's does not exist but for an admin. */
export function serverOf({ region, params, caller }: Asked): Server {
  const id = params.id ?? ''
  const server = region.servers.get(id)
  if (server === undefined || (!caller.isAdmin && server.projectId !== caller.projectId)) {
    throw notFound(`Instance ${id} could not be found.`)
  }
  return server
}

type Test = (server: Server) => boolean

function list(asked: Asked, what: string, viewOne: (server: Server, asked: Asked) => object): Answer {
  const { query, caller } = asked
  const isAll = ['1', 'true', 't', 'yes', 'on', 'y', ''].includes(
    (query.get('all_tenants') ?? '0').toLowerCase(),
  )
  if (isAll && !caller.isAdmin) throw forbidden(`servers:${what}:get_all_tenants`)
  const tests = testsOf(asked, isAll)
  const found = candidates(asked, isAll)
    .filter(server => tests.every(test => test(server)))
    .sort(newestFirst)
  const page = pageOf(asked, found, ({ id }) => id, 'servers')
  return ok({ servers: page.rows.map(server => viewOne(server, asked)), ...page.links })
}

/** Sorts servers, the newest first; the row number decides between equal times. */
const newestFirst = (one: Server, other: Server): number =>
  other.createdAt - one.createdAt || other.number - one.number

/**
 * The servers to filter: those that an index finds for the most selective filter. Deleted ones are among
 * changes, and where an admin asks for them.
 */
function candidates({ region, query, caller }: Asked, isAll: boolean): Server[] {
  const isDeleted =
    caller.isAdmin &&
    (['true', '1'].includes(query.get('deleted')?.toLowerCase() ?? '') ||
      query.get('status')?.toUpperCase() === 'DELETED')
  if (isDeleted) return [...region.deleted.values()]
  const since = query.has('changes-since') ? [...region.deleted.values()] : []
  const host = caller.isAdmin ? query.get('host') : null
  if (host !== null) return [...region.servers.by('host', host), ...since]
  if (!isAll) return [...region.servers.by('project', caller.projectId), ...since]
  const project = query.get('project_id') ?? query.get('tenant_id')
  if (project !== null) return [...region.servers.by('project', project), ...since]
  return [...region.servers.all(), ...since]
}

type Filter = (value: string, region: NovaRegion) => Test

const filters: Readonly<Record<string, Filter>> = {
  'changes-since': value => {
    const since = readTime(value)
    return ({ updatedAt }) => updatedAt >= since
  },
  'changes-before': value => {
    const before = readTime(value)
    return ({ updatedAt }) => updatedAt <= before
  },
  status: value => server => statusOf(server) === value.toUpperCase(),
  name: value => {
    const pattern = readPattern(value)
    return ({ name }) => pattern.test(name)
  },
  flavor:
    value =>
    ({ flavor }) =>
      flavor.id === value,
  image:
    value =>
    ({ imageId }) =>
      imageId === value,
}

const ofProject: Filter =
  value =>
  ({ projectId }) =>
    projectId === value

/** Filters that only admins have; for others they are ignored. */
const adminFilters: Readonly<Record<string, Filter>> = {
  user_id:
    value =>
    ({ userId }) =>
      userId === value,
  uuid:
    value =>
    ({ id }) =>
      id === value,
  host:
    value =>
    ({ host }) =>
      host === value,
  node:
    (value, region) =>
    ({ host }) =>
      host !== null && region.hosts.get(host)?.hypervisorHostname === value,
  availability_zone:
    (value, region) =>
    ({ host }) =>
      host !== null && (region.zoneOf(host) ?? 'nova') === value,
}

function testsOf({ region, query, caller }: Asked, isAll: boolean): Test[] {
  const known: Record<string, Filter> = { ...filters, ...(caller.isAdmin ? adminFilters : {}) }
  if (isAll) Object.assign(known, { project_id: ofProject, tenant_id: ofProject })
  const tests = Object.entries(known).flatMap(([name, filter]) => {
    const value = query.get(name)
    return value === null ? [] : [filter(value, region)]
  })
  return isAll ? tests : [ofProject(caller.projectId, region), ...tests]
}

/** Reads a time of a filter, cut to whole seconds, which the database keeps. */
function readTime(value: string): number {
  const time = Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`)
  if (Number.isNaN(time))
    throw badRequest(
      `Invalid input for query parameters changes-since. Value: ${value}. '${value}' is not a 'date-time'`,
    )
  return Math.floor(time / 1000) * 1000
}

function readPattern(value: string): RegExp {
  try {
    return new RegExp(value, 'i')
  } catch {
    throw badRequest(`Invalid regular expression ${value}.`)
  }
}

function update(asked: Asked): Answer {
  const given = readBody(asked.body, 'server')
  const server = serverOf(asked)
  if (given.name !== undefined) {
    const name = readText(given.name, 'name')
    asked.region.change(server, () => {
      server.name = name
    })
  }
  return ok({ server: view(server, asked) })
}

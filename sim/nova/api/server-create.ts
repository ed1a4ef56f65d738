// Creates a server: reads its flavor, image, host and ports, and begins its life.

import { randomUUID } from 'node:crypto'
import { represented } from '../../python.ts'
import { canSee, traitsOf } from '../images.ts'
import { boot } from '../life.ts'
import { checkMetadata, checkServers } from '../quotas.ts'
import { badRequest, forbidden, invalidField } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'
import { embed, type Flavor, type Host, type Server } from '../rows.ts'
import type { Ask } from '../scheduler.ts'
import {
  type Answer,
  type Asked,
  type Json,
  linksOf,
  readBody,
  readInteger,
  readObject,
  readText,
} from './asked.ts'
import { canUse } from './flavors.ts'

export function createServers(asked: Asked): Answer {
  const { region, body, minor } = asked
  const required = ['name', 'flavorRef', ...(minor >= 37 ? ['networks'] : [])]
  const given = readBody(body, 'server', required)
  const flavor = readFlavor(asked, given.flavorRef)
  const place = readPlace(asked, given)
  const image = readImage(asked, given)
  const hints = readHints(body as Json)
  const wantedPorts = region.ports.read(given, asked.caller)
  const count = given.min_count === undefined ? 1 : readInteger(given.min_count, 'min_count', 1)
  const name = readText(given.name, 'name')
  const metadata = readMetadata(given.metadata)
  checkMetadata(region, asked.caller.projectId, Object.keys(metadata).length)
  checkServers(region, asked.caller.projectId, embed(flavor), count)
  const servers = Array.from({ length: count }, (_none, at) =>
    makeServer(asked, {
      name: count === 1 ? name : `${name}-${at + 1}`,
      flavor: embed(flavor),
      image,
      hints,
      zone: place.zone,
      wantedPorts,
      metadata,
      given,
    }),
  )
  for (const server of servers) {
    const { host, isForced } = place
    boot(region, server, { flavor: server.flavor, host, isForced, notOn: null })
  }
  const [first] = servers
  const location = `${asked.root}/servers/${first!.id}`
  return { status: 202, location, body: { server: viewCreated(first!, asked) } }
}

const viewCreated = ({ id }: Server, asked: Asked): object => ({
  id,
  links: linksOf(asked, `servers/${id}`),
  'OS-DCF:diskConfig': 'MANUAL',
  security_groups: [{ name: 'default' }],
  adminPass: 'simulated',
})

/** The flavor that a request names, by its id or by a link to it. */
export function readFlavor(asked: Asked, ref: unknown): Flavor {
  const id = readText(String(ref ?? ''), 'flavorRef').replace(/^.*\/flavors\//, '')
  const flavor = asked.region.flavors.get(id)
  if (flavor === undefined || !canUse(flavor, asked)) throw badRequest(`Flavor ${id} could not be found.`)
  return flavor
}

function readImage({ region, caller }: Asked, { imageRef }: Json): { id: string; traits: string[] } {
  if (imageRef === undefined || imageRef === '') throw badRequest('Missing imageRef attribute')
  const id = readText(imageRef, 'imageRef').replace(/^.*\/images\//, '')
  const image = region.images.get(id)
  if (image === undefined || !canSee(image, caller.projectId, caller.isAdmin)) {
    throw badRequest('Can not find requested image')
  }
  return { id, traits: traitsOf(image) }
}

function readHints(body: Json): Json {
  const hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {}
  return readObject(hints, 'os:scheduler_hints')
}

interface Where {
  zone: string | null
  host: Ask['host']
  isForced: boolean
}

/**
 * Reads where a server is to be: `zone`, `zone:host` or `zone:host:node` (the host is forced), or since 2.74
 * a host by itself (it is not forced).
 */
function readPlace(asked: Asked, given: Json): Where {
  const { region, minor } = asked
  const names = minor >= 74 ? [given.host, given.hypervisor_hostname] : []
  const asksHost = names.some(name => name !== undefined)
  if (given.availability_zone === undefined && !asksHost) return { zone: null, host: null, isForced: false }
  if (asksHost && given.availability_zone !== undefined && String(given.availability_zone).includes(':')) {
    throw badRequest('Unable to specify both host and an availability zone with a host.')
  }
  const [zone = '', forcedHost = '', forcedNode = ''] =
    given.availability_zone === undefined
      ? []
      : readText(given.availability_zone, 'availability_zone').split(':')
  const wantsHost = forcedHost !== '' || forcedNode !== ''
  if ((wantsHost || asksHost) && !asked.caller.isAdmin) {
    throw forbidden(wantsHost ? 'servers:create:forced_host' : 'compute:servers:create:requested_destination')
  }
  if (zone !== '' && zone !== 'nova' && !isZone(region, zone)) {
    throw badRequest('The requested availability zone is not available')
  }
  if (asksHost) return { zone: zone === '' ? null : zone, host: requested(region, given), isForced: false }
  if (!wantsHost) return { zone: zone === '' ? null : zone, host: null, isForced: false }
  return { zone: null, host: findHost(region, forcedHost, forcedNode), isForced: true }
}

/** The host that a request forces; the API accepts even an unknown one. */
function findHost(region: NovaRegion, name: string, node: string): Host | 'nowhere' {
  return (name === '' ? region.hostsByHypervisor.get(node) : region.hosts.get(name)) ?? 'nowhere'
}

function requested(region: NovaRegion, { host, hypervisor_hostname: node }: Json): Host {
  const found =
    host === undefined ? region.hostsByHypervisor.get(String(node)) : region.hosts.get(String(host))
  if (found !== undefined && (node === undefined || found.hypervisorHostname === node)) return found
  throw badRequest(`Compute host ${String(host ?? node)} could not be found.`)
}

const isZone = (region: NovaRegion, zone: string): boolean =>
  [...region.aggregates.values()].some(
    ({ metadata, hosts }) => metadata.get('availability_zone') === zone && hosts.size > 0,
  )

const hostnameOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[ _]/g, '-')
    .replaceAll(/[^\w.-]/g, '')

const metadataKey = /^[a-zA-Z0-9-_:. ]{1,255}$/

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {}
  const given = readObject(value, 'metadata')
  for (const [key, one] of Object.entries(given)) {
    if (!metadataKey.test(key)) {
      const why = `'${key}' does not match any of the regexes: '${metadataKey.source}'`
      throw invalidField('metadata', given, why)
    }
    if (typeof one !== 'string') throw invalidField(key, one, `${represented(one)} is not of type 'string'`)
    if (one.length > 255) throw invalidField(key, one, `'${one}' is too long`)
  }
  return given as Record<string, string>
}

interface ServerSpec extends Pick<Server, 'name' | 'flavor' | 'hints' | 'zone' | 'wantedPorts' | 'metadata'> {
  image: { id: string; traits: string[] }
  given: Json
}

function makeServer({ region, caller, minor }: Asked, spec: ServerSpec): Server {
  const { name, flavor, hints, zone, wantedPorts, metadata, image, given } = spec
  const now = region.now()
  return region.servers.add({
    id: randomUUID(),
    number: region.nextNumber(),
    name,
    hostname: hostnameOf(name),
    projectId: caller.projectId,
    userId: caller.userId,
    imageId: image.id,
    imageTraits: image.traits,
    flavor,
    metadata,
    description: minor >= 19 ? ((given.description as string | null | undefined) ?? null) : null,
    hints,
    zone,
    host: null,
    vmState: 'building',
    taskState: 'scheduling',
    fault: null,
    wantedPorts,
    addresses: [],
    createdAt: now,
    updatedAt: now,
    launchedAt: null,
    deletedAt: null,
    old: null,
  })
}

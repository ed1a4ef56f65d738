// The images of one region as an image service shows them: listed, shown, deleted; Nova makes them.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Faults, Person } from '../faults.ts'
import { isAdmin, Refusal, startService, tokenOf } from '../http.ts'
import type { TokenFacts } from '../keystone/keystone.ts'
import { canSee, type Image } from '../nova/images.ts'

export interface GlanceSpec {
  region: string
  clock: Clock
  faults: Faults
  /** The images by id. */
  images: Map<string, Image>
  inspectToken(token: string): (Pick<TokenFacts, 'projectId' | 'roles'> & Person) | null
  authUrl: string
  host?: string | undefined
  /** The port; 0, the default, picks a free one. */
  port?: number | undefined
}

export interface GlanceService {
  /** The service's URL, without a version at its end. */
  readonly url: string
  close(): Promise<void>
}

interface Caller {
  projectId: string | null
  isAdmin: boolean
}

export async function startGlance(spec: GlanceSpec): Promise<GlanceService> {
  const { url, close } = await startService({
    ...spec,
    name: 'glance',
    envelope: ({ status, message }) =>
      status === 401
        ? { error: { code: status, title: 'Unauthorized', message } }
        : { message: `${message}<br /><br />\n\n\n`, code: String(status), title: 'Error' },
    build: app => addRoutes(app, spec),
  })
  return { url, close }
}

function addRoutes(app: FastifyInstance, { images, inspectToken, authUrl }: GlanceSpec): void {
  const callerOf = (request: FastifyRequest): Caller => {
    const facts = inspectToken(tokenOf(request))
    if (facts !== null) return { projectId: facts.projectId, isAdmin: isAdmin(request, facts) }
    throw new Refusal(401, 'The request you have made requires authentication.', 'Unauthorized', {
      'www-authenticate': `Keystone uri="${authUrl}"`,
    })
  }
  const seenBy = ({ projectId, isAdmin }: Caller) =>
    [...images.values()].filter(image => canSee(image, projectId, isAdmin))
  const imageOf = (request: FastifyRequest<{ Params: { id: string } }>): Image => {
    const { id } = request.params
    const image = images.get(id)
    const { projectId, isAdmin } = callerOf(request)
    if (image !== undefined && canSee(image, projectId, isAdmin)) return image
    throw new Refusal(404, `No image found with ID ${id}`)
  }

  app.get('/', (request, reply) => reply.code(300).send({ versions: [version(request)] }))
  app.get('/v2/images', request => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '')
    return list(seenBy(callerOf(request)), query)
  })
  app.get<{ Params: { id: string } }>('/v2/images/:id', request => view(imageOf(request)))
  app.delete<{ Params: { id: string } }>('/v2/images/:id', (request, reply) => {
    const image = imageOf(request)
    const { projectId, isAdmin } = callerOf(request)
    if (!isAdmin && image.owner !== projectId) {
      throw new Refusal(403, `You are not authorized to complete delete_image action.`)
    }
    images.delete(image.id)
    return reply.code(204).send()
  })
}

const version = (request: FastifyRequest): object => ({
  id: 'v2.15',
  status: 'CURRENT',
  links: [{ rel: 'self', href: `${request.protocol}://${request.host}/v2/` }],
})

const isoTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

function view({ id, name, owner, isPublic, size, createdAt, properties }: Image): object {
  return {
    ...properties,
    id,
    name,
    disk_format: 'qcow2',
    container_format: 'bare',
    visibility: isPublic ? 'public' : 'private',
    size,
    virtual_size: size,
    status: 'active',
    checksum: id.replaceAll('-', ''),
    protected: false,
    min_ram: 0,
    min_disk: 0,
    owner,
    os_hidden: false,
    os_hash_algo: null,
    os_hash_value: null,
    created_at: isoTime(createdAt),
    updated_at: isoTime(createdAt),
    tags: [],
    self: `/v2/images/${id}`,
    file: `/v2/images/${id}/file`,
    schema: '/v2/schemas/image',
  }
}

/** Lists images with the oldest last, as Glance does; filters compare with the fields as they are shown. */
function list(images: readonly Image[], query: URLSearchParams): object {
  const paging = ['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'member_status']
  const filters = [...query].filter(([name]) => !paging.includes(name))
  const found = images
    .map(image => view(image) as Record<string, unknown>)
    .reverse()
    .filter(shown => filters.every(([name, value]) => isAt(shown[name], value)))
  const marker = query.get('marker')
  const start = marker === null ? 0 : found.findIndex(({ id }) => id === marker) + 1
  const limit = Number(query.get('limit') ?? 25) || 25
  const page = found.slice(start, start + limit)
  const next = new URLSearchParams(query)
  next.set('marker', String(page.at(-1)?.id ?? ''))
  const more = start + limit < found.length ? { next: `/v2/images?${next}` } : {}
  return { images: page, first: '/v2/images', schema: '/v2/schemas/images', ...more }
}

function isAt(actual: unknown, wanted: string): boolean {
  return wanted.startsWith('in:')
    ? wanted.slice(3).split(',').includes(String(actual))
    : String(actual) === wanted
}

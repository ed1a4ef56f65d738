// Glance in a region: the images that are there.

import type { QueryItem, RegionClient } from './region.ts'
import { field, id, instant, many, orNull, reader, type Shape, text } from './wire-fields.ts'

const image = {
  id: field('id', id),
  name: field('name', orNull(text)),
  createdAt: field('created_at', instant),
}
export type Image = Shape<typeof image>

/** The images of a server with exactly this name (the first page: they are few). Throws as `RegionClient.call`. */
export async function listImages(
  region: RegionClient,
  { name, serverId }: { name: string; serverId: string },
): Promise<readonly Image[]> {
  const query: QueryItem[] = [
    ['name', name],
    ['instance_uuid', serverId],
  ]
  const reply = await region.call('image', { method: 'GET', path: '/images', query })
  return reply.read(many(reader(image)), 'images')
}

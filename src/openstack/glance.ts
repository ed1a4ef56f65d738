// Glance in a region: the images that are there.
import { field, id, many, orNull, reader, type Shape, text } from './fields.ts'
import type { QueryItem, Region } from './region.ts'

const image = {
  id: field('id', id),
  name: field('name', orNull(text)),
  /** The server that it was made of. */
  serverId: field('instance_uuid', orNull(text)),
}
export type Image = Shape<typeof image>

/** Those of that very name, of all projects. Throws as `Region.call`. */
export async function listImages(region: Region, name: string): Promise<readonly Image[]> {
  const query: QueryItem[] = [['name', name]]
  const reply = await region.call('image', { method: 'GET', path: '/images', query })
  return reply.read(many(reader(image)), 'images')
}

// Images that servers boot from and are saved as. Glance shows the same ones.

import { randomUUID } from 'node:crypto'
import { seededUuid } from '../seeded.ts'

export interface Image {
  readonly id: string
  readonly name: string
  /** The id of the project that owns the image. */
  readonly owner: string
  readonly isPublic: boolean
  readonly size: number
  /** The time of creation in milliseconds since 1970. */
  readonly createdAt: number
  /** Properties, shown beside the image's fields: `instance_uuid`, `trait:CUSTOM_X`, … */
  readonly properties: Readonly<Record<string, string>>
}

export type ImageSpec = Pick<Image, 'name'> & Partial<Image>

export function makeImage(images: Map<string, Image>, spec: ImageSpec): Image {
  const image: Image = {
    id: randomUUID(),
    owner: '',
    isPublic: false,
    size: 1024,
    createdAt: Date.now(),
    properties: {},
    ...spec,
  }
  images.set(image.id, image)
  return image
}

/** Adds the images that every region has at the start. */
export function seedImages(images: Map<string, Image>, region: string, now: number): void {
  makeImage(images, {
    id: seededUuid('image', region, 'cirros'),
    name: 'cirros',
    isPublic: true,
    size: 16_300_544,
    createdAt: now,
  })
}

export const canSee = (image: Image, projectId: string | null, isAdmin: boolean): boolean =>
  image.isPublic || isAdmin || image.owner === projectId

/** The traits that an image asks of the host. */
export const traitsOf = ({ properties }: Image): string[] =>
  Object.entries(properties).flatMap(([key, value]) =>
    key.startsWith('trait:') && value === 'required' ? [key.slice('trait:'.length)] : [],
  )

// Reads the microversion that a request asks for, of services whose versions all have the same number before
// the dot.

import type { FastifyRequest } from 'fastify'

export interface Microversions {
  /** The service's name in the header: compute, placement. */
  service: string
  major: number
  min: number
  max: number
  /** An older header that has the number alone. */
  header?: string
}

/** The number after the dot; null for one that the service does not speak, and the text that asked for it. */
export function askedVersion(
  request: FastifyRequest,
  { service, major, min, max, header = '' }: Microversions,
): { minor: number | null; text: string } {
  const words = request.headers['openstack-api-version']?.toString().split(',') ?? []
  const own = words.map(word => word.trim().split(/\s+/)).find(([name]) => name?.toLowerCase() === service)
  const text = own?.[1] ?? request.headers[header]?.toString().trim() ?? ''
  if (text === '') return { minor: min, text: `${major}.${min}` }
  if (text === 'latest') return { minor: max, text: `${major}.${max}` }
  const parts = /^(\d+)\.(\d+)$/.exec(text)
  const minor = Number(parts?.[2])
  const isKnown = parts !== null && Number(parts[1]) === major && minor >= min && minor <= max
  return { minor: isKnown ? minor : null, text }
}

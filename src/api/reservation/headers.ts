// Checks a request's headers for the Reservation API: a content type that it can read, and a version that it
// has.

import { invalid } from '../../core/error.ts'
import type { Head } from '../route.ts'

const withBody: readonly string[] = ['POST', 'PUT', 'PATCH']

/** Throws `invalid` (`content_type`, `microversion`, `not_acceptable`). Any Accept header is answered in JSON. */
export function checkHead(head: Head): void {
  checkVersion(head.header('openstack-api-version') ?? '')
  if (withBody.includes(head.method)) checkType(head)
}

/**
 * Checks the API version. The header may name versions of several services (`compute 2.1, reservation 1.0`),
 * and ours has only one.
 */
function checkVersion(header: string): void {
  for (const part of header.split(',')) {
    const [service = '', version] = part.trim().split(/\s+/)
    if (service.toLowerCase() !== 'reservation' || version === undefined || version === 'latest') continue
    if (!/^\d+\.\d+$/.test(version)) {
      const sentence = `API Version String ${version} is of invalid format. Must be of format MajorNum.MinorNum.`
      throw invalid(sentence, 'microversion')
    }
    if (version !== '1.0') {
      const sentence = `Version ${version} is not supported by the API. Minimum is 1.0 and maximum is 1.0.`
      throw invalid(sentence, 'not_acceptable')
    }
  }
}

/**
 * Checks the content type. By the seed, JSON is named by the header or by the path's `.json` (003:33-42);
 * without either it is JSON too.
 */
function checkType({ header, path }: Head): void {
  const type = (header('content-type') ?? '').split(';')[0]!.trim()
  if (type === '' || type.toLowerCase() === 'application/json' || path.endsWith('.json')) return
  throw invalid(`Content type '${type}' isn't supported`, 'content_type')
}

// The id in a request's path, and the revision that its If-Match header asks for.

import type { Kind } from '../../core/network/model/model.ts'
import { unknown } from '../../core/network/model/read.ts'
import { isUuid, type Request } from '../request.ts'
import { badRequest } from './refusals.ts'

/** The id in the path. Throws `not_found` for a text that cannot be an id. */
export function readId(kind: Kind, { params }: Request): string {
  const id = params.id!
  if (!isUuid(id)) throw unknown(kind, id)
  return id
}

/** The revision that `If-Match: revision_number=N` asks for; undefined for any. */
export function readRevision({ header }: Request): number | undefined {
  const tags = (header('if-match') ?? '').split(',').map(tag => tag.trim().replaceAll('"', ''))
  const [wanted, ...more] = tags.flatMap(tag => /^revision_number=(.*)$/.exec(tag)?.[1] ?? [])
  if (wanted === undefined) return undefined
  if (more.length > 0) throw badRequest('if-match', 'Multiple revision_number etags are not supported')
  if (/^-?\d+$/.test(wanted)) return Number(wanted)
  throw badRequest('if-match', 'Revision number etag must be in the format of revision_number=<int>')
}

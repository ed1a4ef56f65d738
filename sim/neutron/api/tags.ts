// Tags of a resource: `/v2.0/{resource}/{id}/tags`.

import { invalidInput, refusal, unknownPath, wrongMethod } from '../errors.ts'
import { checkList, checkText, isDictionary } from '../model/kinds.ts'
import { type Caller, isAllowed } from '../model/rules.ts'
import { type Region, touch } from '../region.ts'
import type { Standard } from '../rows.ts'
import type { Answer, Asked } from './answer.ts'
import type { Resource } from './resource.ts'

const longest = 255

/** The path begins with the id of the resource. */
export function answerTags(
  { method, path, body }: Asked,
  resource: Resource,
  region: Region,
  caller: Caller,
): Answer {
  const [id = '', , tag, ...rest] = path
  if (rest.length > 0) throw unknownPath()
  if (tag === undefined && method === 'POST') throw refusal(404, 'HTTPNotFound', 'not supported')
  const row = rowOf(id, resource, region, caller)
  return tag === undefined ? answerAll(method, body, row, region) : answerOne(method, tag, row, region)
}

function rowOf(id: string, resource: Resource, region: Region, caller: Caller): Standard {
  const row = resource.table(region).get(id) as Standard | undefined
  if (row !== undefined && isAllowed(resource.seenBy, caller, { ...row }, region)) return row
  const message = `Resource ${resource.name}s ${id} could not be found.`
  throw refusal(404, 'TagResourceNotFound', message)
}

function answerAll(method: string, body: unknown, row: Standard, region: Region): Answer {
  if (method === 'GET') return { status: 200, body: { tags: row.tags } }
  if (method === 'PUT') {
    if (!isDictionary(body) || !('tags' in body)) throw invalidInput('Invalid tags body')
    const reason = checkList(checkText(longest))(body.tags)
    if (reason !== undefined) throw invalidInput(reason)
    setTags(row, body.tags as string[], region)
    return { status: 200, body: { tags: row.tags } }
  }
  if (method !== 'DELETE') throw wrongMethod()
  setTags(row, [], region)
  return { status: 204 }
}

function answerOne(method: string, tag: string, row: Standard, region: Region): Answer {
  const reason = checkText(longest)(tag)
  if (reason !== undefined) throw invalidInput(reason)
  const hasTag = row.tags.includes(tag)
  if (method === 'PUT') {
    if (!hasTag) setTags(row, [...row.tags, tag], region)
    return { status: 201, body: null }
  }
  if (method !== 'GET' && method !== 'DELETE') throw wrongMethod()
  if (!hasTag) throw refusal(404, 'TagNotFound', `Tag ${tag} could not be found.`)
  if (method === 'DELETE')
    setTags(
      row,
      row.tags.filter(old => old !== tag),
      region,
    )
  return { status: 204 }
}

function setTags(row: Standard, tags: readonly string[], region: Region): void {
  row.tags = tags
  touch(region, row)
}

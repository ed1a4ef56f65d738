// Decodes bodies of the Promise API: strict JSON, small and flat, or the fields of a form.

import { malformed } from '../../core/error.ts'
import { readJson } from '../json.ts'
import { isObject, parsePairs } from '../request.ts'

const depth = 16

/** The size limit and the reader of bodies; no real body comes near that size. */
export const bodies = { limit: 64 * 1024, read: readBody }

const mark = [0xef, 0xbb, 0xbf]

/** Decodes a body by its content type. Throws `invalid` (malformed). */
export function readBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  const rest = mark.every((byte, at) => bytes[at] === byte) ? bytes.subarray(mark.length) : bytes
  return isForm(contentType) ? readForm(rest) : readJson(rest, { depth })
}

const isForm = (contentType: string | undefined): boolean =>
  /^\s*application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType ?? '')

/** Reads the fields of a form: `capacity[cores]=1&without[]=a&without[]=b`. */
function readForm(bytes: Uint8Array): unknown {
  const fields: Record<string, unknown> = Object.create(null)
  for (const [name, values] of parsePairs(utf8(bytes), 'form')) {
    const { parts, isList } = partsOf(name)
    const key = parts.pop()!
    let holder = fields
    for (const part of parts) {
      holder[part] ??= Object.create(null)
      const inner = holder[part]
      if (!isObject(inner)) throw malformed(`The form says both ${part} and something in it`)
      holder = inner
    }
    if (key in holder || (!isList && values.length > 1))
      throw malformed(`The form says ${name} more than once`)
    holder[key] = isList ? [...values] : values[0]
  }
  return fields
}

/** The keys in a form field's name: `a[b]` names a key in an object, `a[b][]` a list there. */
function partsOf(name: string): { parts: string[]; isList: boolean } {
  const [, first, rest = ''] = /^([^[\]]+)((?:\[[^[\]]+\])*(?:\[\])?)$/.exec(name) ?? []
  const inner = rest === '' ? [] : rest.slice(1, -1).split('][')
  if (first === undefined || inner.length >= depth)
    throw malformed(`The form has no field that could be called ${JSON.stringify(name.slice(0, 100))}`)
  const isList = inner.at(-1) === ''
  return { parts: [first, ...(isList ? inner.slice(0, -1) : inner)], isList }
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed('The body is not UTF-8 text')
  }
}

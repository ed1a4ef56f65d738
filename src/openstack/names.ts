// Ids and names that become part of a URL's path, checked before they do.
import { invalid } from '../core/error.ts'
import { isId } from './wire-fields.ts'

/** An id for a path. Throws `invalid` for a text that cannot be one. */
export function checkedId(id: string): string {
  if (!isId(id)) throw invalid(`${JSON.stringify(id.slice(0, 100))} is no id`)
  return id
}

/** The name of a trait or a resource class for a path. Throws `invalid` for a text that cannot be one. */
export function checkedName(name: string): string {
  if (!/^[A-Z][A-Z0-9_]{0,254}$/.test(name)) throw invalid(`${JSON.stringify(name.slice(0, 100))} is no name`)
  return name
}

// What becomes a part of a path: checked before it does.
import { invalid } from '../core/error.ts'
import { isId } from './fields.ts'

/** Throws `invalid` for what cannot be an id. */
export function checkedId(id: string): string {
  if (!isId(id)) throw invalid(`${JSON.stringify(id.slice(0, 100))} is no id`)
  return id
}

/** Of a trait or a resource class. Throws `invalid` for what cannot be one. */
export function checkedName(name: string): string {
  if (!/^[A-Z][A-Z0-9_]{0,254}$/.test(name)) throw invalid(`${JSON.stringify(name.slice(0, 100))} is no name`)
  return name
}

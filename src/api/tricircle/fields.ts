// Reading the fields of a Tricircle body: objects under a key, texts without blanks around them, ids.

import { invalid, malformed } from '../../core/error.ts'
import { isObject, kindOf } from '../request.ts'

/** The object under `key`; throws `invalid` (malformed) with the original's sentence when there is none. */
export function objectUnder(body: unknown, key: string, missing: string): Record<string, unknown> {
  if (!isObject(body) || !(key in body)) throw malformed(missing)
  const value = body[key]
  if (!isObject(value)) throw malformed(`${key} must be an object, not ${kindOf(value)}`)
  return value
}

/** A text without the blanks around it, empty when the field is missing; throws `invalid` (malformed) for other types. */
export function textField(object: Record<string, unknown>, field: string, maxLength: number): string {
  const value = object[field]
  if (value === undefined) return ''
  if (typeof value !== 'string') throw malformed(`Field ${field} must be a string, not ${kindOf(value)}`)
  const text = value.trim()
  if ([...text].length > maxLength) throw malformed(`Field ${field} is longer than ${maxLength} characters`)
  return text
}

/** As textField, but neither missing nor null nor blank. */
export function requiredText(object: Record<string, unknown>, field: string, maxLength: number): string {
  const text = object[field] === null ? '' : textField(object, field, maxLength)
  if (text === '') throw invalid(`Field ${field} can not be empty`, 'empty')
  return text
}

/** `2016-06-03 07:37:50`: UTC, without a zone and without fractions. */
export const viewTime = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ')

/** The instant of a time as viewTime writes it (or a date alone, its midnight); null for any other text. */
export function parseTime(text: string): Date | null {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?$/.exec(text.trim())
  if (!parts) return null
  const at = new Date(`${parts[1]}T${parts[2] ?? '00:00:00'}Z`)
  return Number.isNaN(at.getTime()) ? null : at
}

/** Whether an admin asks for every project's rows; throws `invalid` for a value that could mean either. */
export function wantsAll({ all_projects: text = 'false' }: Record<string, string>): boolean {
  const value = text.toLowerCase()
  if (value !== 'true' && value !== 'false')
    throw invalid(`all_projects must be true or false, not '${text}'`)
  return value === 'true'
}

// A request to Nova, its answer, and the reading of bodies.

import { represented } from '../../python.ts'
import { badRequest, forbidden, invalidField } from '../refusals.ts'
import type { NovaRegion } from '../region.ts'

export interface Caller {
  projectId: string
  userId: string
  isAdmin: boolean
}

export interface Asked {
  region: NovaRegion
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  body: unknown
  /** The number after the dot of the microversion. */
  minor: number
  caller: Caller
  /** The URL of the API, with `/v2.1` at its end. */
  root: string
  /** The whole request's path, without its query. */
  url: string
  isEndless: boolean
  /** Whether Keystone knows a project. */
  isProject(id: string): boolean
}

export interface Answer {
  status: number
  body?: unknown
  location?: string
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  /** The policy rule of the route: `os-hypervisors:list`. */
  rule: string
  /** Whether only admins may call the route. */
  isAdmins?: boolean | undefined
  /** The first microversion that has the route. */
  since?: number
  until?: number
  answer(asked: Asked): Answer
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const accepted: Answer = { status: 202 }
export const nothing: Answer = { status: 204 }

export type Json = Readonly<Record<string, unknown>>

export function readObject(value: unknown, field: string, required: readonly string[] = []): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidField(field, value, `${represented(value)} is not of type 'object'`)
  }
  const absent = required.find(name => !(name in value))
  if (absent !== undefined) {
    throw invalidField(field, value, `'${absent}' is a required property`)
  }
  return value as Json
}

/** The object below a key of the body. */
export function readBody(body: unknown, key: string, required: readonly string[] = []): Json {
  if (typeof body !== 'object' || body === null) throw badRequest('None is not of type object')
  return readObject((body as Json)[key], key, required)
}

export function readText(value: unknown, field: string, longest = 255): string {
  if (typeof value !== 'string')
    throw invalidField(field, value, `${represented(value)} is not of type 'string'`)
  if (value.trim() === '') throw invalidField(field, value, `'${value}' is too short`)
  if (value.length > longest) throw invalidField(field, value, `'${value}' is too long`)
  return value
}

/** Reads an integer, or a text of digits. */
export function readInteger(value: unknown, field: string, least: number): number {
  const pattern = least < 0 ? '^-?[0-9]+$' : '^[0-9]+$'
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (!Number.isInteger(number)) {
    const why =
      typeof value === 'string' ? `does not match '${pattern}'` : "is not of type 'integer', 'string'"
    throw invalidField(field, value, `${represented(value)} ${why}`)
  }
  if ((number as number) < least) {
    throw invalidField(field, value, `${String(value)} is less than the minimum of ${least}`)
  }
  return number as number
}

export function readFlag(value: unknown, field: string): boolean {
  const text = String(value).toLowerCase()
  if (['true', '1', 'on', 'yes', 'y', 't'].includes(text)) return true
  if (['false', '0', 'off', 'no', 'n', 'f'].includes(text)) return false
  throw invalidField(field, value, `${String(value)} is not one of [True, False]`)
}

export function adminsOnly({ caller }: Asked, rule: string): void {
  if (!caller.isAdmin) throw forbidden(rule)
}

/** `2026-11-21T11:49:05.000000` */
export const microTime = (at: number | null): string | null =>
  at === null ? null : new Date(at).toISOString().replace('Z', '000')

/** `2026-11-21T11:49:05Z` */
export const secondTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

export const linksOf = ({ root }: Asked, path: string): object[] => [
  { rel: 'self', href: `${root}/${path}` },
  { rel: 'bookmark', href: `${root.replace(/\/v2\.1$/, '')}/${path}` },
]

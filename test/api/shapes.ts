// The shapes in which each face answers, good and bad: what every test may hold an answer to.

import { expect } from 'vitest'
import type { Reply } from '../world.ts'
import type { MountedRoute } from './requests.ts'

const jsonKeys: Record<number, string> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
  500: 'internalServerError',
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Holds an answer to its route's shape (null: what the root face says where no route was found, or no such method). */
export function expectShape(reply: Reply, route: MountedRoute | null): void {
  expect(reply.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
  if (reply.status < 400) expectSuccess(reply, route)
  else if (reply.json?.error?.code === 401) expectStranger(reply)
  else if (route?.face === 'native') expectNativeError(reply)
  else if (route?.face === 'reservation') expectReservationError(reply)
  else if (route?.face === 'reservation-versions') expectElsewhere(reply)
  else if (route?.face.startsWith('network')) expectNeutronError(reply)
  else if (route?.face === 'promise') expectPromiseError(reply)
  else if (route?.route.errors === 'json') expectJsonError(reply)
  else expectPage(reply, route)
}

function expectSuccess(reply: Reply, route: MountedRoute | null): void {
  expect(reply.status).toBe(successOf(route))
  if (reply.status === 204) {
    expect([reply.text, reply.headers['content-type']]).toEqual(['', 'application/json'])
    return
  }
  if (route?.own === 'DELETE /v1.0/routings/:id') {
    expect([reply.text, reply.headers['content-length']]).toEqual(['', '0'])
    return
  }
  expect(reply.headers['content-type']).toBe('application/json')
  expect(reply.json).toBeTypeOf('object')
}

function successOf(route: MountedRoute | null): number {
  if (route?.face === 'reservation-versions') return 300
  if (route?.face === 'reservation') return reservationSuccess(route)
  if (route?.face === 'network') return { DELETE: 204, POST: 201 }[route.method] ?? 200
  return /^POST .*\/jobs?$/.test(route?.own ?? '') ? 202 : 200
}

/** At the seed's own paths what is made and changed is accepted. */
function reservationSuccess({ method, path }: MountedRoute): number {
  const isSeed = path.startsWith('/v1/')
  const statuses: Record<string, number> = { DELETE: 204, POST: isSeed ? 202 : 201, PUT: isSeed ? 202 : 200 }
  return statuses[method] ?? 200
}

function expectStranger(reply: Reply): void {
  expect(reply.status).toBe(401)
  expect(reply.headers['content-type']).toBe('application/json')
  expect(reply.headers['www-authenticate']).toMatch(/^Keystone uri="http.*"$/)
  expect(reply.json).toEqual({
    error: {
      code: 401,
      title: 'Unauthorized',
      message: 'The request you have made requires authentication.',
    },
  })
}

/** `{"itemNotFound": {"message", "code"}}` */
function expectJsonError(reply: Reply): void {
  expect(reply.headers['content-type']).toBe('application/json')
  const key = jsonKeys[reply.status] ?? 'Error'
  expect(Object.keys(reply.json ?? {})).toEqual([key])
  const { message, code } = reply.json[key]
  expect(code).toBe(reply.status)
  expect(message).toMatch(/\S/)
}

/** `{"error": {"code", "message", …}}` */
function expectNativeError(reply: Reply): void {
  expect(reply.headers['content-type']).toBe('application/json')
  expect(Object.keys(reply.json ?? {})).toEqual(['error'])
  const codes: Record<number, string> = {
    401: 'unauthenticated',
    403: 'forbidden',
    404: 'not_found',
    409: 'conflict',
    503: 'unavailable',
  }
  expect(reply.json.error.code).toBe(codes[reply.status] ?? 'invalid')
  expect(reply.json.error.message).toMatch(/\S/)
}

/** `{"error_code", "error_message", "error_name"}`, and `{"error", "error_message"}` for what no handler has seen. */
function expectReservationError(reply: Reply): void {
  expect(reply.headers['content-type']).toBe('application/json')
  const { error_message: message, ...numbers } = reply.json
  expect(message).toMatch(/\S/)
  if ('error' in numbers) {
    expect(numbers).toEqual({ error: reply.status })
    return
  }
  const name =
    ['No data to update'].includes(message) || reply.status === 500 ? 'INTERNAL_SERVER_ERROR' : reply.status
  expect(numbers).toEqual({ error_code: reply.status, error_name: name })
  expect(reply.headers['openstack-api-version']).toBe('reservation 1.0')
}

/** `{"NeutronError": {"type", "message", "detail"}}` */
function expectNeutronError(reply: Reply): void {
  expect(reply.headers['content-type']).toBe('application/json')
  expect(Object.keys(reply.json ?? {})).toEqual(['NeutronError'])
  const { type, message, detail } = reply.json.NeutronError
  expect(type).toMatch(/^[A-Z]\w+$/)
  expect(message).toMatch(/\S/)
  expect(detail).toBe('')
}

/** `{"result": "error", "message", "error"}`, both sentences the same */
function expectPromiseError(reply: Reply): void {
  expect(reply.headers['content-type']).toBe('application/json')
  const { message } = reply.json
  expect(message).toMatch(/\S/)
  expect(reply.json).toEqual({ result: 'error', message, error: message })
}

/** `{"code", "title", "description"}` */
function expectElsewhere(reply: Reply): void {
  expect(reply.headers['content-type']).toBe('application/json')
  const { description, ...rest } = reply.json
  expect(rest).toEqual({ code: reply.status, title: titles[reply.status] })
  expect(description === null || typeof description === 'string').toBe(true)
}

/** A page by Accept; a bare sentence where clients compare the start of the text. */
function expectPage(reply: Reply, route: MountedRoute | null): void {
  const type = reply.headers['content-type']
  const isSentence =
    route !== null &&
    (reply.status === 409 ||
      reply.status === 422 ||
      (reply.status === 404 && route.route.errors === 'pageOrText'))
  if (isSentence) {
    expect(type).toBe('text/html; charset=UTF-8')
    expect(reply.text).toMatch(/^[^<>]+$/)
    return
  }
  const title = titles[reply.status]
  expect(title, `no page has the status ${reply.status}`).toBeDefined()
  if (type === 'application/json') {
    expect(reply.json).toEqual({ code: reply.status, title, description: expect.stringMatching(/\S/) })
  } else if (type === 'text/html; charset=UTF-8') {
    expect(reply.text).toContain(`<h1>${reply.status} ${title}</h1>`)
  } else {
    expect(type).toBe('text/plain; charset=UTF-8')
    if (reply.text) expect(reply.text.startsWith(`${reply.status} ${title}\n`)).toBe(true)
  }
}

/** What the answer says is wrong, whatever its shape. */
export function sentenceOf(reply: Reply): string {
  const { json, text } = reply
  if (json === undefined) return text
  if (typeof json.message === 'string') return json.message
  return json.error_message ?? json.description ?? (Object.values(json)[0] as { message: string }).message
}

// The Reservation API's errors, in three shapes: for refusals by a handler, for refusals before any handler,
// and for paths beside the API's own.

import { type ErrorAnswer, type Problem, sentenceOf } from '../route.ts'
import { retryHeaders, statusOf } from '../status.ts'

/** Headers that tell clients the API version of each answer. */
export const versionHeaders = { 'openstack-api-version': 'reservation 1.0', vary: 'OpenStack-API-Version' }

/** Sentences of the original's web framework, for refusals without one of ours. */
const silent: Readonly<Record<number, string>> = {
  404:
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling ' +
    'and try again.',
  405: 'The method is not allowed for the requested URL.',
}

/** Reasons of refusals before any handler; those in `unversioned` come before a version is agreed on. */
const unversioned: readonly string[] = ['microversion', 'not_acceptable']
const early: readonly string[] = [...unversioned, 'content_type', 'too_large', 'too_often', 'too_slow']

const json = (status: number, body: object, headers: Readonly<Record<string, string>>): ErrorAnswer => ({
  status,
  contentType: 'application/json',
  headers: { ...headers, ...retryHeaders(status) },
  body: JSON.stringify(body),
})

export function describeError(problem: Problem): ErrorAnswer {
  const { error, route } = problem
  const { reason = '', malformed } = error.detail
  const status = statusOf(error)
  if (!route || malformed || early.includes(reason)) {
    const headers = route && !unversioned.includes(reason) ? versionHeaders : {}
    const message = (route ? sentenceOf(problem) : silent[status]) || error.message
    return json(status, { error: status, error_message: message }, headers)
  }
  const name = reason === 'no_data' || status === 500 ? 'INTERNAL_SERVER_ERROR' : status
  const body = { error_code: status, error_message: sentenceOf(problem), error_name: name }
  return json(status, body, versionHeaders)
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** The shape of errors beside the API's own paths, where the version document is. */
export function describeElsewhere(problem: Problem): ErrorAnswer {
  const status = statusOf(problem.error)
  const description = status === 405 ? '' : sentenceOf(problem) || null
  return json(status, { code: status, title: titles[status] ?? 'Error', description }, {})
}

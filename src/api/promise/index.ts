// The Promise API: its operations on their paths, its data tree, its policy table and its envelope.

import { requireJsonAccepted } from '../accept.ts'
import type { PolicyTable } from '../policy.ts'
import { type ErrorAnswer, type Face, type Problem, sentenceOf } from '../route.ts'
import { retryHeaders, statusOf } from '../status.ts'
import { nfviRoutes } from './nfvi.ts'
import { operations } from './operations.ts'
import { bodies } from './reading.ts'
import { treeRoutes } from './tree.ts'
import { viewRefusal } from './views.ts'

const policy: PolicyTable = {
  'promise:add-provider': 'admin',
  'promise:remove-provider': 'admin',
  'promise:increase-capacity': 'admin',
  'promise:decrease-capacity': 'admin',
  'promise:create-reservation': 'member',
  'promise:update-reservation': 'member',
  'promise:cancel-reservation': 'member',
  'promise:query-reservation': 'reader',
  'promise:query-capacity': 'reader',
  'promise:create-instance': 'member',
  'promise:destroy-instance': 'member',
  'promise:query-instance': 'reader',
  'promise:read': 'reader',
  'promise:nfvi': 'reader',
}

export interface PromiseOptions {
  /** RESTCONF: operations bear the module's name, and answers are wrapped in its output; there is no data tree. */
  readonly restconf: boolean
}

/** Error codes that the original answers with status 200; all other errors have a status of their own. */
const refused: readonly string[] = ['invalid', 'not_found', 'conflict', 'no_capacity', 'upstream']

const silent: Readonly<Record<number, string>> = {
  404: 'there is nothing at this path',
  405: 'this path has no such method',
}

export function promise({ restconf }: PromiseOptions): Face {
  const wrap = (body: object): object => (restconf ? { 'opnfv-promise:output': body } : body)
  const path = (name: string): string => (restconf ? `/opnfv-promise::${name}` : `/${name}`)
  const routes = [
    ...operations.map(operation => operation(wrap, path)),
    ...(restconf ? [] : [...treeRoutes, ...nfviRoutes]),
  ]
  const rules = new Set(routes.map(route => route.rule))
  return {
    name: 'promise',
    serviceType: 'promise',
    policy: Object.fromEntries(Object.entries(policy).filter(([rule]) => rules.has(rule))),
    routes,
    check: requireJsonAccepted,
    bodies,
    describe: problem => describeError(problem, wrap),
  }
}

function describeError(problem: Problem, wrap: (body: object) => object): ErrorAnswer {
  const { error, route } = problem
  const { reason, malformed } = error.detail
  const status = statusOf(error)
  const message = sentenceOf(problem) || silent[status] || error.message
  const isEarly =
    !route ||
    malformed === true ||
    ['too_large', 'too_often', 'not_acceptable', 'too_slow'].includes(reason ?? '')
  if (route?.errors === 'default' && !isEarly && refused.includes(error.code)) {
    const result = error.code === 'conflict' || error.code === 'no_capacity' ? 'conflict' : 'error'
    return json(200, wrap({ result, message, ...viewRefusal(error.detail) }))
  }
  return json(status, { result: 'error', message, error: message })
}

const json = (status: number, body: object): ErrorAnswer => ({
  status,
  contentType: 'application/json',
  headers: retryHeaders(status),
  body: JSON.stringify(body),
})

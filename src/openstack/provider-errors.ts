// A provider's failures as users may see them: which service, which status and what kind of failure, but
// nothing of what was answered.
import { AppError } from '../core/error.ts'
import { DeniedError } from './egress.ts'
import { CallError, type Failure } from './http.ts'
import { type ServiceType, serviceName } from './services.ts'

/**
 * How each failure is worded. A refused connection and a closed one are worded alike, so that nobody can scan
 * ports through Atoll.
 */
const failures: Readonly<Record<Failure, readonly [reason: string, words: string]>> = {
  refused: ['unreachable', 'cannot be reached'],
  unresolved: ['unreachable', 'cannot be reached'],
  reset: ['unreachable', 'cannot be reached'],
  tls: ['tls', 'has no certificate that is trusted'],
  timeout: ['timeout', 'gave no whole answer in time'],
  aborted: ['timeout', 'gave no whole answer in time'],
  garbage: ['garbage', 'gave an answer that cannot be read'],
  too_big: ['too_big', 'answered with too much'],
  denied: [
    'endpoint_refused',
    'may not be called: providers.allow (ATOLL_PROVIDERS_ALLOW) does not let Atoll call it',
  ],
}

/**
 * An error that is already worded for users. Its reason would not tell: some are a foreign service's own
 * words.
 */
class ToldError extends AppError {}

const upstream = (words: string, detail: { service: string; status?: number; reason?: string }): AppError =>
  new ToldError('upstream', `The provider’s ${detail.service} ${words}`, detail)

export const endpointRefused = (service: string): AppError => failed('denied', service)

/** The error for a catalog without a compute endpoint in this region; null for in any region. */
export const noEndpoint = (region: string | null): AppError => {
  const words = `names no public endpoint of type compute${region === null ? '' : ` in region ${region}`}`
  return upstream(words, { service: 'Keystone', reason: 'no_endpoint' })
}

export const noProject = (): AppError =>
  upstream('gave a token without a project: name one', { service: 'Keystone', reason: 'provider_refused' })

/** The error for a call that failed. One that was not `sent` had no effect; the words are the same. */
export function failed(failure: Failure, service: string, sent = true): AppError {
  const [reason, words] = failures[failure]
  const isLost = !sent && ['unreachable', 'timeout'].includes(reason)
  return upstream(words, { service, reason: isLost ? 'not_reached' : reason })
}

/** The error as users may see it; an error that is no failure of a provider stays as it is. */
export function told(error: unknown): unknown {
  if (error instanceof DeniedError) return endpointRefused('Keystone')
  if (!(error instanceof AppError) || error instanceof ToldError) return error
  if (!['upstream', 'unavailable'].includes(error.code)) return error
  const { status, reason } = error.detail
  const service = nameOf(error.detail.service ?? 'Keystone')
  if (whyDenied(error) !== null) return endpointRefused(service)
  if (error.cause instanceof CallError) return failed(error.cause.failure, service, error.cause.sent)
  if (status === undefined || status < 300)
    return failed(reason === 'timeout' ? 'timeout' : 'garbage', service)
  if (status === 401 || (status === 403 && service === 'Keystone')) {
    return upstream('refuses the credentials', { service, status, reason: 'provider_refused' })
  }
  const redirect = status < 400 ? ', a redirect, which is not followed' : ''
  return upstream(`answered ${status}${redirect}`, { service, status })
}

const types: readonly ServiceType[] = ['compute', 'network', 'volumev3', 'block-storage']

/** The name of a service that the catalog gives by its type. */
function nameOf(service: string): string {
  const type = types.find(one => one === service)
  return type === undefined ? service : serviceName(type)
}

/**
 * Why the guard refused an address, for the log: it names what users are not told of. Null when it refused
 * none.
 */
export function whyDenied(error: unknown): string | null {
  if (error instanceof DeniedError) return error.message
  if (!(error instanceof Error)) return null
  if (
    error instanceof AppError &&
    error.detail.reason === 'endpoint_refused' &&
    error.detail.status === undefined
  ) {
    return error.message
  }
  return whyDenied(error.cause)
}

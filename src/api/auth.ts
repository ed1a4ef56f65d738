// Tells who sends a request: tokens validated as keystonemiddleware does, cached briefly, each asked for once
// at a time.

import { createHash } from 'node:crypto'
import type { Caller } from '../core/caller.ts'
import { AppError, unavailable } from '../core/error.ts'
import type { AccessRule, Identity, Token } from '../core/identity.ts'

export interface AuthOptions {
  /** How long Keystone's answer about a token is cached; a revoked token may still work for so long. */
  readonly cacheMs: number
  /** How many valid tokens are cached, and how many invalid ones. */
  readonly cacheSize: number
  now(): number
}

export interface Credentials {
  readonly token: string | undefined
  readonly serviceToken: string | undefined
  readonly method: string
  /** The path as the client sent it, without the query: access rules are matched against it. */
  readonly path: string
  readonly serviceType: string
  readonly requestId: string
}

/** For how long an invalid token is cached: guessing the same token again costs Keystone nothing. */
const unknownMs = 5_000

const refused = () => new AppError('unauthenticated', 'The request you have made requires authentication.')

/** The error without Keystone's address and failure, which are for the operator's log and not for clients. */
const away = (cause: AppError) => unavailable('The Keystone service is temporarily unavailable.', cause)

/**
 * Makes the function that tells the caller by the token. Throws `unauthenticated` for no token or a bad one,
 * `unavailable` when Keystone gives no answer. No other identity header of the request is read.
 */
export function createAuthenticator(identity: Identity, options: AuthOptions) {
  const validate = cached(identity, options)

  return async (credentials: Credentials): Promise<Caller> => {
    const { serviceToken, requestId } = credentials
    const fromService = serviceToken !== undefined
    if (fromService) {
      const service = await validate(serviceToken.trim(), false, requestId)
      if (!service?.roles.includes('service')) throw refused()
    }
    const token = await validate(credentials.token?.trim() ?? '', fromService, requestId)
    if (!token) throw refused()
    // Access rules are not checked when a service token comes with it: the user's first request was allowed
    // already.
    if (!fromService && !accessAllowed(token, credentials)) throw refused()
    const { userId, userName, projectId, projectName, roles } = token
    return { userId, userName, projectId, projectName, roles, requestId }
  }
}

interface Known {
  readonly token: Token | null
  readonly until: number
}

function cached(identity: Identity, options: AuthOptions) {
  // Valid and invalid tokens are cached apart, so that guesses push no valid token out.
  const [good, bad] = [new Map<string, Known>(), new Map<string, Known>()]
  const asking = new Map<string, Promise<Token | null>>()

  const remember = (key: string, token: Token | null): void => {
    const now = options.now()
    const known = token ? good : bad
    if (known.size >= options.cacheSize) known.delete(known.keys().next().value!)
    known.set(key, { token, until: now + (token ? options.cacheMs : Math.min(unknownMs, options.cacheMs)) })
  }
  const ask = async (key: string, secret: string, allowExpired: boolean, requestId: string) => {
    try {
      const token = await identity.validate(secret, { allowExpired, requestId })
      remember(key, token)
      return token
    } catch (error) {
      throw error instanceof AppError && error.code === 'unavailable' ? away(error) : error
    } finally {
      asking.delete(key)
    }
  }

  return async (secret: string, allowExpired: boolean, requestId: string): Promise<Token | null> => {
    if (!isTokenLike(secret)) return null
    const key = createHash('sha256').update(`${allowExpired}${secret}`).digest('base64')
    let token: Token | null
    const hit = good.get(key) ?? bad.get(key)
    if (hit && hit.until > options.now()) {
      token = hit.token
    } else {
      good.delete(key)
      bad.delete(key)
      const question = asking.get(key) ?? ask(key, secret, allowExpired, requestId)
      asking.set(key, question)
      token = await question
    }
    // A token may expire while it is cached.
    return token && !allowExpired && token.expiresAt.getTime() <= options.now() ? null : token
  }
}

/** Whether a text can be a token at all; any other is not sent to Keystone. */
const isTokenLike = (secret: string): boolean => secret.length <= 8192 && /^[\x21-\x7e]+$/.test(secret)

function accessAllowed(token: Token, { method, path, serviceType }: Credentials): boolean {
  if (token.accessRules === null) return true
  if (!token.serviceTypes.includes(serviceType)) return false
  return token.accessRules.some(
    rule => rule.service === serviceType && rule.method === method && pathMatches(path, rule),
  )
}

/**
 * Matches a path with an access rule: `*` and `{name}` stand for one segment, `**` for one or more. Any user
 * may write a rule, so none may take long.
 */
function pathMatches(path: string, { path: pattern }: AccessRule): boolean {
  const segments = path.split('/')
  // The numbers of segments that the pieces so far may match, ascending.
  let taken = [0]
  for (const piece of pattern.split('/')) {
    const least = taken[0]
    if (least === undefined) return false
    taken =
      piece === '**'
        ? segments.slice(least).map((_, index) => least + index + 1)
        : taken.filter(count => standsFor(piece, segments[count])).map(count => count + 1)
  }
  return taken.at(-1) === segments.length
}

function standsFor(piece: string, segment: string | undefined): boolean {
  const isAny = piece === '*' || /^\{[^/]*\}$/.test(piece)
  return isAny ? Boolean(segment) : segment === piece
}

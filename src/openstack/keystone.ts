// Validates tokens at Keystone: core's port Identity.
import { z } from 'zod'
import { unavailable } from '../core/error.ts'
import type { Identity, Token } from '../core/identity.ts'
import type { Reply } from './http.ts'
import { askKeystone, type Session } from './session.ts'
import { parseTokenBody, tokenLike } from './token.ts'

/** Without this header Keystone does not know a token with access rules (keystone/token/provider.py). */
const accessRulesSupport = { 'openstack-identity-access-rules': '1' }

/** Keystone's own 404; another server's (a proxy, a wrong URL) says nothing about the token. */
const notFoundBody = z.object({ error: z.object({ code: z.literal(404) }) })

/**
 * Validates tokens with the session's own. Answers null for a token that Keystone does not know; throws `unavailable`
 * for everything else that is no description of the token, and nothing but that. Keeps nothing.
 */
export function createIdentity(session: Session): Identity {
  return {
    async validate(token, { allowExpired, requestId }) {
      if (!tokenLike.test(token)) return null
      const reply = await ask(session, token, allowExpired, requestId)
      if (reply.status === 200) return describe(reply)
      if (reply.status === 404 && notFoundBody.safeParse(reply.body).success) return null
      const hint = reply.status === 403 ? ': the service user needs the admin or the service role' : ''
      throw unavailable(`Keystone answered ${reply.status} when asked about a token${hint}`)
    },
  }
}

async function ask(
  session: Session,
  token: string,
  allowExpired: boolean,
  requestId: string,
): Promise<Reply> {
  return askKeystone(session.timeoutMs, timeoutMs =>
    session.call({
      method: 'GET',
      url: `${session.authUrl}/auth/tokens${allowExpired ? '?allow_expired=1' : ''}`,
      headers: { 'x-subject-token': token, ...accessRulesSupport },
      timeoutMs,
      maxBytes: 4 * 1024 * 1024,
      requestId,
    }),
  )
}

function describe(reply: Reply): Token {
  const body = parseTokenBody(reply.body)
  if (!body) throw unavailable('Keystone described a token in a way that cannot be read')
  return {
    userId: body.user.id,
    userName: body.user.name,
    projectId: body.project?.id ?? null,
    projectName: body.project?.name ?? null,
    roles: body.roles,
    expiresAt: body.expiresAt,
    serviceTypes: [...new Set(body.catalog.map(service => service.type))],
    accessRules: body.accessRules,
  }
}

// Answers bytes that are no HTTP request: the parser refuses them before any route, and the root face words
// the refusal.

import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { AppError, malformed } from '../core/error.ts'
import { guards } from './guards.ts'
import type { Face } from './route.ts'

const refusals: Readonly<Record<string, () => AppError>> = {
  HPE_HEADER_OVERFLOW: () =>
    new AppError('invalid', 'The path and the headers together are too long', {
      reason: 'headers_too_large',
    }),
  ERR_HTTP_REQUEST_TIMEOUT: () =>
    new AppError('invalid', 'The request did not arrive in time', { reason: 'too_slow' }),
}

/** How long a client may take to read the refusal before its connection is cut off. */
const lingerMs = 1_000

/** Answers with a refusal and closes the connection, since nothing that comes after can be trusted. */
export function refuseUnreadable(face: Face, log: FastifyBaseLogger) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const answering = underWay(socket)
    // Bytes after a whole request do not belong to it: its own answer is sent, and is the last on this
    // connection.
    if (answering) return void answering.once('close', () => socket.destroySoon())
    const refusal = refusals[error.code ?? ''] ?? (() => malformed('This is no HTTP request'))
    const answer = face.describe({ error: refusal(), route: null, method: '', accept: 'application/json' })
    const requestId = `req-${randomUUID()}`
    log.info({ request_id: requestId, status: answer.status, reason: error.code }, 'unreadable request')
    const head = [
      `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
      `Content-Type: ${answer.contentType}`,
      `Content-Length: ${Buffer.byteLength(answer.body)}`,
      ...Object.entries(guards).map(([name, value]) => `${name}: ${value}`),
      `X-Openstack-Request-Id: ${requestId}`,
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${answer.body}`)
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }
}

/**
 * The answer under way to a whole request that came before the unreadable bytes; Node's own handler finds it
 * by the same property.
 */
function underWay(socket: Socket): ServerResponse | undefined {
  const { _httpMessage: answer } = socket as Socket & {
    _httpMessage?: ServerResponse & { req: IncomingMessage }
  }
  return answer?.req.complete ? answer : undefined
}

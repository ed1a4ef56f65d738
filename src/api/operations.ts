// /healthz, /readyz and /metrics, for monitoring. They need no token, and show no tenant's data.

import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { begin } from './guards.ts'
import type { Metrics } from './metrics.ts'

export interface OperationsOptions {
  readonly metrics: Metrics
  /** Throws when the process could not serve a request now. */
  ready(): Promise<void>
}

/** How long a monitor may take to send its request. */
const requestMs = 10_000

/** A server of /healthz, /readyz and /metrics alone. */
export function createOperations(log: FastifyBaseLogger, options: OperationsOptions): FastifyInstance {
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => `req-${randomUUID()}`,
    requestTimeout: requestMs,
    // Monitors may keep connections open; stopping does not wait for those.
    forceCloseConnections: true,
  })
  server.addHook('onRequest', async (request, reply) => void begin(reply, request))
  addOperations(server, options)
  return server
}

/** Adds /healthz, /readyz and /metrics to a server. */
export function addOperations(server: FastifyInstance, { metrics, ready }: OperationsOptions): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (request, reply) => {
    try {
      await inTime(ready())
      return { status: 'ok' }
    } catch (error) {
      request.log.warn({ err: error }, 'not ready')
      // The database's address and failure go to the log only, since this answer needs no token.
      return reply.code(503).send({ status: 'unavailable', reason: 'The database gives no answer' })
    }
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}

/** How long the check of the database may take: monitors do not wait long. */
const readyMs = 3_000

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${readyMs} ms`)), readyMs)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

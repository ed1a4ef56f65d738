// /healthz, /readyz and /metrics: for machines that watch Atoll. No token, and no tenant's data.

import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { begin } from './guards.ts'
import type { Metrics } from './metrics.ts'

export interface OperationsOptions {
  readonly metrics: Metrics
  /** Throws when the process could not serve a request now. */
  ready(): Promise<void>
}

/** How long whoever watches may take to ask. */
const requestMs = 10_000

/** A server of the three alone. */
export function createOperations(log: FastifyBaseLogger, options: OperationsOptions): FastifyInstance {
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => `req-${randomUUID()}`,
    requestTimeout: requestMs,
    // Who watches may keep a connection open; stopping waits for none of them.
    forceCloseConnections: true,
  })
  server.addHook('onRequest', async (request, reply) => void begin(reply, request))
  addOperations(server, options)
  return server
}

/** Adds the three to a server. */
export function addOperations(server: FastifyInstance, { metrics, ready }: OperationsOptions): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (request, reply) => {
    try {
      await inTime(ready())
      return { status: 'ok' }
    } catch (error) {
      request.log.warn({ err: error }, 'not ready')
      // Where the database is and what is wrong with it is for the log: nobody needs a token here.
      return reply.code(503).send({ status: 'unavailable', reason: 'The database gives no answer' })
    }
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}

/** Who watches does not wait long. */
const readyMs = 3_000

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${readyMs} ms`)), readyMs)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

// /healthz, /readyz and /metrics: for machines that watch Atoll. No token, and no tenant's data.

import type { FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.ts'

export interface OperationsOptions {
  readonly metrics: Metrics
  /** Throws when the process could not serve a request now. */
  ready(): Promise<void>
}

/** Adds the three to a server. */
export function addOperations(server: FastifyInstance, { metrics, ready }: OperationsOptions): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (request, reply) => {
    try {
      await ready()
      return { status: 'ok' }
    } catch (error) {
      request.log.warn({ err: error }, 'not ready')
      return reply.code(503).send({ status: 'unavailable', reason: (error as Error).message })
    }
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}

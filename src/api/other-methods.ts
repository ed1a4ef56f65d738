// Methods that a path has no route for: each is answered 405 with those that it has.

import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../core/error.ts'
import type { Mount } from './route.ts'

/**
 * The one method that stands in the router for all that no face has. Were each of HTTP's there by its own name, the
 * router would hold every path as often, and a server would take three times as long to start.
 */
const stranger = 'TRACE'

export class OtherMethods {
  readonly #known: ReadonlySet<string>
  readonly #disguised = new WeakMap<IncomingMessage, string>()

  constructor(mounts: readonly Mount[]) {
    this.#known = new Set(mounts.flatMap(({ face }) => face.routes.map(({ method }) => method)))
  }

  /** Has the router take a request of an unknown method for the stranger's, until `unmask` makes it what it is again. */
  disguise(request: IncomingMessage): void {
    if (request.method === undefined || this.#known.has(request.method)) return
    this.#disguised.set(request, request.method)
    request.method = stranger
  }

  unmask(request: IncomingMessage): void {
    const method = this.#disguised.get(request)
    if (method !== undefined) request.method = method
  }

  /** Every path of a face answers 405 to the methods that it has no route for, whatever their body. */
  refuse(scope: FastifyInstance, { prefix, face }: Mount): void {
    for (const path of new Set(face.routes.map(route => route.path))) {
      const allowed: string[] = face.routes.filter(route => route.path === path).map(route => route.method)
      const refuse = async (_request: FastifyRequest, reply: FastifyReply): Promise<never> => {
        reply.header('allow', allowed.join(', '))
        throw new AppError('invalid', '', { reason: 'method_not_allowed' })
      }
      scope.route({
        method: [...this.#known, stranger].filter(method => !allowed.includes(method)),
        url: path === '/' && prefix ? '' : path,
        config: { face },
        // Refused before the body is read.
        onRequest: refuse,
        handler: refuse,
      })
    }
  }
}

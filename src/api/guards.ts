// Headers of every answer: the request's id, and those by which browsers and caches guess, run, frame and
// keep nothing.

import type { FastifyReply, FastifyRequest } from 'fastify'

export const guards = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  // What an answer shows depends on the token, which caches do not look at.
  'cache-control': 'no-store',
} as const

export const begin = (reply: FastifyReply, request: FastifyRequest): FastifyReply =>
  reply.headers({ ...guards, 'x-openstack-request-id': request.id })

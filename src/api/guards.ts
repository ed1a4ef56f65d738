// What every answer carries: its request's id, and for browsers and caches to guess, run, frame and keep nothing.

import type { FastifyReply, FastifyRequest } from 'fastify'

export const guards = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  // Who sees what depends on the token, of which caches know nothing.
  'cache-control': 'no-store',
} as const

export const begin = (reply: FastifyReply, request: FastifyRequest): FastifyReply =>
  reply.headers({ ...guards, 'x-openstack-request-id': request.id })

// Routes of users beside the collection: their projects, and a change of their own password.

import type { FastifyInstance } from 'fastify'
import { projectsOf } from './auth-routes.ts'
import { bodyOf, mayRead, viewList } from './collections.ts'
import { changePassword } from './people.ts'
import { allow, callerOf } from './policy.ts'
import { notFound, unauthorized } from './refusals.ts'
import { check } from './schema.ts'
import type { Context } from './state.ts'

interface UserParams {
  user: string
}

export function addUserRoutes(app: FastifyInstance, context: Context): void {
  const { state } = context

  app.get<{ Params: UserParams }>('/v3/users/:user/projects', request => {
    const { user } = request.params
    const caller = callerOf(context, request)
    allow('list_user_projects', mayRead(caller) || caller.userId === user)
    if (!state.users.has(user)) throw notFound('user', user)
    return viewList(context, request, 'projects', projectsOf(context, user))
  })

  app.post<{ Params: UserParams }>('/v3/users/:user/password', (request, reply) => {
    const { user } = request.params
    const input = bodyOf(request, 'user')
    const text = { type: 'string' } as const
    check(input, {
      type: 'object',
      required: ['original_password', 'password'],
      properties: { original_password: text, password: text },
    })
    const isEnabled = state.users.get(user)?.enabled === true
    if (!isEnabled || state.passwords.get(user) !== input.original_password) throw unauthorized()
    changePassword(state, user, input.password as string)
    return reply.code(204).send()
  })
}

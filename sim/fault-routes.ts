// `/_faults` on every simulated service: the faults, controlled from another process (faults.ts says how).

import type { FastifyInstance } from 'fastify'
import { type Fault, type FaultSpec, type Faults, faultKinds } from './faults.ts'
import { CannotSwap } from './holding.ts'

export function addFaultRoutes(app: FastifyInstance, faults: Faults): void {
  app.get('/_faults', () => ({ faults: faults.list().map(viewFault), calls: faults.calls() }))

  app.post('/_faults', (request, reply) => {
    const spec = request.body as FaultSpec | undefined
    if (!faultKinds.some(kind => kind === spec?.kind)) {
      return reply.code(400).send({ message: `kind is one of ${faultKinds.join(', ')}` })
    }
    try {
      return reply.code(201).send(viewFault(faults.add(spec as FaultSpec)))
    } catch (error) {
      if (!(error instanceof CannotSwap)) throw error
      return reply.code(400).send({ message: error.message })
    }
  })

  app.post('/_faults/history', (_request, reply) => {
    faults.remember()
    return reply.code(204).send()
  })

  app.delete('/_faults', (_request, reply) => {
    faults.clear()
    return reply.code(204).send()
  })

  app.delete<{ Params: { id: string } }>('/_faults/:id', (request, reply) => {
    const fault = faults.list().find(fault => fault.id === request.params.id)
    fault?.remove()
    return reply.code(fault === undefined ? 404 : 204).send()
  })
}

function viewFault({ id, spec, hits }: Fault): object {
  return { id, ...spec, path: spec.path?.toString(), hits }
}

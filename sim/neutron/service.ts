// The simulated Neutron of one region as a service of its own.

import type { FastifyInstance } from 'fastify'
import type { Faults } from '../faults.ts'
import { startService } from '../http.ts'
import { nothingHere } from './api/answer.ts'
import { envelope } from './errors.ts'
import { createNeutron, type Neutron, type NeutronSpec } from './neutron.ts'

export interface NeutronServiceSpec extends NeutronSpec {
  faults: Faults
  host?: string | undefined
  /** The port; 0, the default, picks a free one. */
  port?: number | undefined
  /** Called with Neutron's HTTP server before it listens: to watch calls, or to hold them up. */
  attend?: ((server: FastifyInstance) => void) | undefined
}

export interface NeutronService extends Neutron {
  /** Neutron's URL, without a version at its end. */
  readonly url: string
  close(): Promise<void>
}

export async function startNeutron({
  faults,
  host,
  port,
  attend,
  ...spec
}: NeutronServiceSpec): Promise<NeutronService> {
  const neutron = createNeutron(spec)
  const { region, clock } = spec
  const { url, close } = await startService({
    name: 'neutron',
    region,
    host,
    port,
    faults,
    clock,
    inspectToken: spec.inspectToken,
    envelope,
    notFound: (_request, reply) => reply.code(404).type('text/html').send(nothingHere()),
    build(server, self) {
      attend?.(server)
      return neutron.build(server, self)
    },
  })
  faults.keep({ region, service: 'neutron', clock, state: neutron.region.state })
  return { ...neutron, url, close }
}

// The simulated Nova of one region as a service of its own.

import type { Faults } from '../faults.ts'
import { startService } from '../http.ts'
import { createNova, type Nova, type NovaSpec } from './nova.ts'
import { envelope } from './refusals.ts'

export interface NovaServiceSpec extends NovaSpec {
  faults: Faults
  host?: string | undefined
  /** The port; 0, the default, picks a free one. */
  port?: number | undefined
}

export interface NovaService extends Nova {
  /** Nova's URL, which ends in `/v2.1`. */
  readonly url: string
  close(): Promise<void>
}

export async function startNova({ faults, host, port, ...spec }: NovaServiceSpec): Promise<NovaService> {
  const nova = createNova(spec)
  const { region, clock } = spec
  const { url, close } = await startService({
    name: 'nova',
    region,
    host,
    port,
    faults,
    clock,
    inspectToken: spec.inspectToken,
    envelope,
    notFound: (_request, reply) => reply.code(404).type('text/html').send(nothingHere),
    build: nova.build,
  })
  faults.keep({ region, service: 'nova', clock, state: nova.region.state })
  return {
    ...nova,
    url: `${url}/v2.1`,
    async close() {
      nova.region.close()
      await close()
    },
  }
}

const nothingHere = [
  '<html>',
  ' <head>',
  '  <title>404 Not Found</title>',
  ' </head>',
  ' <body>',
  '  <h1>404 Not Found</h1>',
  '  The resource could not be found.<br /><br />',
  '',
  '',
  '',
  ' </body>',
  '</html>',
].join('\n')

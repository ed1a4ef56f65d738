// `atoll serve`: starts Atoll, prints its address, and stops cleanly on SIGTERM and Ctrl-C.

import type { Logger } from 'pino'
import { type Atoll, type Role, startAtoll } from '../compose.ts'
import type { Config } from '../config/config.ts'
import { startDemo } from './demo.ts'
import { createLog } from './log.ts'

export interface ServeOptions {
  readonly demo?: boolean
  readonly role: Role
}

/** Returns when the process was told to stop and everything is closed. */
export async function runServe(config: Config, { demo, role }: ServeOptions): Promise<void> {
  const log = createLog(config)
  const stopped = stopSignal()
  const running: Pick<Atoll, 'close'> = demo ? await startDemo(config, log) : await serve(config, log, role)
  log.info({ reason: await stopped }, 'stopping')
  await running.close()
}

async function serve(config: Config, log: Logger, role: Role): Promise<Atoll> {
  const atoll = await startAtoll(config, log, role)
  log.info({ url: atoll.url ?? undefined, role }, 'Atoll is ready')
  return atoll
}

/** Resolves with the signal that asks the process to stop; a second one ends it at once. */
const stopSignal = (): Promise<string> =>
  new Promise(stop => {
    let asked = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(1)
        asked = true
        stop(signal)
      })
    }
  })

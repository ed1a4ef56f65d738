// `atoll serve`: starts, says where it is, and stops cleanly on SIGTERM and Ctrl-C.

import type { Logger } from 'pino'
import { type Atoll, type Role, startAtoll } from '../compose.ts'
import type { Config } from '../config.ts'
import { startDemo } from './demo.ts'
import { createLog } from './log.ts'

export interface ServeOptions {
  readonly demo?: boolean
  readonly role: Role
}

/** Returns when the process was told to stop and everything is closed. */
export async function runServe(config: Config, { demo, role }: ServeOptions): Promise<void> {
  const log = createLog(config)
  const stopped = stopSignal(log)
  const running: Pick<Atoll, 'close'> = demo
    ? await startDemo(config, log, stopped.fail)
    : await serve(config, log, role, stopped.fail)
  const reason = await stopped.promise
  log.info({ reason: reason instanceof Error ? reason.message : reason }, 'stopping')
  await running.close()
  if (reason instanceof Error) throw reason
}

async function serve(
  config: Config,
  log: Logger,
  role: Role,
  onFailure: (error: Error) => void,
): Promise<Atoll> {
  const atoll = await startAtoll(config, log, role, onFailure)
  log.info({ url: atoll.url ?? undefined, role }, 'Atoll is ready')
  return atoll
}

/** Resolves with the signal that asks the process to stop, or with the failure that makes it; a second signal ends it at once. */
function stopSignal(log: Logger) {
  let stop: (reason: string | Error) => void = () => {}
  const promise = new Promise<string | Error>(resolve => {
    stop = resolve
  })
  let asked = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1)
      asked = true
      stop(signal)
    })
  }
  const fail = (error: Error): void => {
    log.error({ err: error }, error.message)
    stop(error)
  }
  return { promise, fail }
}

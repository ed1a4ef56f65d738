// The log: lines of JSON, or readable ones on a terminal.

import { type Logger, pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from '../config/config.ts'

export function createLog({ log: { level, format } }: Config): Logger {
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    base: null,
    // Fields that never show, whatever is logged by mistake.
    redact: ['password', 'secret', 'token', '*.password', '*.secret', '*.token', '*["x-auth-token"]'],
  }
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  if (!readable) return pino(options)
  return pino(
    options,
    pretty({ colorize: process.stdout.isTTY, translateTime: 'HH:MM:ss', ignore: 'pid,hostname' }),
  )
}

/** For commands that print their own sentences: warnings and errors only, on standard error. */
export const createQuietLog = (): Logger => pino({ level: 'warn', base: null }, pino.destination(2))

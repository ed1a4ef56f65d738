// Saves memory for texts that are kept a million times.

import { randomUUID } from 'node:crypto'

/** A text in one piece: one that was put together stays a tree of its pieces, five times as large. */
export function compact(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

export function makeId(): string {
  return compact(randomUUID())
}

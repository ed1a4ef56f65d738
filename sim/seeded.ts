// Ids that are the same at every start: Atoll's records of such resources outlive a simulation.

import { createHash } from 'node:crypto'

/** An id made of words, in the form of a random UUID. */
export function seededUuid(...words: readonly string[]): string {
  const digits = createHash('md5').update(words.join(' ')).digest('hex')
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}

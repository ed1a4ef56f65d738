// Ids that are the same at every start: what others keep of these things outlives a simulation.

import { createHash } from 'node:crypto'

/** As a random uuid looks. */
export function seededUuid(...words: readonly string[]): string {
  const digits = createHash('md5').update(words.join(' ')).digest('hex')
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}

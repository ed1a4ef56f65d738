// Every example of the seed documents, played.

import { expect, it } from 'vitest'
import { playExamples, readExamples } from '../examples.ts'

const files = readExamples(new URL('.', import.meta.url))

/** The lines on which the JSON examples of a document begin. */
const documents = {
  '000': [
    77, 147, 220, 231, 332, 359, 392, 426, 501, 571, 583, 676, 686, 784, 813, 848, 886, 951, 1014, 1048, 1131,
    1144,
  ],
  '001': [89, 171, 257, 272, 371, 402, 473, 556, 572, 685, 699, 804, 835, 892, 967, 1012, 1108, 1125],
  '002': [60, 111, 151, 164, 213, 257, 295, 306],
  '003': [217, 455, 531, 786, 1021, 1058, 1458, 1660, 1694, 1842, 1969, 2009],
  '004': [36, 49, 87, 107, 145, 159, 182, 191, 221, 237, 286, 298, 336, 348, 379, 395],
}

it.each(Object.entries(documents))('no example of document %s is left out', (document, lines) => {
  const sources = [...files.values()].flatMap(file => file.examples.flatMap(({ steps }) => steps))
  const ranges = sources.flatMap(({ source }) =>
    [...source.matchAll(/(\d{3}):(\d+)(?:-(\d+))?/g)]
      .filter(([, name]) => name === document)
      .map(([, , first, last = first]) => [Number(first), Number(last)] as const),
  )
  const left = lines.filter(line => !ranges.some(([first, last]) => first <= line && line <= last))
  expect(left).toEqual([])
})

playExamples(files)

// `npm run bench -- NAME [--option value …]`: runs a benchmark; a table for people, and as the last line its figures as JSON.

import { readdirSync } from 'node:fs'
import type { Benchmark } from './benchmark.ts'

/** Each file of this name is one. */
const ending = '.bench.js'
const names = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith(ending))
  .map(file => file.slice(0, -ending.length))

const [name = '', ...args] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [--size smallest]\nThere are: ${names.join(', ')}.`)
  process.exit(2)
}
const { benchmark } = (await import(`./${name}${ending}`)) as { benchmark: Benchmark }
const figures = await benchmark(args)
console.log(JSON.stringify({ bench: name, ...figures }))

// What a benchmark is: options, each with what it is at the usual and at the smallest size, and what measures.

import { parseArgs } from 'node:util'
import { type Ground, openGround } from './ground.ts'

/** Unless told, and with `--size smallest`: that takes seconds, and shows only that the benchmark runs. */
export interface Option {
  readonly usual: string
  readonly smallest: string
}

/** Takes the arguments of the command line; returns the figures that it has shown. */
export type Benchmark = (args: string[]) => Promise<object>

/** `open` is for each part that wants a folder and databases of its own. */
export type Measure<Name extends string> = (
  values: Readonly<Record<Name, string>>,
  open: () => Promise<Ground>,
) => Promise<object>

export const defineBenchmark =
  <Name extends string>(options: Readonly<Record<Name, Option>>, measure: Measure<Name>): Benchmark =>
  args => {
    const names = Object.keys(options) as Name[]
    const { values } = parseArgs({
      args,
      options: {
        ...Object.fromEntries(names.map(name => [name, { type: 'string' as const }])),
        size: { type: 'string', default: 'usual' },
        /** The URL of a PostgreSQL to make databases in, instead of one of the benchmark's own. */
        server: { type: 'string' },
      },
    })
    const { size, server, ...told } = values as Record<string, string | undefined>
    if (size !== 'usual' && size !== 'smallest')
      throw new Error(`A size is usual or smallest, and not ${size}`)
    const chosen = Object.fromEntries(names.map(name => [name, told[name] ?? options[name][size]]))
    return measure(chosen as Record<Name, string>, () => openGround(server))
  }

// The central Networking API over many regions: what a port costs them, pages of very many ports, routes, addresses that
// many processes take at once.

import { parseArgs } from 'node:util'
import { type Ground, openGround } from './ground.ts'
import { boots } from './networking-boot.ts'
import { lists } from './networking-list.ts'

const options = {
  /** Some of the parts below; all unless told. */
  only: { type: 'string', default: 'boots,lists' },
  /** Regions of the networks that ports are booted on. */
  spans: { type: 'string', default: '1,10,100' },
  rounds: { type: 'string', default: '9' },
  /** Ports that are listed, and in how many regions. */
  ports: { type: 'string', default: '200000' },
  against: { type: 'string', default: '10000' },
  regions: { type: 'string', default: '100' },
  pairs: { type: 'string', default: '9' },
  times: { type: 'string', default: '8' },
} as const

type Values = Readonly<Record<keyof typeof options, string>>

const parts: Readonly<Record<string, (ground: Ground, values: Values) => Promise<object>>> = {
  boots: (ground, { spans, rounds }) =>
    boots(ground, { spans: spans.split(',').map(Number), rounds: Number(rounds) }),
  lists: (ground, { ports, against, regions, pairs, times }) =>
    lists(ground, {
      ports: Number(ports),
      against: Number(against),
      regions: Number(regions),
      pairs: Number(pairs),
      times: Number(times),
    }),
}

/** Returns the figures of each part. */
export async function networking(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options })
  const figures: Record<string, object> = {}
  for (const name of values.only.split(',')) {
    const part = parts[name]
    if (!part) throw new Error(`There are the parts ${Object.keys(parts).join(', ')}, and no ${name}`)
    await using ground = await openGround()
    figures[name] = await part(ground, values)
  }
  return figures
}

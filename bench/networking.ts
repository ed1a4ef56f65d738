// The central Networking API over many regions: what a port costs them, pages of very many ports, routes, addresses that
// many processes take at once.

import { parseArgs } from 'node:util'
import { openGround } from './ground.ts'
import { boots } from './networking-boot.ts'

const options = {
  /** Regions of the networks that ports are booted on. */
  spans: { type: 'string', default: '1,10,100' },
  rounds: { type: 'string', default: '9' },
} as const

export async function networking(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options })
  await using ground = await openGround()
  const spans = values.spans.split(',').map(Number)
  return { boots: await boots(ground, { spans, rounds: Number(values.rounds) }) }
}

// The central Networking API over many regions: what a port costs them, pages of very many ports, routes, addresses that
// many processes take at once.

import { parseArgs } from 'node:util'
import { type Ground, openGround } from './ground.ts'
import { addresses } from './network-addresses.ts'
import { boots } from './network-boot.ts'
import { lists } from './network-list.ts'
import { routes } from './network-routes.ts'

const options = {
  /** Some of the parts below; all unless told. */
  only: { type: 'string', default: 'boots,lists,routes,addresses' },
  /** Regions of the networks that ports are booted on. */
  spans: { type: 'string', default: '1,10,100' },
  rounds: { type: 'string', default: '15' },
  /** Ports that are listed, and in how many regions. */
  ports: { type: 'string', default: '100000' },
  against: { type: 'string', default: '10000' },
  regions: { type: 'string', default: '100' },
  pairs: { type: 'string', default: '9' },
  times: { type: 'string', default: '8' },
  /** In each region of the router that is planned. */
  servers: { type: 'string', default: '1000' },
  /** Regions of the router that is built, and routes that each copy may have: fewer than there are others. */
  built: { type: 'string', default: '20' },
  limit: { type: 'string', default: '10' },
  /** Who makes ports on one network. */
  processes: { type: 'string', default: '4' },
  clients: { type: 'string', default: '64' },
  seconds: { type: 'string', default: '5' },
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
  routes: (ground, { regions, servers, built, limit }) =>
    routes(ground, {
      regions: Number(regions),
      serversPerRegion: Number(servers),
      built: Number(built),
      limit: Number(limit),
    }),
  addresses: (ground, { processes, clients, seconds }) =>
    addresses(ground, { processes: Number(processes), clients: Number(clients), seconds: Number(seconds) }),
}

/** Returns the figures of each part. */
export async function network(args: string[]): Promise<object> {
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

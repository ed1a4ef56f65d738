// The central Networking API over many regions: what a port costs them, pages of very many ports, routes, addresses that
// many processes take at once, looks at a region.

import { defineBenchmark } from './benchmark.ts'
import type { Ground } from './ground.ts'
import { addresses } from './network-addresses.ts'
import { boots } from './network-boot.ts'
import { lists } from './network-list.ts'
import { routes } from './network-routes.ts'
import { looks } from './network-watch.ts'

const options = {
  /** Some of the parts below; all unless told. */
  only: { usual: 'boots,lists,routes,addresses,looks', smallest: 'boots,lists,routes,addresses,looks' },
  /** Regions of the networks that ports are booted on. */
  spans: { usual: '1,10,100', smallest: '1,2' },
  rounds: { usual: '15', smallest: '1' },
  /** Ports of a page, ports that are listed, and in how many regions. */
  page: { usual: '100', smallest: '10' },
  ports: { usual: '100000', smallest: '400' },
  against: { usual: '10000', smallest: '200' },
  regions: { usual: '100', smallest: '3' },
  pairs: { usual: '9', smallest: '1' },
  times: { usual: '8', smallest: '1' },
  /** In each region of the router that is planned. */
  servers: { usual: '1000', smallest: '10' },
  /** Regions of the router that is built, and routes that each copy may have: fewer than there are others. */
  built: { usual: '20', smallest: '4' },
  limit: { usual: '10', smallest: '2' },
  /** Who makes ports on one network. */
  processes: { usual: '4', smallest: '2' },
  clients: { usual: '64', smallest: '4' },
  seconds: { usual: '5', smallest: '0.1' },
  turns: { usual: '5', smallest: '1' },
  /** Of the region that is looked at, and how many of them have changed. */
  looked: { usual: '100,1000', smallest: '4,8' },
  changed: { usual: '20', smallest: '2' },
}

type Values = Readonly<Record<keyof typeof options, string>>

const parts: Readonly<Record<string, (ground: Ground, values: Values) => Promise<object>>> = {
  boots: (ground, { spans, rounds }) =>
    boots(ground, { spans: spans.split(',').map(Number), rounds: Number(rounds) }),
  lists: (ground, { page, ports, against, regions, pairs, times }) =>
    lists(ground, {
      page: Number(page),
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
  addresses: (ground, { processes, clients, seconds, turns }) =>
    addresses(ground, {
      processes: Number(processes),
      clients: Number(clients),
      seconds: Number(seconds),
      turns: Number(turns),
    }),
  looks: (ground, { looked, changed, rounds }) =>
    looks(ground, { ports: looked.split(',').map(Number), changed: Number(changed), rounds: Number(rounds) }),
}

/** Returns the figures of each part. */
export const benchmark = defineBenchmark(options, async (values, openGround) => {
  const figures: Record<string, object> = {}
  for (const name of values.only.split(',')) {
    const part = parts[name]
    if (!part) throw new Error(`There are the parts ${Object.keys(parts).join(', ')}, and no ${name}`)
    await using ground = await openGround()
    figures[name] = await part(ground, values)
  }
  return figures
})

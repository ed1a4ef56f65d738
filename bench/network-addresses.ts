// Many clients make ports on one /16 through several processes of `atoll serve` at once: how many a second, and that no
// address is given twice and nobody is refused.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startCloud } from '../sim/cloud.ts'
import { migrate } from '../src/store/migrations.ts'
import type { Ground } from './ground.ts'
import { startLoadGenerator } from './load.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'
import { adminToken, openApi, unlimited } from './network-site.ts'
import { startAtoll } from './servers.ts'

export interface AddressSettings {
  readonly processes: number
  readonly clients: number
  readonly seconds: number
  /** How often all processes and one are measured, by turns. */
  readonly turns: number
}

/** Returns creations a second by all processes and by one, how many addresses were given twice, and how many refusals. */
export async function addresses(ground: Ground, settings: AddressSettings): Promise<object> {
  const { processes, clients, turns } = settings
  const crowd = await prepare(ground, settings)
  const measured = await inTurns(
    turns,
    () => crowd.create(processes),
    () => crowd.create(1),
  )
  const created = measured.flat().reduce((sum, one) => sum + one.created, 0)
  const refused = measured.flat().reduce((sum, one) => sum + one.refused, 0)
  const { ports, held, different } = await crowd.found()
  const perSecond = rounded(median(measured.map(([all]) => all.perSecond)), 0)
  const byOnePerSecond = rounded(median(measured.map(([, one]) => one.perSecond)), 0)
  const ratio = rounded(median(measured.map(([all, one]) => all.perSecond / one.perSecond)))
  const twice = held - different
  const cpuMs = rounded(crowd.cpuMs() / created)
  const figures = { perSecond, byOnePerSecond, ratio, cpuMs, created, ports, twice, refused }
  printTable(
    `${clients} clients make ports on one /16 by ${processes} processes, and by one`,
    ['a second', 'by one', 'ratio', 'CPU ms a port', 'made', 'ports', 'addresses twice', 'refused'],
    [Object.values(figures)],
  )
  return { ...settings, ...figures }
}

interface Created {
  readonly perSecond: number
  readonly created: number
  readonly refused: number
}

interface Crowd {
  /** All clients at once, by the first so many processes. */
  create(processes: number): Promise<Created>
  /** Processor time of all processes since they were ready. */
  cpuMs(): number
  /** What the database has of it: ports, their addresses, and how many different ones. */
  found(): Promise<{ ports: number; held: number; different: number }>
}

async function prepare(ground: Ground, { processes, clients, seconds }: AddressSettings): Promise<Crowd> {
  const cloud = await startCloud({ regions: ['CentralRegion'] })
  ground.defer(() => cloud.close())
  const url = await ground.database('addresses')
  await migrate(url)
  const { call } = openApi(ground, { cloud, url, settings: unlimited })
  const network = await call('POST', '/networks', { network: {} })
  const given = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/16' }
  const subnet = await call('POST', '/subnets', { subnet: given })
  const body = JSON.stringify({ port: { network_id: network.id } })
  const headers = {
    'x-auth-token': adminToken(cloud),
    accept: 'application/json',
    'content-type': 'application/json',
  }
  const running = await Promise.all(
    Array.from({ length: processes }, async (_, at) => {
      const folder = join(ground.folder, `atoll-${at}`)
      mkdirSync(folder)
      const settings = { ...unlimited, ATOLL_KEY_FILE: join(ground.folder, 'key') }
      const server = await startAtoll({ folder, databaseUrl: url, authUrl: cloud.authUrl, settings })
      ground.defer(() => server.stop())
      const load = startLoadGenerator()
      ground.defer(() => load.close())
      return { server, load }
    }),
  )
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  ground.defer(() => pool.end())
  const cpuMs = () => running.reduce((sum, { server }) => sum + server.cpuMs(), 0)
  const idleMs = cpuMs()
  return {
    cpuMs: () => cpuMs() - idleMs,
    async create(count) {
      const loads = await Promise.all(
        running.slice(0, count).map(({ server: { origin }, load }) => {
          const what = { origin, method: 'POST', paths: ['/network/v2.0/ports'], headers, body } as const
          return load.run({ ...what, connections: clients / count, seconds })
        }),
      )
      const sum = (of: (one: (typeof loads)[number]) => number) =>
        loads.reduce((all, one) => all + of(one), 0)
      const refused = sum(one => one.failed)
      const made = sum(one => one.done) - refused
      return { created: made, refused, perSecond: sum(one => one.perSecond * (1 - one.failed / one.done)) }
    },
    async found() {
      const { rows } = await pool.query(
        `select (select count(*) from port where network_id = $1)::int as ports, count(*)::int as held,
                count(distinct lower(range))::int as different
         from held_range where subnet_id = $2 and purpose = 'port'`,
        [network.id, subnet.id],
      )
      return rows[0]
    },
  }
}

// Leases that end and leases that start in the same second, back to back on the same hosts, over many regions.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '../src/store/embedded/start.ts'
import { migrate } from '../src/store/migrations.ts'
import { type SwitchFigures, switchOver } from './leases-switch.ts'
import { printTable, rounded } from './measure.ts'

const options = {
  leases: { type: 'string', default: '1000,10000' },
  regions: { type: 'string', default: '10' },
  /** Seconds for each thousand of leases, to create and start them. */
  prepare: { type: 'string', default: '40' },
} as const

const quiet = { info: () => {}, warn: () => {} }

export async function leases(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options })
  const found: SwitchFigures[] = []
  for (const count of values.leases.split(',').map(Number)) {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    const server = await startEmbedded({ dataDir: folder, log: quiet, maxConnections: 100 })
    try {
      await migrate(server.url)
      found.push(
        await switchOver({
          count,
          regions: Number(values.regions),
          databaseUrl: server.url,
          prepareMs: 15_000 + (count * 1000 * Number(values.prepare)) / 1000,
          cloudProgram: new URL('leases-cloud.js', import.meta.url),
          tell: what => console.error(what),
        }),
      )
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  }
  const line = (name: string, pick: (one: SwitchFigures) => number) => [name, ...found.map(pick)]
  printTable(
    'leases that end and as many that start in the same second on the same hosts',
    ['', ...found.map(one => `${one.leases}`)],
    [
      line('regions', one => one.regions),
      line('the last end, seconds late', one => rounded(one.lastEndSeconds)),
      line('the last start, seconds late', one => rounded(one.lastStartSeconds)),
      line('ended and started a second', one => rounded(2 * one.startedPerSecond, 0)),
      line('calls to the region an end', one => rounded(one.callsPerEnd)),
      line('calls to the region a start', one => rounded(one.callsPerStart)),
      line('transactions of the database a lease', one => rounded(one.transactionsPerLease)),
      line('CPU of the worker a lease, ms', one => rounded(one.cpuMsPerLease)),
      line('starts before the end on their host', one => one.outOfOrder),
      line('in ERROR', one => one.inError),
      line('flavors left behind', one => one.left),
      line('created a second meanwhile', one => rounded(one.createdPerSecond, 0)),
    ],
  )
  return { found }
}

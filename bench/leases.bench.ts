// Leases that end and leases that start in the same second, back to back on the same hosts, over many regions.

import { migrate } from '../src/store/migrations.ts'
import { defineBenchmark } from './benchmark.ts'
import { type SwitchFigures, switchOver } from './leases-switch.ts'
import { printTable, rounded } from './measure.ts'

const options = {
  leases: { usual: '1000,10000', smallest: '4' },
  regions: { usual: '10', smallest: '2' },
  /** Seconds to create and start leases: for all of them, and for each thousand. */
  ready: { usual: '15', smallest: '8' },
  prepare: { usual: '40', smallest: '40' },
}

export const benchmark = defineBenchmark(options, async (values, openGround) => {
  const found: Figures[] = []
  for (const count of values.leases.split(',').map(Number)) {
    await using ground = await openGround()
    const databaseUrl = await ground.database(`leases_${count}`)
    await migrate(databaseUrl)
    const measured = await switchOver({
      count,
      regions: Number(values.regions),
      databaseUrl,
      prepareMs: Number(values.ready) * 1000 + count * Number(values.prepare),
      cloudProgram: new URL('leases-cloud.js', import.meta.url),
      tell: what => console.error(what),
    })
    found.push(figuresOf(measured))
  }
  const line = (name: string, pick: (one: Figures) => number) => [name, ...found.map(pick)]
  printTable(
    'leases that end and as many that start in the same second on the same hosts',
    ['', ...found.map(one => `${one.leases}`)],
    [
      line('regions', one => one.regions),
      line('the last end, seconds late', one => one.lastEndSeconds),
      line('the last start, seconds late', one => one.lastStartSeconds),
      line('ended and started a second', one => one.changedPerSecond),
      line('calls to the region an end', one => one.callsPerEnd),
      line('calls to the region a start', one => one.callsPerStart),
      line('transactions of the database a lease', one => one.transactionsPerLease),
      line('CPU of the worker a lease, ms', one => one.cpuMsPerLease),
      line('starts before the end on their host', one => one.outOfOrder),
      line('in ERROR', one => one.inError),
      line('flavors left behind', one => one.left),
      line('created a second meanwhile', one => one.createdPerSecond),
    ],
  )
  return { found }
})

type Figures = ReturnType<typeof figuresOf>

const figuresOf = ({ startedPerSecond, ...one }: SwitchFigures) => ({
  ...one,
  lastEndSeconds: rounded(one.lastEndSeconds),
  lastStartSeconds: rounded(one.lastStartSeconds),
  changedPerSecond: rounded(2 * startedPerSecond, 0),
  callsPerEnd: rounded(one.callsPerEnd),
  callsPerStart: rounded(one.callsPerStart),
  transactionsPerLease: rounded(one.transactionsPerLease),
  cpuMsPerLease: rounded(one.cpuMsPerLease),
  createdPerSecond: rounded(one.createdPerSecond, 0),
})

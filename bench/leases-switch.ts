// Very many leases that end, and as many that start, in the same second and on the same hosts.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { createApp, createClockwork, openCloud } from '../src/compose.ts'
import { type Config, loadConfig } from '../src/config/config.ts'
import type { App } from '../src/core/app.ts'
import { ownCaller } from '../src/core/caller.ts'
import type { HostFacts } from '../src/core/hosts/host.ts'
import type { Lease } from '../src/core/leases/lease.ts'
import { createLease } from '../src/core/leases/leases.ts'
import { forever, type SupplyPosting, wholeHost } from '../src/core/ledger/ledger.ts'
import { minuteOf } from '../src/core/minute.ts'
import { createRegion } from '../src/core/regions/regions.ts'
import type { Regions } from '../src/openstack/region.ts'
import { openDatabase } from '../src/store/database.ts'
import type { Clockwork } from '../src/worker/clockwork.ts'

export interface SwitchSpec {
  readonly count: number
  readonly regions: number
  readonly databaseUrl: string
  /** How long all of it may be prepared before it is due. */
  readonly prepareMs: number
  /** By environment variable. */
  readonly settings?: Readonly<Record<string, string>>
  /** Built where plain Node runs it, the source where vitest does. */
  readonly cloudProgram: URL
  tell(what: string): void
}

export interface SwitchFigures {
  readonly leases: number
  readonly regions: number
  /** How late the last end and the last start were. */
  readonly lastEndSeconds: number
  readonly lastStartSeconds: number
  readonly startedPerSecond: number
  readonly callsPerEnd: number
  readonly callsPerStart: number
  readonly transactionsPerLease: number
  /** Of this process: what ends and starts costs on a machine that does nothing else. */
  readonly cpuMsPerLease: number
  /** Starts that began before the end on the same host was over, and leases that are in ERROR. */
  readonly outOfOrder: number
  readonly inError: number
  /** Flavors in regions that no lease has. */
  readonly left: number
  readonly createdPerSecond: number
}

export async function switchOver(spec: SwitchSpec): Promise<SwitchFigures> {
  const { count, databaseUrl, tell } = spec
  await using cloud = await startCloudProcess(spec)
  const config = loadConfig(undefined, {
    ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
    ...spec.settings,
  })
  const database = openDatabase(databaseUrl, { connections: 10, name: 'bench', onError: () => {} })
  const ports = openCloud(config)
  const calls = new Calls()
  const app = createApp(
    config,
    database,
    counting(ports.regions, calls),
    pino({ level: 'error' }, pino.destination(2)),
  )
  const clockwork = clockworkOf(config, app, databaseUrl)
  const inStatus = (...statuses: string[]): Promise<number> => countOf(database.pool, statuses)
  try {
    await enrol(app, cloud.facts)
    tell(`${count} hosts are enrolled`)
    await clockwork.start()
    const at = new Date(Math.ceil((Date.now() + spec.prepareMs) / 1000) * 1000)
    const begunAt = performance.now()
    const first = await createAll(app, cloud.projectId, spec, { startAt: 'now', endAt: at })
    const endAt = new Date(at.getTime() + 86_400_000)
    const second = await createAll(app, cloud.projectId, spec, { startAt: at, endAt })
    const createdPerSecond = (2 * count) / ((performance.now() - begunAt) / 1000)
    await until(async () => (await inStatus('ACTIVE', 'ERROR')) >= count)
    const spareMs = at.getTime() - Date.now()
    tell(`${2 * count} leases, half of them ACTIVE; ${Math.round(spareMs / 1000)} s before they change`)
    if (spareMs < 0) throw new Error('the preparation took too long: give it more time')
    await sleep(Math.max(0, spareMs - 2_000))
    calls.clear()
    const before = await transactionsOf(database.pool)
    const cpu = process.cpuUsage()
    await until(async () => (await inStatus('PENDING', 'STARTING', 'TERMINATING')) === 0)
    const { user, system } = process.cpuUsage(cpu)
    const transactions = (await transactionsOf(database.pool)) - before
    const lastEndSeconds = await lateness(database.pool, at, 'end_lease', first)
    const lastStartSeconds = await lateness(database.pool, at, 'start_lease', second)
    return {
      leases: count,
      regions: spec.regions,
      lastEndSeconds,
      lastStartSeconds,
      startedPerSecond: count / lastStartSeconds,
      callsPerEnd: calls.meanOf(first),
      callsPerStart: calls.meanOf(second),
      transactionsPerLease: transactions / (2 * count),
      cpuMsPerLease: (user + system) / 1000 / (2 * count),
      outOfOrder: calls.outOfOrder(first, second),
      inError: await inStatus('ERROR'),
      left: (await cloud.left()) - (await inStatus('ACTIVE')),
      createdPerSecond,
    }
  } finally {
    await clockwork.stop()
    await ports.close()
    await database.close()
  }
}

/** When each reservation was spoken of to its region; what names only a host counts for whoever spoke of it last. */
class Calls {
  #times = new Map<string, { first: number; last: number; count: number }>()

  clear(): void {
    this.#times.clear()
  }

  note(reservation: string, startedAt: number): void {
    const known = this.#times.get(reservation) ?? { first: startedAt, last: 0, count: 0 }
    this.#times.set(reservation, { first: known.first, last: performance.now(), count: known.count + 1 })
  }

  meanOf(leases: readonly Lease[]): number {
    const count = leases.reduce(
      (sum, lease) => sum + (this.#times.get(lease.reservations[0]!.id)?.count ?? 0),
      0,
    )
    return count / leases.length
  }

  /** How many of the second began before the first on their host were done. */
  outOfOrder(first: readonly Lease[], second: readonly Lease[]): number {
    const before = new Map(first.map(({ reservations: [one] }) => [one!.hosts[0], one!.id]))
    return second.filter(({ reservations: [one] }) => {
      const ended = this.#times.get(before.get(one!.hosts[0]) ?? '')
      const begun = this.#times.get(one!.id)
      return !ended || !begun || begun.first < ended.last
    }).length
  }
}

const named = /RESERVATION_([0-9A-F_]{36})|flavors\/([0-9a-f-]{36})|"id":"([0-9a-f-]{36})"/

/** A read of an inventory names no reservation: it is counted with the write after it. */
function counting(regions: Regions, calls: Calls): Regions {
  return {
    ...regions,
    region(name, context) {
      const region = regions.region(name, context)
      let unnamed = 0
      return {
        ...region,
        async call(service, request) {
          const startedAt = performance.now()
          const reply = await region.call(service, request)
          const text = `${request.path} ${request.json ? JSON.stringify(request.json) : ''}`
          const [, place, flavor, made] = named.exec(text) ?? []
          const id = flavor ?? made ?? place?.toLowerCase().replaceAll('_', '-')
          if (id === undefined) unnamed++
          else for (; unnamed >= 0; unnamed--) calls.note(id, startedAt)
          if (id !== undefined) unnamed = 0
          return reply
        },
      }
    },
  }
}

async function startCloudProcess({ count, regions, cloudProgram }: SwitchSpec) {
  const child: ChildProcess = fork(fileURLToPath(cloudProgram), [String(regions), String(count / regions)])
  const [told] = (await once(child, 'message')) as [
    { authUrl: string; projectId: string; facts: Record<string, HostFacts[]> },
  ]
  return {
    ...told,
    async left(): Promise<number> {
      child.send('what is left?')
      const [left] = await once(child, 'message')
      return left as number
    },
    async [Symbol.asyncDispose]() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

const together = 50

/** As an enrolment stores them, many at a time. */
async function enrol(app: App, facts: Readonly<Record<string, readonly HostFacts[]>>): Promise<void> {
  const caller = ownCaller('req-00000000-0000-4000-8000-000000000000')
  for (const [name, hosts] of Object.entries(facts)) {
    const zone = { availabilityZone: `az-${name}`, localAvailabilityZone: '', dataCenter: '' }
    const region = await createRegion(app, caller, { name, ...zone })
    const note = { caller, at: app.now(), action: 'host.enrol' }
    const window = { from: minuteOf(app.now()), to: forever }
    for (let from = 0; from < hosts.length; from += together) {
      const some = hosts.slice(from, from + together)
      await app.store.transact(async tx => {
        const account = await tx.ledger.scope(region.id, 'reservable')
        await tx.ledger.lock([account])
        for (const one of some) {
          const id = await tx.ledger.addHost(region.id, window.from)
          const place = { id, regionId: region.id, regionName: name, capabilities: {} }
          const state = {
            state: 'enrolled',
            reservable: true,
            createdAt: app.now(),
            updatedAt: null,
          } as const
          const ask = { kind: 'host', key: String(id), lane: name, at: forever }
          await tx.hosts.insert({ ...one, ...place, ...state }, note, ask)
        }
        const amount = wholeHost * some.length
        const posting: SupplyPosting = { account, class: 'TENANCY', amount, window, origin: 'enrolment' }
        await tx.ledger.post([posting], note)
      })
    }
  }
}

function clockworkOf(config: Config, app: App, databaseUrl: string): Clockwork {
  return createClockwork({
    config,
    log: pino({ level: 'warn' }, pino.destination(2)),
    app,
    databaseUrl,
    metrics: { observeJob: () => {}, countSurplus: () => {} },
  })
}

async function createAll(
  app: App,
  projectId: string,
  { count, regions }: SwitchSpec,
  { startAt, endAt }: { startAt: Date | 'now'; endAt: Date },
) {
  const made: Lease[] = []
  let next = 0
  const caller = { ...ownCaller('req-00000000-0000-4000-8000-000000000000'), projectId }
  const creator = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      made.push(
        await createLease(app, caller, {
          name: `lease ${at}`,
          startAt,
          endAt,
          beforeEndAt: null,
          events: [],
          region: `Pod${(at % regions) + 1}`,
          reservations: [
            {
              kind: 'physical:host',
              min: 1,
              max: 1,
              hypervisorProperties: '',
              resourceProperties: '',
              beforeEnd: '',
            },
          ],
        }),
      )
    }
  }
  await Promise.all(Array.from({ length: 8 }, creator))
  return made
}

interface Pool {
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
}

async function countOf(pool: Pool, statuses: readonly string[]): Promise<number> {
  const text = 'select count(*)::int as count from lease where status = any ($1)'
  return (await pool.query<{ count: number }>(text, [statuses])).rows[0]!.count
}

async function lateness(pool: Pool, at: Date, type: string, leases: readonly Lease[]): Promise<number> {
  const { rows } = await pool.query<{ late: number }>(
    `select extract(epoch from max(updated_at) - $1::timestamptz)::float as late from lease_event
     where type = $2 and lease_id = any ($3::uuid[])`,
    [at, type, leases.map(lease => lease.id)],
  )
  return rows[0]!.late
}

async function transactionsOf(pool: Pool): Promise<number> {
  const text = 'select xact_commit::int as n from pg_stat_database where datname = current_database()'
  return (await pool.query<{ n: number }>(text)).rows[0]!.n
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(250)
}

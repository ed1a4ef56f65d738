// The Admin API's routings: how a page's time grows from ten thousand to a million rows, and how far Atoll is from bare
// Fastify and pg.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startCloud } from '../sim/cloud.ts'
import { defineBenchmark } from './benchmark.ts'
import type { Ground as Base } from './ground.ts'
import { type Load, type LoadGenerator, startLoadGenerator } from './load.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'
import { type Page, pagesOf } from './pages.ts'
import { buffersOf, fill, type Statement, statementsOf } from './routings.ts'
import { type Server, startAtoll, startBare } from './servers.ts'

const options = {
  rows: { usual: '1000000', smallest: '1200' },
  against: { usual: '10000', smallest: '600' },
  pairs: { usual: '5', smallest: '1' },
  seconds: { usual: '0.4', smallest: '0.02' },
  /** How long a server warms up. */
  warmup: { usual: '3', smallest: '0.1' },
  connections: { usual: '8', smallest: '2' },
}

interface Settings {
  readonly pairs: number
  readonly seconds: number
  readonly warmup: number
  readonly connections: number
}

/** One size: its database, and Atoll over it. */
interface Place {
  readonly rows: number
  readonly url: string
  readonly atoll: Server
  readonly pages: readonly Page[]
}

interface Ground extends AsyncDisposable {
  readonly small: Place
  readonly large: Place
  readonly projectId: string
  readonly headers: Record<string, string>
  readonly load: LoadGenerator
  bare(settings: Record<string, string>): Promise<Server>
}

/** Returns growth a page and creation, and Atoll's part of the bare server's rate. */
export const benchmark = defineBenchmark(options, async (values, open) => {
  const [rows, against] = [Number(values.rows), Number(values.against)]
  const settings: Settings = {
    pairs: Number(values.pairs),
    seconds: Number(values.seconds),
    warmup: Number(values.warmup),
    connections: Number(values.connections),
  }
  await using ground = await prepare(await open(), rows, against)
  for (const { atoll } of [ground.small, ground.large]) await warmUp(ground, atoll, listPath, settings)
  const growth = await measureGrowth(ground, settings)
  const bare = await measureBare(ground, settings)
  return { rows: [against, rows], ...settings, growth, bare }
})

async function prepare(base: Base, rows: number, against: number): Promise<Ground> {
  const close = () => base[Symbol.asyncDispose]()
  try {
    const cloud = await startCloud({ regions: ['CentralRegion'] })
    base.defer(() => cloud.close())
    const { keystone } = cloud
    const projectId = keystone.projectId('admin')
    const headers = {
      'x-auth-token': keystone.issue(keystone.userId('admin'), projectId),
      accept: 'application/json',
      'content-type': 'application/json',
    }
    const place = async (size: number): Promise<Place> => {
      const url = await base.database(`rows_${size}`)
      const startedAt = Date.now()
      await fill(url, size, projectId)
      console.log(`${size} routings appended in ${rounded((Date.now() - startedAt) / 1000, 1)} s`)
      const own = join(base.folder, String(size))
      mkdirSync(own)
      const atoll = await startAtoll({ folder: own, databaseUrl: url, authUrl: cloud.authUrl })
      base.defer(() => atoll.stop())
      return { rows: size, url, atoll, pages: await pagesOf(url, projectId) }
    }
    const [small, large] = [await place(against), await place(rows)]
    const load = startLoadGenerator()
    base.defer(() => load.close())
    const bare = async (settings: Record<string, string>): Promise<Server> => {
      const own = join(base.folder, 'bare')
      mkdirSync(own)
      const server = await startBare(own, settings)
      base.defer(() => server.stop())
      return server
    }
    return { small, large, projectId, headers, load, bare, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

const listPath = '/v1.0/routings?limit=50'

/** A routing that is there only once, in the first region. */
async function creation(
  { url }: Place,
  projectId: string,
): Promise<{ body: string; statements: Statement[] }> {
  let regionId = ''
  const fields = { centralId: 'bench', regionalId: 'bench', projectId, resourceType: 'port' }
  const caller = {
    userId: 'u',
    userName: 'u',
    projectId,
    projectName: 'p',
    roles: [],
    requestId: 'req-bench',
  }
  const statements = await statementsOf(url, async ({ routings, regions }) => {
    regionId = (await regions.list())[0]!.id
    const note = { caller, at: new Date(), action: 'routing.create' }
    const [made] = await routings.append([{ ...fields, regionId }], note)
    await routings.remove(made!.id, note)
  })
  const routing = { top_id: 'UUID', bottom_id: 'UUID', pod_id: regionId, project_id: projectId }
  return {
    body: JSON.stringify({ routing: { ...routing, resource_type: 'port' } }),
    statements: statements.filter(({ sql }) => sql.includes('insert into routing')),
  }
}

interface Growth {
  readonly page: string
  readonly smallPerSecond: number
  readonly largePerSecond: number
  readonly growth: number
  readonly smallBuffers: number
  readonly largeBuffers: number
}

/** Every page, and a creation, at both sizes in turns. */
async function measureGrowth(ground: Ground, settings: Settings): Promise<Growth[]> {
  const { small, large, load, headers, projectId } = ground
  const figures: Growth[] = []
  const measure = async (
    name: string,
    ask: (place: Place) => { path: string; body?: string; statements: readonly Statement[] },
  ): Promise<void> => {
    const on = (place: Place) => () => {
      const { path, body } = ask(place)
      const method = body === undefined ? 'GET' : 'POST'
      const what = {
        origin: place.atoll.origin,
        method,
        paths: [path],
        headers,
        ...(body ? { body } : {}),
      } as const
      return checked(
        load.run({ ...what, connections: settings.connections, seconds: settings.seconds }),
        name,
      )
    }
    const pairs = await inTurns(settings.pairs + 1, on(small), on(large))
    // The first pair warms up.
    const counted = pairs.slice(1)
    figures.push({
      page: name,
      smallPerSecond: Math.round(median(counted.map(([one]) => one.perSecond))),
      largePerSecond: Math.round(median(counted.map(([, other]) => other.perSecond))),
      growth: rounded(median(counted.map(([one, other]) => one.perSecond / other.perSecond))),
      smallBuffers: await buffersOf(small.url, ask(small).statements),
      largeBuffers: await buffersOf(large.url, ask(large).statements),
    })
  }
  for (const [index, { name }] of small.pages.entries()) await measure(name, place => place.pages[index]!)
  const made = new Map([small, large].map(place => [place, creation(place, projectId)]))
  const [ofSmall, ofLarge] = [await made.get(small)!, await made.get(large)!]
  await measure('POST', place => ({ path: '/v1.0/routings', ...(place === small ? ofSmall : ofLarge) }))
  printTable(
    `GET /routings?limit=50 and POST /routings: answers a second at ${small.rows} and at ${large.rows} rows`,
    ['page', 'small/s', 'large/s', 'growth', 'buffers', 'buffers, large'],
    figures.map(it => [
      it.page,
      it.smallPerSecond,
      it.largePerSecond,
      it.growth,
      it.smallBuffers,
      it.largeBuffers,
    ]),
  )
  return figures
}

/** Until the engine has compiled what is run often. */
async function warmUp(
  { load, headers }: Ground,
  { origin }: Server,
  path: string,
  { warmup: seconds }: Settings,
): Promise<void> {
  await checked(load.run({ origin, method: 'GET', paths: [path], headers, connections: 4, seconds }), path)
}

async function checked(running: Promise<Load>, name: string): Promise<Load> {
  const load = await running
  if (load.failed > 0) throw new Error(`${name}: ${load.failed} answers were refusals`)
  return load
}

interface Beside {
  readonly what: string
  readonly atollPerSecond: number
  readonly barePerSecond: number
  /** Atoll's rate by the bare one's. */
  readonly ratio: number
  readonly atollCpuMs: number
  readonly bareCpuMs: number
  /** How much of its time the load generator was busy with the bare server. */
  readonly generatorBusy: number
}

/** Atoll beside a bare server over the large database: the same statements, and the same rows as the same JSON. */
async function measureBare(ground: Ground, settings: Settings): Promise<Beside[]> {
  const { large, load, headers, projectId } = ground
  const { body, statements } = await creation(large, projectId)
  const bare = await ground.bare({
    DATABASE_URL: large.url,
    LIST_SQL: large.pages[0]!.statements[0]!.sql,
    CREATE_SQL: statements[0]!.sql,
    PROJECT_ID: projectId,
  })
  await warmUp(ground, bare, listPath.replace('/v1.0', ''), settings)
  const figures: Beside[] = []
  for (const [what, given] of [['GET', {}] as const, ['POST', { body }] as const]) {
    const on = (server: Server, prefix: string) => async () => {
      const cpu = server.cpuMs()
      const path = what === 'GET' ? listPath : '/v1.0/routings'
      const run = load.run({
        origin: server.origin,
        method: what,
        paths: [path.replace('/v1.0', prefix)],
        headers,
        connections: settings.connections,
        seconds: settings.seconds * 2,
        ...given,
      })
      const measured = await checked(run, what)
      const answers = measured.perSecond * settings.seconds * 2
      return { ...measured, cpuMs: ((server.cpuMs() - cpu) / answers) * 1000 }
    }
    const pairs = (await inTurns(settings.pairs + 3, on(large.atoll, '/v1.0'), on(bare, ''))).slice(1)
    figures.push({
      what,
      atollPerSecond: Math.round(median(pairs.map(([atoll]) => atoll.perSecond))),
      barePerSecond: Math.round(median(pairs.map(([, other]) => other.perSecond))),
      ratio: rounded(median(pairs.map(([atoll, other]) => atoll.perSecond / other.perSecond))),
      atollCpuMs: Math.round(median(pairs.map(([atoll]) => atoll.cpuMs))),
      bareCpuMs: Math.round(median(pairs.map(([, other]) => other.cpuMs))),
      generatorBusy: rounded(median(pairs.map(([, other]) => other.busy))),
    })
  }
  printTable(
    `Atoll with authentication, policy, audit and log beside bare Fastify and pg, at ${large.rows} rows`,
    ['', 'Atoll/s', 'bare/s', 'ratio', 'Atoll CPU ms/1000', 'bare CPU ms/1000', 'generator busy'],
    figures.map(it => [
      it.what,
      it.atollPerSecond,
      it.barePerSecond,
      it.ratio,
      it.atollCpuMs,
      it.bareCpuMs,
      it.generatorBusy,
    ]),
  )
  return figures
}

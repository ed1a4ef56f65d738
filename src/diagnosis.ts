// What `atoll doctor` checks: the database, the key file, Keystone, and every region's endpoints, clocks and sight.

import type { Logger } from 'pino'
import { keyFile, openCloud } from './compose.ts'
import type { Config } from './config/config.ts'
import { checkFiles } from './config/files.ts'
import type { Store } from './core/app.ts'
import type { Provider } from './core/capacity/provider.ts'
import type { RegionSurvey } from './core/cloud.ts'
import { AppError, unavailable } from './core/error.ts'
import type { Host } from './core/hosts/host.ts'
import { blindness } from './core/network/copies/gone.ts'
import type { SegmentClash } from './core/network/model/network-store.ts'
import { type Belief, listBeliefs } from './core/regions/belief.ts'
import { isCentral, type Region } from './core/regions/region.ts'
import { checkMounts } from './mounts.ts'
import { createCloud } from './openstack/cloud.ts'
import { networkingOf } from './openstack/network.ts'
import { probe } from './openstack/probe.ts'
import type { RegionClient as OpenStackRegion } from './openstack/region.ts'
import type { ServiceType } from './openstack/services.ts'
import { survey } from './openstack/survey.ts'
import { openDatabase } from './store/database.ts'
import { checkLedger } from './store/ledger-check.ts'
import { readMigrations, unreachable } from './store/migrations.ts'
import { checkKey, loadSecrets } from './store/secrets.ts'
import { createStore } from './store/store.ts'
import { withDatabase } from './upkeep.ts'

export interface Finding {
  readonly good: boolean
  /** The part that was checked. */
  readonly subject: string
  /** The result in a sentence; when it is bad, also what to do. */
  readonly sentence: string
}

type Report = (finding: Finding) => void

/** Two clocks that differ by more than this make leases start at the wrong time. */
const skewLimitMs = 2000

/** Runs all checks and reports each; a check that fails does not stop those that follow. */
export async function diagnose(config: Config, log: Logger, report: Report): Promise<void> {
  const attempt = async (subject: string, check: () => Promise<void>): Promise<void> => {
    try {
      await check()
    } catch (error) {
      report({ good: false, subject, sentence: (error as Error).message })
    }
  }
  await attempt('settings', async () => {
    checkMounts(config)
    checkFiles(config)
  })
  let known = nothing
  await attempt('database', async () => {
    known = await withDatabase(config, log, url => checkDatabase(config, url, report))
    for (const belief of known.beliefs) reportBelief(belief, report)
    for (const clash of known.clashes) reportClash(clash, config.networking, report)
    for (const provider of known.admins) reportAdmin(provider, report)
  })
  await attempt('keystone', async () => {
    const cloud = openCloud(config)
    try {
      await checkKeystone(config, cloud, report)
      await checkFaces(cloud, known.regions.find(isCentral)?.name, report)
      for (const region of known.regions.filter(region => !isCentral(region))) {
        const hosts = known.hosts.filter(host => host.regionId === region.id && host.state === 'enrolled')
        await checkRegion(cloud, { name: region.name, hosts, isUsed: known.used.has(region.id) }, report)
      }
    } finally {
      await cloud.close()
    }
  })
}

/** Regions and hosts that the database names, and that are checked as well. */
interface Known {
  readonly regions: readonly Region[]
  readonly hosts: readonly Host[]
  readonly beliefs: readonly Belief[]
  readonly clashes: readonly SegmentClash[]
  /** Providers whose user has the role admin. */
  readonly admins: readonly Provider[]
  /** The ids of regions that have routings. */
  readonly used: ReadonlySet<string>
}

const nothing: Known = { regions: [], hosts: [], beliefs: [], clashes: [], admins: [], used: new Set() }

/** The time-out of the ledger's check: it may take that long on a ledger of years. */
const ledgerMs = 3_600_000

/** Computes the ledger anew from supply and holds, and reports every row that is wrong. Throws AppError. */
export const diagnoseLedger = (config: Config, log: Logger, report: Report): Promise<void> =>
  withDatabase(config, log, async url => {
    const options = { connections: 1, name: 'atoll doctor', statementMs: ledgerMs, onError: () => {} }
    const database = openDatabase(url, options)
    try {
      for (const { subject, wrong, count } of await checkLedger(database.db)) {
        for (const sentence of wrong) report({ good: false, subject, sentence })
        if (count > wrong.length)
          report({ good: false, subject, sentence: `and ${count - wrong.length} more` })
        if (count === 0) report({ good: true, subject, sentence: 'nothing is wrong' })
      }
    } finally {
      await database.close()
    }
  })

async function checkDatabase(config: Config, url: string, report: Report): Promise<Known> {
  const database = openDatabase(url, { connections: 2, name: 'atoll doctor', onError: () => {} })
  try {
    const asked = database.pool.query<{ version: number; usable: number }>(`
      select current_setting('server_version_num')::int / 10000 as version,
             current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true)::int, 0) as usable`)
    const { rows } = await asked.catch(cause => {
      throw unreachable(cause)
    })
    const { version, usable } = rows[0]!
    const say = (good: boolean, sentence: string): void => report({ good, subject: 'database', sentence })
    say(version >= 15, `PostgreSQL ${version}${version >= 15 ? '' : ': Atoll needs 15 or newer'}`)
    say(
      config.database.connections <= usable,
      `${config.database.connections} connections a process, of ${usable} that the server gives${config.database.connections <= usable ? `: room for ${Math.floor(usable / config.database.connections)} processes` : ': lower database.connections'}`,
    )
    if (!(await checkSchema(database.pool, say))) return nothing
    await checkKey(database.db, loadSecrets(keyFile(config)), keyFile(config))
    report({ good: true, subject: 'key file', sentence: `${keyFile(config)} opens the stored secrets` })
    return await readKnown(createStore(database.db))
  } finally {
    await database.close()
  }
}

async function readKnown(store: Store): Promise<Known> {
  const regions = await store.regions.list()
  const used = new Set<string>()
  for (const { id } of regions) if ((await store.regions.use(id)).routings > 0) used.add(id)
  const admins = (await store.providers.list()).filter(({ isAdmin }) => isAdmin)
  return {
    regions,
    hosts: await store.hosts.list(null),
    beliefs: await listBeliefs({ store }),
    clashes: await store.networks.segmentClashes(),
    admins,
    used,
  }
}

const reportBelief = ({ region: { name }, suspicions }: Belief, report: Report): void => {
  for (const { through, since, reason } of suspicions)
    report({
      good: false,
      subject: `${name} ${through}`,
      sentence: `suspect since ${since.toISOString()}, nothing of it leaves the model and nothing is removed there: ${reason}. Give the service user its roles back, or the region what it has lost; what is gone indeed an administrator confirms: \`atoll region confirm ${name}\``,
    })
}

function reportClash(clash: SegmentClash, fabric: Config['networking'], report: Report): void {
  const { region, physicalNetwork, segmentationId, seenAt, other } = clash
  const what = (one: { readonly id: string; readonly name: string }) => `${one.id} (${one.name || 'no name'})`
  const who =
    other.region === null
      ? `the network ${what(other)}, which spans regions, has it: ${region} refuses a copy of that one (VlanIdInUse), and elsewhere the two are on one layer 2`
      : `the network ${what(other)} in ${other.region} has it too: the two are on one layer 2`
  report({
    good: false,
    subject: `${region} segments`,
    sentence: `its network ${what(clash)} is on segment ${segmentationId} of ${physicalNetwork} (seen ${seenAt.toISOString()}), and ${who}. Make one of the two anew: ${region}'s own on another physical network, or on a segment outside ${fabric.first_segment} to ${fabric.last_segment} that no other region uses, the other without naming a segment. Keep ${region}'s tenant ranges apart from the fabric; what was mended shows within an hour`,
  })
}

const reportAdmin = ({ id, name, login: { username, endpoint } }: Provider, report: Report): void =>
  report({
    good: false,
    subject: `provider ${name}`,
    sentence: `the user ${username} at ${endpoint} has the role admin, and so whoever gets hold of the password: add the provider with a user who is a member of the project, and remove ${id}`,
  })

/**
 * Checks that the database has this release's schema: later checks may ask for tables that an older one
 * lacks.
 */
async function checkSchema(
  pool: { query(text: string): Promise<{ rows: { n: number | null }[] }> },
  say: (good: boolean, sentence: string) => void,
): Promise<boolean> {
  const known = readMigrations().length
  const { rows: tables } = await pool.query(`select to_regclass('migration')::oid::int as n`)
  const { rows } = tables[0]?.n ? await pool.query('select max(number) as n from migration') : { rows: [] }
  const applied = rows[0]?.n ?? 0
  say(applied >= known, `migration ${applied} of ${known}${applied >= known ? '' : ': run `atoll migrate`'}`)
  return applied >= known
}

type Cloud = ReturnType<typeof openCloud>

async function checkKeystone(config: Config, cloud: Cloud, report: Report): Promise<void> {
  const say = (good: boolean, sentence: string): void => report({ good, subject: 'keystone', sentence })
  const secret = await cloud.session.token().catch(error => {
    throw withAdvice(error)
  })
  const token = await cloud.identity.validate(secret, { allowExpired: false, requestId: 'req-doctor' })
  say(token !== null, `${config.identity.auth_url} knows the service user`)
  const isAdmin = token?.roles.includes('admin') ?? false
  say(
    isAdmin,
    isAdmin
      ? 'the service user has the role admin'
      : 'the service user lacks the role admin: `openstack role add --user USER --project PROJECT admin`',
  )
}

/** Adds to an error of the log-in which settings to look at. */
function withAdvice(error: AppError): AppError {
  const settings =
    error.detail.reason === 'credentials_refused'
      ? 'Are identity.username, identity.password and identity.project_name right?'
      : 'Does it run, and is identity.auth_url (ATOLL_IDENTITY_AUTH_URL) right?'
  return unavailable(`${error.message}. ${settings}`, error)
}

/** The endpoints of Atoll in Keystone's catalog: each API's service type, and how its URL ends. */
const faces: readonly (readonly [serviceType: string, ending: string])[] = [
  ['tricircle', '/v1.0'],
  ['reservation', '/v1'],
  ['network', '/network'],
  ['promise', '/promise'],
  ['atoll', '/atoll/v1'],
]

/**
 * Checks the catalog's endpoints of Atoll. `central` is undefined until the central region is registered as a
 * pod.
 */
async function checkFaces(cloud: Cloud, central: string | undefined, report: Report): Promise<void> {
  const endpoints = await cloud.catalog.endpoints()
  const place = central === undefined ? '' : ` in ${central}`
  for (const [type, ending] of faces) {
    const all = endpoints.filter(one => one.serviceType === type && one.region === (central ?? one.region))
    const own = all.find(({ url }) => url.endsWith(ending))
    const other = all[0] ? `its URL is ${all[0].url}, and Atoll's ends in ${ending}` : 'there is none'
    report({
      good: own !== undefined,
      subject: 'catalog',
      sentence: own
        ? `Atoll's ${type} API is at ${own.url}`
        : `no endpoint of type ${type}${place} is Atoll's: ${other}; docs/operations.md has the commands that register it`,
    })
  }
}

/** The services that every region must have, and those that one with enrolled hosts must have as well. */
const services = ['network'] as const
const hostServices = ['compute', 'placement'] as const

interface RegionKnown {
  readonly name: string
  readonly hosts: readonly Host[]
  /** Whether the region has routings. */
  readonly isUsed: boolean
}

async function checkRegion(
  cloud: Cloud,
  { name, hosts, isUsed }: RegionKnown,
  report: Report,
): Promise<void> {
  const region = cloud.regions.region(name, { requestId: 'req-doctor', timeoutMs: 10_000 })
  const attempt = async (subject: string, check: () => Promise<Omit<Finding, 'subject'>>): Promise<void> => {
    try {
      report({ subject, ...(await check()) })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      report({ good: false, subject, sentence: error.message })
    }
  }
  for (const service of hosts.length === 0 ? services : [...services, ...hostServices])
    await attempt(`${name} ${service}`, () => checkService(region, service))
  if (isUsed) await attempt(`${name} roles`, () => checkSight(cloud, region))
  if (hosts.length > 0) await attempt(`${name} hosts`, async () => checkHosts(hosts, await survey(region)))
}

async function checkService(region: OpenStackRegion, service: ServiceType) {
  const { url, latencyMs, clockSkewMs } = await probe(region, service)
  const skewed = clockSkewMs !== null && Math.abs(clockSkewMs) > skewLimitMs
  const clock = clockSkewMs === null ? 'its clock unknown' : `its clock ${apart(clockSkewMs)} ours`
  const advice = skewed ? ': set both by NTP' : ''
  return { good: !skewed, sentence: `${url} answers in ${latencyMs} ms, ${clock}${advice}` }
}

/** Where the service user has lost its role, the region hides from it what the model has there. */
async function checkSight(cloud: Cloud, region: OpenStackRegion) {
  const app = { cloud: createCloud(cloud.regions, { blazarFilter: false }) }
  const blind = await blindness({ app, region, networking: networkingOf(region) }, await app.cloud.login())
  if (!blind) return { good: true, sentence: 'the service user sees what is others’' }
  const advice = blind.isPerhapsEmpty
    ? 'look at its policy for the role admin, and at whether its database is the one that it had'
    : 'give it the role back, in the project that it logs in to'
  return { good: false, sentence: `${blind.sentence}: ${advice}` }
}

const apart = (ms: number): string => (ms < 0 ? `${-ms} ms behind` : `${ms} ms ahead of`)

/**
 * Checks enrolled hosts. Nova does not show its scheduler's options, but a plain server on such a host gives
 * them away.
 */
function checkHosts(hosts: readonly Host[], { hosts: seen, plainServers }: RegionSurvey) {
  const closed = new Set(seen.filter(one => one.isClosed).map(one => one.hypervisorHostname))
  const open = hosts.filter(host => !closed.has(host.hypervisorHostname))
  const services = new Set(hosts.map(host => host.serviceName))
  const foreign = plainServers.filter(server => services.has(server.host))
  if (foreign.length > 0)
    return {
      good: false,
      sentence: `${foreign.length} servers without a reservation are on enrolled hosts (${foreign[0]!.id} on ${foreign[0]!.host}): set enable_isolated_aggregate_filtering = true under [scheduler] in the region's nova.conf, and move them away`,
    }
  if (open.length > 0)
    return {
      good: false,
      sentence: `${open.length} of ${hosts.length} enrolled hosts are open to plain servers (${open[0]!.hypervisorHostname}): a running worker closes them within five minutes`,
    }
  return { good: true, sentence: `${hosts.length} enrolled hosts are closed to plain servers` }
}

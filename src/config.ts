// The settings: one YAML file, every key also as an ATOLL_… environment variable, checked at start.

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse as parseYaml, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { address, file, network, persona, text, url, whole } from './config-kinds.ts'

/** A setting is wrong: one sentence that says which, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const defaultDataDir = (): string =>
  process.getuid?.() === 0
    ? '/var/lib/atoll'
    : join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'atoll')

/** Every setting, with its default and what it is for; atoll.example.yaml is made of it. */
export const schema = z.strictObject({
  listen: address.default('127.0.0.1:19999').describe('Where the APIs listen.'),
  operations_listen: address
    .optional()
    .describe('Where /healthz, /readyz and /metrics listen; at the APIs’ address when not set.'),
  trusted_proxies: z
    .array(network)
    .default([])
    .describe('Addresses or networks of proxies whose X-Forwarded-* headers are believed.'),
  data_dir: text
    .optional()
    .describe(
      'Where the embedded database and the key file live. Default: /var/lib/atoll as root, else ~/.local/share/atoll.',
    ),
  key_file: file
    .optional()
    .describe('Encrypts stored secrets; the same file for all processes. Default: secrets.key in data_dir.'),
  tls: z
    .strictObject({
      cert_file: file
        .optional()
        .describe('Certificate chain (PEM) of the listener; plain HTTP when not set.'),
      key_file: file.optional().describe('Private key (PEM) of that certificate.'),
    })
    .prefault({}),
  database: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a postgres:// URL')
        .optional()
        .describe('PostgreSQL 15 or newer; an embedded server in data_dir when not set.'),
      connections: whole(2, 500).default(20).describe('The most connections that one process holds.'),
    })
    .prefault({}),
  identity: z
    .strictObject({
      auth_url: url.optional().describe('Keystone, for instance http://keystone:5000/v3.'),
      www_authenticate_uri: url.optional().describe('What 401 answers name instead of auth_url.'),
      username: text.optional().describe('The service user; it needs the admin role.'),
      password: text.optional(),
      user_domain_name: text.default('Default'),
      project_name: text.default('service').describe('The project of the service user.'),
      project_domain_name: text.default('Default'),
      application_credential_id: text.optional().describe('Instead of a user name and a password.'),
      application_credential_secret: text.optional(),
      ca_file: file.optional().describe('Authorities (PEM) that sign Keystone’s certificate.'),
      timeout_seconds: whole(1, 300).default(10).describe('How long one call to Keystone may take.'),
      token_cache_seconds: whole(0, 3600)
        .default(60)
        .describe('How long a validated token is believed; a revoked one works no longer than this.'),
    })
    .prefault({}),
  regions: z
    .record(
      text,
      z.strictObject({
        ca_file: file.optional(),
        routes: whole(1, 100_000).optional(),
        host_routes: whole(1, 100_000).optional(),
        group_rules: whole(1, 100_000).optional(),
      }),
    )
    .default({})
    .describe(
      'Settings by region: ca_file holds the authorities (PEM) that sign its certificates; routes (30), host_routes (20) and group_rules (100) are what its Neutron takes of a router, a subnet and a security group.',
    ),
  api: z
    .strictObject({
      page_limit: whole(1, 100_000).default(2000).describe('The most rows that a list returns at once.'),
      body_limit_bytes: whole(1024, 104_857_600).default(1_048_576).describe('The largest request body.'),
      streams: whole(1, 10_000)
        .default(100)
        .describe('How many streams of events one process serves at once.'),
    })
    .prefault({}),
  policy: z
    .record(text, persona)
    .default({})
    .describe(
      'Who may do what instead of the default, by rule (`atoll routes` lists them): a persona, any or nobody.',
    ),
  retention: z
    .strictObject({
      audit_days: whole(1, 36_500).default(365).describe('How long the audit trail is kept.'),
      journal_days: whole(1, 36_500)
        .default(365)
        .describe('How long the ledger’s journal is kept; what is in force stays as long as it is.'),
      job_log_days: whole(1, 36_500).default(90).describe('How long jobs that succeeded stay in the log.'),
      event_days: whole(1, 36_500).default(30).describe('How long events stay in the feed.'),
    })
    .prefault({}),
  jobs: z
    .strictObject({
      new_expires_after_seconds: whole(1, 31_536_000)
        .default(172_800)
        .describe('A job that has waited so long for its turn becomes FAIL.'),
      retry_for_seconds: whole(1, 31_536_000)
        .default(172_800)
        .describe('A failed job is tried again by itself for so long after it was asked for.'),
      slots: whole(1, 1000).default(64).describe('How many turns one process works on at once.'),
      slots_per_region: whole(1, 1000).default(8).describe('How many of them in one region.'),
    })
    .prefault({}),
  nova: z
    .strictObject({
      blazar_filter: z
        .boolean({ error: 'must be true or false' })
        .default(false)
        .describe(
          'Whether the regions’ schedulers have BlazarFilter: reserved hosts then serve --hint reservation=ID as well.',
        ),
    })
    .prefault({}),
  networking: z
    .strictObject({
      bridge_cidr: network
        .default('100.0.0.0/9')
        .describe('Out of this each project has the network by which its routers reach each other.'),
      bridge_cidr6: network
        .default('fda7:a701::/32')
        .describe('The same for IPv6, where each project has a /64.'),
      bridge_bits: whole(8, 126).default(24).describe('How long the prefix of such a network is.'),
      network_type: text
        .default('vlan')
        .describe('What networks that span regions lie on; each region must be configured alike.'),
      physical_network: text.default('bridge').describe('The physical network of their segments.'),
      first_segment: whole(1, 16_777_215).default(2000),
      last_segment: whole(1, 16_777_215).default(2999),
      mtu: whole(68, 65_535).default(1500).describe('Of a network that spans regions.'),
      quota_network: whole(-1, 1_000_000_000).default(100).describe('Of a project; -1: no limit.'),
      quota_subnet: whole(-1, 1_000_000_000).default(100),
      quota_port: whole(-1, 1_000_000_000).default(500),
      quota_router: whole(-1, 1_000_000_000).default(10),
      quota_floatingip: whole(-1, 1_000_000_000).default(50),
      quota_security_group: whole(-1, 1_000_000_000).default(10),
      quota_security_group_rule: whole(-1, 1_000_000_000).default(100),
    })
    .prefault({}),
  leases: z
    .strictObject({
      before_end_minutes: whole(0, 527_040)
        .default(60)
        .describe('How long before its end a lease is told of it, where it does not say; 0: not at all.'),
      before_end: z
        .enum(['', 'snapshot'], { error: 'must be empty or snapshot' })
        .default('')
        .describe('What then happens to its servers by default: nothing, or an image of each (snapshot).'),
      cleaning_seconds: whole(0, 86_400).default(0).describe('How long a host rests after a lease.'),
      longest_seconds: whole(60, 3_153_600_000)
        .optional()
        .describe('The longest that a lease may be; as long as one likes when not set.'),
      most_reservations: whole(1, 10_000).default(100).describe('How many reservations a lease may have.'),
      retry_for_seconds: whole(1, 604_800)
        .default(600)
        .describe('A start that fails is tried again for so long; then the lease is in ERROR.'),
    })
    .prefault({}),
  promises: z
    .strictObject({
      max_future_start_days: whole(0, 36_500)
        .optional()
        .describe('How far ahead a reservation of capacity may begin; as far as one likes when not set.'),
      max_future_end_days: whole(0, 36_500)
        .optional()
        .describe('How far ahead it may end; as far as one likes when not set.'),
      max_duration_hours: whole(1, 876_000)
        .default(8760)
        .describe('The longest that it may be; also how long it is where no end is told.'),
      expiry_minutes: whole(0, 525_600)
        .default(600)
        .describe('How long after its beginning it is given back when nothing was made of it; 0: never.'),
    })
    .prefault({}),
  providers: z
    .strictObject({
      allow: z
        .array(text)
        .default([])
        .describe(
          'What add-provider and the catalogs of providers may make Atoll call, each with a scheme, a host or a network, and a port or a range of them (443, 5000 and 8000-9999 where it has none): https://keystone.example.com, http://10.0.0.0/8, https://[fd00::/8]:5000-9999.',
        ),
      timeout_seconds: whole(1, 300).default(15).describe('How long one question to a provider may take.'),
      ca_file: file.optional().describe('Authorities (PEM) that sign the providers’ certificates.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'], { error: 'must be one of debug, info, warn, error' })
        .default('info'),
      format: z
        .enum(['auto', 'json', 'pretty'], { error: 'must be one of auto, json, pretty' })
        .default('auto')
        .describe('auto: pretty on a terminal, else JSON lines.'),
    })
    .prefault({}),
  demo: z
    .strictObject({
      keystone_listen: address
        .default('127.0.0.1:15000')
        .describe('Where the simulated Keystone of --demo listens.'),
    })
    .prefault({}),
})

export type Settings = z.infer<typeof schema>

export interface Config extends Settings {
  readonly data_dir: string
}

/** One setting: its key in the file, its environment variable, its schema. */
export interface Leaf {
  readonly path: readonly string[]
  readonly variable: string
  readonly type: z.ZodType
}

/** All settings, in the order of the file. */
export function leaves(
  shape: Readonly<Record<string, z.ZodType>> = schema.shape,
  path: readonly string[] = [],
): Leaf[] {
  return Object.entries(shape).flatMap(([key, type]) => {
    const here = [...path, key]
    const inner = type instanceof z.ZodPrefault ? type.unwrap() : type
    if (inner instanceof z.ZodObject) return leaves(inner.shape as Record<string, z.ZodType>, here)
    return [{ path: here, variable: `ATOLL_${here.join('_').toUpperCase()}`, type }]
  })
}

/** Reads the file (when one is named) and the environment; throws ConfigError. */
export function loadConfig(path: string | undefined, environment: NodeJS.ProcessEnv = process.env): Config {
  const settings = path === undefined ? {} : readFile(path)
  applyEnvironment(settings, environment)
  const checked = schema.safeParse(settings)
  if (!checked.success) throw new ConfigError(checked.error.issues.map(describeIssue).join('\n'))
  const config = { ...checked.data, data_dir: checked.data.data_dir ?? defaultDataDir() }
  checkTogether(config)
  return config
}

function readFile(path: string): Record<string, unknown> {
  let source: string
  try {
    source = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} cannot be read: ${(error as Error).message}.`)
  }
  try {
    const settings: unknown = parseYaml(source) ?? {}
    if (typeof settings === 'object' && !Array.isArray(settings)) return withoutEmpty(settings!)
    throw new ConfigError(`The configuration file ${path} must hold keys and values.`)
  } catch (error) {
    if (error instanceof YAMLParseError)
      throw new ConfigError(`${path} is not YAML: ${error.message.split('\n')[0]}`)
    throw error
  }
}

/** A key with nothing after it is a key that is not set: so is a section all of whose lines are commented out. */
function withoutEmpty(settings: object): Record<string, unknown> {
  const filled = Object.entries(settings).filter(([, value]) => value !== null)
  const deep = (value: unknown): unknown =>
    typeof value === 'object' && !Array.isArray(value) ? withoutEmpty(value!) : value
  return Object.fromEntries(filled.map(([key, value]) => [key, deep(value)]))
}

function applyEnvironment(settings: Record<string, unknown>, environment: NodeJS.ProcessEnv): void {
  const known = new Map(leaves().map(leaf => [leaf.variable, leaf]))
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('ATOLL_') || value === undefined) continue
    const leaf = known.get(variable)
    if (!leaf)
      throw new ConfigError(`${variable} is no setting of Atoll: see atoll.example.yaml for all of them.`)
    setIn(settings, leaf.path, leaf.type.safeParse(value).success ? value : asYaml(value))
  }
}

/** What the text says as YAML; the text itself when that is nothing. */
function asYaml(text: string): unknown {
  try {
    return parseYaml(text) ?? text
  } catch {
    return text
  }
}

function setIn(settings: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    settings[key] = value
    return
  }
  const inner = settings[key]
  const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
  settings[key] = next
  setIn(next, rest, value)
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const key = [...place, issue.keys[0]].join('.')
    return `${key} is no setting of Atoll: see atoll.example.yaml for all of them.`
  }
  const isType = issue.code === 'invalid_type' && issue.expected !== 'int'
  const message = isType ? `must be ${article(issue.expected)}` : issue.message
  const leaf = leaves().find(({ path }) => path.every((key, index) => key === place[index]))
  return `${place.join('.')}${leaf ? ` (${leaf.variable})` : ''} ${message}.`
}

const article = (type: string): string => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)

/** What no single setting can see. */
function checkTogether(config: Config): void {
  const { tls, identity } = config
  if (Boolean(tls.cert_file) !== Boolean(tls.key_file)) {
    throw new ConfigError('tls.cert_file and tls.key_file go together: set both or neither.')
  }
  if (Boolean(identity.application_credential_id) !== Boolean(identity.application_credential_secret)) {
    throw new ConfigError(
      'identity.application_credential_id and identity.application_credential_secret go together.',
    )
  }
  if (identity.auth_url && !identity.application_credential_id && !(identity.username && identity.password)) {
    throw new ConfigError(
      'identity.auth_url is set without credentials: set identity.username and identity.password, or an application credential.',
    )
  }
}

// Every setting: its type, its default and what it is for.

import { z } from 'zod'
import { address, databaseUrl, file, network, networkWith, persona, text, url, whole } from './kinds.ts'

const regionSettings = z.strictObject({
  ca_file: file.optional(),
  routes: whole(1, 100_000).optional(),
  host_routes: whole(1, 100_000).optional(),
  group_rules: whole(1, 100_000).optional(),
})

export type RegionSettings = z.infer<typeof regionSettings>

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
      url: databaseUrl
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
    .object({
      most_gone: whole(1, 1_000_000)
        .default(50)
        .describe(
          'How many of a kind may be missing in a region at once and be taken for gone: so many, or a fifth of those there, whichever is less (but always three). Where more are missing the region is suspect, until they are seen again or an administrator confirms it.',
        ),
    })
    .catchall(regionSettings)
    .prefault({})
    .describe(
      'Settings by region: ca_file holds the authorities (PEM) that sign its certificates; routes (30), host_routes (20) and group_rules (100) are what its Neutron takes of a router, a subnet and a security group.',
    ),
  api: z
    .strictObject({
      page_limit: whole(1, 100_000).default(2000).describe('The most rows that a list returns at once.'),
      body_limit_bytes: whole(1024, 104_857_600).default(1_048_576).describe('The largest request body.'),
      user_rate: whole(0, 1_000_000)
        .default(100)
        .describe(
          'How many requests a second a user may make of one process, over ten seconds; 0: any number. Administrators and services are not counted.',
        ),
      project_rate: whole(0, 1_000_000).default(200).describe('The same of a project.'),
      without: z
        .array(text)
        .default([])
        .describe(
          'Prefixes that are not served, for instance /v1 or /restjson/opnfv-promise; `atoll routes` lists what is.',
        ),
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
      bridge_cidr: networkWith(4, 30, '100.0.0.0/9')
        .default('100.0.0.0/9')
        .describe('Out of this each project has the network by which its routers reach each other.'),
      bridge_cidr6: networkWith(6, 64, 'fda7:a701::/32')
        .default('fda7:a701::/32')
        .describe('The same for IPv6, where each project has a /64.'),
      bridge_bits: whole(8, 30).default(24).describe('How long the prefix of such a network is.'),
      network_type: z
        .enum(['vlan', 'vxlan', 'gre', 'geneve', 'flat'], {
          error: 'must be one of vlan, vxlan, gre, geneve, flat',
        })
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
    const whole = { path: here, variable: `ATOLL_${here.join('_').toUpperCase()}`, type }
    if (!(inner instanceof z.ZodObject)) return [whole]
    const own = leaves(inner.shape as Record<string, z.ZodType>, here)
    return isOpen(inner) ? [whole, ...own] : own
  })
}

/**
 * Whether a section takes keys that users choose, besides its own: then the section itself is one setting.
 */
export const isOpen = (type: z.ZodType): boolean => {
  const inner = type instanceof z.ZodPrefault ? type.unwrap() : type
  return (
    inner instanceof z.ZodObject &&
    inner.def.catchall !== undefined &&
    !(inner.def.catchall instanceof z.ZodNever)
  )
}

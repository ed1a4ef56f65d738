// The settings: every key by file and by environment, each mistake one clear sentence, and the annotated example.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ConfigError, loadConfig } from '../src/config/config.ts'
import { exampleConfig } from '../src/config/example.ts'
import { leaves } from '../src/config/schema.ts'

const folder = mkdtempSync(join(tmpdir(), 'atoll-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

let written = 0
function file(text: string): string {
  const path = join(folder, `${++written}.yaml`)
  writeFileSync(path, text)
  return path
}

/** For every key a value that is not its default, and what it is in an environment variable when that is not the same. */
const samples: Record<string, unknown> = {
  listen: '[::1]:8443',
  operations_listen: '127.0.0.1:9000',
  trusted_proxies: ['192.0.2.1', '10.0.0.0/8', '2001:db8::/32'],
  data_dir: '/srv/atoll',
  key_file: '/etc/atoll/key',
  'tls.cert_file': '/etc/atoll/cert.pem',
  'tls.key_file': '/etc/atoll/key.pem',
  'database.url': 'postgres://atoll@db.example.org:5432/atoll',
  'database.connections': 7,
  'identity.auth_url': 'https://keystone.example.org/v3',
  'identity.www_authenticate_uri': 'https://public.example.org/v3',
  'identity.username': 'svc',
  'identity.password': '12345',
  'identity.user_domain_name': 'Services',
  'identity.project_name': 'services',
  'identity.project_domain_name': 'Heat',
  'identity.application_credential_id': 'abc',
  'identity.application_credential_secret': 'def',
  'identity.ca_file': '/etc/atoll/ca.pem',
  'identity.timeout_seconds': 3,
  'identity.token_cache_seconds': 0,
  regions: {
    most_gone: 20,
    Pod1: { ca_file: '/etc/atoll/pod1.pem', routes: 60, host_routes: 40, group_rules: 500 },
  },
  'regions.most_gone': 20,
  'api.page_limit': 100,
  'api.body_limit_bytes': 2048,
  'api.streams': 3,
  'api.user_rate': 5,
  'api.project_rate': 50,
  'api.without': ['/v1'],
  policy: { 'admin_api:pods:list': 'reader' },
  'jobs.slots': 3,
  'jobs.slots_per_region': 2,
  'jobs.retry_for_seconds': 61,
  'jobs.new_expires_after_seconds': 62,
  'nova.blazar_filter': true,
  'networking.bridge_cidr': '100.64.0.0/10',
  'networking.bridge_cidr6': 'fd00:1::/32',
  'networking.bridge_bits': 26,
  'networking.network_type': 'vxlan',
  'networking.physical_network': 'fabric',
  'networking.first_segment': 2001,
  'networking.last_segment': 3999,
  'networking.mtu': 9000,
  'networking.quota_network': 1,
  'networking.quota_subnet': 2,
  'networking.quota_port': 3,
  'networking.quota_router': 4,
  'networking.quota_floatingip': 5,
  'networking.quota_security_group': 6,
  'networking.quota_security_group_rule': -1,
  'leases.before_end_minutes': 5,
  'leases.before_end': 'snapshot',
  'leases.cleaning_seconds': 6,
  'leases.longest_seconds': 604_800,
  'leases.most_reservations': 8,
  'leases.retry_for_seconds': 63,
  'promises.max_future_start_days': 100,
  'promises.max_future_end_days': 200,
  'promises.max_duration_hours': 48,
  'promises.expiry_minutes': 7,
  'providers.allow': ['https://keystone.example.org:5000', 'http://10.0.0.0/8'],
  'providers.timeout_seconds': 4,
  'providers.ca_file': '/etc/atoll/providers.pem',
  'retention.audit_days': 30,
  'retention.journal_days': 367,
  'retention.job_log_days': 31,
  'retention.event_days': 32,
  'log.level': 'debug',
  'log.format': 'json',
  'demo.keystone_listen': '127.0.0.1:5000',
}

/** What must stand beside a key for the settings to go together. */
const beside: Record<string, Record<string, unknown>> = {
  'tls.cert_file': { 'tls.key_file': '/k' },
  'tls.key_file': { 'tls.cert_file': '/c' },
  'identity.auth_url': { 'identity.username': 'u', 'identity.password': 'p' },
  'identity.application_credential_id': { 'identity.application_credential_secret': 's' },
  'identity.application_credential_secret': { 'identity.application_credential_id': 'i' },
}

/** `{'a.b': 1}` as `{a: {b: 1}}` */
function nested(flat: Record<string, unknown>): Record<string, Record<string, unknown>> {
  const tree: Record<string, Record<string, unknown>> = {}
  for (const [path, value] of Object.entries(flat)) {
    const [first, second] = path.split('.') as [string, string?]
    if (second === undefined) tree[first] = value as Record<string, unknown>
    else tree[first] = { ...tree[first], [second]: value }
  }
  return tree
}

const at = (config: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config)
const variableOf = (path: string) => `ATOLL_${path.replace('.', '_').toUpperCase()}`
const textOf = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
const asEnvironment = (flat: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(flat).map(([path, value]) => [variableOf(path), textOf(value)]))

describe('a setting', () => {
  const paths = leaves().map(({ path }) => path.join('.'))

  it('has a sample here, each of them', () => {
    expect(Object.keys(samples).sort()).toEqual(paths.toSorted())
  })

  it('has an environment variable of its own', () => {
    expect(leaves().map(leaf => leaf.variable)).toEqual(paths.map(variableOf))
    expect(new Set(paths.map(variableOf)).size).toBe(paths.length)
  })

  it.each(Object.entries(samples))('is read from the file and from the environment: %s', (path, value) => {
    const settings = { ...beside[path], [path]: value }
    expect(at(loadConfig(undefined, {}), path), 'the sample is not the default').not.toEqual(value)
    expect(at(loadConfig(file(stringify(nested(settings))), {}), path)).toEqual(value)
    expect(at(loadConfig(undefined, asEnvironment(settings)), path)).toEqual(value)
  })

  it('in the environment wins over the file, and leaves its neighbours', () => {
    const path = file('database: {connections: 5, url: "postgres://file/x"}')
    const { database } = loadConfig(path, { ATOLL_DATABASE_CONNECTIONS: '9' })
    expect(database).toEqual({ connections: 9, url: 'postgres://file/x' })
  })

  it('that looks like a number is still a text where a text is wanted', () => {
    const identity = { ATOLL_IDENTITY_USERNAME: '007', ATOLL_IDENTITY_PASSWORD: 'null' }
    expect(loadConfig(undefined, identity).identity).toMatchObject({ username: '007', password: 'null' })
  })

  it('of another program is left alone', () => {
    expect(loadConfig(undefined, { PATH: '/bin', ATOLLS_LISTEN: 'x' }).listen).toBe('127.0.0.1:19999')
  })
})

describe('the data directory', () => {
  it('is where nobody need ask for it when none is set', () => {
    const { data_dir } = loadConfig(undefined, {})
    expect(data_dir).toMatch(process.getuid?.() === 0 ? /^\/var\/lib\/atoll$/ : /\/atoll$/)
  })
})

const mistake = (text: string | undefined, environment: Record<string, string> = {}): string => {
  try {
    loadConfig(text === undefined ? undefined : file(text), environment)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('no mistake was found')
}

describe('a mistake is one clear sentence', () => {
  const listenRule = 'must be HOST:PORT, for instance 127.0.0.1:19999.'
  const networkRule = 'must be an IP address or a network, for instance 10.0.0.1 or 10.0.0.0/8.'
  const databaseRule =
    'must be a postgres:// URL, in which a password has %23 for #, %2F for / and %25 for %.'
  const personas = 'must be one of admin, manager, member, reader, any, nobody.'

  it.each([
    ['listen: 19999', `listen (ATOLL_LISTEN) ${listenRule}`],
    ['listen: localhost', `listen (ATOLL_LISTEN) ${listenRule}`],
    ['listen: "localhost:port"', `listen (ATOLL_LISTEN) ${listenRule}`],
    ['listen: "127.0.0.1:99999"', `listen (ATOLL_LISTEN) ${listenRule}`],
    ['listen: "::1:80"', `listen (ATOLL_LISTEN) ${listenRule}`],
    ['listen: "[::zz]:80"', `listen (ATOLL_LISTEN) ${listenRule}`],
    [
      'trusted_proxies: 10.0.0.1',
      'trusted_proxies (ATOLL_TRUSTED_PROXIES) must be a list, for instance [a, b].',
    ],
    ['trusted_proxies: [proxy]', `trusted_proxies.0 (ATOLL_TRUSTED_PROXIES) ${networkRule}`],
    ['trusted_proxies: [10.0.0.0/33]', `trusted_proxies.0 (ATOLL_TRUSTED_PROXIES) ${networkRule}`],
    ['trusted_proxies: [10.0.0.0/]', `trusted_proxies.0 (ATOLL_TRUSTED_PROXIES) ${networkRule}`],
    ['data_dir: ""', 'data_dir (ATOLL_DATA_DIR) must not be empty.'],
    ['database: {url: "mysql://x/y"}', `database.url (ATOLL_DATABASE_URL) ${databaseRule}`],
    ['database: {connections: 1}', 'database.connections (ATOLL_DATABASE_CONNECTIONS) must be at least 2.'],
    [
      'database: {connections: 501}',
      'database.connections (ATOLL_DATABASE_CONNECTIONS) must be at most 500.',
    ],
    [
      'database: {connections: 2.5}',
      'database.connections (ATOLL_DATABASE_CONNECTIONS) must be a whole number.',
    ],
    [
      'database: {connections: many}',
      'database.connections (ATOLL_DATABASE_CONNECTIONS) must be a whole number.',
    ],
    ['database: [1]', 'database must hold keys and values.'],
    [
      'identity: {auth_url: "ftp://x"}',
      'identity.auth_url (ATOLL_IDENTITY_AUTH_URL) must be an http or https URL without a user name in it.',
    ],
    [
      'identity: {auth_url: "http://u:p@x"}',
      'identity.auth_url (ATOLL_IDENTITY_AUTH_URL) must be an http or https URL without a user name in it.',
    ],
    [
      'identity: {password: 5}',
      'identity.password (ATOLL_IDENTITY_PASSWORD) must be a text: put it in quotes.',
    ],
    ['policy: {"admin_api:pods:list": root}', `policy.admin_api:pods:list (ATOLL_POLICY) ${personas}`],
    ['regions: {Pod1: {ca_file: ""}}', 'regions.Pod1.ca_file (ATOLL_REGIONS) must be the path of a file.'],
    [
      'regions: {Pod1: {ca: x}}',
      'regions.Pod1.ca is no setting of Atoll: see atoll.example.yaml for all of them.',
    ],
    ['database: {url: "postgres://u:a#b@h/x"}', `database.url (ATOLL_DATABASE_URL) ${databaseRule}`],
    ['database: {url: "postgres://u:a%zz@h/x"}', `database.url (ATOLL_DATABASE_URL) ${databaseRule}`],
    [
      'identity: {auth_url: "http://k:99999/v3"}',
      'identity.auth_url (ATOLL_IDENTITY_AUTH_URL) must be an http or https URL without a user name in it.',
    ],
    [
      'identity: {timeout_seconds: 10s}',
      'identity.timeout_seconds (ATOLL_IDENTITY_TIMEOUT_SECONDS) must be a whole number.',
    ],
    ['regions: [Pod1]', 'regions (ATOLL_REGIONS) must hold keys and values.'],
    [
      'networking: {bridge_cidr: 100.0.0.1}',
      'networking.bridge_cidr (ATOLL_NETWORKING_BRIDGE_CIDR) must be an IPv4 network of at most 30 bits, for instance 100.0.0.0/9.',
    ],
    [
      'networking: {bridge_cidr6: "fd00::/65"}',
      'networking.bridge_cidr6 (ATOLL_NETWORKING_BRIDGE_CIDR6) must be an IPv6 network of at most 64 bits, for instance fda7:a701::/32.',
    ],
    [
      'networking: {network_type: vlam}',
      'networking.network_type (ATOLL_NETWORKING_NETWORK_TYPE) must be one of vlan, vxlan, gre, geneve, flat.',
    ],
    ['log: {level: loud}', 'log.level (ATOLL_LOG_LEVEL) must be one of debug, info, warn, error.'],
    ['lissten: x', 'lissten is no setting of Atoll: did you mean listen?'],
    ['auth_url: "http://k/v3"', 'auth_url is no setting of Atoll: did you mean identity.auth_url?'],
    ['colour: blue', 'colour is no setting of Atoll: see atoll.example.yaml for all of them.'],
    ['identity: {auth_uri: x}', 'identity.auth_uri is no setting of Atoll: did you mean identity.auth_url?'],
  ])('in the file: %s', (text, sentence) => {
    expect(mistake(text)).toBe(sentence)
  })

  it.each([
    [{ ATOLL_LISTEN: 'x' }, `listen (ATOLL_LISTEN) ${listenRule}`],
    [{ ATOLL_LISTEN: '[' }, `listen (ATOLL_LISTEN) ${listenRule}`],
    [{ ATOLL_LISTEN: '' }, `listen (ATOLL_LISTEN) ${listenRule}`],
    [
      { ATOLL_DATABASE_CONNECTIONS: 'ten' },
      'database.connections (ATOLL_DATABASE_CONNECTIONS) must be a whole number.',
    ],
    [
      { ATOLL_TRUSTED_PROXIES: '[10.0.0.1' },
      'trusted_proxies (ATOLL_TRUSTED_PROXIES) must be a list, for instance [a, b].',
    ],
    [{ ATOLL_TRUSTED_PROXIES: '[a]' }, `trusted_proxies.0 (ATOLL_TRUSTED_PROXIES) ${networkRule}`],
    [{ ATOLL_IDENTITY_PASSWORD: '' }, 'identity.password (ATOLL_IDENTITY_PASSWORD) must not be empty.'],
    [{ ATOLL_LISTN: 'x' }, 'ATOLL_LISTN is no setting of Atoll: did you mean ATOLL_LISTEN?'],
    [
      { ATOLL_IDENTITY: '{}' },
      'ATOLL_IDENTITY is no setting of Atoll: see atoll.example.yaml for all of them.',
    ],
  ])('in the environment: %o', (environment, sentence) => {
    expect(mistake(undefined, environment as Record<string, string>)).toBe(sentence)
  })

  it('about a file that is not there, is no YAML, or holds no keys', () => {
    const path = join(folder, 'nothing.yaml')
    expect(() => loadConfig(path, {})).toThrow(
      new ConfigError(
        `The configuration file ${path} cannot be read: ENOENT: no such file or directory, open '${path}'.`,
      ),
    )
    expect(mistake('listen: [')).toMatch(/\.yaml is not YAML: .+ at line 1, column \d+\.$/)
    expect(mistake('listen: a:1\nlisten: b:2')).toMatch(
      /\.yaml is not YAML: Map keys must be unique at line 2, column 1\.$/,
    )
    expect(mistake('listen: a:1\n---\nlisten: b:2')).toMatch(
      /\.yaml is not YAML: it must be one document, and another begins at line 2\.$/,
    )
    expect(mistake('- listen')).toMatch(/\.yaml must hold keys and values\.$/)
    expect(mistake('just text')).toMatch(/\.yaml must hold keys and values\.$/)
  })

  it('about settings that do not go together', () => {
    expect(mistake('tls: {cert_file: /c}')).toBe(
      'tls.cert_file and tls.key_file go together: set both or neither.',
    )
    expect(mistake('identity: {application_credential_id: x}')).toBe(
      'identity.application_credential_id and identity.application_credential_secret go together: set both or neither.',
    )
    expect(mistake('identity: {auth_url: "http://k/v3", username: u}')).toBe(
      'identity.auth_url is set without credentials: set identity.username and identity.password, or an application credential.',
    )
  })

  it('about networks that cannot be', () => {
    expect(mistake('networking: {first_segment: 3000}')).toBe(
      'networking.first_segment (3000) must not be above networking.last_segment (2999).',
    )
    expect(mistake('networking: {last_segment: 5000}')).toBe(
      'networking.last_segment (5000) must be at most 4094, as VLANs are.',
    )
    expect(mistake('networking: {bridge_bits: 8}')).toBe(
      'networking.bridge_bits (8) must be at least the prefix of networking.bridge_cidr (100.0.0.0/9).',
    )
  })

  it('a line, where there are several', () => {
    const several = mistake('listen: x\nlog: {level: loud, levle: x, lever: y}', { ATOLL_A: '', ATOLL_B: '' })
    expect(several.split('\n')).toHaveLength(6)
  })

  it('that does not repeat a secret', () => {
    expect(mistake('database: {url: "postgresq://u:canary@x"}')).not.toContain('canary')
    expect(mistake('identity: {password: [canary]}')).not.toContain('canary')
    const inQuotes = (sign: string) =>
      new RegExp(`is not YAML: put a value that begins with \\${sign} in quotes`)
    for (const sign of ['*', '!']) {
      const sentence = mistake(`identity:\n  password: ${sign}canary`)
      expect(sentence).toMatch(inQuotes(sign))
      expect(sentence).not.toContain('canary')
    }
  })
})

describe('the annotated example', () => {
  it('is atoll.example.yaml', async () => {
    await expect(exampleConfig()).toMatchFileSnapshot('../atoll.example.yaml')
  })

  it('names every setting, and says what it is for unless its name does', () => {
    const lines = exampleConfig().split('\n')
    for (const { path } of leaves())
      expect(
        lines.some(line => new RegExp(`^\\s*(# )?${path.at(-1)}:`).test(line)),
        path.join('.'),
      ).toBe(true)
  })

  it('is itself a configuration, with every default', () => {
    expect(loadConfig(file(exampleConfig()), {})).toEqual(loadConfig(undefined, {}))
  })

  it('is one with any line of its own uncommented or emptied', () => {
    expect(loadConfig(file('identity:\ntls:\nlisten:\n'), {})).toEqual(loadConfig(undefined, {}))
  })
})

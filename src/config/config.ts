// The settings: one YAML file, every key also as an ATOLL_… environment variable, checked at start.

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseDocument, parse as parseYaml, type YAMLError } from 'yaml'
import type { z } from 'zod'
import { nearest } from './nearest.ts'
import { leaves, type RegionSettings, type Settings, schema } from './schema.ts'

/** The error for a wrong setting: one sentence that names the setting and says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface Config extends Settings {
  readonly data_dir: string
}

/** The settings of single regions, by their names. */
export function regionSettings({ regions }: Config): Readonly<Record<string, RegionSettings>> {
  const { most_gone: _own, ...named } = regions
  return named as unknown as Readonly<Record<string, RegionSettings>>
}

const defaultDataDir = (): string =>
  process.getuid?.() === 0
    ? '/var/lib/atoll'
    : join(process.env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'atoll')

/** Reads the file (when one is named) and the environment; throws ConfigError. */
export function loadConfig(path: string | undefined, environment: NodeJS.ProcessEnv = process.env): Config {
  const settings = path === undefined ? {} : readFile(path)
  const unknown = applyEnvironment(settings, environment)
  const checked = schema.safeParse(settings)
  const mistakes = [...unknown, ...(checked.error?.issues.flatMap(describeIssue) ?? [])]
  if (mistakes.length > 0 || !checked.success) throw new ConfigError(mistakes.join('\n'))
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
  const document = parseDocument(source)
  const [wrong] = [...document.errors, ...document.warnings]
  if (wrong) throw new ConfigError(`${path} is not YAML: ${describeYaml(wrong)}.`)
  let settings: unknown
  try {
    settings = document.toJS() ?? {}
  } catch {
    // The YAML library's message repeats the value, which may be a password.
    throw new ConfigError(`${path} is not YAML: put a value that begins with * in quotes.`)
  }
  if (typeof settings === 'object' && !Array.isArray(settings)) return withoutEmpty(settings!)
  throw new ConfigError(`The configuration file ${path} must hold keys and values.`)
}

/** The library's message without the excerpt of the file that follows its first line. */
function describeYaml({ code, message, linePos }: YAMLError): string {
  if (code === 'TAG_RESOLVE_FAILED')
    return `put a value that begins with ! in quotes, at line ${linePos?.[0].line}`
  if (code === 'MULTIPLE_DOCS')
    return `it must be one document, and another begins at line ${linePos?.[0].line}`
  return message.split('\n')[0]!.replace(/:$/, '')
}

/**
 * Removes keys without a value: they count as not set, as does a section whose lines are all commented out.
 */
function withoutEmpty(settings: object): Record<string, unknown> {
  const filled = Object.entries(settings).filter(([, value]) => value !== null)
  const deep = (value: unknown): unknown =>
    typeof value === 'object' && !Array.isArray(value) ? withoutEmpty(value!) : value
  return Object.fromEntries(filled.map(([key, value]) => [key, deep(value)]))
}

/** Puts the environment over the settings; returns a sentence for each variable that is no setting. */
function applyEnvironment(settings: Record<string, unknown>, environment: NodeJS.ProcessEnv): string[] {
  const known = new Map(leaves().map(leaf => [leaf.variable, leaf]))
  return Object.entries(environment).flatMap(([variable, value]) => {
    if (!variable.startsWith('ATOLL_') || value === undefined) return []
    const leaf = known.get(variable)
    if (!leaf) return [noSetting(variable, [...known.keys()])]
    setIn(settings, leaf.path, leaf.type.safeParse(value).success ? value : asYaml(value))
    return []
  })
}

/** A variable's text read as YAML; the text itself when that gives nothing. */
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

function noSetting(name: string, known: readonly string[]): string {
  const meant = nearest(name, known) ?? known.find(one => one.endsWith(`.${name}`))
  const what = meant ? `did you mean ${meant}?` : 'see atoll.example.yaml for all of them.'
  return `${name} is no setting of Atoll: ${what}`
}

/**
 * Words for a section that is no section and a list that is no list; other types of values have words of
 * their own.
 */
const containers: Readonly<Record<string, string>> = {
  object: 'must hold keys and values',
  record: 'must hold keys and values',
  array: 'must be a list, for instance [a, b]',
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const known = leaves().flatMap(({ path }) => path.map((_, n) => path.slice(0, n + 1).join('.')))
    return issue.keys.map(key => noSetting([...place, key].join('.'), known))
  }
  const message = (issue.code === 'invalid_type' && containers[issue.expected]) || issue.message
  const leaf = leaves().find(({ path }) => path.every((key, index) => key === place[index]))
  return [`${place.join('.')}${leaf ? ` (${leaf.variable})` : ''} ${message}.`]
}

/** Checks settings that must fit together. */
function checkTogether(config: Config): void {
  const { tls, identity, networking } = config
  if (Boolean(tls.cert_file) !== Boolean(tls.key_file)) {
    throw new ConfigError('tls.cert_file and tls.key_file go together: set both or neither.')
  }
  if (Boolean(identity.application_credential_id) !== Boolean(identity.application_credential_secret)) {
    throw new ConfigError(
      'identity.application_credential_id and identity.application_credential_secret go together: set both or neither.',
    )
  }
  if (identity.auth_url && !identity.application_credential_id && !(identity.username && identity.password)) {
    throw new ConfigError(
      'identity.auth_url is set without credentials: set identity.username and identity.password, or an application credential.',
    )
  }
  const { first_segment: first, last_segment: last, bridge_cidr, bridge_bits } = networking
  if (first > last) {
    throw new ConfigError(
      `networking.first_segment (${first}) must not be above networking.last_segment (${last}).`,
    )
  }
  if (networking.network_type === 'vlan' && last > 4094) {
    throw new ConfigError(`networking.last_segment (${last}) must be at most 4094, as VLANs are.`)
  }
  if (bridge_bits < Number(bridge_cidr.split('/')[1])) {
    throw new ConfigError(
      `networking.bridge_bits (${bridge_bits}) must be at least the prefix of networking.bridge_cidr (${bridge_cidr}).`,
    )
  }
}

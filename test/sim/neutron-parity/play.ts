// Plays exchanges against one Neutron and gives its answers with names in place of what differs by chance.

import type { Exchange, Person } from './exchange.ts'

export interface Target {
  /** Of Neutron, without `/v2.0`. */
  url: string
  token(person: Person): string | null
  /** Names for what is given: projects, hosts, regions. */
  known: Record<string, string>
}

export interface Answer {
  request: string
  status: number
  body: unknown
}

/** Begins the names of all that exchanges make. */
export const prefix = 'parity'

export async function play(exchanges: readonly Exchange[], target: Target): Promise<Answer[]> {
  const names = new Names({ ...target.known, p: `${prefix}${Math.floor(Math.random() * 1e9)}` })
  const answers: Answer[] = []
  for (const exchange of exchanges) answers.push(await ask(exchange, target, names))
  return answers
}

async function ask(exchange: Exchange, target: Target, names: Names): Promise<Answer> {
  const path = names.fill(exchange.path)
  const text = exchange.body === undefined ? undefined : names.fill(asText(exchange.body))
  names.mention(path)
  names.mention(text ?? '')
  const token = target.token(exchange.who)
  const response = await fetch(target.url + (path.startsWith('^') ? path.slice(1) : `/v2.0${path}`), {
    method: exchange.method,
    headers: {
      ...(token === null ? {} : { 'x-auth-token': token }),
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...exchange.headers,
    },
    ...(text === undefined ? {} : { body: text }),
  })
  const body = asJson(await response.text())
  if (exchange.keep !== undefined) names.keep(exchange.keep, body)
  const sorted = !/sort_key=(?!id)/.test(path)
  return {
    request:
      `${exchange.who} ${exchange.method} ${exchange.path} ${asText(exchange.body ?? '').slice(0, 150)}`.trim(),
    status: response.status,
    body: names.normalise(body, target.url, exchange.loose ?? [], sorted),
  }
}

function asText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const time = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?/g
const mac = /\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g

/** What was kept, and how it is called in requests and answers. */
class Names {
  private readonly values: Record<string, string>
  private mentioned = ''

  constructor(values: Record<string, string>) {
    this.values = values
  }

  /** Remembers what the caller wrote: only what it did not write can be chance. */
  mention(text: string): void {
    this.mentioned += ` ${text.toLowerCase()}`
  }

  fill(text: string): string {
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => this.values[name] ?? whole)
  }

  keep(name: string, body: unknown): void {
    const [kept] = Object.values((body ?? {}) as Record<string, { id: string } | { id: string }[]>)
    if (Array.isArray(kept)) {
      for (const [index, { id }] of kept.entries()) this.values[`${name}${index}`] = id
    } else if (kept?.id !== undefined) this.values[name] = kept.id
  }

  normalise(body: unknown, url: string, loose: readonly string[] | 'values', sorted: boolean): unknown {
    if (typeof body === 'string') return body === '' ? null : this.text(body, url)
    return this.value(body, url, loose, sorted, '')
  }

  private value(
    value: unknown,
    url: string,
    loose: readonly string[] | 'values',
    sorted: boolean,
    key: string,
  ): unknown {
    if (Array.isArray(value)) {
      const items = value.map(item => this.value(item, url, loose, sorted, key))
      if (loose === 'values') return items.slice(0, 1)
      const isKeptInOrder =
        (key.endsWith('s') && !sorted) || key === 'dns_nameservers' || key.endsWith('_links')
      return isKeptInOrder ? items : items.toSorted((a, b) => compare(JSON.stringify(a), JSON.stringify(b)))
    }
    if (value !== null && typeof value === 'object') {
      const entries = Object.entries(value)
        .toSorted(([a], [b]) => compare(a, b))
        .map(([name, item]) => [
          name,
          loose.includes(name) ? '{loose}' : this.value(item, url, loose, sorted, name),
        ])
      return Object.fromEntries(entries)
    }
    if (loose === 'values') return '{value}'
    if (key === 'standard_attr_id') return '{number}'
    if (typeof value === 'string') return this.text(value, url)
    if (key === 'provider:segmentation_id' && value !== null && !this.mentioned.includes(String(value)))
      return '{segment}'
    return value
  }

  private text(text: string, url: string): string {
    let named = text.replaceAll(url, '{url}')
    const byLength = Object.entries(this.values).toSorted(([, a], [, b]) => b.length - a.length)
    for (const [name, value] of byLength) named = named.replaceAll(value, `{${name}}`)
    return named
      .replace(uuid, '{uuid}')
      .replace(time, '{time}')
      .replace(mac, address => (this.mentioned.includes(address) ? address : '{mac}'))
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

// A conversation with a Keystone, noted down so that two of them can be compared: what changes each time
// (ids, times, addresses, secrets) is replaced by its kind.

export interface Answer {
  label: string
  status: number
  /** Headers that clients look at. */
  headers: Record<string, string>
  body: unknown
}

export interface CallOptions {
  token?: string | undefined
  /** A text is sent as it is. */
  body?: unknown
  headers?: Record<string, string>
  /** Of the answer's body only its keys are noted, or nothing: the two have different things in it. */
  note?: 'keys' | 'nothing'
}

export interface Reply {
  /** The token that it gave, if any. */
  token: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it wants from an answer
  json: any
}

export type Call = (label: string, method: string, path: string, options?: CallOptions) => Promise<Reply>

export function createConversation(authUrl: string): { call: Call; answers: Answer[] } {
  const answers: Answer[] = []

  async function call(label: string, method: string, path: string, options: CallOptions = {}) {
    const { token, body, note } = options
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const headers: Record<string, string> = { ...options.headers }
    if (token !== undefined) headers['x-auth-token'] = token
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await fetch(authUrl + path, { method, headers, ...sent })
    const json = parse(await response.text())
    answers.push({
      label: `${label}: ${method} ${path.replaceAll(/[0-9a-f]{32,64}/g, '<id>')}`,
      status: response.status,
      headers: headersOf(response, authUrl),
      body: note === 'nothing' ? null : note === 'keys' ? keysOf(json) : kindsOf(json, authUrl),
    })
    return { token: response.headers.get('x-subject-token') ?? '', json }
  }

  return { call, answers }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function headersOf(response: Response, authUrl: string): Record<string, string> {
  const seen: Record<string, string> = {}
  for (const name of ['content-type', 'www-authenticate', 'x-subject-token', 'vary']) {
    const value = response.headers.get(name)
    if (value !== null) seen[name] = String(kindOf(value, authUrl))
  }
  return seen
}

/** The keys of each object, and of a list those of its items together: which of them comes first differs. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [value.map(keysOf).reduce(together)]
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, keysOf(inner)]))
}

function together(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) return keysOfBoth(one, other)
  if (!isRecord(one) || !isRecord(other)) return one
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries(
    [...keys].map(key => [
      key,
      key in one && key in other ? together(one[key], other[key]) : (one[key] ?? other[key]),
    ]),
  )
}

const keysOfBoth = (one: unknown[], other: unknown[]): unknown[] => {
  const both = [...one, ...other]
  return both.length === 0 ? [] : [both.reduce(together)]
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function kindsOf(value: unknown, authUrl: string): unknown {
  if (Array.isArray(value)) return sorted(value.map(item => kindsOf(item, authUrl)))
  if (typeof value === 'string') return kindOf(value, authUrl)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, kindsOf(inner, authUrl)]))
}

/** Lists come in any order. */
function sorted(list: unknown[]): unknown[] {
  return list
    .map(item => JSON.stringify(item))
    .sort()
    .map(item => JSON.parse(item))
}

/** Explanations of a broken schema go on for pages: only their first line is compared. */
function kindOf(text: string, authUrl: string): string {
  return text
    .replaceAll(authUrl, '<url>')
    .replaceAll(/[0-9a-f]{64}|[0-9a-f]{32}/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)?/g, time => time.replaceAll(/\d/g, '0'))
    .replace(/gAAAA[\w-]+=*/, '<token>')
    .replace(/^(?!application_credential$)[\w-]{22}$/, '<audit>')
    .replace(/^[\w-]{86}$/, '<secret>')
    .replace(/\n\nFailed validating.*/s, '')
}

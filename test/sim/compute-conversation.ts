// A conversation with a Nova and a Placement, noted down so that two of them can be compared: what changes each time
// (ids, times, addresses, numbers of rows) is replaced by its kind.

import { until } from '../wait.ts'

export interface Note {
  call: string
  status: number
  body: unknown
}

export interface Ask {
  /** The microversion; the newest that is simulated unless told. */
  version?: string
  body?: unknown
  as?: 'admin' | 'member' | 'nobody'
  /** Of the answer its status alone is noted, or nothing. */
  note?: 'status' | 'nothing'
}

export interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the conversation reads what it wants from an answer
  body: any
}

export type Call = (method: string, path: string, ask?: Ask) => Promise<Reply>

export interface Place {
  novaUrl: string
  placementUrl: string
  tokens: { admin: string; member: string }
  /** The member's project. */
  projectId: string
  imageId: string
}

export interface Talk extends Place {
  nova: Call
  placement: Call
  notes: Note[]
}

export function createTalk(place: Place): Talk {
  const notes: Note[] = []

  function speaker(service: string, url: string, newest: string): Call {
    return async (method, path, { version = newest, body, as = 'admin', note } = {}) => {
      const token = as === 'nobody' ? {} : { 'x-auth-token': place.tokens[as] }
      const response = await fetch(url + path, {
        method,
        headers: {
          ...token,
          'openstack-api-version': `${service} ${version}`,
          'content-type': 'application/json',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = parse(await response.text())
      if (note !== 'nothing') {
        const call = kindOf(`${service} ${version} ${as}: ${method} ${path}`)
        notes.push({ call, status: response.status, body: note === 'status' ? null : kindsOf(answer) })
      }
      return { status: response.status, body: answer }
    }
  }

  return {
    ...place,
    notes,
    nova: speaker('compute', place.novaUrl, '2.90'),
    placement: speaker('placement', place.placementUrl, '1.39'),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What only says which request it was, or is made up by each installation. */
const passing = new Set(['request_id', 'adminPass', 'OS-EXT-SRV-ATTR:reservation_id', 'details'])

function kindsOf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return sorted(value.map(item => kindsOf(item, key)))
  if (typeof value === 'string') return kindOf(value)
  if (typeof value === 'number' && key === 'id') return '<number>'
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !passing.has(name))
      .map(([name, inner]) => [kindOf(name), kindsOf(inner, name)]),
  )
}

/** Lists come in any order. */
function sorted(list: unknown[]): unknown[] {
  return list
    .map(item => JSON.stringify(item, order))
    .sort()
    .map(item => JSON.parse(item))
}

const order = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value

/** Explanations of a broken schema go on for pages: only their beginning is compared. */
function kindOf(text: string): string {
  return text
    .replaceAll(/pod1-compute\d/g, '<host>')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, '<url>')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/[0-9a-f]{56}|[0-9a-f]{32}/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z?/g, '<time>')
    .replaceAll(
      /(aggregates\/|[Aa]ggregate |for flavor |found for |os-hypervisors\/|instance-0000)[\da-f]+\b/g,
      '$1<number>',
    )
    .replace(/ +Failed validating.*/s, '')
    .replace(/(Update conflict:).*/s, '$1')
    .trimEnd()
}

/** Waits until nothing is being done to it, and it is so when that is told. */
export async function settled({ nova }: Talk, path: string, wanted?: string): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    const { body } = await nova('GET', path, { note: 'nothing' })
    const { status, 'OS-EXT-STS:task_state': task } = body.server
    return task === null && status !== 'BUILD' && (wanted ?? status) === status
  }
  await until(isSettled, { what: `${path} settles` })
}

export async function gone({ nova }: Talk, path: string): Promise<void> {
  const isGone = async () => (await nova('GET', path, { note: 'nothing' })).status === 404
  await until(isGone, { what: `${path} goes` })
}

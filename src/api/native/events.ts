// Events: pages of the feed, and the same as a stream of server-sent events.

import type { App } from '../../core/app.ts'
import { malformed } from '../../core/error.ts'
import { type EventPage, type EventType, eventTypes, type FeedEvent } from '../../core/feed/event.ts'
import { type EventAsk, listEvents } from '../../core/feed/feed.ts'
import type { Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { type Listening, TextStream } from '../streams.ts'
import { type Parameters, readQuery, wholeNumber } from './query.ts'

const parameters = {
  after: {
    description: 'Only events with a larger number: the `next` of the page before, 0 for the first one',
    schema: { type: 'integer', minimum: 0, default: 0 },
  },
  limit: {
    description: 'How many events at most; of a stream, how many are read at a time',
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
  },
  type: {
    description: `Only events of this type, or of these with commas between: ${eventTypes.join(', ')}`,
    schema: { type: 'string' },
  },
} as const

/** The query parameters of each path. */
export const eventParameters: Readonly<Record<string, Parameters>> = { '/events': parameters }

/**
 * Reads the query. A client whose stream broke off names its last event in Last-Event-ID, and the stream goes
 * on after it.
 */
function parseEvents(request: Request): EventAsk {
  const given = readQuery(request, parameters)
  const last = wantsStream(request) ? request.header('last-event-id') : undefined
  return {
    after: wholeNumber(last ? { after: last } : given, 'after', parameters),
    limit: wholeNumber(given, 'limit', parameters),
    types: given.type === undefined ? null : given.type.split(',').map(parseType),
  }
}

function parseType(text: string): EventType {
  const type = eventTypes.find(known => known === text)
  if (!type) throw malformed(`The parameter type names one or more of ${eventTypes.join(', ')}`)
  return type
}

const viewEvents = ({ events, next }: EventPage) => ({ events: events.map(viewEvent), next })

const viewEvent = (event: FeedEvent) => ({
  number: event.number,
  at: event.at.toISOString(),
  type: event.type,
  action: event.action,
  subject_id: event.subjectId,
  project_id: event.projectId,
  region: event.region,
  data: event.data,
})

const streamType = 'text/event-stream'

const wantsStream = (request: Pick<Request, 'header'>): boolean =>
  /(^|[\s,])text\/event-stream/i.test(request.header('accept') ?? '')

const pollMs = 1_000
/**
 * After so many polls without events a comment is sent all the same: otherwise proxies take the stream for
 * dead.
 */
const quietLooks = 15
/** How long a client waits before it opens a lost stream again. */
const comeBackMs = 2_000

function streamEvents(app: App, ask: EventAsk, first: EventPage): TextStream {
  return new TextStream(streamType, async function* (listening: Listening) {
    yield `retry: ${comeBackMs}\n\n`
    let page = first
    for (let quiet = 0; ; ) {
      if (page.events.length > 0) yield page.events.map(textOf).join('')
      else if (++quiet % quietLooks === 0) yield ':\n\n'
      if (page.events.length < ask.limit) await listening.pause(pollMs)
      if (listening.isOver) return
      page = await listEvents(app, listening.caller, { ...ask, after: page.next })
    }
  })
}

const textOf = (event: FeedEvent): string =>
  `id: ${event.number}\nevent: ${event.type}\ndata: ${JSON.stringify(viewEvent(event))}\n\n`

const pages = route({
  method: 'GET',
  path: '/events',
  rule: 'atoll:events:list',
  denied: 'Only readers of a project ask for events',
  alsoAnswers: streamType,
  parse: parseEvents,
  verb: listEvents,
  view: viewEvents,
})

export const eventRoutes: readonly Route[] = [
  {
    ...pages,
    async handle(app, caller, request) {
      if (!wantsStream(request)) return pages.handle(app, caller, request)
      const ask = parseEvents(request)
      // The first page is read before the stream begins, so that an error can still be answered.
      const first = await listEvents(app, caller!, ask)
      return { status: 200, body: streamEvents(app, ask, first) }
    },
  },
]

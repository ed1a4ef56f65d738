// The feed over HTTP: pages, whose events are shown to whom, and streams of server-sent events.

import { randomUUID } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventRoutes } from '../../../src/api/native/events.ts'
import { TextStream } from '../../../src/api/streams.ts'
import type { EventStore } from '../../../src/core/feed/event.ts'
import { newJob } from '../../../src/core/jobs/jobs.ts'
import { until } from '../../wait.ts'
import { fileWorld, type Served } from '../../world.ts'
import { operator } from '../requests.ts'

const w = await fileWorld({ settings: { ATOLL_API_STREAMS: '2' } })
let admin: string
const open: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
beforeAll(async () => {
  admin = await w.token('admin')
})
afterEach(async () => {
  w.setTime(null)
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
  await w.database.pool.query('truncate job, turn, outbox, event, feed')
})

async function post(count: number, project = 'admin'): Promise<string[]> {
  const projectId = w.cloud.keystone.projectId(project)
  const jobs = Array.from({ length: count }, () => {
    const resource = { router_id: randomUUID() }
    return newJob(w.app, { projectId, type: 'configure_route', resource, region: 'Pod1' })
  })
  await w.app.store.jobs.post(jobs, { caller: operator, at: new Date(), action: 'job.create' })
  return jobs.map(job => job.id)
}

const get = (query = '', as: 'admin' | 'demo' = 'admin') => w.call('GET', `/atoll/v1/events${query}`, { as })
const numbers = (json: { events: { number: number }[] }): number[] => json.events.map(event => event.number)

describe('a page', () => {
  it('has events in their order, and says after which number the next one begins', async () => {
    const [id] = await post(1)
    await post(4)
    const { status, json } = await get('?after=0&limit=3')
    expect(status).toBe(200)
    expect([numbers(json), json.next]).toEqual([[1, 2, 3], 3])
    expect(json.events[0]).toEqual({
      number: 1,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      type: 'job-event',
      action: 'job.create',
      subject_id: id,
      project_id: w.cloud.keystone.projectId('admin'),
      region: 'Pod1',
      data: expect.objectContaining({ status: 'NEW', type: 'configure_route' }),
    })
    const rest = (await get('?after=3')).json
    expect([numbers(rest), rest.next]).toEqual([[4, 5], 5])
    expect((await get('?after=5')).json).toEqual({ events: [], next: 5 })
    expect((await get('?after=999')).json).toEqual({ events: [], next: 999 })
    expect(numbers((await get()).json)).toEqual([1, 2, 3, 4, 5])
    expect((await get('?type=lease-event')).json).toEqual({ events: [], next: 5 })
    expect(numbers((await get('?type=lease-event,job-event&limit=2')).json)).toEqual([1, 2])
  })

  it('has nothing of other projects, and does not count them', async () => {
    await post(3, 'admin')
    await post(2, 'demo')
    await post(4, 'admin')
    const mine = (await get('', 'demo')).json
    expect(mine.events.map((event: { project_id: string }) => event.project_id)).toEqual(
      Array(2).fill(w.cloud.keystone.projectId('demo')),
    )
    expect(mine.next).toBe(numbers(mine).at(-1))
    expect(numbers((await get()).json)).toHaveLength(9)
  })

  it.each([
    ['?after=-1', 'The parameter after is a whole number from 0 to'],
    ['?after=abc', 'The parameter after is a whole number from 0 to'],
    ['?after=1.5', 'The parameter after is a whole number from 0 to'],
    ['?after=', 'The parameter after is a whole number from 0 to'],
    ['?after=99999999999999999999', 'The parameter after is a whole number from 0 to'],
    ['?limit=0', 'The parameter limit is a whole number from 1 to 1000'],
    ['?limit=1001', 'The parameter limit is a whole number from 1 to 1000'],
    ['?type=pod-event', 'The parameter type names one or more of reservation-event,'],
    ['?type=', 'The parameter type names one or more of reservation-event,'],
    ['?before=1', 'There is no parameter before; there are after, limit, type'],
    ['?after=1&after=2', 'The parameter after is given 2 times'],
  ])('cannot be asked for by %s', async (query, sentence) => {
    const { status, json } = await get(query)
    expect([status, json.error.message]).toEqual([400, expect.stringContaining(sentence)])
  })

  it('of events that are kept no longer is gone, and the answer says where to go on', async () => {
    await post(3)
    await get()
    await w.app.store.events.removeBefore(new Date(Date.now() + 1000), 2)
    const { status, json } = await get('?after=1')
    expect([status, json.error.message]).toEqual([410, expect.stringContaining('go on after 2')])
    expect(numbers((await get('?after=2')).json)).toEqual([3])
    expect(numbers((await get()).json)).toEqual([3])
  })
})

interface Sent {
  readonly id: number
  readonly type: string
  readonly data: { number: number; subject_id: string; type: string }
}

interface Listener extends AsyncDisposable {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly events: Sent[]
  /** What came that is no event. */
  readonly comments: string[]
  readonly response: IncomingMessage
  isOver: boolean
  until(isSo: () => boolean): Promise<unknown>
}

async function listen(
  port: number,
  query: string,
  headers: Record<string, string> = {},
  token = admin,
): Promise<Listener> {
  const sent = httpRequest({
    port,
    host: '127.0.0.1',
    path: `/atoll/v1/events${query}`,
    headers: { accept: 'text/event-stream', 'x-auth-token': token, ...headers },
    agent: false,
  }).end()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject)
  })
  const listener: Listener = {
    status: response.statusCode!,
    headers: response.headers,
    events: [],
    comments: [],
    response,
    isOver: false,
    until: isSo => until(isSo, { what: `${isSo}`, seen: () => [listener.events.length, listener.comments] }),
    async [Symbol.asyncDispose]() {
      response.destroy()
    },
  }
  let text = ''
  const take = (chunk: string): void => {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const [, id, type, data] = /^id: (\d+)\nevent: (\S+)\ndata: (.*)$/.exec(block) ?? []
      if (id) listener.events.push({ id: Number(id), type: type!, data: JSON.parse(data!) })
      else listener.comments.push(block)
    }
  }
  response.setEncoding('utf8').on('data', take)
  response.once('close', () => {
    listener.isOver = true
  })
  response.on('error', () => {})
  open.push(listener)
  return listener
}

async function serve(events?: EventStore): Promise<Served> {
  const app = events ? { ...w.app, store: { ...w.app.store, events } } : w.app
  const server = await w.listen({ app })
  open.push(server)
  return server
}

describe('a stream', () => {
  it('sends what there is, then what comes, each once and in its order', async () => {
    const { port } = await serve()
    const before = await post(3)
    const stream = await listen(port, '?after=1')
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream'])
    await stream.until(() => stream.events.length === 2)
    const after = await post(2)
    await stream.until(() => stream.events.length === 4)
    expect(stream.events.map(event => event.id)).toEqual([2, 3, 4, 5])
    expect(stream.events.every(({ id, type, data }) => data.number === id && data.type === type)).toBe(true)
    const posted = [...before, ...after]
    expect(stream.events.every(event => posted.includes(event.data.subject_id))).toBe(true)
    expect(stream.comments).toEqual(['retry: 2000'])
  })

  it('goes on after the last event that its client names', async () => {
    const { port } = await serve()
    await post(5)
    const stream = await listen(port, '?after=1', { 'last-event-id': '4' })
    await stream.until(() => stream.events.length === 1)
    expect(stream.events[0]!.id).toBe(5)
    const bad = await listen(port, '', { 'last-event-id': 'x' })
    expect(bad.status).toBe(400)
  })

  it('has only what its listener may see', async () => {
    const { port } = await serve()
    await post(3, 'admin')
    const stream = await listen(port, '', {}, await w.token('demo'))
    await post(1, 'admin')
    const [id] = await post(1, 'demo')
    await stream.until(() => stream.events.length > 0)
    expect(stream.events.map(event => event.data.subject_id)).toEqual([id])
  })

  it('is refused as a page is', async () => {
    const { port } = await serve()
    expect((await listen(port, '?after=x')).status).toBe(400)
    expect((await listen(port, '', {}, 'no-token')).status).toBe(401)
    expect((await listen(port, '', { accept: 'text/html' })).status).toBe(406)
    const topology = await w.call('GET', '/atoll/v1/topology', { headers: { accept: 'text/event-stream' } })
    expect(topology.status).toBe(406)
  })

  it('ends when its token does, and when the server stops', async () => {
    const server = await serve()
    const stream = await listen(server.port, '')
    await stream.until(() => stream.comments.length > 0)
    w.setTime(new Date(Date.now() + 30 * 86_400_000))
    await stream.until(() => stream.isOver)
    expect(stream.response.complete, 'it was ended, not broken off').toBe(true)
    w.setTime(null)
    const other = await listen(server.port, '')
    open.splice(open.indexOf(server), 1)
    await server[Symbol.asyncDispose]()
    await other.until(() => other.isOver)
    expect(other.response.complete).toBe(true)
  })

  it('is one of so many: the next one is refused until another ends', async () => {
    const { port } = await serve()
    const first = await listen(port, '')
    expect([first.status, (await listen(port, '')).status]).toEqual([200, 200])
    const refused = await listen(port, '')
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
    expect((await get()).status, 'pages are served all the same').toBe(200)
    first.response.destroy()
    await until(async () => (await listen(port, '')).status === 200, { what: 'there is room again' })
  })

  it('reads no further than a slow listener takes', async () => {
    let pages = 0
    const { events } = w.app.store
    const counting: EventStore = {
      ...events,
      list: query => {
        if (query.limit === 1000) pages += 1
        return events.list(query)
      },
    }
    const { port } = await serve(counting)
    const total = 24_000
    for (let posted = 0; posted < total; posted += 2_000) await post(2_000)
    const stream = await listen(port, '?limit=1000')
    stream.response.pause()
    /** One beside it reads all there is, by smaller pages. */
    const another = async (): Promise<void> => {
      const come = async (): Promise<Listener | null> => {
        const one = await listen(port, '?limit=900&after=0')
        return one.status === 200 ? one : null
      }
      await using beside = await until(come, { what: 'there is room for one more' })
      await beside.until(() => beside.events.length === total)
    }
    // How much fits between the two is the machine's affair: it has come to rest once it reads nothing while the other
    // reads all.
    const isAtRest = async (): Promise<boolean> => {
      const before = pages
      await another()
      return pages > 0 && pages === before
    }
    await until(isAtRest, { what: 'it reads no further', seen: () => pages })
    expect(pages).toBeLessThan(total / 1000)
    stream.response.resume()
    await stream.until(() => stream.events.length === total)
    expect(stream.events.map(event => event.id)).toEqual(
      Array.from({ length: total }, (_, index) => index + 1),
    )
  })

  it('sends a word after fifteen seconds in which nothing happened', async () => {
    const [route] = eventRoutes
    const headers: Record<string, string> = { accept: 'text/event-stream' }
    const answer = await route!.handle(w.app, operator, {
      method: 'GET',
      params: {},
      query: new Map(),
      body: undefined,
      applicationUrl: '',
      header: name => headers[name],
    })
    expect(answer.body).toBeInstanceOf(TextStream)
    let waitedMs = 0
    const pause = async (ms: number): Promise<void> => {
      waitedMs += ms
    }
    const texts = (answer.body as TextStream).texts({ caller: operator, isOver: false, pause })
    const heard: [string, number][] = []
    for await (const text of texts) {
      heard.push([text, waitedMs])
      if (heard.length === 3) break
    }
    expect(heard).toEqual([
      ['retry: 2000\n\n', 0],
      [':\n\n', 14_000],
      [':\n\n', 29_000],
    ])
  })
})

it('the document describes the query, and both ways of answering', async () => {
  const { paths } = (await w.call('GET', '/atoll/v1/openapi.json')).json
  const { parameters, responses } = paths['/atoll/v1/events'].get
  expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['after', 'limit', 'type'])
  expect(Object.keys(responses[200].content)).toEqual(['application/json', 'text/event-stream'])
})

// One outgoing call against servers that misbehave: what it costs is bounded, and each failure has its name.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Call, CallError, call, createDispatcher, type Reply } from '../../src/openstack/http.ts'
import { memoryRise } from '../cost.ts'
import { every, pause, sooner, until } from '../wait.ts'
import { certificate } from './certificate.ts'
import { httpServer, sendJson, tcpServer, tlsServer } from './servers.ts'

let dispatcher: Dispatcher
beforeAll(() => {
  dispatcher = createDispatcher()
})
afterAll(() => dispatcher.destroy())

const get = (url: string, more: Partial<Call> = {}): Promise<Reply> =>
  call({ method: 'GET', url, timeoutMs: 60_000, dispatcher, ...more })

/** The failure of a call that must fail. */
async function failing(promise: Promise<unknown>): Promise<CallError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: Error) => thrown,
  )
  if (!(error instanceof CallError)) throw error
  return error
}

const mb = 1024 * 1024

test('an answer comes back parsed, and the request carries its JSON and the request id', async () => {
  await using server = await httpServer(response => sendJson(response, 201, { a: [1] }, { 'X-Thing': 'b' }))
  const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'
  const reply = await get(`${server.url}/x?y=1`, { method: 'POST', json: { b: 2 }, requestId })
  expect(reply).toMatchObject({ status: 201, body: { a: [1] }, headers: { 'x-thing': 'b' } })
  const [seen] = server.seen
  expect(seen).toMatchObject({ method: 'POST', path: '/x?y=1', body: '{"b":2}' })
  expect(seen?.headers).toMatchObject({
    'x-openstack-request-id': requestId,
    'content-type': 'application/json',
  })
})

test('an empty body is undefined, an error of HTML too', async () => {
  await using server = await httpServer((response, { path }) => {
    if (path === '/empty') response.writeHead(204).end()
    else response.writeHead(502).end('<html>bad gateway</html>')
  })
  expect(await get(`${server.url}/empty`)).toMatchObject({ status: 204, body: undefined })
  expect(await get(server.url)).toMatchObject({ status: 502, body: undefined })
})

test('nobody listens: refused, not sent', async () => {
  const gone = await httpServer(() => undefined)
  await gone[Symbol.asyncDispose]()
  expect(await failing(get(gone.url))).toMatchObject({ failure: 'refused', sent: false })
})

test('an unknown host: unresolved, not sent', async () => {
  expect(await failing(get('http://nowhere.invalid/'))).toMatchObject({ failure: 'unresolved', sent: false })
})

test('a hang costs the time-out, and may have been done', async () => {
  await using server = await httpServer(() => undefined)
  const error = await sooner(failing(get(server.url, { timeoutMs: 200 })), { than: 400 })
  expect(error).toMatchObject({ failure: 'timeout', sent: true })
  expect(error.message).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/ gave no whole answer within 200 ms$/)
})

test('headers and then silence cost the time-out', async () => {
  await using server = await httpServer(response => response.writeHead(200).write('{'))
  const error = await sooner(failing(get(server.url, { timeoutMs: 200 })), { than: 400 })
  expect(error).toMatchObject({ failure: 'timeout', sent: true, status: 200 })
})

test('a byte now and then does not prolong the time-out', async () => {
  await using server = await httpServer(response => {
    response.on(
      'close',
      every(20, () => response.write(' ')),
    )
  })
  const error = await sooner(failing(get(server.url, { timeoutMs: 300 })), { than: 500 })
  expect(error.failure).toBe('timeout')
})

test('a call that gives up while it waits for a connection is never sent', async () => {
  await using server = await httpServer((response, _, number) => {
    if (number > 1) sendJson(response, 200, {})
  })
  const narrow = createDispatcher({ connections: 1 })
  const first = failing(get(server.url, { timeoutMs: 400, dispatcher: narrow }))
  const post = get(`${server.url}/late`, { method: 'POST', json: {}, timeoutMs: 100, dispatcher: narrow })
  expect(await failing(post)).toMatchObject({ failure: 'timeout', sent: false })
  await first
  await get(`${server.url}/next`, { dispatcher: narrow })
  expect(server.seen.map(request => request.path)).toEqual(['/', '/next'])
  await narrow.destroy()
})

test.each([
  ['before the answer', ''],
  ['after the headers', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n'],
  ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":'],
])('a connection that ends %s: reset, may have been done', async (_, words) => {
  await using server = await tcpServer(socket => {
    socket.once('data', () => socket.write(words, () => void pause(20).then(() => socket.resetAndDestroy())))
  })
  const error = await failing(get(server.url, { method: 'POST', json: {} }))
  expect(error).toMatchObject({ failure: 'reset', sent: true })
})

test('what is no HTTP is garbage', async () => {
  await using server = await tcpServer(socket => {
    socket.once('data', () => socket.end('220 smtp ready\r\n'))
  })
  expect(await failing(get(server.url))).toMatchObject({ failure: 'garbage' })
})

test.each([
  ['HTML', '<html>welcome</html>'],
  ['half of JSON', '{"networks": [{"id": "1"'],
  ['bad UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  ['half of a gzip', gzipSync(JSON.stringify({ networks: [] })).subarray(0, 20)],
  ['deep JSON', '['.repeat(1_000_000)],
  ['brackets in keys and strings, but deep', `{"a]\\"[":${'['.repeat(80)}${']'.repeat(80)}}`],
  ['too many values', `[${'{},'.repeat(5_000_000)}{}]`],
])('a success of %s is garbage', async (_, body) => {
  await using server = await httpServer(response => response.writeHead(200).end(body))
  const error = await failing(get(server.url))
  expect(error).toMatchObject({ failure: 'garbage', sent: true, status: 200 })
  expect(error.message.length).toBeLessThan(300)
})

test('brackets in strings do not count as depth', async () => {
  const body = { a: `${'['.repeat(100)}\\"`, b: '"' }
  await using server = await httpServer(response => sendJson(response, 200, body))
  expect((await get(server.url)).body).toEqual(body)
})

test('a body of a gigabyte is cut off at the limit', async () => {
  const chunk = Buffer.alloc(mb, 0x20)
  let sent = 0
  await using server = await httpServer(response => {
    const more = (): void => {
      while (sent < 1024 && response.writable) {
        sent++
        if (!response.write(chunk)) return
      }
    }
    response.on('drain', more)
    more()
  })
  let error: CallError | undefined
  const rise = await memoryRise(async () => {
    error = await failing(get(server.url, { maxBytes: 8 * mb }))
  })
  expect(error).toMatchObject({ failure: 'too_big', sent: true })
  expect(sent).toBeLessThan(64)
  expect(rise).toBeLessThan(64 * mb)
})

test('a body that announces a gigabyte is not read', async () => {
  await using server = await httpServer(response =>
    response.writeHead(200, { 'content-length': String(1024 * mb) }).write('{'),
  )
  const error = await failing(get(server.url))
  expect(error.failure).toBe('too_big')
})

test('endless headers are garbage', async () => {
  await using server = await tcpServer(socket => {
    socket.write('HTTP/1.1 200 OK\r\n')
    socket.on(
      'close',
      every(5, () => socket.write(`x-${'y'.repeat(1000)}: z\r\n`.repeat(100))),
    )
  })
  expect(await failing(get(server.url))).toMatchObject({ failure: 'garbage' })
})

test('a redirect is an answer and is not followed', async () => {
  await using target = await httpServer(response => sendJson(response, 200, { secret: 1 }))
  await using server = await httpServer(response => response.writeHead(302, { location: target.url }).end())
  expect(await get(server.url)).toMatchObject({ status: 302, body: undefined })
  expect(target.seen).toEqual([])
})

test('a connection is used again, and let go though the server would keep it for an hour', async () => {
  const server = createServer((_, response) => response.end('{}'))
  server.keepAliveTimeout = 3_600_000
  let opened = 0
  let open = 0
  server.on('connection', socket => {
    opened += 1
    open += 1
    socket.once('close', () => {
      open -= 1
    })
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await get(url)
  await pause(10)
  await get(url)
  expect([opened, open]).toEqual([1, 1])
  await until(() => open === 0, { what: 'the connection is let go' })
  server.close()
})

test('a signal calls it off', async () => {
  await using server = await httpServer(() => undefined)
  const controller = new AbortController()
  const called = failing(get(server.url, { signal: controller.signal }))
  await until(() => server.seen.length > 0, { what: 'the server has the call' })
  controller.abort()
  const error = await called
  expect(error).toMatchObject({ failure: 'aborted', sent: true })
  const later = await failing(get(server.url, { signal: controller.signal }))
  expect(later).toMatchObject({ failure: 'aborted', sent: false })
  expect(server.seen).toHaveLength(1)
})

test('a certificate that nobody trusts: tls, not sent; with its CA file it is trusted', async () => {
  await using server = await tlsServer((_, response) => sendJson(response, 200, { safe: true }))
  expect(await failing(get(server.url))).toMatchObject({ failure: 'tls', sent: false })
  const folder = await mkdtemp(join(tmpdir(), 'atoll-ca-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, certificate)
  const trusting = createDispatcher({ caFile })
  expect((await get(server.url, { dispatcher: trusting })).body).toEqual({ safe: true })
  await trusting.destroy()
  await rm(folder, { recursive: true })
})

test('https to a server of plain http: tls, not sent', async () => {
  await using server = await httpServer(response => response.end())
  const error = await failing(get(server.url.replace('http:', 'https:')))
  expect(error).toMatchObject({ failure: 'tls', sent: false })
})

test('a CA file that is not there is one sentence', () => {
  expect(() => createDispatcher({ caFile: '/nowhere/ca.pem' })).toThrow(
    /^the CA file \/nowhere\/ca\.pem cannot be read/,
  )
})

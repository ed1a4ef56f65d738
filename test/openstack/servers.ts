// Small servers that behave as a test wants, well or badly, and a Keystone that is content with everybody.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { certificate, key } from './certificate.ts'

export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** An HTTP server that hands every request, read whole, to `answer`, and remembers it. */
export async function httpServer(
  answer: (response: ServerResponse, request: SeenRequest, number: number) => void,
): Promise<TestServer & { readonly seen: SeenRequest[] }> {
  const seen: SeenRequest[] = []
  const listener: RequestListener = (request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      seen.push({ method, path, headers, body })
      answer(response, { method, path, headers, body }, seen.length)
    })
  }
  return Object.assign(await listening(createServer(listener), 'http'), { seen })
}

export const tlsServer = (listener: RequestListener): Promise<TestServer> =>
  listening(createTlsServer({ key, cert: certificate }, listener), 'https')

/** A server that hands every connection to `talk`, below HTTP. */
export const tcpServer = (talk: (socket: Socket) => void): Promise<TestServer> =>
  listening(createTcpServer(talk), 'http')

async function listening(server: Server, scheme: string): Promise<TestServer> {
  const sockets = new Set<Socket>()
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    })
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** What Keystone says of a token; `lifeMs` from now, with a catalog of the given URLs by service type, in `Pod1`. */
export function tokenBody(urls: Readonly<Record<string, string>>, lifeMs = 3_600_000): object {
  const catalog = Object.entries(urls).map(([type, url]) => ({
    type,
    name: `any ${type}`,
    endpoints: ['public', 'internal'].map(side => ({
      interface: side,
      region: 'Pod1',
      region_id: 'Pod1',
      url: side === 'public' ? url : `${url}/inside`,
    })),
  }))
  return {
    token: {
      methods: ['password'],
      user: { id: 'u1', name: 'atoll', domain: { id: 'default', name: 'Default' } },
      project: { id: 'p1', name: 'service', domain: { id: 'default', name: 'Default' } },
      roles: [{ id: 'r1', name: 'admin' }],
      issued_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + lifeMs).toISOString(),
      catalog,
    },
  }
}

export interface KeystoneSpec {
  /** How long its tokens live; an hour unless told. */
  lifeMs?: number
  /** Answers the log-in of that number; with a token unless told. */
  logIn?: (response: ServerResponse, number: number) => void
  /** Answers everything else. */
  answer?: (response: ServerResponse, request: SeenRequest) => void
}

/** A Keystone that gives tokens `token-1`, `token-2`, … with a catalog of these URLs. */
export function keystone(urls: Readonly<Record<string, string>> = {}, spec: KeystoneSpec = {}) {
  let logIns = 0
  const giveToken = (response: ServerResponse, number: number): void =>
    sendJson(response, 201, tokenBody(urls, spec.lifeMs), { 'x-subject-token': `token-${number}` })
  return httpServer((response, request) => {
    if (request.method === 'POST' && request.path === '/v3/auth/tokens') {
      logIns++
      const logIn = spec.logIn ?? giveToken
      logIn(response, logIns)
    } else {
      spec.answer?.(response, request)
    }
  })
}

// An API behind a real socket: for what an in-process call would tidy up on the way (paths, methods, bytes).

import { Buffer } from 'node:buffer'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { parse, type Reply } from './person.ts'

export interface RawRequest {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

export interface Served extends AsyncDisposable {
  readonly port: number
  readonly logLines: Record<string, unknown>[]
  /** The path goes over the wire as it stands here. */
  ask(path: string, request?: RawRequest): Promise<Reply>
  /** Sends bytes and returns the one answer, or what came back until the other side closed. */
  send(bytes: string | Buffer): Promise<Reply>
}

export const socketOf = (port: number): Pick<Served, 'port' | 'ask' | 'send'> => ({
  port,
  ask: (path, request = {}) => ask(port, path, request),
  send: bytes => send(port, bytes),
})

function ask(port: number, path: string, { method = 'GET', headers = {}, body }: RawRequest): Promise<Reply> {
  return new Promise((resolve, reject) => {
    // Node announces no body of a GET.
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = httpRequest(
      { port, host: '127.0.0.1', method, path, headers: { ...length, ...headers }, agent: false },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({
            status: response.statusCode!,
            headers: response.headers as Reply['headers'],
            text,
            json: parse(text),
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function send(port: number, bytes: string | Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const chunks: Buffer[] = []
    const done = () => {
      socket.destroy()
      resolve(read(Buffer.concat(chunks).toString('latin1')))
    }
    socket.on('data', chunk => {
      chunks.push(chunk)
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) done()
    })
    socket.on('end', done)
    socket.on('error', reject)
  })
}

/** Whether an answer is there as far as its length says; one without a length goes on until the other side closes. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  const length = /^content-length: (\d+)\r$/im.exec(answer.slice(0, end + 2))?.[1]
  return end >= 0 && length !== undefined && answer.length >= end + 4 + Number(length)
}

/** The one answer in these bytes. Status 0 when there is none. */
function read(answer: string): Reply {
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = lines.map(line => [
    line.split(':')[0]!.toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ])
  const text = Buffer.from(rest.join('\r\n\r\n'), 'latin1').toString('utf8')
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers),
    text,
    json: parse(text),
  }
}

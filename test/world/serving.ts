// A further process of a world: the built command, `atoll serve`, on the world's database and cloud.

import { type ChildProcess, spawn } from 'node:child_process'
import { Agent, request as httpRequest } from 'node:http'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Ask, type Call, parse, type Reply } from './person.ts'

const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js')

export interface Process {
  readonly child: ChildProcess
  readonly url: string
  /** Its exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>
  /** What it has written to standard error. */
  readonly errors: () => string
  readonly call: Call
  kill(): Promise<void>
}

export interface ProcessSpec {
  readonly settings: Readonly<Record<string, string>>
  /** A program that the process runs before its own: what is planted. */
  readonly planted?: string | undefined
  tokenOf(as: Ask['as']): Promise<string | undefined>
}

/** Starts it, and waits until it is ready to serve. */
export async function startProcess({ settings, planted, tokenOf }: ProcessSpec): Promise<Process> {
  const env = {
    PATH: process.env.PATH,
    ATOLL_LISTEN: '127.0.0.1:0',
    ATOLL_LOG_FORMAT: 'json',
    ATOLL_DATABASE_CONNECTIONS: '5',
    ...settings,
    ...(planted ? { NODE_OPTIONS: `--import=${pathToFileURL(planted)}` } : {}),
  }
  const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>(done => child.once('close', done))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    errors += text
  })
  const url = await new Promise<string>((found, failed) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
      const ready = output.split('\n').find(line => line.includes('"Atoll is ready"'))
      if (ready) found(JSON.parse(ready).url)
    })
    ended.then(code =>
      failed(new Error(`the process ended with ${code} before it was ready: ${output}${errors}`)),
    )
  })
  const agent = new Agent({ keepAlive: true })
  return {
    child,
    url,
    ended,
    errors: () => errors,
    call: async (method, path, { as, body, headers } = {}) =>
      ask(agent, `${url}${path}`, method, { token: await tokenOf(as), body, headers }),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function ask(
  agent: Agent,
  url: string,
  method: string,
  { token, body, headers }: Pick<Ask, 'body' | 'headers'> & { token: string | undefined },
): Promise<Reply> {
  const sent = { ...(token ? { 'x-auth-token': token } : {}), accept: 'application/json', ...headers }
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent, method, headers: sent }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        // Half an answer is none.
        if (!response.complete) return reject(new Error('the answer was cut off'))
        const headers = response.headers as Reply['headers']
        resolve({ status: response.statusCode!, headers, text, json: parse(text) })
      })
    })
    request.on('error', reject)
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

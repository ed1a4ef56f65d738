// Real processes of the built command, `atoll serve`, against one database and one simulated cloud.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import { testDatabase } from '../postgres.ts'
import { logIn } from '../world.ts'

const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js')

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any
}

export interface Process {
  readonly child: ChildProcess
  readonly url: string
  /** Its exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>
  /** What it has written to standard error. */
  readonly errors: () => string
  ask(method: string, path: string, body?: unknown): Promise<Answer>
}

export interface Site extends AsyncDisposable {
  readonly cloud: Cloud
  readonly token: string
  readonly databaseUrl: string
  /** Starts a process and waits until it is ready to serve. */
  start(): Promise<Process>
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
}

export interface SiteSpec {
  readonly empty?: boolean
  /** A program that every process runs before its own: what is planted. */
  readonly planted?: string
}

/** One place for any number of processes: they share the database, the cloud and the key file. */
export async function site({ empty = false, planted }: SiteSpec = {}): Promise<Site> {
  const cloud = await startCloud({ regions: ['CentralRegion', 'Pod1'] })
  const { url: databaseUrl } = await testDatabase({ empty })
  const folder = mkdtempSync(join(tmpdir(), 'atoll-serving-'))
  const token = await logIn(cloud.authUrl, 'admin')
  const database = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  const running = new Set<Process>()
  const env = {
    PATH: process.env.PATH,
    ATOLL_LISTEN: '127.0.0.1:0',
    ATOLL_LOG_FORMAT: 'json',
    ATOLL_DATABASE_URL: databaseUrl,
    ATOLL_DATABASE_CONNECTIONS: '5',
    ATOLL_KEY_FILE: join(folder, 'key'),
    ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
    // The simulated cloud may be a provider.
    ATOLL_PROVIDERS_ALLOW: JSON.stringify(cloud.origins),
    ...(planted ? { NODE_OPTIONS: `--import=${pathToFileURL(planted)}` } : {}),
  }
  return {
    cloud,
    token,
    databaseUrl,
    async start() {
      const process = await startProcess(env, token)
      running.add(process)
      process.ended.then(() => running.delete(process))
      return process
    },
    query: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await database.query<Row>(text, values)).rows,
    async [Symbol.asyncDispose]() {
      for (const one of running) {
        one.child.kill('SIGKILL')
        await one.ended
      }
      await database.end()
      await cloud.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function startProcess(env: NodeJS.ProcessEnv, token: string): Promise<Process> {
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
    ask: (method, path, body) => ask(agent, `${url}${path}`, method, token, body),
  }
}

function ask(agent: Agent, url: string, method: string, token: string, body: unknown): Promise<Answer> {
  const headers = { 'x-auth-token': token, accept: 'application/json' }
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent, method, headers }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        // Half an answer is none.
        if (!response.complete) return reject(new Error('the answer was cut off'))
        resolve({ status: response.statusCode!, json: text === '' ? undefined : JSON.parse(text) })
      })
    })
    request.on('error', reject)
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

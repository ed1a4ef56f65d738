// The listener with a certificate of its own, and a Keystone whose certificate only identity.ca_file trusts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as forward } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import { type Atoll, startAtoll } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/config.ts'
import { certificate, key } from '../openstack/certificate.ts'
import { testDatabase } from '../postgres.ts'
import { logIn } from '../world.ts'

const folder = mkdtempSync(join(tmpdir(), 'atoll-tls-'))
const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
const closers: (() => PromiseLike<unknown>)[] = []
let cloud: Cloud
let keystoneUrl = ''

/** The simulated Keystone behind TLS. */
async function secureKeystone(target: string): Promise<string> {
  const { port } = new URL(target)
  const server = createServer({ cert: certificate, key }, (incoming, outgoing) => {
    const { method, url, headers } = incoming
    const call = forward({ host: '127.0.0.1', port, method, path: url, headers }, reply => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(outgoing)
    })
    incoming.pipe(call)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.unshift(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/v3`
}

beforeAll(async () => {
  writeFileSync(files.cert, certificate)
  writeFileSync(files.key, key)
  cloud = await startCloud({
    regions: ['CentralRegion'],
    atoll: { url: 'https://127.0.0.1:19999', region: 'CentralRegion' },
  })
  closers.unshift(() => cloud.close())
  keystoneUrl = await secureKeystone(cloud.authUrl)
})
afterAll(async () => {
  for (const close of closers) await close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(settings: Record<string, string>): Promise<Atoll> {
  const database = await testDatabase()
  const config = loadConfig(undefined, {
    ATOLL_LISTEN: '127.0.0.1:0',
    ATOLL_DATABASE_URL: database.url,
    ATOLL_KEY_FILE: join(folder, 'secrets.key'),
    ATOLL_TLS_CERT_FILE: files.cert,
    ATOLL_TLS_KEY_FILE: files.key,
    ATOLL_IDENTITY_AUTH_URL: keystoneUrl,
    ATOLL_IDENTITY_USERNAME: 'atoll',
    ATOLL_IDENTITY_PASSWORD: 'atoll',
    ...settings,
  })
  const atoll = await startAtoll(config, pino({ level: 'silent' }), 'api')
  closers.unshift(() => atoll.close())
  return atoll
}

const trusting = new Agent({ connect: { ca: certificate } })

it('serves over TLS, and validates tokens at a Keystone that its CA file trusts', async () => {
  const { url } = await start({ ATOLL_IDENTITY_CA_FILE: files.cert })
  expect(url).toMatch(/^https:/)
  const token = await logIn(cloud.authUrl, 'admin')
  const reply = await fetch(`${url}/v1.0/pods`, { dispatcher: trusting, headers: { 'x-auth-token': token } })
  expect([reply.status, await reply.json()]).toEqual([200, { pods: [] }])
})

it('answers 503 when it does not trust its Keystone, and lets nobody in', async () => {
  const { url } = await start({})
  const token = await logIn(cloud.authUrl, 'admin')
  const reply = await fetch(`${url}/v1.0/pods`, { dispatcher: trusting, headers: { 'x-auth-token': token } })
  expect(reply.status).toBe(503)
})

// The guard as the settings make it: whose addresses are Atoll's own, and what a slip in a line says.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config/config.ts'
import { openProviders, providersSettings } from '../../src/configured.ts'
import { world } from '../world.ts'
import { isRefused, login, requestId } from './guarded.ts'

const settings = (environment: Record<string, string>, databaseUrl: string) =>
  providersSettings(loadConfig(undefined, environment), databaseUrl)

test.each([
  ['postgres://atoll@db.example.org:6432/atoll', { host: 'db.example.org', port: 6432 }],
  ['postgres://atoll:p@127.0.0.1/atoll', { host: '127.0.0.1', port: 5432 }],
  ['postgresql://[::1]:5433/atoll', { host: '::1', port: 5433 }],
  ['postgres:///atoll?host=10.0.0.9&port=5434', { host: '10.0.0.9', port: 5434 }],
])('the listeners and the database at %s are Atoll’s own', (url, database) => {
  expect(settings({ ATOLL_OPERATIONS_LISTEN: '[::1]:9000' }, url).own).toEqual([
    { host: '127.0.0.1', port: 19_999 },
    { host: '::1', port: 9000 },
    database,
  ])
})

test('nothing may be called by default, and the rest is as it is set', () => {
  expect(settings({}, 'postgres://h/d')).toMatchObject({ allow: [], timeoutMs: 15_000 })
  const set = { ATOLL_PROVIDERS_TIMEOUT_SECONDS: '3', ATOLL_PROVIDERS_CA_FILE: '/ca' }
  expect(settings(set, 'postgres://h/d')).toMatchObject({ timeoutMs: 3000, caFile: '/ca' })
})

test.each([
  [
    { ATOLL_PROVIDERS_ALLOW: '[keystone.example.com]' },
    'providers: "keystone.example.com" does not say what may be called; a line is like https://keystone.example.com:5000, http://10.0.0.0/8 or https://[fd00::/8]:5000-9999.',
  ],
  [{ ATOLL_PROVIDERS_CA_FILE: '/nowhere/ca.pem' }, 'providers: the CA file /nowhere/ca.pem cannot be read'],
])('a slip in %j is a mistake in the settings', (environment, message) => {
  const config = loadConfig(undefined, environment as Record<string, string>)
  const open = () => openProviders(config, 'postgres://h/d', pino({ level: 'silent' }))
  expect(open).toThrow(ConfigError)
  expect(open).toThrow(message)
})

test('in a whole Atoll the simulated cloud may be a provider, and nothing else may; the log tells what was refused', async () => {
  await using w = await world()
  const demo = { ...login(w.cloud.authUrl), username: 'demo', password: 'atoll' }
  const project = { id: null, name: 'demo', domain: null }
  expect(await w.app.cloud.provider({ ...demo, project }, requestId).look()).toMatchObject({ region: 'Pod1' })
  const { port } = new URL(w.databaseUrl)
  for (const endpoint of [
    `http://127.0.0.1:${port}`,
    'http://169.254.169.254/latest',
    'http://127.0.0.1:19999',
  ]) {
    await expect(w.app.cloud.provider({ ...demo, endpoint }, requestId).look()).rejects.toEqual(isRefused())
    expect(w.logLines.at(-1)).toMatchObject({ level: 40, endpoint, requestId, why: 'no line allows it' })
  }
  expect(JSON.stringify(w.logLines)).not.toContain('"atoll"')
})

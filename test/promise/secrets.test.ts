// The password of a provider: in no answer, no log line, no line of the trail, no row and no backup.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, expect, it } from 'vitest'
import { backup } from '../../src/store/backup.ts'
import { until } from '../wait.ts'
import { promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const canary = 'canary-0f6e2b91'

const w = await fileWorld({ joined: true, settings: { ATOLL_LOG_LEVEL: 'debug' } })
const s = promisesOf(w)
const answers: string[] = []
const say = async (operation: string, body: object, raw?: string): Promise<string> => {
  const reply = await s.reply(operation, raw === undefined ? { body } : { raw })
  answers.push(reply.text, JSON.stringify(reply.headers))
  return reply.text
}

beforeAll(async () => {
  const { keystone } = w.cloud
  const projectId = keystone.projectId('demo')
  keystone.addUser({ name: 'tenant', password: canary, projectId, roles: ['member'] })
  const login = { username: 'tenant', password: canary, tenant: { name: 'demo' } }
  const good = s.providerBody(login)
  expect(await say('add-provider', good)).toContain('"ok"')

  // Whatever goes wrong with it.
  await say('add-provider', { ...good, username: 'nobody' })
  await say('add-provider', { ...good, region: 'Nowhere' })
  await say('add-provider', { ...good, endpoint: 'http://169.254.169.254/v3' })
  await say('add-provider', { ...good, endpoint: `http://x:${canary}@127.0.0.1/v3` })
  await say('add-provider', { ...good, password: { secret: canary } })
  await say('add-provider', { ...good, passwort: canary })
  await say('add-provider', {}, `{"password": "${canary}" "username": "x"}`)
  await say('add-provider', {}, `{"password": "${canary}", "password": "x"}`)
  for (const kind of ['status', 'reset', 'garbage'] as const) {
    const fault = w.cloud.faults.add({ kind, service: 'keystone', path: '/v3/auth/tokens', times: 1 })
    await say('add-provider', s.providerBody({ ...login, tenant: { id: projectId } }))
    fault.remove()
  }

  // And what it is used for later, with its failures.
  const provider = (await s.read('/promise/providers'))[0].id
  await say('increase-capacity', { source: provider, capacity: { cores: 9, ram: 9999, instances: 9 } })
  await say('create-instance', s.instanceBody())
  w.cloud.faults.add({ kind: 'status', status: 500, service: 'nova', times: 2 })
  await say('create-instance', s.instanceBody())
  await w.startWork()
  await until(async () => (await s.read('/promise/allocations'))[0].status === 'active', {
    what: 'it is active',
  })
  for (const path of ['', '/promise/providers', `/promise/providers/${provider}`])
    answers.push(JSON.stringify(await s.read(path)))
  await say('remove-provider', { 'provider-id': provider })
})

it('is in no answer', () => {
  expect(answers.length).toBeGreaterThan(30)
  expect(answers.join('\n')).not.toContain(canary)
  expect(answers.join('\n')).not.toMatch(/sealed/i)
})

it('is in no line of the log', () => {
  expect(w.logLines.length).toBeGreaterThan(10)
  expect(JSON.stringify(w.logLines)).not.toContain(canary)
})

it('is in no row of any table, and not sealed in the trail either', async () => {
  const { pool } = w.database
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  )
  let all = ''
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(`select to_jsonb(t)::text as row from "${name}" t`)
    all += rows.map(({ row }) => row).join('\n')
  }
  expect(all).toContain('provider.add')
  expect(all).not.toContain(canary)
  const { rows } = await pool.query<{ row: string }>('select to_jsonb(audit)::text as row from audit')
  expect(rows.map(({ row }) => row).join('\n')).not.toMatch(/password|sealed/)
})

it('is in no backup', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-secrets-'))
  try {
    const file = join(folder, 'backup.gz')
    await backup(w.databaseUrl, file)
    const text = gunzipSync(readFileSync(file)).toString('latin1')
    expect(text).toContain('tenant')
    expect(text).not.toContain(canary)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

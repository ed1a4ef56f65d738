// What a provider's user may, members may not: Atoll hands Nova the provider's own networks and shared ones, and says so
// where the user has the role admin.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeAll, expect, it } from 'vitest'
import { diagnose, type Finding } from '../../src/diagnosis.ts'
import { promisesOf } from '../world/promises.ts'
import { fileWorld } from '../world.ts'

const w = await fileWorld({ joined: true })
const s = promisesOf(w)
/** Networks with a subnet in the provider's region, by what they are to the provider's project. */
const ids: Record<'own' | 'shared' | 'foreign' | 'outside', string> = {
  own: '',
  shared: '',
  foreign: '',
  outside: '',
}

beforeAll(async () => {
  const networking = w.region('Pod1')
  const make = async (spec: { projectId: string; shared?: boolean; external?: boolean }) => {
    const { id: networkId } = await networking.create('network', spec)
    await networking.create('subnet', {
      networkId,
      projectId: spec.projectId,
      ipVersion: 4,
      cidr: '10.9.0.0/24',
    })
    return networkId
  }
  const [mine, theirs] = [w.admin.projectId!, w.demo.projectId!]
  ids.own = await make({ projectId: mine })
  ids.shared = await make({ projectId: theirs, shared: true })
  ids.foreign = await make({ projectId: theirs })
  ids.outside = await make({ projectId: theirs, external: true })
  await s.promised({ cores: 20, ram: 20_000, instances: 10, networks: 0 })
})

const nova = () => w.cloud.novas.get('Pod1')!
const created = (networks: string[]) => s.ask('create-instance', s.instanceBody({ networks }), { as: 'demo' })

it('the simulator’s Nova hands an admin any network, as the real one does', async () => {
  const { id } = await w.region('Pod1').create('network', { projectId: 'nobody-here' })
  await w
    .region('Pod1')
    .create('subnet', { networkId: id, projectId: 'x', ipVersion: 4, cidr: '10.8.0.0/24' })
  const asked = { projectId: w.admin.projectId!, isAdmin: true }
  const read = (caller: typeof asked) => nova().region.ports.read({ networks: [{ uuid: id }] }, caller)
  expect(read(asked)).toMatchObject([{ networkId: id }])
  expect(() => read({ ...asked, isAdmin: false })).toThrow()
})

it.each(['foreign', 'outside'] as const)(
  'no instance is made on a %s network, and Nova is not asked',
  async which => {
    const before = nova().servers().length
    const answer = await created([ids.own, ids[which]])
    expect(answer).toMatchObject({ result: 'error' })
    expect(JSON.stringify(answer)).toContain(`no such network found for specified identifier: ${ids[which]}`)
    expect(nova().servers().length).toBe(before)
  },
)

it('no instance is made on what is no network at all', async () => {
  for (const id of ['', 'x&id=y', '../servers', ids.own.toUpperCase()])
    expect(await created([id]), id).toMatchObject({ result: 'error' })
})

it('an instance is made on the provider’s own network and on a shared one', async () => {
  expect(await created([ids.own, ids.shared])).toMatchObject({ result: 'ok' })
})

it('a provider whose user has the role admin is added with a warning, which the doctor repeats', async () => {
  const { authUrl } = w.cloud
  const tenant = { id: w.demo.projectId, name: 'demo' }
  const member = await s.ask('add-provider', s.providerBody({ username: 'demo', tenant }))
  expect(member.result).toBe('ok')
  expect(member).not.toHaveProperty('warnings')
  const admin = await s.ask('add-provider', s.providerBody())
  expect(admin.warnings).toEqual([expect.stringContaining('role admin')])
  const found: Finding[] = []
  const database = { ...w.config.database, url: w.databaseUrl }
  const key_file = w.config.key_file ?? join(mkdtempSync(join(tmpdir(), 'atoll-key-')), 'key')
  await diagnose({ ...w.config, database, key_file }, pino({ level: 'silent' }), one => void found.push(one))
  const told = found.filter(({ subject }) => subject.startsWith('provider '))
  expect(told.map(({ good }) => good)).not.toContain(true)
  expect(
    told.some(
      ({ sentence }) => sentence.includes('role admin') && sentence.includes(authUrl.replace(/\/v3$/, '')),
    ),
  ).toBe(true)
  expect(told.some(({ sentence }) => sentence.includes('the user demo'))).toBe(false)
})

// The unmodified `blazar` and `openstack reservation` commands, against an Atoll behind a real socket.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { fileWorld } from '../world.ts'
import { announce } from './openstack.ts'

const installed = (command: string): string => {
  if (existsSync(`/usr/bin/${command}`)) return ''
  const reason = `there is no /usr/bin/${command}; Debian has it in python3-blazarclient and python3-openstackclient`
  console.log(`the ${command} command was not tried: ${reason}`)
  return ` (skipped: ${reason})`
}
const missing = { blazar: installed('blazar'), openstack: installed('openstack') }

const w = await fileWorld({ joined: true })
await announce(w)

interface Done {
  code: number | null
  out: string
  said: string
  /** What it printed with `-f json`. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it wants from an answer
  json: any
}

async function run(
  command: string,
  args: string[],
  user: 'admin' | 'demo' = 'admin',
  region = 'CentralRegion',
): Promise<Done> {
  const env = {
    PATH: process.env.PATH,
    OS_AUTH_URL: w.cloud.authUrl,
    OS_AUTH_TYPE: 'password',
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: user,
    OS_PASSWORD: 'atoll',
    OS_PROJECT_NAME: user,
    OS_USER_DOMAIN_ID: 'default',
    OS_PROJECT_DOMAIN_ID: 'default',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
  }
  const child = spawn(`/usr/bin/${command}`, args, { env, timeout: 240_000 })
  child.stdin.end()
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)])
  let json: unknown
  try {
    // Before it there may be a sentence: `Created a new lease:`.
    json = JSON.parse(out.slice(out.search(/[[{]/)))
  } catch {
    json = undefined
  }
  return { code: await ended, out, said, json }
}

async function good(
  command: string,
  args: string[],
  user?: 'admin' | 'demo',
  region?: string,
): Promise<Done> {
  const done = await run(command, args, user, region)
  expect(done.code, `${args.join(' ')}: ${done.said}${done.out}`).toBe(0)
  return done
}

/** Tables of the client may hold JSON in a cell. */
const cell = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value)

const inHours = (hours: number): string =>
  new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')

describe.skipIf(missing.blazar)(`the blazar command${missing.blazar}`, () => {
  const blazar = (args: string[], user?: 'admin' | 'demo', region?: string) =>
    good('blazar', args, user, region)

  it('creates, lists, shows, updates and deletes hosts', async () => {
    await blazar(['host-create', 'pod1-host1', '--extra', 'gpu=True'])
    await blazar(['host-create', 'pod1-host2', '--extra', 'gpu=False'])
    const { json: hosts } = await blazar(['host-list', '-f', 'json'])
    expect(hosts.map((host: Record<string, unknown>) => host.hypervisor_hostname)).toEqual([
      'pod1-host1',
      'pod1-host2',
    ])
    expect(hosts[0]).toMatchObject({ vcpus: 16, memory_mb: 65536, local_gb: 1000 })
    expect((await blazar(['host-show', 'pod1-host1', '-f', 'json'])).json).toMatchObject({ gpu: 'True' })
    await blazar(['host-update', 'pod1-host1', '--extra', 'gpu=Maybe', '--extra', 'color=red'])
    expect((await blazar(['host-show', hosts[0].id, '-f', 'json'])).json).toMatchObject({
      gpu: 'Maybe',
      color: 'red',
    })
    await blazar(['host-delete', 'pod1-host2'])
    expect((await blazar(['host-list', '-f', 'json'])).json).toHaveLength(1)
  })

  it('lists, shows and sets properties', async () => {
    const { json } = await blazar(['host-property-list', '--detail', '-f', 'json'])
    expect(json).toContainEqual({ property: 'color', private: false, property_values: ['red'] })
    await blazar(['host-property-set', 'color', '--private'])
    expect((await blazar(['host-property-list', '-f', 'json'])).out).not.toContain('color')
    expect((await blazar(['host-property-list', '--all', '-f', 'json'])).out).toContain('color')
    await blazar(['host-property-set', 'color', '--public'])
    expect((await blazar(['host-property-show', 'color', '-f', 'json'])).json).toMatchObject({
      private: false,
    })
  })

  it('creates, lists, shows, updates and deletes leases, by name and by id', async () => {
    const created = await blazar(
      [
        ...['lease-create', 'mine', '--start-date', inHours(2), '--end-date', inHours(4), '-f', 'json'],
        ...['--physical-reservation', 'min=1,max=1,resource_properties=["==", "$gpu", "Maybe"]'],
        ...['--event', `event_type=notification,event_date=${inHours(3)}`],
      ],
      'demo',
    )
    expect(created.json).toMatchObject({ name: 'mine', status: 'PENDING', degraded: false })
    expect(cell(created.json.reservations)).toMatchObject({ resource_type: 'physical:host', region: 'Pod1' })
    const { json: leases } = await blazar(['lease-list', '-f', 'json'], 'demo')
    expect(leases).toEqual([
      {
        id: created.json.id,
        name: 'mine',
        start_date: created.json.start_date,
        end_date: created.json.end_date,
      },
    ])
    await blazar(['lease-update', 'mine', '--name', 'ours', '--prolong-for', '1h'], 'demo')
    const { json: shown } = await blazar(['lease-show', created.json.id, '-f', 'json'], 'demo')
    expect(shown.name).toBe('ours')
    expect(Date.parse(shown.end_date) - Date.parse(created.json.end_date)).toBe(3_600_000)
    const { id } = cell(created.json.reservations) as { id: string }
    await blazar(['lease-update', 'ours', '--reservation', `id=${id},min=1,max=2`], 'demo')
    await blazar(['lease-delete', 'ours'], 'demo')
    expect((await blazar(['lease-list', '-f', 'json'], 'demo')).json).toEqual([])
  })

  it('creates a lease that begins now and takes the usual day', async () => {
    const { json } = await blazar(
      ['lease-create', 'now', '--physical-reservation', 'min=1,max=1', '-f', 'json'],
      'demo',
    )
    expect(json.start_date).toMatch(/:00\.000000$/)
    await blazar(['lease-delete', 'now'], 'demo')
  })

  it('works with one region’s view, by the name of the region', async () => {
    expect((await blazar(['host-list', '-f', 'json'], 'admin', 'Pod1')).json).toHaveLength(1)
    expect((await blazar(['host-list', '-f', 'json'], 'admin', 'Pod2')).json).toEqual([])
    await blazar(['host-create', 'pod2-host1'], 'admin', 'Pod2')
    expect((await blazar(['host-list', '-f', 'json'])).json).toHaveLength(2)
  })

  it.each<[string[], 'admin' | 'demo', RegExp]>([
    [['host-list'], 'demo', /ERROR: Policy doesn't allow blazar:oshosts:get to be performed/],
    [['host-create', 'pod1-host1'], 'admin', /ERROR: .+/],
    [['host-update', 'pod1-host1', '--extra', 'vcpus=4'], 'admin', /ERROR: Malformed parameter vcpus/],
    [['lease-show', '00000000-0000-4000-8000-000000000000'], 'demo', /ERROR: Object with .* not found/],
    [
      ['lease-create', 'x', '--physical-reservation', 'min=9,max=9'],
      'demo',
      /ERROR: Not enough hosts available: no region has 9 matching hosts/,
    ],
    [
      ['lease-create', 'x', '--physical-reservation', 'min=1,max=1,hypervisor_properties=["=="'],
      'demo',
      /ERROR: Malformed requirements .* at character/,
    ],
    [
      ['lease-create', 'x', '--reservation', 'resource_type=virtual:floatingip,network_id=x'],
      'demo',
      /ERROR: The virtual:floatingip resource type is not supported/,
    ],
  ])('says why it could not: %j', async (args, user, sentence) => {
    const done = await run('blazar', args, user)
    expect(done.code).not.toBe(0)
    expect(done.said + done.out).toMatch(sentence)
  })
})

const bothMissing = missing.blazar || missing.openstack
describe.skipIf(bothMissing)(`the openstack reservation commands${bothMissing}`, () => {
  const openstack = (args: string[], user?: 'admin' | 'demo', region?: string) =>
    good('openstack', ['reservation', ...args], user, region)

  it('create, list, show, set and delete hosts', async () => {
    await openstack(['host', 'create', 'pod1-host3', '--extra', 'rack=7'])
    const { json } = await openstack(['host', 'list', '-f', 'json'])
    expect(json.map((host: Record<string, unknown>) => host.hypervisor_hostname)).toContain('pod1-host3')
    await openstack(['host', 'set', 'pod1-host3', '--extra', 'rack=8'])
    expect((await openstack(['host', 'show', 'pod1-host3', '-f', 'json'])).json).toMatchObject({ rack: '8' })
    await openstack(['host', 'delete', 'pod1-host3'])
  })

  it('create, list, show, set and delete leases', async () => {
    await openstack(['host', 'create', 'pod1-host4', '--extra', 'rack=9'])
    const reservation =
      'resource_type=physical:host,min=1,max=1,hypervisor_properties=,resource_properties=["==", "$rack", "9"]'
    const { json } = await openstack(
      [
        ...['lease', 'create', 'theirs', '--start-date', inHours(5), '--end-date', inHours(6)],
        ...['--reservation', reservation, '-f', 'json'],
      ],
      'demo',
    )
    expect(json).toMatchObject({ name: 'theirs', status: 'PENDING' })
    expect((await openstack(['lease', 'list', '-f', 'json'], 'demo')).json).toHaveLength(1)
    await openstack(['lease', 'set', 'theirs', '--end-date', inHours(7)], 'demo')
    expect((await openstack(['lease', 'show', 'theirs', '-f', 'json'], 'demo')).json.id).toBe(json.id)
    await openstack(['lease', 'delete', 'theirs'], 'demo')
    expect((await openstack(['lease', 'list', '-f', 'json'], 'demo')).json).toEqual([])
  })
})

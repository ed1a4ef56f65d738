// The command, as it is built: what it says, and the code that it ends with (0 done, 1 went wrong, 2 asked wrongly).

import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cloud, startCloud } from '../sim/cloud.ts'
import { loadConfig } from '../src/config/config.ts'
import type { Region } from '../src/core/regions/region.ts'
import { allRoutes } from './api/requests.ts'
import { seed, share } from './chance.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { network, noted, routing, rowsOf, subnet } from './store/rows.ts'
import { logIn, type World, world } from './world.ts'

const main = resolve(import.meta.dirname, '../dist/src/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'atoll-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  code: number
  out: string
  err: string
}

/** The environment of a command: these settings and no others. */
function environment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ATOLL_'))
  return { ...Object.fromEntries(inherited), ATOLL_DATA_DIR: join(folder, 'data'), ...settings }
}

/** Runs the command in a process of its own. */
function atoll(args: string[], settings: Record<string, string> = {}): Promise<Ended> {
  const env = environment(settings)
  return new Promise(done => {
    execFile(process.execPath, [main, ...args], { env, timeout: 240_000 }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? -1) : 0, out, err }),
    )
  })
}

let runner: ChildProcess | null = null
afterAll(() => void runner?.kill())

/** Runs the command in a process that has run others before: for what loads much and leaves nothing running. */
async function again(args: string[], settings: Record<string, string> = {}): Promise<Ended> {
  runner ??= fork(join(import.meta.dirname, 'cli-again.mjs'))
  const ended = once(runner, 'message')
  runner.send({ main, args, env: environment(settings) })
  const [told] = await ended
  return told
}

const commands = ['serve', 'migrate', 'backup', 'restore', 'doctor', 'topology', 'routes']
const regionCommands = ['region list', 'region confirm']

it('is built: `npm run build` comes before the tests', () => {
  expect(existsSync(main)).toBe(true)
})

describe('help', () => {
  it('lists the commands and gives examples', async () => {
    const { code, out, err } = await atoll(['--help'])
    expect([code, err]).toEqual([0, ''])
    for (const command of [...commands, 'region']) expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    expect(out).toMatch(/\nExamples:\n {2}atoll serve --demo\n/)
  })

  it('has an example for every command', async () => {
    const all = [...commands, ...regionCommands]
    const helps = await Promise.all(all.map(command => atoll([...command.split(' '), '--help'])))
    for (const [index, { code, out }] of helps.entries()) {
      expect([all[index], code]).toEqual([all[index], 0])
      expect(out).toMatch(new RegExp(`\\nExample:\\n {2}atoll ${all[index]}\\b`))
      expect(out).toContain('--config <file>')
    }
  })

  it('is what a bare `atoll` shows, on standard error and with code 2', async () => {
    const { code, out, err } = await atoll([])
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('Usage: atoll')
  })

  it('says the version', async () => {
    expect(await atoll(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })
})

describe('what is asked wrongly ends with 2', () => {
  const wrong = join(folder, 'wrong.yaml')
  const someKeystone = {
    ATOLL_IDENTITY_AUTH_URL: 'http://127.0.0.1:1/v3',
    ATOLL_IDENTITY_USERNAME: 'u',
    ATOLL_IDENTITY_PASSWORD: 'p',
  }

  const mistakes: [string[], Record<string, string>, RegExp][] = [
    [['fly'], {}, /^error: unknown command 'fly'/],
    [['routes', '--fast'], {}, /^error: unknown option '--fast'/],
    [['serve', '--role', 'king'], {}, /^error: .*'king' is invalid.*Allowed choices are all, api, worker/],
    [['backup'], {}, /^error: missing required argument 'file'/],
    [['routes', '--config', wrong], {}, /^listen \(ATOLL_LISTEN\) must be HOST:PORT/],
    [
      ['routes', '--config', '/nowhere.yaml'],
      {},
      /^The configuration file \/nowhere\.yaml cannot be read: ENOENT/,
    ],
    [['routes'], { ATOLL_LISTN: 'x' }, /^ATOLL_LISTN is no setting of Atoll: did you mean ATOLL_LISTEN\?\n$/],
    [
      ['serve'],
      {},
      /^No identity is configured: set identity\.auth_url \(ATOLL_IDENTITY_AUTH_URL\) .* or run `atoll serve --demo`\.\n$/,
    ],
    [
      ['serve'],
      { ...someKeystone, ATOLL_POLICY: '{"admin_api:pots:list": admin}' },
      /^policy names the rule admin_api:pots:list, which no route has: see `atoll routes`\.\n$/,
    ],
    [
      ['routes'],
      { ATOLL_POLICY: '{"admin_api:pots:list": admin}' },
      /^policy names the rule admin_api:pots:list, which no route has/,
    ],
    [
      ['serve'],
      { ...someKeystone, ATOLL_API_WITHOUT: '[/v3]' },
      /^api\.without names \/v3; it can be any of \/tricircle, .*\.\n$/,
    ],
    [
      ['serve', '--demo', '--role', 'worker'],
      {},
      /^error: option '--demo' cannot be used with option '--role/,
    ],
    [['serve', '--demo'], someKeystone, /^--demo brings a Keystone of its own: leave out identity\.auth_url/],
    [
      ['serve'],
      { ...someKeystone, ATOLL_IDENTITY_CA_FILE: '/nowhere/ca.pem' },
      /^identity\.ca_file: \/nowhere\/ca\.pem cannot be read: ENOENT.*\.\n$/,
    ],
    [
      ['serve'],
      { ...someKeystone, ATOLL_REGIONS: `{Pod1: {ca_file: ${wrong}}}` },
      /^regions\.Pod1\.ca_file: .*wrong\.yaml does not hold certificates in PEM\.\n$/,
    ],
    [
      ['serve'],
      { ...someKeystone, ATOLL_TLS_CERT_FILE: wrong, ATOLL_TLS_KEY_FILE: wrong },
      /^tls\.cert_file .* and tls\.key_file .* are no certificate and its private key in PEM: .*\.\n$/,
    ],
    [
      ['backup', join(folder, 'backup.gz')],
      {},
      /^There is no database in .*data: set data_dir \(ATOLL_DATA_DIR\) to where Atoll keeps it, or database\.url/,
    ],
    [['topology'], {}, /^There is no database in /],
    [['region', 'list'], {}, /^There is no database in /],
    [['region', 'confirm'], {}, /^error: missing required argument 'name'/],
  ]
  const drawn = seed()
  beforeAll(() => {
    writeFileSync(wrong, 'listen: nowhere')
    console.log(`mistakes: SEED=${drawn}`)
  })
  // A process each, which takes a second to load.
  it.each(share(mistakes, drawn))('%j %o', async (args, settings, sentence) => {
    const { code, out, err } = await atoll(args, settings)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(sentence)
    expect(err).not.toMatch(/\n\s+at /)
  })

  it('and leaves nothing behind', () => {
    expect(existsSync(join(folder, 'data'))).toBe(false)
  })
})

describe('routes', () => {
  it('has a line for every route, with its handler, its verb and its policy', async () => {
    const { code, out } = await again(['routes'])
    expect(code).toBe(0)
    const [head, ...lines] = out.trimEnd().split('\n')
    expect(head).toMatch(/^METHOD +PATH +HANDLER +VERB +POLICY$/)
    const shown = lines.map(line =>
      line
        .split(/\s{2,}|\s(?=\/)/)
        .slice(0, 2)
        .join(' ')
        .replace(/(?<=.)\/$/, ''),
    )
    const config = loadConfig(undefined, {})
    expect(shown.toSorted()).toEqual(
      allRoutes({ config })
        .map(route => route.name.replace(/(?<=.)\/$/, ''))
        .toSorted(),
    )
    expect(out).toMatch(
      /^GET +\/v1\.0\/pods +parseNothing > viewPods +listRegions +admin_api:pods:list \(admin\)$/m,
    )
  })

  it('shows the operator’s own policy', async () => {
    const { out } = await again(['routes'], { ATOLL_POLICY: '{"admin_api:pods:list": reader}' })
    expect(out).toContain('admin_api:pods:list (reader)')
  })
})

describe('with a database and a Keystone', () => {
  let database: TestDatabase
  let cloud: Cloud
  let good: Record<string, string>
  beforeAll(async () => {
    database = await testDatabase({ empty: true })
    cloud = await startCloud({
      regions: ['CentralRegion'],
      atoll: { url: 'http://127.0.0.1:1', region: 'CentralRegion' },
    })
    good = {
      ATOLL_DATABASE_URL: database.url,
      ATOLL_IDENTITY_AUTH_URL: cloud.authUrl,
      ATOLL_IDENTITY_USERNAME: 'atoll',
      ATOLL_IDENTITY_PASSWORD: 'atoll',
    }
  })
  afterAll(() => cloud.close())

  it('migrate applies what is missing, and says so; the second time there is nothing', async () => {
    const first = await again(['migrate'], good)
    expect(first).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Applied: regions_and_routings, .+\.\n$/),
    })
    expect(await again(['migrate'], good)).toEqual({
      code: 0,
      out: 'The database is at this release already.\n',
      err: '',
    })
  })

  it('migrate without a database says what is wrong in one sentence, and ends with 1', async () => {
    const { code, out, err } = await atoll(['migrate'], {
      ATOLL_DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x',
    })
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(
      /^The database cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1\. .*database\.url.*\n$/,
    )
    expect(err).not.toContain('canary')
  })

  it('serve says which address is taken, and ends with 2', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`
    for (const [key, settings] of [
      ['listen', { ...good, ATOLL_LISTEN: taken }],
      ['operations_listen', { ...good, ATOLL_OPERATIONS_LISTEN: taken, ATOLL_LISTEN: '127.0.0.1:0' }],
    ] as const) {
      const { code, err } = await atoll(['serve'], settings)
      const variable = `ATOLL_${key.toUpperCase()}`
      expect([code, err]).toEqual([
        2,
        `${key} (${variable}) cannot be ${taken}: another program listens there. Stop what is there or set another address.\n`,
      ])
    }
    const demo = await atoll(['serve', '--demo'], { ATOLL_DEMO_KEYSTONE_LISTEN: taken })
    expect([demo.code, demo.err]).toEqual([
      2,
      expect.stringMatching(
        /^demo\.keystone_listen \(ATOLL_DEMO_KEYSTONE_LISTEN\) cannot be .* listens there/,
      ),
    ])
    other.close()
  })

  it('doctor finds all well', async () => {
    const { code, out, err } = await again(['doctor'], good)
    expect([code, err]).toEqual([0, ''])
    const lines = out.trimEnd().split('\n')
    expect(lines.at(-1)).toBe('All is well.')
    expect(lines.length).toBeGreaterThan(5)
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^ok {3}\S.*: \S/)
  })

  it('serve with another key file than the database’s ends with 2', async () => {
    await again(['doctor'], good)
    const { code, err } = await atoll(['serve'], { ...good, ATOLL_KEY_FILE: join(folder, 'other.key') })
    expect(code).toBe(2)
    expect(err).toMatch(
      /^The key file .*other\.key is not the one .* or name it in key_file \(ATOLL_KEY_FILE\)\.\n$/,
    )
  })

  it.each<[string, Record<string, string>, RegExp[]]>([
    [
      'no database and a wrong password',
      { ATOLL_DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x', ATOLL_IDENTITY_PASSWORD: 'canary' },
      [
        /^BAD {2}database: The database cannot be reached: .*ECONNREFUSED.*ATOLL_DATABASE_URL/m,
        /^BAD {2}keystone: .*refused the name or the password of the service user\. Are identity\.username, /m,
        /^2 things need attention\.$/m,
      ],
    ],
    [
      'no Keystone, and more connections than the server gives',
      { ATOLL_IDENTITY_AUTH_URL: 'http://127.0.0.1:1/v3', ATOLL_DATABASE_CONNECTIONS: '500' },
      [
        /^BAD {2}keystone: .*ECONNREFUSED.*Does it run, and is identity\.auth_url/m,
        /^BAD {2}database: 500 connections .*: lower database\.connections$/m,
        /^ok {3}database: PostgreSQL \d+$/m,
      ],
    ],
    [
      'a service user without the role admin',
      { ATOLL_IDENTITY_USERNAME: 'demo', ATOLL_IDENTITY_PROJECT_NAME: 'demo' },
      [/^BAD {2}keystone: the service user lacks the role admin/m, /^1 thing needs attention\.$/m],
    ],
  ])('doctor finds %s, goes on with the rest, and ends with 1', async (_, settings, findings) => {
    const { code, out } = await again(['doctor'], { ...good, ...settings })
    expect(code).toBe(1)
    for (const finding of findings) expect(out).toMatch(finding)
    expect(out).not.toContain('canary')
  })

  it('doctor finds faces that the catalog does not have, and a file that is not there', async () => {
    const bare = await startCloud({ regions: ['Pod1'] })
    const settings = { ATOLL_IDENTITY_AUTH_URL: bare.authUrl, ATOLL_PROVIDERS_CA_FILE: '/nowhere/ca.pem' }
    const { code, out } = await again(['doctor'], { ...good, ...settings })
    await bare.close()
    expect(code).toBe(1)
    for (const type of ['tricircle', 'reservation', 'promise', 'atoll'])
      expect(out).toMatch(
        new RegExp(`^BAD {2}catalog: no endpoint of type ${type} is Atoll's: there is none;`, 'm'),
      )
    expect(out).toMatch(/^BAD {2}catalog: no endpoint of type network is .*Atoll's ends in \/network;/m)
    expect(out).toMatch(/^BAD {2}settings: providers\.ca_file: \/nowhere\/ca\.pem cannot be read/m)
  })

  it('doctor finds a database that was not migrated', async () => {
    const empty = await testDatabase({ empty: true })
    const { code, out } = await again(['doctor'], { ...good, ATOLL_DATABASE_URL: empty.url })
    expect(code).toBe(1)
    expect(out).toMatch(/^BAD {2}database: migration 0 of \d+: run `atoll migrate`$/m)
    expect(out).toMatch(/^1 thing needs attention\.$/m)
  })
})

describe('a suspect region', () => {
  const since = new Date('2026-11-21T12:00:00Z')
  const why = '12 of 15 ports are missing at once'
  const counts = { port: { missing: 12, known: 15 }, router: { missing: 0, known: 3 } }
  const shown = `Pod1 (az1)  suspect
  since 2026-11-21T12:00:00.000Z, by its network: 12 of 15 ports are missing at once
    port: 12 of 15 missing
`
  let w: World
  let settings: Record<string, string>
  let region: Region
  beforeAll(async () => {
    w = await world()
    settings = { ATOLL_DATABASE_URL: w.databaseUrl }
    const { newRegion } = rowsOf(w)
    region = await newRegion({ name: 'Pod1' })
    await newRegion({ name: 'Pod2' })
    const { suspicions } = w.app.store
    await suspicions.raise({ regionId: region.id, through: 'network', since, reason: why, counts })
  })
  afterAll(() => w[Symbol.asyncDispose]())

  it('is marked in the list and in the topology', async () => {
    expect(await again(['region', 'list'], settings)).toEqual({
      code: 0,
      out: `${shown}Pod2 (az1)  ok\n`,
      err: '',
    })
    const json = JSON.parse((await again(['region', 'list', '--json'], settings)).out)
    expect(json.regions).toMatchObject([{ state: 'suspect', suspicions: [{ counts }] }, { state: 'ok' }])
    const { out } = await again(['topology'], settings)
    expect(out).toBe(`Pod1 (az1)  [suspect since 2026-11-21T12:00:00.000Z: ${why}]\nPod2 (az1)\n`)
  })

  it('is not confirmed where nobody can be asked, and what would be is shown', async () => {
    expect(await again(['region', 'confirm', 'Pod1'], settings)).toEqual({
      code: 2,
      out: shown,
      err: 'There is no terminal to ask at: look at what is missing, and say --yes\n',
    })
    expect((await w.app.store.suspicions.get(region.id, 'network'))!.confirmed).toBeNull()
  })

  it('is confirmed by --yes, with what was shown', async () => {
    expect(await again(['region', 'confirm', 'Pod1', '--yes'], settings)).toEqual({
      code: 0,
      out: `${shown}Confirmed: what is missing leaves the model with the next look at Pod1.\n`,
      err: '',
    })
    expect((await w.app.store.suspicions.get(region.id, 'network'))!.confirmed).toEqual({ port: 12 })
    expect((await rowsOf(w).trail()).at(-1)).toMatchObject({ user_id: 'atoll', action: 'region.confirm' })
    expect((await again(['region', 'list'], settings)).out).toContain('confirmed: the next look decides')
  })

  it.each([
    ['Pod2', 'Pod2 is not suspect: there is nothing to confirm\n'],
    ['Pod9', 'There is no region Pod9\n'],
  ])('alone can be confirmed: %s cannot', async (name, err) => {
    expect(await again(['region', 'confirm', name, '--yes'], settings)).toEqual({ code: 1, out: '', err })
  })
})

describe('doctor, of a region where the model has something', () => {
  let w: World
  let region: Region
  beforeAll(async () => {
    w = await world({ regions: ['Pod1'] })
    region = await rowsOf(w).newRegion({ name: 'Pod1' })
    await w.app.store.routings.append([routing(region.id)], noted('routing.create'))
  })
  afterAll(() => w[Symbol.asyncDispose]())

  /** What is said of the region. */
  const said = async () => {
    const { code, out } = await again(['doctor'], w.settings)
    expect(code).toBe(/^BAD/m.test(out) ? 1 : 0)
    return out.split('\n').filter(line => line.includes('  Pod1 ') || /^ok {3}Pod1/.test(line))
  }
  const roles = async () => (await said()).filter(line => line.includes('Pod1 roles'))

  it('finds one that shows the service user nothing of any other project', async () => {
    expect(await roles()).toEqual([
      'BAD  Pod1 roles: Pod1 shows the service user nothing of any other project: its Neutron takes it for no administrator, or is empty: look at its policy for the role admin, and at whether its database is the one that it had',
    ])
  })

  it('is content where it is shown what is others’, and finds one that hides it again', async () => {
    await useNeutron('demo')
    expect(await roles()).toEqual(['ok   Pod1 roles: the service user sees what is others’'])
    const fault = w.cloud.faults.add({ kind: 'demoted', region: 'Pod1', service: 'neutron', user: 'atoll' })
    expect(await roles()).toEqual([
      expect.stringMatching(/^BAD {2}Pod1 roles: Pod1 shows the service user nothing/),
    ])
    fault.remove()
  })

  it('finds a service user that has lost its role', async () => {
    const [user, project] = [w.cloud.keystone.userId('atoll'), w.cloud.keystone.projectId('service')]
    w.cloud.keystone.revokeGrant(user, 'admin', project)
    expect(await roles()).toEqual([
      'BAD  Pod1 roles: the service user lacks the role admin: give it the role back, in the project that it logs in to',
    ])
    w.cloud.keystone.grant(user, 'admin', project)
  })

  it('says since when and why it is suspect, and what to do', async () => {
    const since = new Date('2026-11-21T12:00:00Z')
    const reason = 'the service user lacks the role admin'
    await w.app.store.suspicions.raise({ regionId: region.id, through: 'network', since, reason, counts: {} })
    expect(await said()).toContain(
      'BAD  Pod1 network: suspect since 2026-11-21T12:00:00.000Z, nothing of it leaves the model and nothing is removed there: the service user lacks the role admin. Give the service user its roles back, or the region what it has lost; what is gone indeed an administrator confirms: `atoll region confirm Pod1`',
    )
  })

  /** As a tenant who looks at his groups: whoever does that has a default one from then on. */
  async function useNeutron(user: string): Promise<void> {
    const headers = { 'x-auth-token': await logIn(w.cloud.authUrl, user) }
    const reply = await fetch(`${w.neutron('Pod1').url}/v2.0/security-groups`, { headers })
    expect(reply.status).toBe(200)
  }
})

describe('topology', () => {
  it('is a tree of what the database has, or JSON, and needs no Keystone', async () => {
    await using w = await world()
    const net = network({ name: 'net1' })
    await rowsOf(w).newRegion({ name: 'Pod1' })
    await w.app.store.transact(async tx => {
      await tx.networks.insert('network', net, noted('network.create'))
      await tx.networks.insert('subnet', subnet(net.id, { name: 'sub1' }), noted('subnet.create'))
    })
    const settings = { ATOLL_DATABASE_URL: w.databaseUrl }
    expect(await again(['topology'], settings)).toEqual({
      code: 0,
      out: `Pod1 (az1)\nNowhere yet\n└─ network net1 <${net.id}>\n   └─ subnet 10.0.0.0/24  sub1  gateway 10.0.0.1\n`,
      err: '',
    })
    const json = await again(['topology', '--json', '--network', net.id, '--no-ports'], settings)
    expect(JSON.parse(json.out)).toMatchObject({
      regions: [{ name: 'Pod1', networks: [] }],
      nowhere: { networks: [{ id: net.id }], ports: null },
    })
    expect(JSON.parse((await again(['topology', '--json', '--ports'], settings)).out)).toMatchObject({
      nowhere: { ports: [] },
    })
    expect(await again(['topology', '--region', 'Pod9'], settings)).toEqual({
      code: 1,
      out: '',
      err: 'There is no region Pod9\n',
    })
  })

  it('of a database that was not migrated says what to do', async () => {
    const { url } = await testDatabase({ empty: true })
    expect(await again(['topology'], { ATOLL_DATABASE_URL: url })).toEqual({
      code: 1,
      out: '',
      err: 'The database is not at this release: run `atoll migrate`\n',
    })
  })
})

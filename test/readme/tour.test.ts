// The README's tour: every line of it, in order, against a demo that was started as the README says.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const main = 'dist/src/cli/main.js'
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ATOLL_')))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

interface Demo {
  readonly atoll: string
  readonly keystone: string
  readonly dataDir: string
}

/** The blocks of shell in the tour, with the addresses and the folder of this demo in the place of the default ones. */
function tour({ atoll, keystone, dataDir }: Demo): string[] {
  const readme = readFileSync('README.md', 'utf8')
  const section = readme.slice(readme.indexOf('## A tour'), readme.indexOf('## The map'))
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(match => match[1]!)
  return blocks.map(block =>
    block
      .replaceAll('127.0.0.1:19999', atoll)
      .replaceAll('127.0.0.1:15000', keystone)
      .replaceAll(/~\/\.local\/share\/atoll|\/var\/lib\/atoll/g, dataDir),
  )
}

const isInstalled = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The part that is walked with the `openstack` command begins with where it finds the demo. */
const needsOpenstack = 'OS_CLIENT_CONFIG_FILE='

it('works as printed', async context => {
  if (!isInstalled('curl')) context.skip('the tour uses curl, which is not installed here')
  const dataDir = mkdtempSync(join(tmpdir(), 'atoll-tour-'))
  const [atoll, keystone] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const env = { ...clean, ATOLL_DATA_DIR: dataDir, ATOLL_LISTEN: atoll, ATOLL_DEMO_KEYSTONE_LISTEN: keystone }
  const demo = spawn(process.execPath, [main, 'serve', '--demo'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>(resolve => demo.once('exit', resolve))
  try {
    let printed = ''
    await new Promise<void>((resolve, reject) => {
      demo.stdout.on('data', chunk => {
        printed += chunk
        if (printed.includes('Ctrl-C stops everything')) resolve()
      })
      demo.once('exit', code => reject(new Error(`the demo ended with ${code}: ${printed}`)))
    })
    expect(printed).toContain(`http://${atoll}`)
    expect(printed).toContain(join(dataDir, 'clouds.yaml'))
    expect(printed.match(/^ {2}(curl|TOKEN)/gm)).toHaveLength(3)

    const all = tour({ atoll, keystone, dataDir })
    const networking = all.findIndex(block => block.includes(needsOpenstack))
    expect(networking).toBeGreaterThan(6)
    const hasOpenstack = isInstalled('openstack')
    if (!hasOpenstack)
      console.log(
        'the networking part of the tour was not walked: there is no openstack command here; Debian has it in python3-openstackclient',
      )
    const blocks = hasOpenstack ? all : all.slice(0, networking)
    // One shell for all, as a reader has; each block's output apart.
    const script = blocks.map(block => `${block}\necho; echo "=== $?"`).join('\n')
    const shell = { ...clean, ATOLL_DATA_DIR: dataDir }
    const output = execFileSync('bash', ['-c', script], { encoding: 'utf8', env: shell })
    const parts = output.split(/=== \d+\n/)
    const [login, pods, fourth, routing, inUse, mistake, slots, lease, shortage, ...more] = parts
    const [promise, server, feed, stranger, routes] = more
    expect(login?.trim()).toBe('')
    expect(pods).toContain('"region_name":"Pod3"')
    expect(fourth).toMatch(/"region_name":"Pod4".*\n?.*\{\}/)
    expect(routing).toContain('"top_id":"my-net"')
    expect(routing).toContain('"routings":[')
    expect(inUse).toContain('Pod Pod1 is in use by 1 resource routing, 4 hosts: delete them first')
    expect(mistake).toMatch(/line 1, column \d+/)
    expect(slots).toMatch(/"slots":\[\{"start":"[^"]+Z","end":"[^"]+Z","region":"Pod2","hosts":2\}\]/)
    expect(lease).toMatch(/"name":"mine".*"status":"ACTIVE"/)
    expect(lease?.match(/"hypervisor_hostname":"pod2-host\d"/g)).toHaveLength(2)
    expect(shortage).toMatch(/Not enough hosts available: .*The next window that would do begins at/)
    expect(promise).toMatch(/"provider-id":"[^"]+","result":"ok","guarantee":"aggregate"/)
    expect(promise).toMatch(/"pool-id":"[^"]+","result":"ok"/)
    expect(promise).toMatch(/"result":"conflict","message":"requested cores=15 exceeds available 5 between /)
    expect(promise).toMatch(
      /"collections":\["ResourcePool:[^"]+","ResourceReservation:[^"]+"\],"utilization":\[\{/,
    )
    expect(server).toMatch(/"reserved":\{"cores":14,.*"usage":\{"cores":1,/)
    expect(server).toContain('instance destroyed and resource released back to pool')
    expect(server).toContain('reservation canceled')
    expect(feed).toMatch(/"action":"lease.create".*"action":"lease.active".*"action":"lease.delete"/)
    expect(stranger).toContain('Unauthorized to show all resource routings')
    expect(routes).toMatch(/POST +\/tricircle\/v1\.0\/routings .*createRouting/)
    expect(output.match(/=== (\d+)/g)).toEqual(blocks.map(() => '=== 0'))
    if (hasOpenstack) checkNetworking(parts.slice(networking))
  } finally {
    demo.kill('SIGTERM')
    expect(await exited).toBe(0)
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 300_000)

/** What the blocks of the networking part have said. */
function checkNetworking([outside, home, span, proof, away]: readonly string[]): void {
  expect(outside).toMatch(/provider:physical_network +\| extern /)
  const made = /floating_ip_address \| (203\.0\.113\.\d+) [\s\S]*\| id +\| (\S+) /.exec(home!)!
  expect(home).toMatch(new RegExp(`^\\| ${made[2]} \\| ${made[1]} +\\| 10\\.0\\.1\\.\\d+ `, 'm'))
  expect(span!.match(/floating_ip_address \| 198\.51\.100\.\d+ /g)).toHaveLength(2)
  // The copy in Pod1 has its gateway on the bridge, and goes out by Pod2's; that one knows the way to Pod1's network.
  const [inPod1, inPod2] = proof!.split(/(?=^\| external_gateway_info)/m).slice(1) as [string, string]
  const bridge = /"enable_snat": false.*"ip_address": "(100\.0\.0\.\d+)"/.exec(inPod1)![1]
  expect(inPod1).toContain("destination='0.0.0.0/0', gateway='100.0.0.1'")
  expect(inPod1).toContain("destination='10.0.3.0/24', gateway='100.0.0.1'")
  expect(inPod2).toMatch(/"enable_snat": true.*"ip_address": "198\.51\.100\.\d+"/)
  for (const half of ['10.0.2.0/25', '10.0.2.128/25'])
    expect(inPod2).toContain(`destination='${half}', gateway='${bridge}'`)
  expect(inPod2.match(/\| 198\.51\.100\.\d+ +\| 10\.0\.[23]\.\d+ +\|/g)).toHaveLength(2)
  expect(proof).toContain(
    `router span  Pod1 ${bridge} (10.0.2.0/24) <-> Pod2 100.0.0.1 (10.0.3.0/24, 0.0.0.0/0)`,
  )
  expect(away!.trim()).toBe('Pod1 (az1)\nPod2 (az2)\nPod3 (az3)')
}

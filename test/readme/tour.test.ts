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

/** The blocks of shell in the tour, with the addresses of this demo in the place of the default ones. */
function tour(atoll: string, keystone: string): string[] {
  const readme = readFileSync('README.md', 'utf8')
  const section = readme.slice(readme.indexOf('## A tour'), readme.indexOf('## The map'))
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(match => match[1]!)
  return blocks.map(block =>
    block.replaceAll('127.0.0.1:19999', atoll).replaceAll('127.0.0.1:15000', keystone),
  )
}

it('works as printed', async context => {
  try {
    execFileSync('curl', ['--version'])
  } catch {
    context.skip('the tour uses curl, which is not installed here')
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'atoll-tour-'))
  const [atoll, keystone] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const env = { ...clean, ATOLL_DATA_DIR: dataDir, ATOLL_LISTEN: atoll, ATOLL_DEMO_KEYSTONE_LISTEN: keystone }
  const startedAt = performance.now()
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
    console.log(`the demo was ready after ${Math.round(performance.now() - startedAt)} ms`)
    expect(printed).toContain(`http://${atoll}`)
    expect(printed).toContain(join(dataDir, 'clouds.yaml'))
    expect(printed.match(/^ {2}(curl|TOKEN)/gm)).toHaveLength(3)

    const blocks = tour(atoll, keystone)
    expect(blocks.length).toBeGreaterThan(6)
    // One shell for all, as a reader has; each block's output apart.
    const script = blocks.map(block => `${block}\necho; echo "=== $?"`).join('\n')
    const output = execFileSync('bash', ['-c', script], { encoding: 'utf8', env: clean })
    const [login, pods, fourth, routing, inUse, mistake, slots, lease, shortage, stranger, routes] =
      output.split(/=== \d+\n/)
    expect(login?.trim()).toBe('')
    expect(pods).toContain('"region_name":"Pod3"')
    expect(fourth).toMatch(/"region_name":"Pod4".*\n?.*\{\}/)
    expect(routing).toContain('"top_id":"my-net"')
    expect(routing).toContain('"routings":[')
    expect(inUse).toContain('Pod Pod1 is in use by 1 resource routing and 0 pod bindings')
    expect(mistake).toMatch(/line 1, column \d+/)
    expect(slots).toMatch(/"slots":\[\{"start":"[^"]+Z","end":"[^"]+Z","region":"Pod2","hosts":2\}\]/)
    expect(lease).toMatch(/"name":"mine".*"status":"ACTIVE"/)
    expect(lease?.match(/"hypervisor_hostname":"pod2-host\d"/g)).toHaveLength(2)
    expect(shortage).toMatch(/Not enough hosts available: .*The next window that would do begins at/)
    expect(stranger).toContain('Unauthorized to show all resource routings')
    expect(routes).toMatch(/POST +\/tricircle\/v1\.0\/routings .*createRouting/)
    expect(output.match(/=== (\d+)/g)).toEqual(blocks.map(() => '=== 0'))
  } finally {
    demo.kill('SIGTERM')
    expect(await exited).toBe(0)
    rmSync(dataDir, { recursive: true, force: true })
  }
})

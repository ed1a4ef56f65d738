// The rules of the house catch what breaks them: imports across layers, I/O and time in core, files that grow too long.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'atoll-rules-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** By rule: files that break it, each with the one line that does. */
const planted: Record<string, Record<string, string>> = {
  'core-is-alone': {
    'src/core/reads-store.ts': `import '../store/part.ts'`,
    'src/core/knows-a-type.ts': `import type { Part } from '../api/part.ts'; export type X = Part`,
  },
  'core-does-no-io': {
    'src/core/reads-files.ts': `import 'node:fs'`,
    'src/core/uses-a-package.ts': `import 'pino'`,
  },
  'store-knows-core': { 'src/store/reads-config.ts': `import '../config/part.ts'` },
  'openstack-knows-core': { 'src/openstack/reads-store.ts': `import '../store/part.ts'` },
  'worker-knows-core': { 'src/worker/reads-store.ts': `import '../store/part.ts'` },
  'api-knows-core': {
    'src/api/tricircle/reads-store.ts': `import '../../store/part.ts'`,
    'src/api/reads-openstack.ts': `import '../openstack/part.ts'`,
  },
  'faces-are-strangers': { 'src/api/tricircle/reads-native.ts': `import '../native/part.ts'` },
  'cli-only-composes': {
    'src/cli/reads-store.ts': `import '../store/part.ts'`,
    'src/cli/reads-sim-later.ts': `export const later = () => import('../../sim/part.ts')`,
  },
  'demo-brings-the-sim': { 'src/cli/demo.ts': `import '../store/part.ts'` },
  'config-is-alone': { 'src/config/config.ts': `import '../core/part.ts'` },
  'compose-never-imports-cli': { 'src/upkeep.ts': `import './cli/part.ts'` },
  'sim-is-a-witness': { 'sim/reads-core.ts': `import '../src/core/part.ts'` },
  'console-is-a-client': { 'console/reads-core.ts': `import '../src/core/part.ts'` },
  'src-never-imports-tests': {
    'src/reads-world.ts': `import '../test/world.ts'`,
    'bench/reads-world.ts': `import '../test/world.ts'`,
    'src/core/reads-its-test.ts': `import './part.test.ts'`,
  },
  'no-cycles': {
    'src/core/goes-round.ts': `import './goes-round-again.ts'`,
    // Of each cycle one file is named.
    'src/core/goes-round-again.ts': `import './goes-round.ts'`,
  },
  // No file goes round here: the folders do, and are named.
  'no-folder-cycles': {
    'src/core/east/goes-west.ts': `import '../west/part.ts'`,
    'src/core/west/goes-north.ts': `import '../north/part.ts'`,
    'src/core/north/goes-east.ts': `import '../east/part.ts'`,
  },
  'no-undeclared-packages': {
    'src/store/undeclared.ts': `import 'avvio' // which fastify brings`,
    'src/store/only-for-tests.ts': `import 'vitest'`,
  },
}

/** What may be, and a part in every folder for others to import. */
const innocent: Record<string, string> = {
  'src/core/part.ts': 'export type Part = 1',
  'src/core/part.test.ts': `import '../../test/world.ts'; import '../store/part.ts'; import 'vitest'`,
  'src/core/neighbour.ts': `import './part.ts'`,
  'src/core/east/part.ts': 'export {}',
  'src/core/west/part.ts': 'export {}',
  'src/core/north/part.ts': 'export {}',
  // A folder and one inside it may need each other.
  'src/core/south/part.ts': `import './inside/part.ts'`,
  'src/core/south/asked.ts': 'export {}',
  'src/core/south/inside/part.ts': `import '../asked.ts'; import '../../east/part.ts'`,
  'src/store/part.ts': `import '../core/part.ts'; import 'pg'; import 'node:fs'`,
  'src/openstack/part.ts': `import '../core/part.ts'; import 'undici'`,
  'src/config/part.ts': 'export {}',
  'src/worker/part.ts': `import '../core/part.ts'`,
  'src/api/part.ts': `import '../core/part.ts'; export type Part = 1`,
  'src/api/tricircle/part.ts': `import '../part.ts'; import '../../core/part.ts'; import './neighbour.ts'`,
  'src/api/tricircle/neighbour.ts': 'export {}',
  'src/api/native/part.ts': `import '../part.ts'`,
  'src/cli/part.ts': `import '../compose.ts'`,
  'src/cli/demo-data.ts': `import '../../sim/part.ts'; import '../core/part.ts'`,
  'src/compose.ts': `import './store/part.ts'; import './api/native/part.ts'; import './openstack/part.ts'`,
  'sim/part.ts': `import 'fastify'`,
  'bench/part.ts': `import '../src/store/part.ts'; import '../sim/part.ts'`,
  'test/world.ts': `import '../src/store/part.ts'; import '../sim/part.ts'`,
}

interface Violation {
  rule: { name: string }
  from: string
}

function cruise(): Violation[] {
  const files = { ...innocent, ...Object.assign({}, ...Object.values(planted)) } as Record<string, string>
  for (const [path, line] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), `${line}\n`)
  }
  for (const name of ['package.json', 'tsconfig.json'])
    writeFileSync(join(folder, name), readFileSync(join(root, name)))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const config = join(root, '.dependency-cruiser.cjs')
  const folders = ['src', 'sim', 'bench', 'console', 'test']
  const json = execFileSync(process.execPath, [program, '--config', config, '-T', 'json', ...folders], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64e6,
  })
  return (JSON.parse(json) as { summary: { violations: Violation[] } }).summary.violations
}

describe('the import rules', () => {
  const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
    forbidden: { name: string; severity: string }[]
  }
  const found = cruise()
  const offenders = (name: string) => [
    ...new Set(found.filter(({ rule }) => rule.name === name).map(({ from }) => from)),
  ]

  it('have a violation planted here for each of them, and each is an error', () => {
    expect(forbidden.map(rule => rule.name).sort()).toEqual(Object.keys(planted).sort())
    for (const { name, severity } of forbidden) expect([name, severity]).toEqual([name, 'error'])
  })

  it.each(Object.entries(planted))('catch what breaks %s', (name, files) => {
    if (name === 'no-folder-cycles') {
      const folders = Object.keys(files).map(dirname)
      const caught = offenders(name).filter(from => from.startsWith('src/core/'))
      return expect(caught.sort()).toEqual(folders.sort())
    }
    const caught = offenders(name).filter(from => from in files)
    if (name === 'no-cycles') expect(caught).toHaveLength(1)
    else expect(caught.sort()).toEqual(Object.keys(files).sort())
  })

  it('leave in peace what may be', () => {
    expect(found.map(({ from }) => from).filter(from => from in innocent)).toEqual([])
  })
})

describe('the check of the import rules', () => {
  /** What it says of one file in a folder of its own, by a configuration with these options. */
  function check(options: object): { status: number | null; stdout: string } {
    const own = mkdtempSync(join(folder, 'check-'))
    mkdirSync(join(own, 'src'))
    writeFileSync(join(own, 'src/part.ts'), 'export {}\n')
    writeFileSync(
      join(own, '.dependency-cruiser.cjs'),
      `module.exports = ${JSON.stringify({ forbidden: [], options })}`,
    )
    return spawnSync(process.execPath, [join(root, 'scripts/rules.mjs'), 'src'], {
      cwd: own,
      encoding: 'utf8',
    })
  }

  it('says how many files it has read', () => {
    expect(check({ tsPreCompilationDeps: true })).toMatchObject({
      status: 0,
      stdout: '1 of 1 files read, 0 imports, 0 against the rules\n',
    })
  })

  it('fails when it has not read a file that is there', () => {
    const { status, stdout } = check({ exclude: 'part' })
    expect([status, stdout]).toEqual([
      1,
      'Not read: src/part.ts\n0 of 1 files read, 0 imports, 0 against the rules\n',
    ])
  })
})

describe('core', () => {
  /** What the compiler says of this line in a file of core. */
  function complaints(line: string): string[] {
    const config = join(root, 'src/core/tsconfig.json')
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(config, ts.sys.readFile).config,
      ts.sys,
      dirname(config),
    )
    const planted = join(root, 'src/core/planted.ts')
    const host = ts.createCompilerHost(options)
    const { fileExists, getSourceFile } = host
    host.fileExists = path => path === planted || fileExists(path)
    host.getSourceFile = (path, version) =>
      path === planted
        ? ts.createSourceFile(path, `${line}\nexport {}`, version)
        : getSourceFile(path, version)
    const program = ts.createProgram(
      [planted],
      { ...options, incremental: false, tsBuildInfoFile: undefined! },
      host,
    )
    const source = program.getSourceFile(planted)
    return ts
      .getPreEmitDiagnostics(program, source)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
  }

  it('cannot name what is outside', () => {
    const names = [
      'fetch',
      'process',
      'setTimeout',
      'setInterval',
      'crypto',
      'console',
      'URL',
      'Buffer',
      'performance',
      'require',
    ]
    const said = complaints(names.map(name => `void ${name}`).join('\n'))
    for (const name of names) expect(said.join('\n')).toContain(`Cannot find name '${name}'`)
  })

  it('can name what needs nothing from outside', () => {
    expect(
      complaints(`export const x = [new Date(0), new Map(), 'a'.isWellFormed(), [1].toSorted()]`),
    ).toEqual([])
  })

  it('asks nobody what time it is, and rolls no dice: both come through its ports', () => {
    expect(impure('const a = Date.now()')).toBe(true)
    expect(impure('const a = new Date()')).toBe(true)
    expect(impure('const a = Math.random()')).toBe(true)
    expect(impure('const a = new Date(b) // not new Date()')).toBe(false)
    for (const path of sources('src/core'))
      expect([path, impure(readFileSync(path, 'utf8'))]).toEqual([path, false])
  })

  const impure = (text: string): boolean =>
    /\bDate\.now\b|\bnew Date(\(\s*\)|(?!\s*\())|\bMath\.random\b/.test(withoutComments(text))
})

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')

describe('a test', () => {
  /** Files of the tests that may name a timer, each with the reason. */
  const may: Readonly<Record<string, string>> = {
    'test/wait.ts': 'is the one that waits for conditions',
    'test/rules.test.ts': 'names what it refuses',
    'test/sim/swapped.test.ts': 'turns the simulator’s timer by hand',
    'test/faults/no-cut.mjs': 'takes a timer of the program away and sets none',
  }
  const timers =
    /\b(setTimeout|setInterval)\b|\bAtomics\.wait\b|\bvi\.(waitFor|waitUntil)\b|\bexpect\s*\.poll\b/
  const hasShare = /\bSOAK\b|import \{[^}]*\b(sized|share|spread)\b[^}]*\} from '[^']*chance\.ts'/
  const hasTimer = (text: string): boolean => timers.test(withoutComments(text))
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ts|mjs)$/.test(name))
    .map(name => join(root, 'test', name))

  it.each([
    `import { setTimeout as sleep } from 'node:timers/promises'`,
    `await new Promise(resolve => setTimeout(resolve, 20))`,
    `const timer = setInterval(look, 5)`,
    `Atomics.wait(cells, 0, 0, 100)`,
    `await vi.waitFor(() => expect(seen).toBe(true))`,
    `await expect.poll(() => seen, { timeout: 5000 }).toBe(true)`,
  ])('with a timer of its own is found out: %s', line => {
    expect(hasTimer(line)).toBe(true)
  })

  it.each([
    `await until(() => seen, { what: 'it is seen' })`,
    `import { setImmediate as turn } from 'node:timers/promises'`,
    `// not setTimeout`,
    `it('costs the time-out', { timeout: 600_000 }, run)`,
  ])('without one is left in peace: %s', line => {
    expect(hasTimer(line)).toBe(false)
  })

  it('waits by test/wait.ts alone', () => {
    const having = files.filter(path => hasTimer(readFileSync(path, 'utf8')))
    expect(having.map(path => relative(root, path)).sort()).toEqual(Object.keys(may).sort())
    expect(files.length).toBeGreaterThan(100)
  })

  it('that is only a share of itself in `npm test` is whole in `npm run test:soak`', () => {
    const longer = [...files, ...tests('src')]
      .filter(path => path.endsWith('.test.ts') && basename(path) !== 'rules.test.ts')
      .filter(path => hasShare.test(withoutComments(readFileSync(path, 'utf8'))))
      .map(path => relative(root, path))
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const whole: string[] = scripts['test:soak'].split(' vitest run ')[1].split(' ')
    expect(longer.filter(path => !whole.some(named => path.startsWith(named)))).toEqual([])
    expect(whole.filter(named => !longer.some(path => path.startsWith(named)))).toEqual([])
    expect(longer.length).toBeGreaterThan(20)
  })

  it('is tried once: what fails has failed', () => {
    for (const name of ['vitest.config.ts', 'vitest.lab.config.ts'])
      expect(readFileSync(join(root, name), 'utf8')).not.toMatch(/\bretry\b/)
  })
})

function typescript(path: string): string[] {
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(root, path, name))
}

/** The TypeScript files below a folder that ship: no tests. */
function sources(path: string): string[] {
  return typescript(path).filter(file => !file.endsWith('.test.ts'))
}

function tests(path: string): string[] {
  return typescript(path).filter(file => file.endsWith('.test.ts'))
}

describe('the rooms of core/network', () => {
  const place = join(root, 'src/core/network')
  const rooms = readdirSync(place, { withFileTypes: true }).flatMap(one =>
    one.isDirectory() ? one.name : [],
  )
  const table = readFileSync(join(root, 'docs/architecture.md'), 'utf8').split('### The rooms of')[1]!
  const inOrder = [...table.split('\n###')[0]!.matchAll(/^\| `(\w+)`/gm)].map(([, room]) => room!)

  it('are those of the architecture, and import one another in its order', () => {
    expect(inOrder.toSorted()).toEqual(rooms.toSorted())
    const backwards = sources('src/core/network').flatMap(path =>
      [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)].flatMap(([, imported]) => {
        const [from, to] = [path, join(dirname(path), imported!)].map(file => relative(place, file))
        const [here, there] = [from!, to!].map(file => inOrder.indexOf(file.split('/')[0]!))
        const isOut = to!.startsWith('..')
        return here !== -1 && !isOut && (there === -1 || there! > here!) ? [`${from} -> ${to}`] : []
      }),
    )
    expect(backwards).toEqual([])
  })

  it('have at most 12 files each, and src has at most 5 beside its folders', () => {
    const filesIn = (path: string) => readdirSync(path).filter(name => name.endsWith('.ts')).length
    for (const room of ['.', ...rooms]) expect([room, filesIn(join(place, room)) <= 12]).toEqual([room, true])
    expect(filesIn(join(root, 'src'))).toBeLessThanOrEqual(5)
  })
})

describe('every file that ships', () => {
  const files = ['src', 'sim', 'bench'].flatMap(sources)

  it('has at most 350 lines', () => {
    const long = files.filter(path => readFileSync(path, 'utf8').split('\n').length - 1 > 350)
    expect(long).toEqual([])
    expect(files.length).toBeGreaterThan(50)
  })

  it('says in its first line what it holds', () => {
    const silent = files.filter(path => !/^(#!.*\n)?\/\/ \S/.test(readFileSync(path, 'utf8')))
    expect(silent).toEqual([])
  })

  it('has a name that says something', () => {
    const empty = /(^|-)(utils?|helpers?|managers?|common|misc|base|impl)(-|\.|$)/
    expect(files.filter(path => empty.test(basename(path)))).toEqual([])
  })
})

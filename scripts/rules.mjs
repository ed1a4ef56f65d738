// `npm run rules`: the import rules over these folders. A check that has not read every file there says so and fails:
// with a compiler that it does not know, dependency-cruiser reads none, and finds nothing wrong with that.

import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folders = process.argv.slice(2)
const program = fileURLToPath(
  new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url),
)
const json = execFileSync(
  process.execPath,
  [program, '--config', '.dependency-cruiser.cjs', '-T', 'json', ...folders],
  { encoding: 'utf8', maxBuffer: 256e6 },
)
const { modules, summary } = JSON.parse(json)

const read = new Set(modules.map(({ source }) => source))
const files = folders
  .flatMap(folder => readdirSync(folder, { recursive: true }).map(name => `${folder}/${name}`))
  .filter(path => path.endsWith('.ts'))
const unread = files.filter(path => !read.has(path))

for (const { rule, from, to, cycle } of summary.violations)
  console.log(`${rule.name}: ${[from, ...(cycle?.map(({ name }) => name) ?? [to])].join(' -> ')}`)
if (unread.length > 0)
  console.log(`Not read: ${unread.slice(0, 10).join(', ')}${unread.length > 10 ? ', …' : ''}`)
console.log(
  `${files.length - unread.length} of ${files.length} files read, ${summary.totalDependenciesCruised} imports, ` +
    `${summary.violations.length} against the rules`,
)
if (files.length === 0 || unread.length > 0 || summary.violations.length > 0) process.exitCode = 1

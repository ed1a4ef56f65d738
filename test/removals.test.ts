// The page of all that Atoll removes by itself is the table in the code, and the table names files that are there.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { computeRemovals, networkRemovals, type Removal } from '../src/core/removals.ts'

const section = (title: string, rows: readonly Removal[]): string =>
  [
    `## ${title}`,
    ...rows.map(({ what, by, proof, whenTheProofIsALie, where }) =>
      [
        `### ${what}`,
        `- By: ${by}`,
        `- Proof: ${proof}`,
        `- When the proof is a lie: ${whenTheProofIsALie}`,
        `- Where: ${where.map(file => `\`${file}\``).join(', ')}`,
      ].join('\n'),
    ),
  ].join('\n\n')

const page = `# All that Atoll removes by itself

Each removal answers two questions: was it a verb, and can we see at all. This page is made from \`src/core/removals.ts\`
by its test.

${section('Neutron', networkRemovals)}

${section('Nova, Placement and providers', computeRemovals)}
`

it('is docs/removals.md', async () => {
  await expect(page).toMatchFileSnapshot('../docs/removals.md')
})

it('names files that there are', () => {
  const root = resolve(import.meta.dirname, '..')
  const files = [...networkRemovals, ...computeRemovals].flatMap(({ where }) => where)
  expect(files.filter(file => !existsSync(resolve(root, file)))).toEqual([])
})

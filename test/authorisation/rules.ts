// The rules of Neutron's policy, as `oslopolicy-sample-generator --namespace neutron` lists them: of release 21 (Zed) and
// of release 26 (2025.1), each with the first request that it is documented for.

import { readFileSync } from 'node:fs'

export interface NeutronRule {
  readonly name: string
  readonly releases: readonly string[]
  /** Null for a word that other rules are made of: no request asks for it. */
  readonly request: { readonly method: string; readonly path: string } | null
}

const text = readFileSync(new URL('neutron-rules.txt', import.meta.url), 'utf8')

export const neutronRules: readonly NeutronRule[] = text
  .split('\n')
  .filter(line => line !== '')
  .map(line => {
    const [name, releases, method, path] = line.split(' ') as [string, string, string, string | undefined]
    return { name, releases: releases.split(','), request: path ? { method, path } : null }
  })

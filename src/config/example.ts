// Makes atoll.example.yaml from the settings' schema.

import { isOpen, leaves } from './schema.ts'

/** The text of atoll.example.yaml: every key with what it is for and its default. */
export function exampleConfig(): string {
  const lines = [
    '# All settings of Atoll, each with its default. What has none is commented out.',
    '# Each is an environment variable too: identity.auth_url is ATOLL_IDENTITY_AUTH_URL.',
  ]
  let section = ''
  for (const { path, type } of leaves()) {
    const [first = '', second] = path
    if (isOpen(type)) {
      lines.push('', `${first}:`, `  # ${type.description}`, `  # NAME: {}`)
      section = first
      continue
    }
    const indent = second === undefined ? '' : '  '
    if (second !== undefined && first !== section) lines.push('', `${first}:`)
    else if (second === undefined) lines.push('')
    section = first
    if (type.description) lines.push(`${indent}# ${type.description}`)
    const fallback = type.safeParse(undefined)
    const value = fallback.success && fallback.data !== undefined ? ` ${JSON.stringify(fallback.data)}` : ''
    lines.push(`${indent}${value ? '' : '# '}${path.at(-1)}:${value}`)
  }
  return `${lines.join('\n')}\n`
}

// The unmodified `openstack` command, as a test runs it, and an Atoll that it finds in the catalog.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { World } from '../world.ts'

const command = '/usr/bin/openstack'

/** Why the command cannot be tried, as the end of a test's name; empty where it can. Says so in the output too. */
export function withoutOpenstack(what: string): string {
  if (existsSync(command)) return ''
  const reason = ` (skipped: there is no ${command}; Debian has it in python3-openstackclient)`
  console.log(`${what} were not tried${reason}`)
  return reason
}

/** Puts a world's API behind a real socket, and has the catalog say where. */
export async function announce(w: World): Promise<void> {
  const { port } = await w.listen()
  for (const endpoint of w.cloud.keystone.state.endpoints.values())
    endpoint.url = endpoint.url.replace('http://127.0.0.1:19999', `http://127.0.0.1:${port}`)
}

export interface Said {
  /** What each command that answers with JSON printed. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it wants from an answer
  readonly json: any[]
  /** What was complained about. */
  readonly said: string
}

/** Gives these commands to one `openstack` process, since its start is what takes time. */
export async function openstack(
  authUrl: string,
  lines: readonly string[],
  { user = 'demo', region = 'CentralRegion' }: { user?: 'admin' | 'demo'; region?: string } = {},
): Promise<Said> {
  const env = {
    PATH: process.env.PATH,
    OS_AUTH_URL: authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: user,
    OS_PASSWORD: 'atoll',
    OS_PROJECT_NAME: user,
    OS_USER_DOMAIN_ID: 'default',
    OS_PROJECT_DOMAIN_ID: 'default',
    OS_REGION_NAME: region,
  }
  const child = spawn(command, { env, timeout: 240_000 })
  child.stdin.end(`${lines.join('\n')}\n`)
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)])
  const json = out
    .split(/^(?=[[{]$|\[\]|\{\})/m)
    .filter(part => /^[[{]/.test(part))
    .map(part => JSON.parse(part))
  return { json, said }
}

export const json = (line: string): string => `${line} -f json`

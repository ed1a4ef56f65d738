// Takes away what exchanges leave behind in a real Neutron: by now nobody knows the ids, but all bear the prefix.

import type { Target } from './play.ts'

interface Row {
  id: string
  name: string
  project_id: string
}

export async function sweep(target: Target, prefix: string): Promise<void> {
  const isOurs = ({ name, project_id }: Row) => name.startsWith(prefix) || project_id.startsWith(prefix)
  for (const network of (await list(target, 'networks', 'networks')).filter(isOurs)) {
    for (const port of await list(target, `ports?network_id=${network.id}`, 'ports')) {
      await call(target, 'DELETE', `ports/${port.id}`)
    }
    await call(target, 'DELETE', `networks/${network.id}`)
  }
  for (const group of (await list(target, 'security-groups', 'security_groups')).filter(isOurs)) {
    await call(target, 'DELETE', `security-groups/${group.id}`)
  }
}

async function list(target: Target, path: string, key: string): Promise<Row[]> {
  const response = await call(target, 'GET', path)
  return ((await response.json()) as Record<string, Row[]>)[key] ?? []
}

function call(target: Target, method: string, path: string): Promise<Response> {
  return fetch(`${target.url}/v2.0/${path}`, {
    method,
    headers: { 'x-auth-token': target.token('admin') ?? '' },
  })
}

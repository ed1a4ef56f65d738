// Providers under test behind their guard: the widest lines, names that resolve as told, and what a look comes to.
import { expect } from 'vitest'
import type { ProviderLogin } from '../../src/core/capacity/provider-cloud.ts'
import type { Lookup } from '../../src/openstack/egress.ts'
import { createProviders, type EgressRefusal, type ProvidersSettings } from '../../src/openstack/provider.ts'

/** As wide as lines can be that name no special address. */
export const wide = ['http', 'https'].flatMap(scheme => [
  `${scheme}://0.0.0.0/0:1-65535`,
  `${scheme}://[::/0]:1-65535`,
  `${scheme}://localhost:1-65535`,
  `${scheme}://a.test:1-65535`,
])

export const names: Lookup = async host =>
  host === 'localhost' ? ['127.0.0.1', '::1'] : host === 'a.test' ? ['127.0.0.1'] : []

export const login = (endpoint: string): ProviderLogin => ({
  endpoint,
  username: 'u',
  password: 'p',
  userDomain: null,
  project: { id: null, name: 'p', domain: null },
  region: null,
})
export const requestId = 'req-7d0a2a3c-5c0e-4d0f-9f1a-1f2b3c4d5e6f'

/** What looking at a provider comes to. */
export async function look(
  endpoint: string,
  settings: ProvidersSettings,
): Promise<{ error: unknown; why: string[] }> {
  const why: string[] = []
  const onRefusal = (refusal: EgressRefusal): void => void why.push(refusal.why)
  const providers = createProviders({ timeoutMs: 60_000, ...settings, onRefusal })
  const error = await providers
    .provider(login(endpoint), requestId)
    .look()
    .then(
      () => null,
      thrown => thrown,
    )
  await providers.close()
  return { error, why }
}

export const isRefused = (service = 'Keystone') =>
  expect.objectContaining({ code: 'upstream', detail: { service, reason: 'endpoint_refused' } })

// Where services are: what the catalog says, how long it is believed, and which URLs are never called.
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { type CatalogOptions, createCatalog } from '../../src/openstack/catalog.ts'
import { createSession } from '../../src/openstack/session.ts'
import { keystone, sendJson, tokenBody } from './servers.ts'

async function catalogOf(
  urls: Readonly<Record<string, string>>,
  options: CatalogOptions = {},
  logIn?: (response: ServerResponse, number: number) => void,
) {
  const server = await keystone(urls, logIn ? { logIn } : {})
  const session = createSession({
    authUrl: server.url,
    username: 'a',
    password: 'b',
    projectName: 'c',
    timeoutMs: 60_000,
  })
  return {
    catalog: createCatalog(session, options),
    seen: server.seen,
    async [Symbol.asyncDispose]() {
      await session.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('by type, region and interface, with one question to Keystone for all', async () => {
  await using c = await catalogOf({ network: 'http://n:9696/', compute: 'http://c/v2.1' })
  expect(await c.catalog.url('Pod1', 'network')).toBe('http://n:9696')
  expect(await c.catalog.url('Pod1', 'compute')).toBe('http://c/v2.1')
  expect(await c.catalog.endpoints()).toEqual([
    { region: 'Pod1', serviceType: 'network', url: 'http://n:9696' },
    { region: 'Pod1', serviceType: 'compute', url: 'http://c/v2.1' },
  ])
  expect(c.seen).toHaveLength(1)
  await using inside = await catalogOf({ network: 'http://n' }, { interface: 'internal' })
  expect(await inside.catalog.url('Pod1', 'network')).toBe('http://n/inside')
})

test('what is missing is named, with the regions that have it, and not asked for on every call', async () => {
  await using c = await catalogOf({ network: 'http://n' })
  for (let n = 0; n < 20; n++) {
    await expect(c.catalog.url('Pod7', 'network')).rejects.toMatchObject({
      code: 'upstream',
      message: 'the catalog has no public endpoint of type network in region Pod7; it has one in Pod1',
      detail: { region: 'Pod7', service: 'network', reason: 'no_endpoint' },
    })
  }
  expect(c.seen.length).toBeLessThanOrEqual(2)
})

test.each([
  'ftp://n',
  'http://user:word@n:9696',
  'http://n/#x',
  'http://n/?x=1',
  'http://n/a b',
  'http://n\r\nx: y',
  'http://[',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'n:9696',
  '',
])('the URL %j is never called, and no password is shown', async url => {
  await using c = await catalogOf({ network: url })
  const refused = c.catalog.url('Pod1', 'network')
  await expect(refused).rejects.toMatchObject({ code: 'upstream', detail: { reason: 'endpoint_refused' } })
  await expect(refused).rejects.not.toThrow('word')
  expect(await c.catalog.endpoints()).toEqual([])
})

test('the operator says which URLs may be called', async () => {
  const allowed = (url: URL): boolean => url.protocol === 'https:' && url.hostname.endsWith('.cloud')
  await using c = await catalogOf(
    { network: 'https://n.cloud', compute: 'http://169.254.169.254' },
    { allowed },
  )
  expect(await c.catalog.url('Pod1', 'network')).toBe('https://n.cloud')
  await expect(c.catalog.url('Pod1', 'compute')).rejects.toMatchObject({
    detail: { reason: 'endpoint_refused' },
  })
})

test('what Keystone said once is believed while it is away', async () => {
  await using c = await catalogOf({}, {}, (response, number) => {
    if (number > 1) sendJson(response, 503, {})
    else sendJson(response, 201, tokenBody({ network: 'http://n' }), { 'x-subject-token': 't' })
  })
  expect(await c.catalog.url('Pod1', 'network')).toBe('http://n')
  await expect(c.catalog.url('Pod7', 'network')).rejects.toMatchObject({ detail: { reason: 'no_endpoint' } })
  expect(await c.catalog.url('Pod1', 'network')).toBe('http://n')
})

test('without a word from Keystone there is no catalog', async () => {
  await using c = await catalogOf({}, {}, response => sendJson(response, 503, {}))
  await expect(c.catalog.url('Pod1', 'network')).rejects.toMatchObject({ code: 'unavailable' })
  await expect(c.catalog.endpoints()).rejects.toMatchObject({ code: 'unavailable' })
})

// Lists of leases: whole as the original’s, and, as additions of ours, filtered, sorted and in pages.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Reply, type Served } from '../../world.ts'

const maximum = 4
const w = await fileWorld({ settings: { ATOLL_API_PAGE_LIMIT: String(maximum) } })
let s: Served
beforeAll(async () => {
  s = await w.listen()
  await w.call('POST', '/v1.0/pods', { body: { pod: { region_name: 'Pod1', az_name: 'az' } } })
  w.setTime(new Date('2020-01-01T12:00:00Z'))
  await w.call('POST', '/v1/os-hosts', { body: { name: 'pod1-host1' } })
  for (const [n, name] of names.entries()) {
    w.setTime(new Date(Date.UTC(2020, 0, 1, 12, 0, n)))
    await create({ name, start_date: `2020-02-0${9 - n} 10:00`, end_date: `2020-02-2${n} 10:00` })
  }
  const reservations = [
    { resource_type: 'physical:host', min: 1, max: 1, hypervisor_properties: '', resource_properties: '' },
  ]
  w.setTime(new Date('2020-01-01T12:01:00Z'))
  await create(
    { name: 'admins', start_date: '2020-05-01 10:00', end_date: '2020-05-02 10:00', reservations },
    'admin',
  )
})

const names = ['c', 'a', 'f', 'b', 'e', 'd']
const at = '/reservation/v1/leases'
async function create(body: object, as: 'admin' | 'demo' = 'demo'): Promise<void> {
  const reply = await w.call('POST', at, { as, body })
  if (reply.status !== 201) throw new Error(reply.text)
}
const list = (query = '', as: 'admin' | 'demo' = 'demo') => w.call('GET', `${at}${query}`, { as })
const namesOf = (reply: Reply): string[] => {
  expect(reply.status, reply.text).toBe(200)
  return reply.json.leases.map((lease: { name: string }) => lease.name)
}

describe('a list of leases', () => {
  it('is whole, the oldest first, though a page would be shorter', async () => {
    const reply = await list()
    expect(namesOf(reply)).toEqual(names)
    expect(Object.keys(reply.json)).toEqual(['leases'])
    expect(namesOf(await list('?foo=1&foo=2&all_projects=x'))).toEqual(names)
    expect(namesOf(await list('', 'admin'))).toEqual([...names, 'admins'])
  })

  it('shows each lease as it is shown alone', async () => {
    const [first] = (await list()).json.leases
    expect((await w.call('GET', `${at}/${first.id}`)).json).toEqual({ lease: first })
  })

  it.each<[string, string[]]>([
    ['name=f', ['f']],
    ['name=F', []],
    ['status=pending', names],
    ['status=ACTIVE', []],
    ['degraded=false', names],
    ['degraded=True', []],
    ['resource_type=physical:host', []],
    ['resource_type=nothing', []],
    ['region=Pod1', []],
    ['region=Nowhere', []],
    ['start_before=2020-02-06%2010:00', ['e', 'd']],
    ['end_after=2020-02-23%2010:00', ['e', 'd']],
    ['start_before=2020-2-7%2010:00&end_after=2020-2-21%2010:00', ['b', 'e', 'd']],
    [`user_id=${randomUUID()}`, []],
    ['project_id=elsewhere', []],
  ])('is filtered: %s', async (query, expected) => {
    expect(namesOf(await list(`?${query}`))).toEqual(expected)
  })

  it('is filtered for an admin by project, user, region and type', async () => {
    const { keystone } = w.cloud
    expect(namesOf(await list(`?project_id=${keystone.projectId('demo')}`, 'admin'))).toEqual(names)
    expect(namesOf(await list(`?project_id=${keystone.projectId('demo')}`))).toEqual(names)
    expect(namesOf(await list(`?user_id=${keystone.userId('admin')}`, 'admin'))).toEqual(['admins'])
    expect(namesOf(await list('?region=Pod1', 'admin'))).toEqual(['admins'])
    expect(namesOf(await list('?resource_type=physical:host', 'admin'))).toEqual(['admins'])
  })

  it.each<[string, string[]]>([
    ['sort=name', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['sort=name:desc', ['f', 'e', 'd', 'c', 'b', 'a']],
    ['sort_key=start_date', names.toReversed()],
    ['sort_key=end_date&sort_dir=desc', names.toReversed()],
    ['sort=created_at:desc', names.toReversed()],
    ['sort_dir=desc', names.toReversed()],
  ])('is sorted: %s', async (query, expected) => {
    expect(namesOf(await list(`?${query}`))).toEqual(expected)
  })

  it.each([
    ['sort=start_date', 2],
    ['sort=name:desc', 1],
    ['sort_key=status&sort_dir=desc', 3],
    ['name=a', 1],
    ['sort=id', 4],
  ])('comes in pages, each with a link while more remain: %s', async (query, limit) => {
    const whole = namesOf(await list(`?${query}`))
    const found: string[] = []
    let path = `${at}?${query}&limit=${limit}`
    for (;;) {
      const reply = await w.call('GET', path, { as: 'demo', headers: { host: 'atoll.example.org' } })
      const page = namesOf(reply)
      found.push(...page)
      const isLast = found.length === whole.length
      expect(Object.keys(reply.json)).toEqual(isLast ? ['leases'] : ['leases', 'leases_links'])
      if (isLast) break
      expect(page).toHaveLength(limit)
      const [link] = reply.json.leases_links
      expect(link).toEqual({
        rel: 'next',
        href: expect.stringMatching(/^http:\/\/atoll\.example\.org\/reservation\/v1\/leases\?/),
      })
      path = link.href.replace('http://atoll.example.org', '')
    }
    expect(found).toEqual(whole)
  })

  it('links to the next page at the mount that was asked', async () => {
    const headers = { host: 'a.example.org' }
    const href = async (path: string) =>
      (await w.call('GET', `${path}?limit=1&marker=`.replace('&marker=', ''), { headers })).json
        .leases_links?.[0].href
    expect(await href('/v1/leases')).toMatch(
      /^http:\/\/a\.example\.org\/v1\/leases\?limit=1&marker=[0-9a-f-]{36}$/,
    )
    expect(await href('/reservation/v1/leases.json')).toMatch(
      /^http:\/\/a\.example\.org\/reservation\/v1\/leases\?/,
    )
  })

  it.each(['0', '-1', '99999999999', String(maximum + 1)])(
    'takes the limit %s for the maximum',
    async limit => {
      expect(namesOf(await list(`?limit=${limit}`))).toEqual(names.slice(0, maximum))
    },
  )

  it('goes on after a marker, to the end where there is no limit', async () => {
    const { leases } = (await list()).json
    expect(namesOf(await list(`?marker=${leases[1].id}`))).toEqual(names.slice(2))
    expect(namesOf(await list(`?marker=${leases[5].id}`))).toEqual([])
  })

  it.each<[string, number, string]>([
    ['limit=abc', 400, "Limit should be an integer or a valid literal for int() rather than 'abc'"],
    ['limit=1.5', 400, "Limit should be an integer or a valid literal for int() rather than '1.5'"],
    ['marker=abc', 404, 'There is no lease abc'],
    [
      'marker=00000000-0000-4000-8000-000000000000',
      404,
      'There is no lease 00000000-0000-4000-8000-000000000000',
    ],
    [
      'status=HAPPY',
      400,
      'There is no status HAPPY: a lease is PENDING, STARTING, ACTIVE, UPDATING, TERMINATING, TERMINATED, DELETING, ERROR',
    ],
    ['degraded=maybe', 400, 'The parameter degraded is true or false, not maybe'],
    ['start_before=yesterday', 400, 'yesterday is an invalid date. Required format: %Y-%m-%d %H:%M'],
    ['end_after=', 400, ' is an invalid date. Required format: %Y-%m-%d %H:%M'],
    [
      'sort=colour',
      400,
      'Leases are not sorted by colour, but by one of created_at, name, start_date, end_date, status, id',
    ],
    ['sort=name:up', 400, 'The direction of a sort is asc or desc, not up'],
    ['sort_dir=down', 400, 'The direction of a sort is asc or desc, not down'],
    ['name=a&name=b', 400, 'The parameter name is given 2 times'],
    ['limit=1&limit=1', 400, 'The parameter limit is given 2 times'],
  ])('is refused for the query %s', async (query, status, sentence) => {
    const reply = await list(`?${query}`)
    expect([reply.status, reply.json.error_message]).toEqual([status, sentence])
  })
})

it('a long list is written piece by piece, and is the same JSON', async () => {
  const leases = w.app.store.leases as { list: (typeof w.app.store.leases)['list'] }
  const { list: before } = leases
  const query = {
    filter: { projectId: null },
    sort: 'name',
    descending: false,
    limit: 1,
    marker: null,
  } as const
  const [one] = (await before.call(leases, query))!
  leases.list = async () => Array.from({ length: 3_001 }, (_, n) => ({ ...one!, name: `lease-${n}` }))
  try {
    const reply = await s.ask('/v1/leases', { headers: { 'x-auth-token': await w.token('admin') } })
    expect(reply.status).toBe(200)
    expect(reply.headers['transfer-encoding']).toBe('chunked')
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['openstack-api-version']).toBe('reservation 1.0')
    expect(reply.json.leases).toHaveLength(3_001)
    expect(reply.json.leases[1_000].name).toBe('lease-1000')
    expect(reply.json.leases.at(-1).name).toBe('lease-3000')
  } finally {
    leases.list = before
  }
})

// Lists: filters, order, fields, pages and their links; what a caller may not see is never in one.

import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../../world/person.ts'
import { fileWorld } from '../../world.ts'

const greatest = 6
const w = await fileWorld({ joined: true, settings: { ATOLL_API_PAGE_LIMIT: String(greatest) } })
const alt = w.person('alt', ['member'])
const ids: Record<string, string> = {}
beforeAll(async () => {
  for (const name of ['c', 'a', 'b', 'e', 'd']) {
    const { id } = await w.demo.make('network', { name, mtu: name === 'a' ? 1300 : 1400 })
    ids[name] = id
  }
})

const list = async (query: string, who = w.demo) => (await who.get(`/networks?${query}`)).json
const namesOf = async (query: string, who = w.demo): Promise<string> => {
  const { networks } = await list(query, who)
  return networks.map(({ name }: { name: string }) => name).join('')
}
const up = 'sort_key=name&sort_dir=asc'

describe('the order', () => {
  it.each([
    [up, 'abcde'],
    ['sort_key=name&sort_dir=desc', 'edcba'],
    ['sort_key=mtu&sort_dir=desc&sort_key=name&sort_dir=desc', 'edcba'],
    ['sort_key=mtu&sort_dir=asc&sort_key=name&sort_dir=desc', 'aedcb'],
    ['sort_key=status&sort_dir=asc&sort_key=name&sort_dir=asc', 'abcde'],
    ['sort_key=tenant_id&sort_dir=asc&sort_key=name&sort_dir=asc', 'abcde'],
  ])('is as asked for: %s', async (query, names) => {
    expect(await namesOf(query)).toBe(names)
  })

  it('is that of the ids unless told', async () => {
    const { networks } = await list('')
    const listed = networks.map(({ id }: { id: string }) => id)
    expect(listed).toEqual(Object.values(ids).sort())
  })

  it.each([
    ['sort_key=name', 'The number of sort_keys and sort_dirs must be same'],
    ['sort_key=bogus&sort_dir=asc', "['bogus'] is invalid attribute for sort_keys"],
    ['sort_key=constructor&sort_dir=asc', "['constructor'] is invalid attribute for sort_keys"],
    ['sort_key=subnets&sort_dir=asc', "['subnets'] is invalid attribute for sort_keys"],
    ['sort_key=name&sort_dir=up', "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'"],
  ])('is none of %s', async (query, message) => {
    expect(errorOf(await w.demo.get(`/networks?${query}`))).toEqual([400, 'HTTPBadRequest', message])
  })
})

describe('a filter', () => {
  it.each([
    ['mtu=1300', 'a'],
    ['mtu=1300&mtu=1400', 'abcde'],
    ['name=a&name=b', 'ab'],
    ['name=a&mtu=1400', ''],
    ['name=', ''],
    ['description=', 'abcde'],
    ['description=x', ''],
    ['shared=false', 'abcde'],
    ['shared=yes', ''],
    ['router:external=True', ''],
    ['is_default=false', 'abcde'],
    ['is_default=1', ''],
    ['status=ACTIVE&admin_state_up=True', 'abcde'],
    ['status=DOWN', ''],
    ['revision_number=1', 'abcde'],
    ['revision_number=7', ''],
    ['revision_number=99999999999', ''],
    ['id=nope', ''],
    ['availability_zone_hints=x', ''],
    ['tags=red', ''],
    ['tags-any=red,blue', ''],
    ['not-tags=red', 'abcde'],
    ['not-tags-any=red', 'abcde'],
    ['atoll:regions=Pod1', ''],
    ['changed_since=2020-01-01T00:00:00Z', 'abcde'],
    ['changed_since=2020-01-01T00:00:00', 'abcde'],
    ['changed_since=2020-01-01T00:00:00%2B02:00', 'abcde'],
    ['changed_since=2020-01-01', 'abcde'],
    ['changed_since=2099-01-01T00:00:00Z', ''],
    ['bogus=1&subnets=x&dns_domain=x&port_security_enabled=false', 'abcde'],
  ])('keeps what it asks for: %s', async (query, names) => {
    expect(await namesOf(`${query}&${up}`)).toBe(names)
  })

  it('may be the ids of any of them', async () => {
    expect(await namesOf(`id=${ids.a}&id=${ids.b}&id=nope&${up}`)).toBe('ab')
  })

  it.each([
    ['mtu=abc', "Invalid input for operation: 'abc' is not an integer."],
    ['shared=abc', "Invalid input for operation: 'abc' cannot be converted to boolean."],
    ...['xyz', '12:00:00', '2020-13-01T00:00:00Z', '', '2020-01-01T99:00:00Z'].map(text => [
      `changed_since=${text}`,
      'Invalid input for operation: The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SSZ.',
    ]),
  ])('is refused that cannot be read: %s', async (query, message) => {
    expect(errorOf(await w.demo.get(`/networks?${query}`))).toEqual([400, 'InvalidInput', message])
  })

  it('of what only admins see is theirs', async () => {
    for (const query of ['provider:network_type=vlan', 'provider:segmentation_id=2000']) {
      const name = query.split('=')[0]
      expect(errorOf(await w.demo.get(`/networks?${query}`))).toEqual([
        403,
        'PolicyNotAuthorized',
        `(rule:get_network and rule:get_network:${name}) is disallowed by policy`,
      ])
    }
    expect(await namesOf(`provider:network_type=vlan&${up}`, w.admin)).toBe('abcde')
    expect(await namesOf(`provider:network_type=flat&${up}`, w.admin)).toBe('')
  })

  it('of a region keeps what is there', async () => {
    const { id } = await alt.make('network', { name: 'there', availability_zone_hints: ['Pod2'] })
    expect(await namesOf('atoll:regions=Pod2', alt)).toBe('there')
    expect(await namesOf('atoll:regions=Pod1&atoll:regions=Pod2', alt)).toBe('there')
    expect(await namesOf('atoll:regions=Pod1', alt)).toBe('')
    await alt.del(`/networks/${id}`)
  })
})

describe('the fields', () => {
  it('are those that are asked for, in lists and of one', async () => {
    expect((await list(`name=a&fields=name&fields=mtu&fields=bogus`)).networks).toEqual([
      { name: 'a', mtu: 1300 },
    ])
    const one = await w.demo.get(`/networks/${ids.a}?fields=name`)
    expect(one.json).toEqual({ network: { name: 'a' } })
    expect((await w.demo.get(`/networks/${ids.a}?fields=bogus`)).json).toEqual({ network: {} })
  })

  it('that only admins see are shown to nobody else', async () => {
    const query = 'name=a&fields=provider:network_type'
    expect((await list(query)).networks).toEqual([{}])
    expect((await list(query, w.admin)).networks).toEqual([{ 'provider:network_type': 'vlan' }])
  })
})

describe('a page', () => {
  const headers = { host: 'cloud.example.org' }
  const page = async (query: string, at = '/network/v2.0') => {
    const { json } = await w.demo.at('').get(`${at}/networks?${query}`, { headers })
    const names = json.networks.map(({ name }: { name: string }) => name).join('')
    const links = (json.networks_links ?? []).map(({ rel, href }: { rel: string; href: string }) => [
      rel,
      href,
    ])
    return { names, links: Object.fromEntries(links) as Record<string, string> }
  }
  const href = (query: string) => `http://cloud.example.org/network/v2.0/networks?${query}`

  it('has so many rows, and a link to the next while there are more', async () => {
    const query = `${up}&limit=2`
    expect(await page(query)).toEqual({ names: 'ab', links: { next: href(`${query}&marker=${ids.b}`) } })
    expect(await page(`${query}&marker=${ids.b}`)).toEqual({
      names: 'cd',
      links: {
        next: href(`${query}&marker=${ids.d}`),
        previous: href(`${query}&marker=${ids.c}&page_reverse=True`),
      },
    })
    expect(await page(`${query}&marker=${ids.d}`)).toEqual({
      names: 'e',
      links: { previous: href(`${query}&marker=${ids.e}&page_reverse=True`) },
    })
    expect(await page(`${query}&marker=${ids.e}`)).toEqual({
      names: '',
      links: { previous: href(`${query}&page_reverse=True`) },
    })
  })

  it('may be the one before', async () => {
    const query = `${up}&limit=2`
    expect((await page(`${query}&marker=${ids.d}&page_reverse=True`)).names).toBe('bc')
    expect(await page(`${query}&marker=${ids.a}&page_reverse=True`)).toEqual({
      names: '',
      links: { next: href(query) },
    })
    expect((await page(`${query}&page_reverse=true`)).names).toBe('de')
  })

  it('leads to all rows once, forwards and backwards, at either mount', async () => {
    for (const at of ['/network/v2.0', '/v2.0']) {
      const walk = async (rel: string, first: string) => {
        const seen: string[] = []
        for (let query: string | undefined = first; query !== undefined; ) {
          const { names, links } = await page(query, at)
          seen.push(names)
          query = links[rel]?.split('?')[1]
          if (links[rel]) expect(links[rel]).toContain(`${at}/networks?`)
        }
        return seen
      }
      expect(await walk('next', `${up}&limit=2`)).toEqual(['ab', 'cd', 'e'])
      expect(await walk('previous', `${up}&limit=2&page_reverse=True`)).toEqual(['de', 'bc', 'a'])
    }
  })

  it('keeps what else was asked for in its links', async () => {
    const { links } = await page(`limit=1&name=a&name=b&fields=name&${up}`)
    expect(links.next).toBe(href(`limit=1&name=a&name=b&fields=name&${up}&marker=${ids.a}`))
  })

  it('is no link where it is everything', async () => {
    for (const query of ['', 'limit=0', 'limit=5', `limit=${greatest}`, 'limit=99999999999'])
      expect((await page(query)).links).toEqual({})
  })

  it('is never greater than the operator allows, whatever the limit', async () => {
    const more = ['f', 'g', 'h']
    for (const name of more) await w.demo.make('network', { name })
    for (const limit of ['', '&limit=0', '&limit=99999999999']) {
      const { names, links } = await page(`${up}${limit}`)
      expect(names).toBe('abcdef')
      expect((await page(links.next!.split('?')[1]!)).names).toBe('gh')
    }
    const { networks } = await list('name=f&name=g&name=h')
    for (const { id } of networks) await w.demo.del(`/networks/${id}`)
  })

  it.each(['abc', '-1', '1.5', '1e2', ''])('is not of the size %j', async limit => {
    expect(errorOf(await w.demo.get(`/networks?limit=${limit}`))).toEqual([
      400,
      'BadRequest',
      `Bad limit request: Limit must be an integer 0 or greater and not '${limit}'.`,
    ])
  })

  it('does not start from what the caller does not see', async () => {
    const { id } = await w.admin.make('network', { name: 'hidden' })
    expect(errorOf(await w.demo.get(`/networks?limit=2&marker=${id}`)).slice(0, 2)).toEqual([
      404,
      'NetworkNotFound',
    ])
    await w.admin.del(`/networks/${id}`)
  })
})

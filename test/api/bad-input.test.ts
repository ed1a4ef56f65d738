// Bodies that cannot be right, at every route that takes one: a 400 that says where, and nothing stored.

import { Buffer } from 'node:buffer'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { seed, share } from '../chance.ts'
import { fileWorld } from '../world.ts'
import {
  allRoutes,
  type GoodRequest,
  goodRequests,
  type MountedRoute,
  pathWith,
  rowCounts,
} from './requests.ts'
import { expectShape, sentenceOf } from './shapes.ts'

const w = await fileWorld()

/** By route: the longest that each of its texts may be. */
const lengths: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'POST /v1.0/pods': { region_name: 255, az_name: 255, pod_az_name: 255, dc_name: 255 },
  'POST /v1.0/bindings': { tenant_id: 64, pod_id: 255 },
  'POST /v1.0/routings': { top_id: 127, bottom_id: 36, pod_id: 255, project_id: 36, resource_type: 64 },
  'PUT /v1.0/routings/:id': { top_id: 127, bottom_id: 36, pod_id: 255, project_id: 36, resource_type: 64 },
  'POST /v1.0/jobs': { type: 64, project_id: 64 },
  'POST /v1.0/job': { type: 64, project_id: 64 },
}
/** Those whose fields are the body itself; what they say of each is held to in `test/api/reservation/` and `native/`. */
const flat = [
  'POST /v1/leases',
  'PUT /v1/leases/:id',
  'POST /v1/os-hosts',
  'PUT /v1/os-hosts/:id',
  'PATCH /v1/os-hosts/properties/:name',
  'POST /atoll/v1/regions/:name/confirm',
]
/** Those that take no body; one that comes all the same must be readable, and is not looked at. */
const needsNone = ['PUT /v1.0/jobs/:id', 'PUT /v1.0/job/:id']

const all = allRoutes({ config: loadConfig(undefined, {}) })
/** Those of the Networking API; what they say of each attribute is held to in `test/api/network/`. */
const central = all.filter(
  ({ face, method }) => face === 'network' && method !== 'GET' && method !== 'DELETE',
)
/** Those of the Promise API; what they say of each value is held to in `test/promise/`. */
const promises = all.filter(({ face, method }) => face === 'promise' && method === 'POST')
/** Each once: the other mounts and names lead to the same code, and get one look below. */
const routes = all.filter(route => route.name in lengths && !route.own.endsWith('/job'))
const flatRoutes = all.filter(route => flat.includes(route.name))
const aliases = all.filter(
  route =>
    (route.own in lengths ||
      flat.includes(route.own) ||
      central.includes(route) ||
      promises.includes(route)) &&
    !((central.includes(route) || promises.includes(route)) && route.name === route.own) &&
    !routes.includes(route) &&
    !flatRoutes.includes(route),
)

it('is tried at every route that reads a body', () => {
  const readers = all.filter(route => ['POST', 'PUT', 'PATCH'].includes(route.method))
  const others = [...central, ...promises].map(({ own }) => own)
  const tried = new Set([...Object.keys(lengths), ...flat, ...needsNone, ...others])
  expect(new Set(readers.map(route => route.own))).toEqual(tried)
})

type Make = (good: GoodRequest) => string | Buffer

/** The good body with one field changed. */
const withField =
  (field: string, value: unknown): Make =>
  ({ body }) => {
    const [[key, object]] = Object.entries(body!) as [[string, unknown]]
    const isFlat = typeof object !== 'object'
    return JSON.stringify(isFlat ? { ...body, [field]: value } : { [key]: { ...object, [field]: value } })
  }

/** As text, with one field's JSON put in by hand. */
const withRaw =
  (raw: string): Make =>
  good =>
    String(withField('extra', '@@')(good)).replace('"@@"', raw)

const keyOf = ({ body }: GoodRequest): string => Object.keys(body!)[0]!
const fieldOf = ({ body }: GoodRequest): string => Object.keys(Object.values(body!)[0] as object)[0]!
const fieldText = (good: GoodRequest): string => `"${fieldOf(good)}"`

/** One a route: what is refused takes nothing of it. */
const goods = new Map<string, Promise<GoodRequest>>()

async function goodFor({ own }: MountedRoute): Promise<GoodRequest> {
  const good = goods.get(own) ?? goodRequests[own]!(w)
  goods.set(own, good)
  return good
}

async function refuse(route: MountedRoute, make: Make, given?: GoodRequest) {
  const good = given ?? (await goodFor(route))
  const before = await rowCounts(w)
  const path = pathWith(route.path, good.id)
  const reply = await w.call(route.method, path, { raw: make(good) })
  expect(await rowCounts(w), 'nothing is stored').toEqual(before)
  expectShape(reply, route)
  return { reply, said: sentenceOf(reply) }
}

const unreadable: [string, Make, RegExp][] = [
  ['cut off', ({ body }) => JSON.stringify(body).slice(0, -1), /closing brace at line 1, column \d+$/],
  ['cut off in a string', () => '{"a": "b', /a string without its closing quote at line 1, column 7$/],
  [
    'with a value missing',
    g => `{\n  "${keyOf(g)}": {\n    "x": }\n}`,
    /expected a value at line 3, column 10$/,
  ],
  [
    'with a comma too many',
    g => `{\n"${keyOf(g)}": {},\n}`,
    /expected a key in double quotes at line 3, column 1$/,
  ],
  ['with a colon missing', g => `{"${keyOf(g)}" {}}`, /expected a colon after the key at line 1/],
  ['with something after it', () => '{} {}', /expected nothing after the value at line 1, column 4$/],
  ['with a comment', () => '{}\n// done', /a comment, which JSON has not, at line 2, column 1$/],
  ['in single quotes', () => "{'a': 1}", /at line 1, column 2$/],
  ['of no JSON at all', () => 'top_id=1', /expected a value at line 1, column 1$/],
  ['with NaN', withRaw('NaN'), /at line 1, column \d+$/],
  ['with a hexadecimal number', withRaw('0x1F'), /at line 1, column \d+$/],
  ['with a leading zero', withRaw('01'), /at line 1, column \d+$/],
  ['with a bare line break in a string', withRaw('"a\nb"'), /at line 1, column \d+$/],
  ['with a byte order mark', g => `\ufeff${JSON.stringify(g.body)}`, /at line 1, column 1$/],
  ['with a NUL in a string', withRaw('"a\\u0000b"'), /a NUL character in a string at line 1, column \d+$/],
  ['with a NUL in a key', () => '{"a\\u0000": 1}', /a NUL character in a string at line 1, column 2$/],
  [
    'with a NUL byte in a string',
    withRaw('"a\0b"'),
    /a control character in a string at line 1, column \d+$/,
  ],
  [
    'with half a surrogate pair',
    withRaw('"\\ud800"'),
    /half of a surrogate pair in a string at line 1, column \d+$/,
  ],
  [
    'with the other half',
    withRaw('"\\udc00\\ud800"'),
    /half of a surrogate pair in a string at line 1, column \d+$/,
  ],
  ['with an unknown escape', withRaw('"\\x41"'), /an unknown escape at line 1, column \d+$/],
  ['with half an escape', withRaw('"\\u12"'), /a malformed \\u escape at line 1, column \d+$/],
  [
    'that is not UTF-8',
    () => Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
    /^The body is not UTF-8 text$/,
  ],
  [
    'with a surrogate in its bytes',
    () => Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    /^The body is not UTF-8 text$/,
  ],
  [
    'with a number beyond 2^53',
    withRaw('9007199254740993'),
    /a number too large to be kept exactly at line 1, column \d+$/,
  ],
  [
    'with a number beyond all',
    withRaw('1e999'),
    /a number too large to be kept exactly at line 1, column \d+$/,
  ],
  [
    'with a key twice',
    g => `{"${keyOf(g)}": {${fieldText(g)}: "1",\n${fieldText(g)}: "2"}}`,
    /the key ".+" a second time at line 2, column 1$/,
  ],
  [
    'with a key twice, the same value',
    g => `{"${keyOf(g)}": {${fieldText(g)}: "1", ${fieldText(g)}: "1"}}`,
    /the key ".+" a second time at line 1/,
  ],
  [
    'with a key twice, once escaped',
    () => '{"a": 1, "\\u0061": 1}',
    /the key "a" a second time at line 1, column 10$/,
  ],
  ['with the whole thing twice', g => `{"${keyOf(g)}": {}, "${keyOf(g)}": {}}`, /a second time at line 1/],
  [
    '1,000 levels deep',
    () => '['.repeat(1000) + ']'.repeat(1000),
    /more than 64 levels of nesting at line 1, column 65$/,
  ],
  [
    '1,000 levels deep below its key',
    g => `{"${keyOf(g)}": ${'{"a":'.repeat(1000)}1${'}'.repeat(1001)}`,
    /more than 64 levels of nesting/,
  ],
  [
    '1,000,000 levels deep and never closed',
    () => '['.repeat(1_000_000),
    /more than 64 levels of nesting at line 1, column 65$/,
  ],
]

const drawn = seed()
beforeAll(() => console.log(`bodies that cannot be read: SEED=${drawn}`))
/** Each route has some of them: not the same ones as the next. */
const unreadableFor = (route: MountedRoute) => share(unreadable, drawn + all.indexOf(route))

const notThere: [string, Make][] = [
  ['empty', () => ''],
  ['of blanks', () => ' \n\t '],
  ['that is an array', g => JSON.stringify([g.body])],
  ['that is a number', () => '1'],
  ['that is a string', g => JSON.stringify(keyOf(g))],
  ['that is null', () => 'null'],
  ['that is true', () => 'true'],
  ['that is an empty object', () => '{}'],
  ['under another key', ({ body }) => JSON.stringify({ other: Object.values(body!)[0] })],
  ['under __proto__', ({ body }) => `{"__proto__": ${JSON.stringify(body)}}`],
  ['under constructor', ({ body }) => `{"constructor": {"prototype": ${JSON.stringify(body)}}}`],
]

describe.each(routes)('$name', route => {
  it.each(unreadableFor(route))('says where a body goes wrong that comes %s', async (_, make, sentence) => {
    const { reply, said } = await refuse(route, make)
    expect([reply.status, said]).toEqual([400, expect.stringMatching(sentence)])
  })

  it.each(notThere)('finds nothing in a body %s', async (_, make) => {
    const { reply, said } = await refuse(route, make)
    const missing = route.own === 'POST /v1.0/pods' ? 'Request body pod not found' : 'Request body not found'
    expect([reply.status, said]).toEqual([400, missing])
  })

  it.each([
    [[], 'an array'],
    [1, 'a number'],
    ['x', 'a string'],
    [null, 'null'],
    [true, 'a boolean'],
  ])('refuses %j where the object should be', async (value, kind) => {
    const { reply, said } = await refuse(route, good => JSON.stringify({ [keyOf(good)]: value }))
    expect(reply.status).toBe(400)
    expect(said).toMatch(new RegExp(`^\\w+ must be an object, not ${kind}$`))
  })

  it('refuses every type but text for each of its fields', async () => {
    for (const field of Object.keys(lengths[route.own]!)) {
      for (const [value, kind] of [
        [1, 'a number'],
        [false, 'a boolean'],
        [['x'], 'an array'],
        [{}, 'an object'],
      ]) {
        const { reply, said } = await refuse(route, withField(field, value))
        expect([reply.status, said]).toEqual([400, `Field ${field} must be a string, not ${kind}`])
      }
      const { reply, said } = await refuse(route, withField(field, null))
      const empty = route.own.includes('routings')
      expect([reply.status, said]).toEqual([
        400,
        empty ? `Field ${field} can not be empty` : `Field ${field} must be a string, not null`,
      ])
    }
  })

  it('refuses a text that is too long for its field', async () => {
    for (const [field, length] of Object.entries(lengths[route.own]!)) {
      const { reply, said } = await refuse(route, withField(field, '€'.repeat(length + 1)))
      expect([reply.status, said]).toEqual([400, `Field ${field} is longer than ${length} characters`])
    }
  })

  it('refuses a body of 2 MB with 413, announced or not', async () => {
    const { reply, said } = await refuse(route, () => `{"x": "${'a'.repeat(2_000_000)}"}`)
    expect([reply.status, said]).toEqual([413, expect.stringMatching(/too large/)])
  })

  it('ignores keys that it does not know, and lets none of them reach the prototype of anything', async () => {
    const { id, body } = await goodRequests[route.own]!(w)
    const [[key, object]] = Object.entries(body!) as [[string, object]]
    const raw = `{"${key}": {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}},
      "toString": 1, "hasOwnProperty": null, "id": "7", "created_at": "1970-01-01", ${JSON.stringify(object).slice(1)}}`
    const reply = await w.call(route.method, pathWith(route.path, id), { raw })
    expect(reply.status).toBeLessThan(300)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(reply.text).not.toContain('polluted')
    expect(reply.text).not.toContain('1970-01')
  })
})

describe.each(flatRoutes)('$name', route => {
  it.each(unreadableFor(route))('says where a body goes wrong that comes %s', async (_, make, sentence) => {
    const { reply, said } = await refuse(route, make)
    expect([reply.status, said]).toEqual([400, expect.stringMatching(sentence)])
  })

  it.each(['[]', '1', '"x"', 'null', 'true'])('refuses a body that is %s', async raw => {
    const { reply, said } = await refuse(route, () => raw)
    expect([reply.status, said]).toEqual([
      400,
      expect.stringMatching(/^The body must be a JSON object, not /),
    ])
  })

  it('refuses a body of 2 MB with 413', async () => {
    const { reply, said } = await refuse(route, () => `{"x": "${'a'.repeat(2_000_000)}"}`)
    expect([reply.status, said]).toEqual([413, expect.stringMatching(/too large/)])
  })
})

describe.each(central.filter(route => route.name === route.own))('$name', route => {
  it('says where a body goes wrong', async () => {
    const good = await goodRequests[route.own]!(w)
    for (const [how, make, sentence] of unreadableFor(route)) {
      const { reply, said } = await refuse(route, make, good)
      expect([reply.status, said], how).toEqual([400, expect.stringMatching(sentence)])
    }
  })

  it('finds nothing in a body that has it not', async () => {
    const good = await goodRequests[route.own]!(w)
    const [key] = Object.entries(good.body!)
    for (const [how, make] of share(notThere, drawn + all.indexOf(route))) {
      const { reply, said } = await refuse(route, make, good)
      const missing =
        typeof key![1] === 'object'
          ? new RegExp(`^(Unable to find '${key![0]}' in request body|Body contains invalid data)$`)
          : /^(Body contains invalid data|Bad router request: Either subnet_id or port_id must be specified\.)$/
      expect([reply.status, said], how).toEqual([400, expect.stringMatching(missing)])
    }
  })

  it('refuses a body of 2 MB with 413', async () => {
    const { reply, said } = await refuse(route, () => `{"x": "${'a'.repeat(2_000_000)}"}`)
    expect([reply.status, said]).toEqual([413, expect.stringMatching(/too large/)])
  })
})

describe.each(promises.filter(route => route.name === route.own))('$name', route => {
  it('says where a body goes wrong', async () => {
    const good = await goodRequests[route.own]!(w)
    // Its bodies are small and flat, and may begin with a byte order mark.
    const otherwise = /nesting|byte order mark|levels deep/
    for (const [how, make, sentence] of unreadableFor(route)) {
      if (otherwise.test(how)) continue
      const { reply, said } = await refuse(route, make, good)
      expect([reply.status, said], how).toEqual([400, expect.stringMatching(sentence)])
    }
    const { reply, said } = await refuse(route, () => '['.repeat(1000), good)
    expect([reply.status, said]).toEqual([400, expect.stringMatching(/more than 16 levels of nesting/)])
  })

  it.each(['[]', '1', '"x"', 'true'])('refuses a body that is %s', async raw => {
    const { reply, said } = await refuse(route, () => raw)
    expect([reply.status, said]).toEqual([400, expect.stringMatching(/^the body must be an object, not /)])
  })

  it('refuses a body of more than 64 KiB with 413', async () => {
    const { reply, said } = await refuse(route, () => `{"x": "${'a'.repeat(70_000)}"}`)
    expect([reply.status, said]).toEqual([413, expect.stringMatching(/too large/)])
  })

  it('tells of keys that it does not know, and lets none of them reach the prototype of anything', async () => {
    const { body } = await goodRequests[route.own]!(w)
    const raw = `{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "toString": 1,
      "hasOwnProperty": null, "created_at": "1970-01-01"${JSON.stringify(body)
        .replace(/^\{(?=")/, ',')
        .replace(/^\{/, '')}`
    const reply = await w.call(route.method, route.path, { raw })
    expect(reply.status, reply.text).toBe(200)
    if (route.name.endsWith('query-instance')) expect(reply.json.id).toBeDefined()
    expect(reply.json.result ?? 'ok', reply.text).toBe('ok')
    const told = reply.json.warnings.filter((text: string) => text.startsWith('there is no parameter'))
    expect(told).toHaveLength(5)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(reply.text).not.toMatch(/polluted|1970-01/)
  })
})

it.each(flatRoutes.filter(route => route.own.includes('leases')))(
  '$name ignores keys that it does not know, and lets none of them reach the prototype of anything',
  async route => {
    const { id, body } = await goodRequests[route.own]!(w)
    const raw = `{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "toString": 1,
      "hasOwnProperty": null, "created_at": "1970-01-01", ${JSON.stringify(body).slice(1)}`
    const reply = await w.call(route.method, pathWith(route.path, id), { raw })
    expect(reply.status, reply.text).toBeLessThan(300)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(reply.text).not.toMatch(/polluted|1970-01/)
  },
)

it.each(aliases)('$name refuses what its other name refuses', async route => {
  const { reply, said } = await refuse(route, () => '{"a": 1, "a": 1}')
  expect([reply.status, said]).toEqual([400, expect.stringMatching(/the key "a" a second time at line 1/)])
})

describe.each(all.filter(route => needsNone.includes(route.name)))('$name', route => {
  it('refuses a body that it cannot read, though it needs none', async () => {
    const { reply, said } = await refuse(route, () => '{')
    expect([reply.status, said]).toEqual([400, expect.stringMatching(/at line 1, column 2$/)])
  })

  it.each(['[]', 'null', '{"job": {"status": "SUCCESS", "id": "x"}}'])('does not look at %s', async raw => {
    const { id } = await goodRequests[route.own]!(w)
    const path = pathWith(route.path, id)
    const before = await w.call('GET', path)
    expect((await w.call('PUT', path, { raw })).status).toBe(200)
    expect((await w.call('GET', path)).json).toEqual(before.json)
  })
})

describe.each(routes.filter(route => route.own === 'POST /v1.0/jobs'))('$name', route => {
  it.each([1, 'x', ['x'], true])('refuses %j as the resource', async value => {
    const { reply, said } = await refuse(route, withField('resource', value))
    expect([reply.status, said]).toEqual([
      400,
      expect.stringMatching(/^Field resource must be an object, not an? /),
    ])
  })

  it.each([1, false, ['x'], {}, null])('refuses %j as an id in the resource', async value => {
    const { reply, said } = await refuse(route, ({ body }) => {
      const { job } = body as { job: { resource: object } }
      return JSON.stringify({ job: { ...job, resource: { ...job.resource, port_id: value } } })
    })
    expect([reply.status, said]).toEqual([
      400,
      expect.stringMatching(/^Field port_id must be a string, not /),
    ])
  })
})

// Random requests at every route: no 5xx, every answer in the face's shape, nothing shown or changed without the right.
//
// FUZZ_REQUESTS=200000 sends more, FUZZ_SEED=N repeats a run (the seed is printed).

import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { mounts } from '../../src/mounts.ts'
import { fileWorld, type Reply, type Served } from '../world.ts'
import { newPort, newRule } from './central.ts'
import { tokenWith } from './people.ts'
import { newInstance, newPromise, sharedProvider } from './promised.ts'
import { allRoutes, type MountedRoute, newRegion, newRouting, rowCounts } from './requests.ts'
import { newLease, sharedHost, viewed } from './reservable.ts'
import { expectShape } from './shapes.ts'

const requests = Number(process.env.FUZZ_REQUESTS ?? (process.env.SOAK === '1' ? 20_000 : 1_000))
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const config = loadConfig(undefined, {})
const routes = allRoutes({ config })

/** In a region, in a routing and in a lease of another project, and in no request: whoever is no admin never sees it. */
const canary = 'canary-5ac1f0'

const w = await fileWorld()
let s: Served
let secrets: Record<string, string | undefined>
/** Of what is there at the start, and may be changed and removed by any request. */
let ids: string[]
/** Of a region and of a central port in it, for bodies only: no path names them, so they are there to the end. */
let kept: string[]
beforeAll(async () => {
  s = await w.listen()
  secrets = {
    admin: await w.token('admin'),
    demo: await w.token('demo'),
    reader: tokenWith(w, 'fuzz-reader', ['reader']),
    service: tokenWith(w, 'fuzz-service', ['service']),
    guess: 'gAAAAAguess',
    nobody: undefined,
  }
  const projectId = w.cloud.keystone.projectId('admin')
  const region = await newRegion(w, canary)
  const other = await newRouting(w, {
    regionId: region.id,
    projectId: 'other',
    regionalId: canary,
    resourceType: 'port',
  })
  const lasting = await newRegion(w, `${canary}-lasting`)
  const routed = await newRouting(w, {
    regionId: lasting.id,
    projectId: 'other',
    regionalId: canary,
    resourceType: 'port',
  })
  kept = [lasting.id, routed.centralId]
  const own = await newRouting(w, { regionId: region.id, projectId })
  const leases = [await newLease(w, canary), await newLease(w, 'own', projectId)]
  const host = String(await sharedHost(w))
  ids = [region.id, ...[other, own].map(routing => String(routing.id)), other.centralId, projectId]
  ids.push(...leases, host)
  const [port, rule] = [await newPort(w, canary), await newRule(w, canary)]
  ids.push(port.id!, port.network_id!, rule.id!, rule.security_group_id!)
  ids.push(await sharedProvider(w), await newInstance(w, canary), await newInstance(w, 'own', projectId))
  ids.push(await newPromise(w), await newPromise(w, null, projectId))
})

interface Attempt {
  who: string
  route: MountedRoute
  method: string | null
  beginning: string
  id: string
  region: string
  ending: string
  query: [string, string][]
  headers: Record<string, string>
  body: string | Uint8Array | null
}

const known = (index: number) => ids[index % ids.length]!
const anId = fc.oneof(
  fc.nat({ max: 99 }).map(index => `known:${index}`),
  fc.uuid(),
  fc.integer().map(String),
  fc.string({ unit: 'binary', maxLength: 200 }),
)
const fields = [
  ...['pod', 'pod_binding', 'routing', 'job', 'region_name', 'pod_name', 'az_name', 'pod_az_name', 'dc_name'],
  ...['tenant_id', 'pod_id', 'top_id', 'bottom_id', 'project_id', 'resource_type', 'id', 'created_at'],
  ...[
    'updated_at',
    'type',
    'resource',
    'status',
    'limit',
    'marker',
    'all_projects',
    ...['name', 'region', 'degraded', 'sort', 'start_before', 'lease_id', 'detail', 'values', 'private'],
    ...['start_date', 'end_date', 'before_end_date', 'reservations', 'events', 'hypervisor_properties'],
    ...['from', 'to', 'duration', 'hosts', 'not_before', 'not_after', 'filter'],
    ...['network', 'port', 'fields', 'sort_key', 'sort_dir', 'page_reverse', 'changed_since', 'fixed_ips'],
    ...['capacity', 'window', 'elements', 'without', 'zone', 'source', 'instance-id', 'points', 'input'],
    ...['mtu', 'shared', 'network_id', 'security_groups', 'revision_number', 'tags', 'atoll:regions'],
    '__proto__',
    'constructor',
  ],
]
const words = [
  'network',
  'port',
  'port_delete',
  'not_specified_pod',
  'true',
  'NEW',
  'SUCCESS',
  '',
  ' ',
  '1',
  '-1',
]
const value = fc.oneof(
  { weight: 4, arbitrary: anId },
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.jsonValue() },
)
const things: Record<string, string[]> = {
  pod: ['region_name', 'az_name', 'pod_az_name', 'dc_name', 'pod_name'],
  pod_binding: ['tenant_id', 'pod_id'],
  routing: ['top_id', 'bottom_id', 'pod_id', 'project_id', 'resource_type'],
  job: ['type', 'project_id', 'resource'],
}
/** Of the Networking API: by the first part of the path, what the body is called and what may be said in it. */
const central: Record<string, [kind: string, fields: string[]]> = {
  networks: ['network', ['name', 'mtu', 'shared', 'availability_zone_hints']],
  subnets: ['subnet', ['network_id', 'ip_version', 'cidr', 'gateway_ip', 'enable_dhcp']],
  ports: ['port', ['network_id', 'fixed_ips', 'mac_address', 'binding:profile', 'security_groups']],
  routers: ['router', ['name', 'external_gateway_info', 'routes']],
  floatingips: ['floatingip', ['floating_network_id', 'port_id']],
  'security-groups': ['security_group', ['name', 'stateful']],
  'security-group-rules': ['security_group_rule', ['security_group_id', 'direction', 'protocol']],
}
const centralAt = ({ path, face }: MountedRoute) =>
  face === 'network' ? central[path.split('v2.0/')[1]?.split('/')[0] ?? ''] : undefined
/** Of those whose fields are the body itself. */
const flat: Record<string, string[]> = {
  '/leases': ['name', 'start_date', 'end_date', 'reservations', 'events', 'before_end_date'],
  '/os-hosts/properties': ['private'],
  '/os-hosts': ['name', 'gpu', 'values'],
}
const flatAt = ({ path, face }: MountedRoute) =>
  face === 'reservation' ? Object.keys(flat).find(part => path.includes(part)) : undefined
/** Of the Promise API: what an operation takes. */
const promised: Record<string, string[]> = {
  'add-provider': ['endpoint', 'username', 'password', 'tenant', 'region', 'provider-type'],
  'remove-provider': ['provider-id'],
  'create-reservation': ['start', 'end', 'zone', 'capacity', 'elements'],
  'update-reservation': ['reservation-id', 'start', 'end', 'zone', 'capacity', 'elements'],
  'cancel-reservation': ['reservation-id'],
  'query-reservation': ['without', 'elements', 'window', 'marker', 'show-utilization', 'zone'],
  'query-capacity': ['capacity', 'without', 'elements', 'window', 'marker', 'points', 'provider-id'],
  'increase-capacity': ['source', 'start', 'end', 'capacity', 'elements'],
  'decrease-capacity': ['source', 'start', 'end', 'capacity', 'elements', 'force'],
  'create-instance': ['provider-id', 'name', 'image', 'flavor', 'networks', 'reservation-id'],
  'destroy-instance': ['instance-id'],
  'query-instance': ['instance-id'],
}
const promisedAt = ({ own, face }: MountedRoute) =>
  face === 'promise' ? promised[own.replace('POST /promise/', '')] : undefined
/** Nine times the usual, once something else: a request with everything odd never gets far. */
const often = <T>(usual: T, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd })
/** The right keys, mostly, with values that may be right. */
const thing = (key: string, names = things[key]!) =>
  fieldsOf(names).map(object => JSON.stringify({ [key]: object }))
const likely = (route: MountedRoute) => {
  const [flatKey, named, operation] = [flatAt(route), centralAt(route), promisedAt(route)]
  if (operation) return fieldsOf(operation).map(fields => JSON.stringify(fields))
  if (flatKey) return fieldsOf(flat[flatKey]!).map(fields => JSON.stringify(fields))
  return named ? thing(...named) : thing(keyAt(route))
}
const fieldsOf = (names: string[]) =>
  fc.constantFrom(true, true, true, false).chain(isWhole =>
    fc.record(Object.fromEntries(names.map(field => [field, plausible(field)])), {
      requiredKeys: isWhole ? names : [],
    }),
  )
function plausible(field: string): fc.Arbitrary<unknown> {
  const right: Record<string, fc.Arbitrary<unknown>> = {
    pod_id: fc.constant('kept:0'),
    project_id: fc.constantFrom('other', 'other', 'other', 'p'),
    resource_type: fc.constantFrom('network', 'port', 'router', 'nothing'),
    type: often('port_delete', fc.constantFrom('update_network', 'nothing')),
    resource: fc.record({ pod_id: fc.constant('kept:0'), port_id: fc.constant('kept:1') }),
    start_date: fc.constantFrom('2041-1-1 10:00', '2041-01-01 10:01', 'now', '2017-01-01 10:00'),
    end_date: fc.constantFrom('2041-1-1 10:00', '2042-01-01 10:00', '2042-01-01 10:01'),
    before_end_date: fc.constantFrom(null, '2041-07-01 00:00', '2050-01-01 10:00'),
    reservations: fc.array(reservationLike, { maxLength: 2 }),
    events: fc.constantFrom([], [{ event_type: 'e', event_date: '2041-07-01 00:00' }], [{}]),
    private: fc.boolean(),
    gpu: fc.constantFrom('yes', 'no', null, 7),
    values: fc.constantFrom({ gpu: 'yes' }, {}, 'x'),
    mtu: fc.constantFrom(1400, '1300', 0, 1e9),
    shared: fc.constantFrom(false, 'no', true),
    availability_zone_hints: fc.constantFrom([], [viewed], ['nowhere'], [7]),
    network_id: fc.nat({ max: 99 }).map(index => `known:${index}`),
    security_group_id: fc.nat({ max: 99 }).map(index => `known:${index}`),
    ip_version: fc.constantFrom(4, 6, '4'),
    cidr: fc.oneof(
      fc.nat({ max: 255 }).map(net => `10.${net}.0.0/24`),
      fc.constantFrom('2001:db8::/64', '10.0.0.0/0'),
    ),
    gateway_ip: fc.constantFrom(null, '10.0.0.1', 'x'),
    enable_dhcp: fc.boolean(),
    fixed_ips: fc.constantFrom([], [{ ip_address: '10.0.0.7' }], [{}], [{ subnet_id: 'x' }]),
    mac_address: fc.constantFrom(null, '02:00:00:00:00:01', 'x'),
    'binding:profile': fc.constantFrom({}, { region: viewed }, { region: 'nowhere' }, { x: 1 }),
    security_groups: fc.constantFrom([], ['x'], null),
    external_gateway_info: fc.constantFrom(null, {}, { network_id: 'x' }),
    routes: fc.constantFrom([], [{ destination: '1.0.0.0/8', nexthop: '10.0.0.9' }]),
    port_id: fc.constantFrom(null, 'kept:1'),
    direction: fc.constantFrom('ingress', 'egress'),
    protocol: fc.constantFrom(null, 'tcp', 17, 'x'),
    stateful: fc.boolean(),
    start: anInstant,
    end: anInstant,
    zone: fc.constantFrom(null, null, viewed, 'nowhere'),
    capacity: fc.oneof(amountsLike, fc.constantFrom('total', 'reserved', 'usage', 'available')),
    elements: fc.constantFrom([], null, ['known:1'], { some: ['known:1'] }, { every: [] }),
    window: fc.record({ start: anInstant, end: anInstant, scope: fc.constantFrom('inclusive', 'exclusive') }),
    force: fc.boolean(),
    points: fc.constantFrom(1, 10, '5', 0),
    flavor: fc.constantFrom('m1.tiny', 'm1.big', 1),
    endpoint: fc.constantFrom('http://169.254.169.254/v3', 'x'),
    tenant: fc.constantFrom({ name: 'admin' }, {}, 'x'),
    networks: fc.constantFrom([], 'known:3'),
  }
  return fc.oneof({ weight: 9, arbitrary: right[field] ?? anId }, { weight: 1, arbitrary: value })
}
const anInstant = fc.constantFrom(
  null,
  '2041-01-01T10:00:00Z',
  '2041-06-01T10:00:00+02:00',
  '2017-01-01T10:00:00Z',
  'x',
)
const amountsLike = fc.dictionary(
  fc.constantFrom('cores', 'ram', 'instances', 'gigabytes', 'rams'),
  fc.constantFrom<unknown>(1, '2', 0, null, 3, -1, 1e6),
  { maxKeys: 3 },
)
const reservationLike = fc.record({
  resource_type: often('physical:host', fc.constant('virtual:instance')),
  min: fc.constantFrom<unknown>(1, 1, 2, '1'),
  max: fc.constantFrom<unknown>(1, 2, 0, 1.5),
  hypervisor_properties: fc.constantFrom('', '["==", "$region", "Pod1"]', '["or"]', '["==", "$gone", "1"]'),
  resource_properties: fc.constantFrom('', '["!=", "$gpu", "x"]', '[['),
})
const nouns = Object.keys(things)
const keyAt = ({ path }: MountedRoute) =>
  nouns.find(key => path.includes(`/${key.replace('pod_binding', 'binding')}`)) ?? 'pod'
const body = (route: MountedRoute) =>
  fc.oneof(
    { weight: 12, arbitrary: likely(route) },
    {
      weight: 2,
      arbitrary: fc.dictionary(fc.constantFrom(...fields), value).map(object => JSON.stringify(object)),
    },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.constant(null) },
  )
const headers = fc.dictionary(
  fc.constantFrom(
    'x-roles',
    'x-project-id',
    'x-service-token',
    'x-http-method-override',
    'x-forwarded-host',
    'range',
    'if-match',
  ),
  fc.stringMatching(/^[ -~]{0,40}$/),
  { maxKeys: 2 },
)
const accept = fc.constantFrom(
  ...['application/json', 'application/json', '*/*', 'text/html, */*', 'application/json, */*'],
  ...['application/*;q=0.5', 'text/xml'],
)
const parameter = fc.tuple(fc.constantFrom(...fields), fc.oneof(anId, fc.constantFrom(...words)))
const attemptAt = (route: MountedRoute): fc.Arbitrary<Attempt> =>
  fc.record({
    who: fc.oneof(
      { weight: 2, arbitrary: fc.constant('admin') },
      { weight: 1, arbitrary: fc.constantFrom('demo', 'reader', 'service', 'guess', 'nobody') },
    ),
    route: fc.constant(route),
    method: often(null, fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE')),
    beginning: often(
      '',
      fc.constantFrom('/', '//', '/.', '/%2f', 'http://elsewhere.example', 'HTTP://[::1]:1'),
    ),
    id: anId,
    region: often(viewed, fc.constantFrom('Pod2', 'v1', 'Nowhere', '%2e')),
    ending: often('', fc.constantFrom('/', '.json', '//', '%2f', '/..', '%00', ';x=1', '#/x', '%c3%28')),
    query: often([], fc.array(parameter, { maxLength: 3 })),
    headers: fc.tuple(often({}, headers), accept).map(([more, accept]) => ({ accept, ...more })),
    body: body(route),
  })

/** Stands in a body or a path for the id of something that is there. */
const resolve = (text: string): string =>
  text
    .replaceAll(/known:(\d+)/g, (_, index) => known(Number(index)))
    .replaceAll(/kept:([01])/g, (_, index) => kept[Number(index)]!)

async function send({
  who,
  route,
  method,
  beginning,
  id,
  region,
  ending,
  query,
  headers,
  body,
}: Attempt): Promise<Reply> {
  const pairs = query.map(([name, text]) => `${name}=${encodeURIComponent(resolve(text))}`)
  const named = route.path.replace(/:(?:id|name|vimId)\b/, () => encodeURIComponent(resolve(id)))
  const path = `${beginning}${named.replace(':region', region)}${ending}`
  const secret = secrets[who]
  return s.ask(pairs.length > 0 ? `${path}?${pairs.join('&')}` : path, {
    method: method ?? route.method,
    headers: { ...headers, ...(secret ? { 'x-auth-token': secret } : {}) },
    ...(body === null || method === 'TRACE'
      ? {}
      : { body: typeof body === 'string' ? resolve(body) : Buffer.from(body) }),
  })
}

/** One route for each shape that answers have: `expectShape` asks no more of a route than this. */
const shapes = [
  ...new Map(
    routes.map(one => [
      one.face === 'tricircle' ? one.own : `${one.face} ${one.method} ${one.path.startsWith('/v1/')}`,
      one,
    ]),
  ).values(),
]

/** A path with an odd ending, or another method, may be any route's or none's. */
function expectSomeShape(reply: Reply, { route, method, beginning, ending, id }: Attempt): void {
  if (method === 'HEAD') return
  if (method === null && beginning + ending === '' && id !== '') {
    expectShape(reply, route)
    return
  }
  const fits = [null, route, ...shapes].some(candidate => {
    try {
      expectShape(reply, candidate)
      return true
    } catch {
      return false
    }
  })
  expect(fits, `${reply.status} ${reply.text}`).toBe(true)
}

/** What a route's rule lets pass beside admins. */
const policy = Object.assign({}, ...mounts(config).map(({ face }) => face.policy))
const neededAt = ({ route }: MountedRoute) => policy[route.rule]
const enough: Record<string, readonly unknown[]> = {
  demo: ['public', 'any', 'member', 'reader'],
  reader: ['public', 'any', 'reader'],
  service: ['public', 'any'],
  guess: ['public'],
  nobody: ['public'],
}
/** Another method may be that of another route at the same path. */
const askedAt = ({ route, method }: Attempt): MountedRoute =>
  routes.find(one => one.path === route.path && one.method === (method ?? route.method)) ?? route
const mayPass = (attempt: Attempt): boolean =>
  attempt.who === 'admin' || enough[attempt.who]!.includes(neededAt(askedAt(attempt)))

function expectRight(reply: Reply, attempt: Attempt): void {
  const { who, query, route } = attempt
  if (who !== 'admin') {
    if (!mayPass(attempt) && !isDocument(reply))
      expect(reply.status, `${who} passes`).toBeGreaterThanOrEqual(400)
    expect(reply.text, `${who} sees it`).not.toContain(canary)
    return
  }
  if (route.face !== 'tricircle' || query.some(([name]) => name === 'all_projects')) return
  const rows: { project_id: string }[] = reply.json?.routings ?? reply.json?.jobs ?? []
  for (const row of rows) expect(row.project_id).toBe(w.cloud.keystone.projectId('admin'))
}

/** `/v1.0/pods/..` may be read as `/v1.0`. */
const isDocument = ({ json }: Reply): boolean => json?.versions !== undefined || json?.version !== undefined

/** Of an admin's own, with nothing odd about it but what is in the body. */
const plain = (route: MountedRoute): fc.Arbitrary<Attempt> =>
  attemptAt(route).map(one => ({
    ...one,
    who: 'admin',
    method: null,
    beginning: '',
    id: 'known:0',
    region: viewed,
    ending: '',
    headers: { accept: 'application/json' },
  }))

/** What the server says that it has answered to somebody with a token. */
async function reached(): Promise<Set<string>> {
  const { text } = await s.ask('/metrics')
  const counted =
    /^atoll_http_request_duration_seconds_count\{face="(.+)",method="(.+)",route="(.+)",status="(?!401).+"\}/gm
  return new Set([...text.matchAll(counted)].map(([, ...labels]) => labels.join(' ')))
}

it(`answers ${requests} random requests (seed ${seed}) as it should`, async () => {
  const statuses: Record<number, number> = {}
  let before = await rowCounts(w)
  const check = async (one: Attempt) => {
    const reply = await send(one)
    statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
    // A region without a Nova is not asked in vain: the answer says so.
    const isUpstream = reply.status === 502 && one.route.own.endsWith(' /v1/os-hosts')
    if (!isUpstream) expect(reply.status, reply.text).toBeLessThan(500)
    expectSomeShape(reply, one)
    expectRight(reply, one)
    const after = await rowCounts(w)
    // What Nova or Keystone has refused is on record, too.
    const mayChange = reply.status < 300 && mayPass(one)
    if (!mayChange) expect(after, 'nothing is changed').toEqual(before)
    before = after
  }
  const numRuns = Math.ceil(requests / routes.length)
  for (const [index, route] of routes.entries()) {
    const examples = fc.sample(plain(route), { numRuns: 1, seed: seed + index })
    const one = fc.oneof({ weight: 1, arbitrary: plain(route) }, { weight: 2, arbitrary: attemptAt(route) })
    const property = fc.asyncProperty(one, check)
    await fc.assert(property, { numRuns, seed: seed + index, examples: examples.map(one => [one]) })
  }
  console.log(`fuzz: ${numRuns} requests a route, seed ${seed}, statuses ${JSON.stringify(statuses)}`)
  const answered = await reached()
  const keys = routes.map(({ face, method, route }) => `${face} ${method} ${route.path}`)
  expect(
    keys.filter(key => !answered.has(key)),
    'every route was reached',
  ).toEqual([])
  // It is no test of refusals alone.
  for (const status of [200, 202, 400, 401, 403, 404, 405, 406, 422])
    expect(statuses[status], `${status}`).toBeGreaterThan(0)
}, 3_600_000)

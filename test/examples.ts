// Plays examples: YAML files of requests and the answers that they get, step by step against a whole Atoll.
//
// An answer is compared exactly. `<uuid>`, `<int>`, `<time>` and others stand for any value of that shape; with a name,
// `<uuid:pod>`, the value is kept, and `${pod}` is that value in later requests and answers.

import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { hypervisor, storeHypervisor } from './api/reservable.ts'
import { presupposed } from './world/promises.ts'
import { type Reply, type Served, type World, type WorldSpec, world } from './world.ts'

/** The points on which sources, originals and clients disagree, by which a step says why our answer is as it is. */
const decisions = [
  'The seeds are the contract',
  'POST /jobs',
  'DELETE of a routing; of a pod or a binding',
  'Redo',
  'Job ids',
  'Page links',
  'A pod in use',
  'Names',
  'Wrong JSON types',
  'Fourteen types of jobs',
  'Lease status, user_id',
  'Lease PUT',
  'Another project’s lease',
  '/v1/plugins',
  'Promise amounts',
  'Promise, Nova refuses',
] as const

const text = z.string()
const step = z
  .strictObject({
    /** Where it is written, `000:220-239` or `out1:31`; `ours` for a step that only prepares the next ones. */
    source: text,
    request: text.regex(/^(HEAD|GET|POST|PUT|PATCH|DELETE) \/\S*$/),
    /** `member` may not administrate; `stranger` has a token that nobody issued; `nobody` has none. */
    as: z.enum(['admin', 'member', 'stranger', 'nobody']).optional(),
    keystone: z.literal('down').optional(),
    /** What the clock says in this step, and whose project the token is for, where the example says otherwise. */
    clock: text.optional(),
    project: text.optional(),
    /** The Accept header; `none` for a request without one. */
    accept: text.optional(),
    headers: z.record(text, text).optional(),
    body: z.unknown().optional(),
    raw: text.optional(),

    status: z.int(),
    /** application/json where it is not given; `none` for an answer without a type. */
    type: text.default('application/json'),
    json: z.unknown().optional(),
    text: text.optional(),
    reply_headers: z.record(text, text).optional(),
    /** The source does not say in which order its list is. */
    order: z.literal('any').optional(),

    /** What the source shows where that is no JSON; `json` is the same without the slip. */
    literal: text.optional(),
    /** What the source shows where our answer differs, and why it does. */
    original: text.optional(),
    decided: z.enum(decisions).optional(),
    fault: text.optional(),
  })
  .refine(it => 'json' in it !== 'text' in it, 'a step has a json or a text to compare')
  .refine(
    it => Boolean(it.decided ?? it.fault) === Boolean(it.original),
    'a difference has an original and a reason',
  )

const rows = z.array(z.record(text, z.unknown()))
const example = z.strictObject({
  name: text,
  /** The type of jobs that it waits for: the steps are not played before there are such jobs. */
  until: text.optional(),
  /** What the clock says, `2016-11-03 03:06:38`. */
  clock: text.optional(),
  /** The project that the caller's token is for. */
  project: text.optional(),
  /** Goes before the path of every request. */
  at: text.default(''),
  accept: text.default('application/json'),
  headers: z.record(text, text).optional(),
  /** Rows that are stored before, as the API shows them. */
  presuppose: z.partialRecord(z.enum(['pods', 'bindings', 'routings', 'jobs']), rows).default({}),
  /** Hypervisors that there are in the one region that has a Nova, enrolled at a time or not at all. */
  hypervisors: z.array(hypervisor).optional(),
  steps: z.array(step).min(1),
})

const file = z.strictObject({
  /** Two names of one field: where the source shows one of them, our answers carry both. */
  twins: z.tuple([text, text]).optional(),
  /** What steps repeat, referred to with YAML's own anchors. */
  repeated: z.unknown().optional(),
  examples: z.array(example).min(1),
})

type Step = z.infer<typeof step>
type Example = z.infer<typeof example>
export type Examples = z.infer<typeof file>
type Known = Map<string, unknown>

/** Every file of examples in a folder, by its name. */
export function readExamples(folder: URL): Map<string, Examples> {
  const names = readdirSync(folder).filter(name => name.endsWith('.yaml'))
  return new Map(names.sort().map(name => [name, readFile(new URL(name, folder))]))
}

function readFile(path: URL): Examples {
  const { data, error } = file.safeParse(
    parse(readFileSync(path, 'utf8'), { merge: true, maxAliasCount: -1 }),
  )
  if (error) throw new Error(`${path.pathname}: ${z.prettifyError(error)}`)
  return data
}

/** Declares a test for every step of every example. */
export function playExamples(files: ReadonlyMap<string, Examples>, spec: WorldSpec = {}): void {
  for (const [name, { examples, twins }] of files) {
    describe(name, () => {
      let w: World
      let s: Served
      let there: Known
      beforeAll(async () => {
        w = await world(spec)
        s = await w.listen()
        there = await presupposed(w)
      })
      afterAll(() => w[Symbol.asyncDispose]())
      for (const example of examples) {
        describe(example.name, () => {
          if (example.until) return wait(() => w, example.until, example.steps.length)
          const known: Known = new Map()
          beforeAll(async () => {
            for (const [name, value] of there) known.set(name, value)
            await store(w, example, known)
          })
          for (const step of example.steps) {
            it(`${step.source}: ${step.request}`, async () => {
              const reply = await ask(w, s, example, step, known)
              expect(reply.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
              expect(reply.status, reply.text).toBe(step.status)
              expect(answerOf(step, reply)).toEqual(expectedOf(step, reply, known, twins))
              if (step.literal) expect(() => JSON.parse(step.literal!)).toThrow(SyntaxError)
            })
          }
        })
      }
    })
  }
}

/** Passes until there are jobs of the type, and then says that the example is to be played. */
function wait(w: () => World, type: string, count: number): void {
  it(`waits for jobs of the type ${type} (steps: ${count})`, () => {
    const reason = `there is ${type} now: take "until: ${type}" out of this example`
    expect(Object.keys(w().app.jobHandlers), reason).not.toContain(type)
  })
}

/** Forgets the example before, and stores what this one presupposes. */
async function store(w: World, { presuppose, hypervisors }: Example, known: Known): Promise<void> {
  const { pool } = w.database
  const tablesToEmpty =
    'region, binding, routing, job, job_log, turn, account, host_property, lease, capacity_reservation, instance'
  await pool.query(`truncate ${tablesToEmpty} restart identity cascade`)
  for (const [kind, rows] of Object.entries(presuppose)) {
    for (const [index, row] of rows.entries()) {
      const [table, columns] = tables[kind as keyof typeof tables](row, index)
      await pool.query(
        `insert into ${table} overriding system value select * from jsonb_populate_record(null::${table}, $1)`,
        [JSON.stringify(columns)],
      )
    }
  }
  for (const one of hypervisors ?? []) {
    const id = await storeHypervisor(w, one)
    if (id !== null) known.set(one.name.replaceAll(/\W/g, '_'), id)
  }
}

type Row = Record<string, unknown>
const utc = (time: unknown) => time && `${time}Z`
const times = (row: Row) => ({ created_at: utc(row.created_at), updated_at: utc(row.updated_at) })

/** The table and the columns for a row as the API shows it. */
const tables = {
  // Pods show no times: they were made in the order in which they stand.
  pods: (row: Row, index: number): [string, Row] => [
    'region',
    {
      id: row.pod_id,
      name: row.region_name,
      availability_zone: row.az_name,
      local_availability_zone: row.pod_az_name,
      data_center: row.dc_name,
      created_at: new Date(index),
    },
  ],
  bindings: (row: Row): [string, Row] => [
    'binding',
    { id: row.id, project_id: row.tenant_id, region_id: row.pod_id, ...times(row) },
  ],
  routings: ({ top_id, bottom_id, pod_id, ...row }: Row): [string, Row] => [
    'routing',
    { ...row, central_id: top_id, regional_id: bottom_id, region_id: pod_id, ...times(row) },
  ],
  jobs: ({ status, ...row }: Row, index: number): [string, Row] => {
    const common = { ...row, region: '', timestamp: utc(row.timestamp), attempts: 1 }
    if (status === 'SUCCESS') return ['job_log', { ...common, finished_at: utc(row.timestamp) }]
    const key = [row.type, ...Object.values(row.resource as Row)].join('#')
    return ['job', { ...common, status, key, asked: -index }]
  },
}

async function ask(w: World, s: Served, example: Example, step: Step, known: Known): Promise<Reply> {
  const [method, path] = fill(step.request, known).split(' ') as [string, string]
  const accept = step.accept ?? example.accept
  const token = tokenOf(w, example, step)
  const body = step.raw ?? ('body' in step ? JSON.stringify(settle(step.body, undefined, known)) : undefined)
  const headers = {
    ...(token ? { 'x-auth-token': token } : {}),
    ...(accept === 'none' ? {} : { accept }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` }),
    ...example.headers,
    ...step.headers,
  }
  const down = step.keystone && w.cloud.faults.add({ kind: 'status', status: 503, service: 'keystone' })
  const clock = step.clock ?? example.clock
  w.setTime(clock ? new Date(`${clock}Z`) : new Date())
  try {
    return await s.ask(example.at + path, { method, headers, ...(body === undefined ? {} : { body }) })
  } finally {
    down?.remove()
  }
}

/** A token for a user of the simulated cloud in the project of the example, which need not be there before. */
function tokenOf(
  { cloud: { keystone } }: World,
  example: Example,
  { as = 'admin', ...step }: Step,
): string | undefined {
  if (as === 'nobody') return undefined
  if (as === 'stranger') return 'nobody-issued-this'
  const user = as === 'admin' ? 'admin' : 'demo'
  const home = keystone.projectId(user)
  const project = step.project ?? example.project ?? home
  const { projects } = keystone.state
  if (!projects.has(project)) projects.set(project, { ...projects.get(home)!, id: project, name: project })
  keystone.grant(keystone.userId(user), as, project)
  return keystone.issue(keystone.userId(user), project)
}

const answerOf = (step: Step, reply: Reply) => ({
  status: reply.status,
  type: reply.headers['content-type'] ?? 'none',
  ...('json' in step ? { json: arranged(step, reply.json) } : { text: reply.text }),
  headers: Object.fromEntries(Object.keys(step.reply_headers ?? {}).map(name => [name, reply.headers[name]])),
})

function expectedOf(step: Step, reply: Reply, known: Known, twins?: [string, string]) {
  const json = withTwins(arranged(step, step.json), twins)
  return {
    status: step.status,
    type: step.type,
    ...('json' in step
      ? { json: settle(json, arranged(step, reply.json), known) }
      : { text: fill(step.text!, known) }),
    headers: step.reply_headers ?? {},
  }
}

/** The answer with its list in an order of our own, where the source says none. */
function arranged({ order }: Step, answer: unknown): unknown {
  if (!order || typeof answer !== 'object' || answer === null) return answer
  const byId = (a: Row, b: Row) => String(a.id).localeCompare(String(b.id))
  return Object.fromEntries(Object.entries(answer).map(([key, list]) => [key, list.toSorted(byId)]))
}

/** The answer with both names of a field wherever the source shows one. */
function withTwins(expected: unknown, twins?: [string, string]): unknown {
  if (!twins || typeof expected !== 'object' || expected === null) return expected
  if (Array.isArray(expected)) return expected.map(item => withTwins(item, twins))
  const names = (name: string) => (twins.includes(name) ? twins : [name])
  return Object.fromEntries(
    Object.entries(expected).flatMap(([name, value]) =>
      names(name).map(one => [one, withTwins(value, twins)]),
    ),
  )
}

const shapes: Record<string, RegExp> = {
  uuid: /^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/,
  int: /^\d+$/,
  time: /^"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"$/,
  date: /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000"$/,
  instant: /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/,
  hex: /^"[0-9a-f]{32}"$/,
  digits: /^"[1-9]\d*"$/,
  text: /^".*"$/,
}

/** What is expected, with known values in their places and the actual ones where they have the shape asked for. */
function settle(expected: unknown, actual: unknown, known: Known): unknown {
  if (typeof expected === 'string') {
    const [, shape, name] = /^<(\w+)(?::(\w+))?>$/.exec(expected) ?? []
    if (!shape) return known.get(/^\$\{(\w+)\}$/.exec(expected)?.[1] ?? '') ?? fill(expected, known)
    if (!shapes[shape]!.test(JSON.stringify(actual) ?? '')) return expected
    if (name) known.set(name, actual)
    return actual
  }
  if (typeof expected !== 'object' || expected === null) return expected
  const settled = Object.entries(expected).map(([key, value]) => [
    key,
    settle(value, (actual as Row | undefined)?.[key], known),
  ])
  return Array.isArray(expected) ? settled.map(([, value]) => value) : Object.fromEntries(settled)
}

/** A text with the values that were met before in the places of their names. */
function fill(expected: string, known: Known): string {
  return expected.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    if (!known.has(name)) throw new Error(`no step before this one has met <…:${name}>`)
    return String(known.get(name))
  })
}

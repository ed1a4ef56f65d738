// Leases of the Reservation API: asked for, shown, listed, changed and given up; and every way to ask wrongly.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Reply } from '../../world.ts'
import { rowCounts } from '../requests.ts'

const w = await fileWorld({ joined: true, settings: { ATOLL_API_PAGE_LIMIT: '5' } })
beforeAll(async () => {
  w.setTime(new Date('2020-01-01T12:00:20Z'))
  for (const region of ['pod1', 'pod2']) {
    for (const n of [1, 2, 3]) {
      const name = `${region}-host${n}`
      await w.call('POST', '/v1/os-hosts', { body: { name, gpu: n === 1 ? 'yes' : 'no' } })
    }
  }
})

const at = '/reservation/v1/leases'
const physical = (fields: object = {}) => ({
  resource_type: 'physical:host',
  min: 1,
  max: 1,
  hypervisor_properties: '',
  resource_properties: '',
  ...fields,
})
const good = (fields: object = {}) => ({
  name: 'lease',
  start_date: '2020-01-02 10:00',
  end_date: '2020-01-02 11:00',
  ...fields,
})
const create = (fields: object = {}, as: 'admin' | 'demo' = 'demo', path = at) =>
  w.call('POST', path, { as, body: good(fields) })
const made = async (fields: object = {}, as: 'admin' | 'demo' = 'demo') => {
  const reply = await create(fields, as)
  expect(reply.status, reply.text).toBe(201)
  return reply.json.lease
}
const refusal = (reply: Reply) => [reply.status, reply.json.error_message]
const remove = (id: string) => w.call('DELETE', `${at}/${id}`)

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)

describe('a lease', () => {
  it('has every field of today’s API and of the seed’s', async () => {
    const lease = await made({ name: 'full', reservations: [physical({ max: 2 })] })
    const of = { lease_id: lease.id, created_at: time, updated_at: null, id: uuid }
    expect(Object.entries(lease)).toEqual([
      ['created_at', '2020-01-01 12:00:20'],
      ['updated_at', null],
      ['id', uuid],
      ['name', 'full'],
      ['user_id', w.cloud.keystone.userId('demo')],
      ['project_id', w.cloud.keystone.projectId('demo')],
      ['start_date', '2020-01-02T10:00:00.000000'],
      ['end_date', '2020-01-02T11:00:00.000000'],
      ['trust_id', null],
      ['status', 'PENDING'],
      ['status_reason', null],
      ['action', null],
      ['degraded', false],
      [
        'reservations',
        [
          {
            ...of,
            resource_id: lease.reservations[0].id,
            resource_type: 'physical:host',
            status: 'pending',
            missing_resources: false,
            resources_changed: false,
            hypervisor_properties: '',
            resource_properties: '',
            before_end: 'default',
            min: 1,
            max: 2,
            region: expect.stringMatching(/^Pod[12]$/),
          },
        ],
      ],
      [
        'events',
        [
          { ...of, event_type: 'start_lease', time: '2020-01-02T10:00:00.000000', status: 'UNDONE' },
          { ...of, event_type: 'end_lease', time: '2020-01-02T11:00:00.000000', status: 'UNDONE' },
          { ...of, event_type: 'before_end_lease', time: '2020-01-02T10:00:00.000000', status: 'UNDONE' },
        ],
      ],
    ])
    expect((await w.call('GET', `${at}/${lease.id}`, { as: 'demo' })).json).toEqual({ lease })
    expect((await w.call('GET', `/v1/leases/${lease.id}.json`, { as: 'demo' })).json).toEqual({ lease })
    const reply = await remove(lease.id)
    expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([204, '', 'application/json'])
    expect((await w.call('GET', `${at}/${lease.id}`)).status).toBe(404)
  })

  it('is accepted with 202 at the seed’s path', async () => {
    const reply = await create({ name: 'seed' }, 'demo', '/v1/leases')
    expect(reply.status).toBe(202)
    const { id } = reply.json.lease
    const changed = await w.call('PUT', `/v1/leases/${id}`, { as: 'demo', body: { name: 'new' } })
    expect([changed.status, changed.json.lease.name]).toEqual([202, 'new'])
    expect((await w.call('DELETE', `/v1/leases/${id}.json`)).status).toBe(204)
  })

  it('may have no reservations, null for its date before the end, and unknown keys', async () => {
    const lease = await made({ before_end_date: null, reservations: [], events: [], foo: 1, __proto__: {} })
    expect(lease.reservations).toEqual([])
    await remove(lease.id)
  })

  it('may begin now and with single digits', async () => {
    const now = await made({ start_date: 'now', end_date: '2020-1-1 12:5' })
    expect([now.start_date, now.end_date]).toEqual([
      '2020-01-01T12:00:00.000000',
      '2020-01-01T12:05:00.000000',
    ])
    await remove(now.id)
  })

  it('keeps its name as it is, to 80 characters', async () => {
    for (const name of ['', ' x ', '𝒳'.repeat(80), "'; drop table lease; --"]) {
      const lease = await made({ name })
      expect(lease.name).toBe(name)
      await remove(lease.id)
    }
  })

  it('has the event before its end when it is asked for, and those that its user gives', async () => {
    const lease = await made({
      before_end_date: '2020-01-02 10:45',
      events: [
        { event_type: 'notification', event_date: '2020-01-02 10:30' },
        { event_type: 'call', time: '2020-1-2 10:20', id: 'mine', status: 'DONE' },
      ],
    })
    const events = lease.events.map((event: Record<string, string>) => [
      event.event_type,
      event.time,
      event.status,
    ])
    expect(events).toContainEqual(['before_end_lease', '2020-01-02T10:45:00.000000', 'UNDONE'])
    expect(events).toContainEqual(['notification', '2020-01-02T10:30:00.000000', 'UNDONE'])
    expect(events).toContainEqual(['call', '2020-01-02T10:20:00.000000', 'UNDONE'])
    expect(events).toHaveLength(5)
    await remove(lease.id)
  })

  it('holds the hosts that match, and tells whoever may see it which', async () => {
    const reservations = [
      physical({
        hypervisor_properties: '["==", "$region", "Pod2"]',
        resource_properties: '["==", "$gpu", "yes"]',
      }),
      physical({
        min: 3,
        max: 3,
        hypervisor_properties: '["==", "$region", "Pod1"]',
        before_end: 'snapshot',
      }),
    ]
    const lease = await made({ reservations })
    expect(lease.reservations.map((one: { region: string }) => one.region)).toEqual(['Pod2', 'Pod1'])
    const reply = await w.call('GET', `${at}/${lease.id}/hosts`, { as: 'demo' })
    expect(reply.status).toBe(200)
    const names = reply.json.hosts.map((host: { hypervisor_hostname: string }) => host.hypervisor_hostname)
    expect(names.sort()).toEqual(['pod1-host1', 'pod1-host2', 'pod1-host3', 'pod2-host1'])
    expect(reply.json.hosts[0]).not.toHaveProperty('gpu')
    const short = await create({
      reservations: [physical({ hypervisor_properties: '["==", "$region", "Pod1"]' })],
    })
    expect(short.status).toBe(409)
    expect(short.json.error_message).toMatch(/^Not enough hosts available/)
    expect(short.json.error_name).toBe(409)
    await remove(lease.id)
  })
})

describe('a request for a lease', () => {
  const refused = async (body: unknown, status: number, sentence: string | RegExp) => {
    const before = await rowCounts(w)
    const reply = await w.call('POST', at, { as: 'demo', body })
    expect([reply.status, reply.json]).toEqual([
      status,
      {
        error_code: status,
        error_message: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
        error_name: status,
      },
    ])
    expect(await rowCounts(w), 'nothing is stored').toEqual(before)
  }
  const required = '%Y-%m-%d %H:%M'

  it.each<[unknown, string]>([
    [{}, 'Missing parameter end_date, start_date, name'],
    [{ name: 'x' }, 'Missing parameter end_date, start_date'],
    [[1], 'The body must be a JSON object, not an array'],
    ['str', 'The body must be a JSON object, not a string'],
    [null, 'The body must be a JSON object, not null'],
    [good({ name: null }), 'Malformed parameter name (must be a string, not null)'],
    [good({ name: 7 }), 'Malformed parameter name (must be a string, not a number)'],
    [good({ name: '€'.repeat(81) }), 'Malformed parameter name (at most 80 characters)'],
    [good({ reservations: null }), 'Malformed parameter reservations (must be a list, not null)'],
    [good({ reservations: {} }), 'Malformed parameter reservations (must be a list, not an object)'],
    [
      good({ reservations: ['x'] }),
      'Malformed parameter reservations (must be a list of objects, and holds a string)',
    ],
    [good({ events: 'x' }), 'Malformed parameter events (must be a list, not a string)'],
    [good({ events: [null] }), 'Malformed parameter events (must be a list of objects, and holds null)'],
  ])('is refused when it is %j', async (body, sentence) => {
    await refused(body, 400, sentence)
  })

  it('without a body is one without fields', async () => {
    expect(refusal(await w.call('POST', at))).toEqual([400, 'Missing parameter end_date, start_date, name'])
  })

  it.each(['id', 'project_id', 'user_id', 'status', 'degraded', 'trust_id'])(
    'sets no %s, nor does a change',
    async key => {
      const sentence = `The parameter ${key} is set by the server: leave it out`
      for (const value of ['x', null, true]) await refused(good({ [key]: value }), 400, sentence)
      const lease = await made()
      const reply = await w.call('PUT', `${at}/${lease.id}`, { as: 'demo', body: { name: 'y', [key]: 'x' } })
      expect(refusal(reply)).toEqual([400, sentence])
      expect((await w.call('GET', `${at}/${lease.id}`)).json).toEqual({ lease })
      await remove(lease.id)
    },
  )

  it.each(['id', 'lease_id', 'resource_id', 'status', 'missing_resources', 'resources_changed'])(
    'sets no %s of a reservation',
    async key => {
      const sentence = `The parameter ${key} is set by the server: leave it out`
      await refused(good({ reservations: [physical({ [key]: 'x' })] }), 400, sentence)
    },
  )

  const dates: [unknown, string][] = [
    ['Now', 'Now'],
    ['', ''],
    ['2020-01-02 10:00:30', '2020-01-02 10:00:30'],
    ['2020-01-02T10:00', '2020-01-02T10:00'],
    ['2020-01-02 10:00 +0200', '2020-01-02 10:00 +0200'],
    ['2020-02-30 10:00', '2020-02-30 10:00'],
    ['2020-13-01 10:00', '2020-13-01 10:00'],
    ['2020-01-02 24:00', '2020-01-02 24:00'],
    ['2020-01-02 10:60', '2020-01-02 10:60'],
    ['30-01-02 10:00', '30-01-02 10:00'],
    ['٢٠٢٠-01-02 10:00', '٢٠٢٠-01-02 10:00'],
    [`2020-01-02 10:00${' '.repeat(200)}`, `2020-01-02 10:00${' '.repeat(84)}`],
    [null, 'null'],
    [5, 'a number'],
    [{}, 'an object'],
  ]
  it.each(dates)('has no date %j', async (date, shown) => {
    const sentence = `${shown} is an invalid date. Required format: ${required}`
    await refused(good({ start_date: date }), 400, sentence)
    await refused(good({ end_date: date }), 400, sentence)
    if (date !== null) await refused(good({ before_end_date: date }), 400, sentence)
    await refused(good({ events: [{ event_type: 'e', event_date: date }] }), 400, sentence)
  })

  it.each<[object, number, string]>([
    [{ start_date: '2017-2-21 20:00' }, 400, 'Start date must be later than current date'],
    [{ start_date: '2020-01-01 11:59' }, 400, 'Start date must be later than current date'],
    [{ end_date: '2020-01-02 10:00' }, 400, 'End date must be later than start date.'],
    [{ end_date: '2020-01-02 09:59' }, 400, 'End date must be later than start date.'],
    [{ end_date: 'now' }, 400, 'End date must be later than start date.'],
    [{ start_date: 'now', end_date: 'now' }, 400, 'End date must be later than start date.'],
    [{ before_end_date: 'now' }, 400, `now is an invalid date. Required format: ${required}`],
    [{ before_end_date: '2020-01-02 09:30' }, 403, 'Datetime is out of lease limits'],
    [{ before_end_date: '2020-01-02 10:00' }, 403, 'Datetime is out of lease limits'],
    [{ before_end_date: '2020-01-02 11:00' }, 403, 'Datetime is out of lease limits'],
    [{ before_end_date: '2020-01-02 12:00' }, 403, 'Datetime is out of lease limits'],
  ])('is refused with the dates %j', async (fields, status, sentence) => {
    await refused(good(fields), status, sentence)
  })

  const without = (name: string) => {
    const { [name]: _, ...rest } = physical() as Record<string, unknown>
    return rest
  }
  const atLeast1 = 'Malformed parameter min and max (must be greater than or equal to 1)'
  const minOverMax = 'Invalid values for min/max of hosts. Max must be equal to or larger than min.'
  it.each<[object, string]>([
    ...['resource_type', 'min', 'max', 'hypervisor_properties', 'resource_properties'].map(
      (name): [object, string] => [without(name), `Missing parameter ${name}`],
    ),
    [
      physical({ resource_type: 'foo:bar' }),
      'The foo:bar resource type is not supported; this server has physical:host',
    ],
    [physical({ resource_type: 7 }), 'Malformed parameter resource_type (must be a string, not a number)'],
    [physical({ min: 'foo' }), 'Malformed parameter min'],
    [physical({ max: 'foo' }), 'Malformed parameter max'],
    [physical({ min: '' }), 'Malformed parameter min'],
    [physical({ min: '1' }), 'Malformed parameter min (must be a JSON integer, not a string)'],
    [physical({ min: 1.5 }), 'Malformed parameter min (must be a JSON integer, not 1.5)'],
    [physical({ max: null }), 'Malformed parameter max (must be a JSON integer, not null)'],
    [physical({ max: true }), 'Malformed parameter max (must be a JSON integer, not a boolean)'],
    [physical({ max: 1e9 }), 'Malformed parameter max (at most 100000)'],
    [physical({ min: 0 }), atLeast1],
    [physical({ min: -1 }), atLeast1],
    [physical({ min: 0, max: 0 }), atLeast1],
    [physical({ min: 3, max: 2 }), minOverMax],
    [physical({ before_end: 'email' }), 'Malformed parameter before_end'],
    [physical({ before_end: null }), 'Malformed parameter before_end'],
    [
      physical({ hypervisor_properties: ['==', '$vcpus', '8'] }),
      'Malformed parameter hypervisor_properties (must be a string, not an array)',
    ],
    [
      physical({ resource_properties: null }),
      'Malformed parameter resource_properties (must be a string, not null)',
    ],
    [
      physical({ resource_properties: 'x'.repeat(10_001) }),
      'Malformed parameter resource_properties (at most 10000 characters)',
    ],
  ])('is refused with the reservation %j', async (reservation, sentence) => {
    await refused(good({ reservations: [reservation] }), 400, sentence)
    await refused(good({ reservations: [physical(), reservation] }), 400, sentence)
  })

  it.each<[string, RegExp]>([
    ['[', /^Malformed requirements \[.*at character 2/],
    ['["==", "$vcpus"', /^Malformed requirements .*at character 16/],
    ['["in", "$vcpus", "8"]', /^Malformed requirements/],
    ['["and"]', /^Malformed requirements/],
    ['{}', /^Malformed requirements/],
    ['["==", "$never_heard_of", "8"]', /never_heard_of/],
  ])('is refused with the filter %s', async (filter, sentence) => {
    await refused(good({ reservations: [physical({ hypervisor_properties: filter })] }), 400, sentence)
    await refused(good({ reservations: [physical({ resource_properties: filter })] }), 400, sentence)
  })

  it('is refused with 10,000 reservations', async () => {
    const reservations = Array.from({ length: 10_000 }, () => physical())
    await refused(good({ reservations }), 400, /reservations/)
  })

  it.each<[object, string]>([
    [{}, 'Missing parameter event_type'],
    [{ event_type: 'e' }, 'Missing parameter event_date'],
    [
      { event_type: '', event_date: '2020-01-02 10:30' },
      'Malformed parameter event_type (must not be empty)',
    ],
    [
      { event_type: 7, event_date: '2020-01-02 10:30' },
      'Malformed parameter event_type (must be a string, not a number)',
    ],
    [
      { event_type: 'e'.repeat(67), event_date: '2020-01-02 10:30' },
      'Malformed parameter event_type (at most 66 characters)',
    ],
    ...['start_lease', 'end_lease', 'before_end_lease'].map((event_type): [object, string] => [
      { event_type, event_date: '2020-01-02 10:30' },
      `Malformed parameter event_type (${event_type} is an event that every lease has by itself)`,
    ]),
  ])('is refused with the event %j', async (event, sentence) => {
    await refused(good({ events: [event] }), 400, sentence)
  })

  it('is refused with an event outside the lease, and with 101', async () => {
    const event = { event_type: 'e', event_date: '2020-01-02 09:59' }
    await refused(good({ events: [event] }), 400, /^Event e is at /)
    const inside = { event_type: 'e', event_date: '2020-01-02 10:30' }
    await refused(good({ events: Array(101).fill(inside) }), 400, 'Malformed parameter events (at most 100)')
  })

  it('is refused where no capacity is, and says what was short, where, when and what would do', async () => {
    await refused(
      good({ reservations: [physical({ min: 4, max: 4 })] }),
      409,
      /^Not enough hosts available: .*4 matching hosts .*3 at most\. No window within a year would do\.$/,
    )
  })
})

// Changes of leases by the Reservation API (reference of the original: 2.5), and who may see and change them.

import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld, type Reply } from '../../world.ts'
import { tokenWith } from '../people.ts'

const w = await fileWorld()
beforeAll(async () => {
  w.setTime(new Date('2020-01-01T12:00:20Z'))
  await w.call('POST', '/v1.0/pods', { body: { pod: { region_name: 'Pod1', az_name: 'az' } } })
  for (const n of [1, 2, 3]) await w.call('POST', '/v1/os-hosts', { body: { name: `pod1-host${n}` } })
})

const at = '/reservation/v1/leases'
const refusal = (reply: Reply) => [reply.status, reply.json.error_message]
const physical = {
  resource_type: 'physical:host',
  min: 1,
  max: 1,
  hypervisor_properties: '',
  resource_properties: '',
}

interface Lease {
  id: string
  reservations: { id: string; min: number; max: number }[]
  events: { event_type: string; time: string }[]
}

async function newLease(fields: object = {}): Promise<Lease> {
  const body = {
    name: 'lease',
    start_date: '2020-01-02 10:00',
    end_date: '2020-01-02 14:00',
    reservations: [physical],
    ...fields,
  }
  const reply = await w.call('POST', at, { as: 'demo', body })
  expect(reply.status, reply.text).toBe(201)
  return reply.json.lease
}

describe('a change', () => {
  let lease: Lease
  beforeAll(async () => {
    lease = await newLease()
  })
  const put = (body: unknown, id = lease.id) => w.call('PUT', `${at}/${id}`, { as: 'demo', body })
  const show = async () => (await w.call('GET', `${at}/${lease.id}`)).json

  it('of nothing changes nothing', async () => {
    for (const body of [{}, undefined, { foo: 1 }, { before_end_date: null }]) {
      const reply = await put(body)
      expect([reply.status, reply.json]).toEqual([200, { lease }])
    }
  })

  it('of the name is shown at once, with the time of the change', async () => {
    const reply = await put({ name: 'new' })
    expect(reply.json.lease).toMatchObject({
      name: 'new',
      status: 'PENDING',
      updated_at: '2020-01-01 12:00:20',
    })
    expect(await show()).toEqual(reply.json)
  })

  it('of the dates moves the events', async () => {
    const reply = await put({ start_date: '2020-1-2 9:30', end_date: '2020-1-2 16:00' })
    expect(reply.status, reply.text).toBe(200)
    expect(reply.json.lease).toMatchObject({
      start_date: '2020-01-02T09:30:00.000000',
      end_date: '2020-01-02T16:00:00.000000',
    })
    const times = reply.json.lease.events.map((event: Lease['events'][0]) => [event.event_type, event.time])
    expect(times).toEqual([
      ['start_lease', '2020-01-02T09:30:00.000000'],
      ['end_lease', '2020-01-02T16:00:00.000000'],
      ['before_end_lease', '2020-01-02T15:00:00.000000'],
    ])
    const before = await put({ before_end_date: '2020-01-02 12:00' })
    expect(before.json.lease.events).toContainEqual(
      expect.objectContaining({ event_type: 'before_end_lease', time: '2020-01-02T12:00:00.000000' }),
    )
  })

  it('of a reservation takes what is there beside its id, whatever else the lease shows of it', async () => {
    const [shown] = (await show()).lease.reservations
    const reply = await put({ reservations: [{ ...shown, min: 2, max: 3, status: 'error', lease_id: 'x' }] })
    expect(reply.json.lease.reservations).toEqual([
      { ...shown, min: 2, max: 3, updated_at: '2020-01-01 12:00:20' },
    ])
    expect((await w.call('GET', `${at}/${lease.id}/hosts`)).json.hosts.length).toBeGreaterThanOrEqual(2)
  })

  const bad: [unknown, number, string | RegExp][] = [
    [[], 400, 'The body must be a JSON object, not an array'],
    [{ name: null }, 400, 'Malformed parameter name (must be a string, not null)'],
    [{ name: 'x'.repeat(81) }, 400, 'Malformed parameter name (at most 80 characters)'],
    [{ start_date: 'Now' }, 400, 'Now is an invalid date. Required format: %Y-%m-%d %H:%M'],
    [{ end_date: null }, 400, 'null is an invalid date. Required format: %Y-%m-%d %H:%M'],
    [{ start_date: '2017-01-01 10:00' }, 400, 'Start date must be later than current date'],
    [{ end_date: '2017-01-01 10:00' }, 400, 'End date must be later than current and start date'],
    [{ end_date: 'now' }, 400, 'End date must be later than current and start date'],
    [{ before_end_date: '2020-02-01 10:00' }, 403, 'Datetime is out of lease limits'],
    [{ reservations: [{ min: 1 }] }, 400, 'Missing parameter reservation ID'],
    [{ reservations: [{ id: 7 }] }, 400, 'Malformed parameter id (must be a string, not a number)'],
    [
      { reservations: [{ id: 'x' }, { id: 'y' }] },
      400,
      'Please enter valid reservation IDs. Invalid reservation IDs are: x,y',
    ],
    [{ reservations: 'x' }, 400, 'Malformed parameter reservations (must be a list, not a string)'],
  ]
  it.each(bad)('is refused when it is %j', async (body, status, sentence) => {
    const before = await show()
    const reply = await put(body)
    expect(refusal(reply)).toEqual([status, sentence])
    expect(await show(), 'the lease is as it was').toEqual(before)
  })

  it.each<[object, number, string | RegExp]>([
    [{ min: '1' }, 400, 'Malformed parameter min (must be a JSON integer, not a string)'],
    [{ min: 'foo' }, 400, 'Malformed parameter min'],
    [{ max: 0 }, 400, 'Malformed parameter min and max (must be greater than or equal to 1)'],
    [
      { min: 3, max: 2 },
      400,
      'Invalid values for min/max of hosts. Max must be equal to or larger than min.',
    ],
    [{ min: 9 }, 400, 'Invalid values for min/max of hosts. Max must be equal to or larger than min.'],
    [{ before_end: 'x' }, 400, 'Malformed parameter before_end'],
    [{ hypervisor_properties: '[' }, 400, /^Malformed requirements/],
    [{ resource_type: 'virtual:instance' }, 409, 'resource_type cannot be updated'],
    [{ resource_type: 7 }, 400, 'Malformed parameter resource_type (must be a string, not a number)'],
    [{ min: 9, max: 9 }, 409, /^Not enough hosts available/],
  ])('of a reservation is refused when it is %j', async (fields, status, sentence) => {
    const before = await show()
    const reply = await put({ name: 'half', reservations: [{ id: lease.reservations[0]!.id, ...fields }] })
    expect(reply.status).toBe(status)
    if (typeof sentence === 'string') expect(reply.json.error_message).toBe(sentence)
    else expect(reply.json.error_message).toMatch(sentence)
    expect(await show(), 'the lease is as it was').toEqual(before)
  })

  it('is made by nobody of what is not there', async () => {
    for (const id of ['nope', '7', '00000000-0000-4000-8000-000000000000', '%27', 'x'.repeat(300)]) {
      const shown = decodeURIComponent(id)
      const sentence = `Object with {'lease_id': '${shown}'} not found`
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect(refusal(await w.call(method, `${at}/${id}`, { as: 'demo' })), method).toEqual([404, sentence])
      expect(refusal(await w.call('GET', `${at}/${id}/hosts`))).toEqual([404, sentence])
    }
  })
})

describe('another project’s lease', () => {
  let lease: Lease
  let stranger: string
  let reader: string
  beforeAll(async () => {
    lease = await newLease({
      name: 'secret-name',
      start_date: '2020-03-02 10:00',
      end_date: '2020-03-02 12:00',
    })
    stranger = tokenWith(w, 'stranger', ['member'])
    reader = tokenWith(w, 'only-reads', ['reader'])
  })
  const denied = (rule: string) => ({
    error_code: 403,
    error_message: `Policy doesn't allow ${rule} to be performed`,
    error_name: 403,
  })

  it('is not shown, changed or removed, by the rule of showing it', async () => {
    const before = (await w.call('GET', `${at}/${lease.id}`)).json
    const as = { token: stranger }
    const asked: [string, string][] = [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['GET', '/hosts'],
    ]
    for (const [method, path] of asked) {
      const body = method === 'PUT' ? { name: 'mine' } : undefined
      const reply = await w.call(method, `${at}/${lease.id}${path}`, { as, body })
      expect([reply.status, reply.json], `${method} ${path}`).toEqual([403, denied('blazar:leases:get')])
    }
    expect((await w.call('GET', `${at}/${lease.id}`)).json).toEqual(before)
  })

  it('is not listed, whatever the query says, nor found by its id as a marker', async () => {
    const demo = w.cloud.keystone.projectId('demo')
    for (const query of ['', '?name=secret-name', `?project_id=${demo}`, '?all_projects=true', '?limit=1']) {
      const reply = await w.call('GET', `${at}${query}`, { as: { token: stranger } })
      expect([reply.status, reply.json], query).toEqual([200, { leases: [] }])
    }
    const known = await w.call('GET', `${at}?marker=${lease.id}`, { as: { token: stranger } })
    const unknown = await w.call('GET', `${at}?marker=00000000-0000-4000-8000-000000000000`, {
      as: { token: stranger },
    })
    expect(known.status, 'a marker tells nobody what there is').toBe(unknown.status)
  })

  it('is everything to an admin', async () => {
    expect((await w.call('GET', `${at}?name=secret-name`)).json.leases).toHaveLength(1)
    expect((await w.call('GET', `${at}/${lease.id}`)).status).toBe(200)
  })

  it('or one’s own is only read by who may only read', async () => {
    const as = { token: reader }
    expect((await w.call('GET', at, { as })).json).toEqual({ leases: [] })
    for (const [method, rule] of [
      ['POST', 'post'],
      ['PUT', 'put'],
      ['DELETE', 'delete'],
    ] as const) {
      const path = method === 'POST' ? at : `${at}/${lease.id}`
      const reply = await w.call(method, path, { as, body: {} })
      expect([reply.status, reply.json]).toEqual([403, denied(`blazar:leases:${rule}`)])
    }
  })
})

describe('in a region’s view', () => {
  it('a lease is there when it has a reservation there', async () => {
    await w.call('POST', '/v1.0/pods', { body: { pod: { region_name: 'Pod2', az_name: 'az' } } })
    const body = {
      name: 'viewed',
      start_date: '2020-04-02 10:00',
      end_date: '2020-04-02 12:00',
      reservations: [physical],
    }
    const view = (name: string, path = '') => `/reservation/${name}/v1/leases${path}`
    const created = await w.call('POST', view('Pod1'), { as: 'demo', body })
    expect([created.status, created.json.lease.reservations[0].region]).toEqual([201, 'Pod1'])
    const { id } = created.json.lease
    expect((await w.call('GET', view('Pod1', '?name=viewed'))).json.leases).toHaveLength(1)
    expect((await w.call('GET', view('Pod2', '?name=viewed'))).json.leases).toEqual([])
    for (const path of [`/${id}`, `/${id}.json`, `/${id}/hosts`]) {
      expect((await w.call('GET', view('Pod1', path))).status).toBe(200)
      expect((await w.call('GET', view('Pod2', path))).status).toBe(404)
    }
    expect((await w.call('GET', view('Pod2', '?region=Pod1'))).status).toBe(400)
    const elsewhere = await w.call('POST', view('Pod2'), { as: 'demo', body })
    expect(elsewhere.status).toBe(409)
    expect((await w.call('DELETE', view('Pod2', `/${id}`))).status).toBe(404)
    expect((await w.call('PUT', view('Pod2', `/${id}`), { body: { name: 'x' } })).status).toBe(404)
    expect((await w.call('DELETE', view('Pod1', `/${id}`))).status).toBe(204)
  })
})

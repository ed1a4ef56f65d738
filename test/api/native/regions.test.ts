// Which regions are believed, by the native API, and an administrator's word for what is gone in one that is not.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { believe } from '../../../src/core/regions/belief.ts'
import type { Region } from '../../../src/core/regions/region.ts'
import { createRegion } from '../../../src/core/regions/regions.ts'
import type { Counts } from '../../../src/core/regions/suspicion.ts'
import { fileWorld, type Reply, world } from '../../world.ts'
import { operator } from '../requests.ts'

const since = new Date('2026-11-21T12:00:00Z')
const missing = { port: { missing: 12, known: 15 }, router: { missing: 3, known: 3 } }
const counts = { ...missing, network: { missing: 0, known: 7 } }

const w = await fileWorld()
let pod1: Region
beforeAll(async () => {
  w.setTime(since)
  const newRegion = (name: string, availabilityZone: string) =>
    createRegion(w.app, operator, { name, availabilityZone, localAvailabilityZone: '', dataCenter: '' })
  await newRegion('Pod2', 'az2')
  pod1 = await newRegion('Pod1', 'az1')
  await newRegion('CentralRegion', '')
})
beforeEach(async () => {
  for (const through of ['network', 'compute'] as const) await w.app.store.suspicions.lower(pod1.id, through)
})

/** A look at the region's Neutron that does not see these. */
const look = (seen: Counts = counts) => believe(w.app, pod1, 'network', { blind: null, counts: seen })
const lookAtHosts = () =>
  believe(w.app, pod1, 'compute', { blind: null, counts: { host: { missing: 4, known: 4 } } })

const regions = async () => (await w.call('GET', '/atoll/v1/regions')).json.regions
const confirm = (body?: unknown, name = 'Pod1') =>
  w.call('POST', `/atoll/v1/regions/${name}/confirm`, { body })
const refused = ({ status, json }: Reply) => [status, json?.error?.message]

const suspicion = {
  through: 'network',
  since: since.toISOString(),
  reason: '12 of 15 ports are missing at once',
  counts,
  confirmed: null,
}

describe('the list of regions', () => {
  it('has all but the central one by their names, and nothing against those that are believed', async () => {
    expect(await regions()).toEqual([
      { name: 'Pod1', availability_zone: 'az1', state: 'ok', suspicions: [] },
      { name: 'Pod2', availability_zone: 'az2', state: 'ok', suspicions: [] },
    ])
  })

  it('says of one that is suspect through what, since when, why, and counts what is missing', async () => {
    await look()
    await lookAtHosts()
    const [first, second] = await regions()
    expect([first.state, second.state]).toEqual(['suspect', 'ok'])
    expect(first.suspicions).toEqual([
      expect.objectContaining({ through: 'compute', counts: { host: { missing: 4, known: 4 } } }),
      suspicion,
    ])
  })
})

describe('an administrator’s word', () => {
  it('stands when it says the counts that were shown, and the next look is followed', async () => {
    await look()
    expect((await look()).doubt).not.toBeNull()
    const { status, json } = await confirm({ missing: { port: 12, router: 3 } })
    const confirmed = { ...suspicion, confirmed: { port: 12, router: 3 } }
    expect([status, json]).toEqual([200, { suspicions: [confirmed] }])
    expect((await regions())[0].suspicions).toEqual([confirmed])
    expect(await look()).toEqual({ doubt: null, change: 'lowered', since, counts })
    expect((await regions())[0].state).toBe('ok')
  })

  it('is in the audit trail, and makes the looks at the region due', async () => {
    await look()
    await w.database.pool.query(`update turn set due_at = now() + interval '1 hour' where key = 'Pod1'`)
    await confirm({ missing: { port: 12, router: 3 } })
    const { rows } = await w.database.pool.query(
      `select kind from turn where key = 'Pod1' and due_at <= now() order by kind`,
    )
    expect(rows.map(({ kind }) => kind)).toEqual(['survey', 'watch'])
    const trail = await w.database.pool.query(
      `select target, state -> 'confirmed' as confirmed from audit where action = 'region.confirm' order by id desc limit 1`,
    )
    expect(trail.rows).toEqual([{ target: pod1.id, confirmed: { port: 12, router: 3 } }])
  })

  it.each<[string, unknown]>([
    ['no body', undefined],
    ['an empty one', {}],
    ['no counts', { missing: {} }],
    ['fewer kinds', { missing: { port: 12 } }],
    ['more kinds', { missing: { port: 12, router: 3, network: 1 } }],
    ['other counts', { missing: { port: 11, router: 3 } }],
    ['words of JavaScript', { missing: { port: 12, router: 3, constructor: 1 } }],
  ])('with %s is refused, and told what is missing', async (_, body) => {
    await look()
    const reply = await confirm(body)
    expect(reply.status).toBe(409)
    expect(reply.json.error).toEqual({
      code: 'conflict',
      reason: 'counts',
      missing: { port: 12, router: 3 },
      message:
        'Missing in Pod1 are 12 ports, 3 routers: say just that, so that nothing goes that you have not been shown',
    })
    expect((await regions())[0].suspicions[0].confirmed).toBeNull()
  })

  it('of what was missing a while ago is refused where more is missing now', async () => {
    await look()
    await look({ ...counts, port: { missing: 15, known: 15 } })
    expect(refused(await confirm({ missing: { port: 12, router: 3 } }))).toEqual([
      409,
      expect.stringMatching(/^Missing in Pod1 are 15 ports, 3 routers:/),
    ])
  })

  it('covers no more than it has counted: what goes missing afterwards is doubted again', async () => {
    await look()
    await confirm({ missing: { port: 12, router: 3 } })
    const more = { ...counts, port: { missing: 13, known: 15 } }
    expect((await look(more)).doubt).toBe('13 of 15 ports are missing at once')
  })

  it('about a region that is believed, or that is not there, is refused', async () => {
    const body = { missing: { port: 12 } }
    expect(refused(await confirm(body))).toEqual([409, 'Pod1 is not suspect: there is nothing to confirm'])
    expect(refused(await confirm(body, 'Pod9'))).toEqual([404, 'There is no region Pod9'])
  })

  it('is not a tenant’s, even where the operator’s policy lets tenants ask', async () => {
    await using open = await world({ settings: { ATOLL_POLICY: '{"atoll:regions:confirm": reader}' } })
    const reply = await open.call('POST', '/atoll/v1/regions/Pod1/confirm', { as: 'demo', body: {} })
    expect(refused(reply)).toEqual([403, 'Only an administrator may say what is gone'])
  })

  it.each<[unknown, string]>([
    [[], 'The body must be a JSON object, not an array'],
    [{ missing: [] }, 'missing must be an object that counts each kind, not an array'],
    [{ missing: null }, 'missing must be an object that counts each kind, not null'],
    ...[0, -1, 1.5, '3', null, {}].map((count): [unknown, string] => [
      { missing: { port: count } },
      'missing must say of each kind a whole number from 1',
    ]),
  ])('%j cannot be read', async (body, sentence) => {
    expect(refused(await confirm(body))).toEqual([400, sentence])
  })
})

it('the document describes the body', async () => {
  const { paths } = (await w.call('GET', '/atoll/v1/openapi.json')).json
  const { operationId, requestBody } = paths['/atoll/v1/regions/{name}/confirm'].post
  expect(operationId).toBe('confirmRegion')
  expect(Object.keys(requestBody.content['application/json'].schema.properties)).toEqual(['missing'])
  expect(paths['/atoll/v1/regions'].get.requestBody).toBeUndefined()
})

// Any text that may be stored comes back as it was sent: names for ids, blanks, emoji, control characters, SQL.

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileWorld } from '../world.ts'
import { fresh, goodRequests, newRegion } from './requests.ts'

const w = await fileWorld()
let regionId: string
beforeAll(async () => {
  regionId = (await newRegion(w)).id
})

const routing = (fields: object) => ({
  routing: {
    top_id: randomUUID(),
    bottom_id: randomUUID(),
    pod_id: regionId,
    project_id: 'p',
    resource_type: 'port',
    ...fields,
  },
})
const create = (fields: object) => w.call('POST', '/v1.0/routings', { body: routing(fields) })

describe('the id of a central resource', () => {
  it.each([
    'dhcp_port_f47ac10b-58cc-4372-a567-0e02b2c3d479',
    'interface_Pod1_f47ac10b-58cc-4372-a567-0e02b2c3d479',
    'bridge_net_demo',
    'x',
    'a'.repeat(127),
    '𝒳'.repeat(127),
    'two words',
    '%41',
    "'; drop table routing; --",
    '<script>alert(1)</script>',
    '\u202egnirts',
    'e\u0301',
    '\u00e9',
    '__proto__',
    'null',
    '0',
  ])('may be a name: %j', async top_id => {
    const created = await create({ top_id })
    expect([created.status, created.json.routing?.top_id]).toEqual([200, top_id])
    const shown = await w.call('GET', `/v1.0/routings/${created.json.routing.id}`)
    expect(shown.json).toEqual(created.json)
    const query = `all_projects=true&top_id=${encodeURIComponent(top_id)}`
    const found = await w.call('GET', `/v1.0/routings?${query}`)
    expect(found.json.routings).toEqual([created.json.routing])
  })

  it('is kept without the blanks around it', async () => {
    const { json } = await create({ top_id: ' \t name \n' })
    expect(json.routing.top_id).toBe('name')
  })
})

/** What a text of so many characters may hold: every character but NUL and halves of pairs, without blanks around. */
const text = (maxLength: number) =>
  fc
    .string({ unit: 'binary', minLength: 1, maxLength })
    .map(value => value.replaceAll('\0', '').trim())
    .filter(value => value !== '')

const runs = { numRuns: process.env.SOAK === '1' ? 3000 : 40 }
/** Of pods there are few: each new one is held against all. */
const fewer = { numRuns: process.env.SOAK === '1' ? 300 : 30 }
const longest = 300_000

describe('any text', () => {
  it(
    'comes back from a routing unchanged, and is found by itself',
    async () => {
      const property = fc.asyncProperty(
        text(127),
        text(36),
        text(36),
        async (top_id, bottom_id, project_id) => {
          const sent = { top_id, bottom_id, project_id, resource_type: 'network' }
          const created = await create(sent)
          // The same text twice is the same resource twice.
          if (created.status === 409) return
          expect(created.json).toEqual({ routing: expect.objectContaining(sent) })
          const filters = new URLSearchParams({ all_projects: 'true', top_id, bottom_id, project_id })
          const found = await w.call('GET', `/v1.0/routings?${filters}`)
          expect(found.json.routings).toEqual([created.json.routing])
        },
      )
      await fc.assert(property, runs)
    },
    longest,
  )

  it(
    'comes back from a routing after a change',
    async () => {
      const { json } = await create({})
      const property = fc.asyncProperty(text(127), text(36), async (top_id, bottom_id) => {
        const path = `/v1.0/routings/${json.routing.id}`
        const changed = await w.call('PUT', path, { body: { routing: { top_id, bottom_id } } })
        if (changed.status === 409) return
        expect((await w.call('GET', path)).json.routing).toMatchObject({ top_id, bottom_id })
      })
      await fc.assert(property, runs)
    },
    longest,
  )

  it(
    'comes back from a pod',
    async () => {
      const property = fc.asyncProperty(text(200), text(255), text(255), async (name, zone, dc) => {
        const sent = { region_name: fresh(name), az_name: zone, pod_az_name: dc, dc_name: zone }
        const created = await w.call('POST', '/v1.0/pods', { body: { pod: sent } })
        expect(created.json).toEqual({
          pod: { ...sent, pod_name: sent.region_name, pod_id: expect.any(String) },
        })
        expect((await w.call('GET', `/v1.0/pods/${created.json.pod.pod_id}`)).json).toEqual(created.json)
      })
      await fc.assert(property, fewer)
    },
    longest,
  )

  it(
    'comes back from a binding',
    async () => {
      const property = fc.asyncProperty(text(64), async tenant_id => {
        const body = { pod_binding: { tenant_id, pod_id: regionId } }
        const { status, json } = await w.call('POST', '/v1.0/bindings', { body })
        if (status === 409) return
        expect(json.pod_binding.tenant_id).toBe(tenant_id)
        const shown = await w.call('GET', `/v1.0/bindings/${json.pod_binding.id}`)
        expect(shown.json.pod_binding.tenant_id).toBe(tenant_id)
      })
      await fc.assert(property, runs)
    },
    longest,
  )
})

describe('any name', () => {
  it(
    'comes back from an instance, or Nova does not take it',
    async () => {
      const { body } = await goodRequests['POST /promise/create-instance']!(w)
      const property = fc.asyncProperty(text(255), async name => {
        const { json } = await w.call('POST', '/promise/create-instance', { body: { ...body, name } })
        if (json.result === 'error') return expect(json.message).toBe('The provider’s Nova answered 400')
        const shown = await w.call('POST', '/promise/query-instance', { body: json })
        expect(shown.json.name).toBe(name)
      })
      await fc.assert(property, fewer)
    },
    longest,
  )
})

describe('a refusal', () => {
  it('repeats a text so that no browser runs it', async () => {
    const pod = { region_name: '<script>alert(1)</script>', pod_name: '"><img src=x>', az_name: 'az' }
    const reply = await w.call('POST', '/v1.0/pods', { body: { pod } })
    expect(reply.status).toBe(422)
    expect(reply.text).not.toMatch(/<script|<img/)
  })
})

// How often one user and one project may ask, and who may ask as often as they like.

import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, type MockInstance, vi } from 'vitest'
import { createRates } from '../../src/api/rates.ts'
import type { Caller } from '../../src/core/caller.ts'
import { timersOf, until } from '../wait.ts'
import { type World, world } from '../world.ts'
import { tokenWith } from './people.ts'
import { allRoutes, type MountedRoute } from './requests.ts'
import { expectShape } from './shapes.ts'

const caller = (userId: string, projectId: string | null, roles = ['member']): Caller => ({
  userId,
  userName: userId,
  projectId,
  projectName: projectId,
  roles,
  requestId: 'req-rates',
})

describe('a bucket', () => {
  /** How many of so many requests are let through. */
  function asking(limits: { user: number; project: number }) {
    let time = 0
    const count = createRates(limits, () => time)
    return {
      wait: (ms: number) => {
        time += ms
      },
      passed(times: number, by: Caller): number {
        let passed = 0
        for (let n = 0; n < times; n++) {
          try {
            count(by)
            passed += 1
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid', detail: { reason: 'too_often' } })
          }
        }
        return passed
      },
    }
  }

  it('holds ten seconds of requests, and fills as time goes on, to what it holds', () => {
    const { passed, wait } = asking({ user: 5, project: 0 })
    expect(passed(100, caller('u', 'p'))).toBe(50)
    wait(1000)
    expect(passed(100, caller('u', 'p'))).toBe(5)
    wait(3_600_000)
    expect(passed(100, caller('u', 'p'))).toBe(50)
  })

  it('is each user’s own, and one that is empty takes nothing from the project’s', () => {
    const { passed } = asking({ user: 1, project: 3 })
    expect(passed(50, caller('one', 'p'))).toBe(10)
    expect(passed(50, caller('two', 'p'))).toBe(10)
    expect(passed(50, caller('three', 'p'))).toBe(10)
    expect(passed(50, caller('four', 'p'))).toBe(0)
    expect(passed(50, caller('five', 'q'))).toBe(10)
  })

  it('is there for who has no project, and not for administrators, services and where there is no limit', () => {
    const { passed } = asking({ user: 1, project: 1 })
    expect(passed(50, caller('unscoped', null))).toBe(10)
    expect(passed(50, caller('boss', 'p', ['admin']))).toBe(50)
    expect(passed(50, caller('nova', 'service', ['service']))).toBe(50)
    expect(asking({ user: 0, project: 0 }).passed(50, caller('u', 'p'))).toBe(50)
  })

  it('is let go once it is full again: users who came once are not remembered for ever', () => {
    const { passed, wait } = asking({ user: 1, project: 0 })
    for (let n = 0; n < 30_000; n++) {
      wait(1)
      expect(passed(1, caller(`u${n}`, null))).toBe(1)
    }
    expect(passed(50, caller('u29999', null))).toBe(9)
  })
})

describe('a user who asks too often', () => {
  let w: World
  let clock: MockInstance
  let token: string
  let routes: MountedRoute[]
  beforeAll(async () => {
    w = await world({ settings: { ATOLL_API_USER_RATE: '1' } })
    // Whoever asks slowly, as on a busy machine, asks too often all the same: this clock stands still.
    const now = performance.now()
    clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    routes = allRoutes(w)
    token = tokenWith(w, 'eager', ['member'])
    for (let n = 0; n < 10; n++) await w.call('GET', '/v2.0/networks', { as: { token } })
  })
  afterAll(async () => {
    clock.mockRestore()
    await w[Symbol.asyncDispose]()
  })

  it.each([
    ['GET /v2.0/networks', '1'],
    ['GET /v1/leases', '1'],
    ['GET /atoll/v1/events', '1'],
    ['POST /promise/query-capacity', '1'],
    // tricircleclient breaks down on one.
    ['GET /v1.0/pods', undefined],
    ['GET /v1.0/routings', undefined],
  ])('is told so by %s, in its shape', async (name, after) => {
    const [method = '', path = ''] = name.split(' ')
    const reply = await w.call(method, path, { as: { token } })
    expect([reply.status, reply.headers['retry-after']]).toEqual([429, after])
    expect(reply.text).toContain('asks more than 1 times a second')
    expectShape(reply, routes.find(one => one.name === name)!)
  })

  it('goes on listening: whether one still may is no request of one’s', async () => {
    await using s = await w.listen()
    const late = tokenWith(w, 'listener', ['member'])
    const options = {
      port: s.port,
      path: '/atoll/v1/events',
      headers: { accept: 'text/event-stream', 'x-auth-token': late },
    }
    const [stream] = (await once(httpRequest(options).end(), 'response')) as [IncomingMessage]
    let hasEnded = false
    stream.on('close', () => {
      hasEnded = true
    })
    stream.resume()
    const headers = { 'x-auth-token': late }
    const ask = async () => (await s.ask('/v2.0/networks', { headers })).status
    await until(async () => (await ask()) === 429, { what: 'it has asked too often' })
    // Every second it is looked whether the listener still may.
    await timersOf(2_500)
    expect(await ask()).toBe(429)
    expect([stream.statusCode, hasEnded]).toEqual([200, false])
    stream.destroy()
  })

  it('keeps nobody else from asking', async () => {
    expect((await w.call('GET', '/v2.0/networks', { as: 'demo' })).status).toBe(200)
  })
})

describe('prefixes that the operator does without', () => {
  it('are not there, and the others are', async () => {
    await using w = await world({ settings: { ATOLL_API_WITHOUT: '[/v1, /promise, /v2.0]' } })
    const status = async (method: string, path: string) => (await w.call(method, path)).status
    for (const gone of ['/v1/leases', '/v2.0/networks']) expect(await status('GET', gone), gone).toBe(404)
    expect(await status('POST', '/promise/query-capacity')).toBe(404)
    for (const there of ['/reservation/v1/leases', '/network/v2.0/networks', '/v1.0/pods'])
      expect(await status('GET', there), there).toBe(200)
  })
})

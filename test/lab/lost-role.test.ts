// The service user loses its admin role on a real Keystone for a while and gets it back: nothing is lost by that, in the
// model or in the region. Processes that have logged in before, meanwhile and after look at the region and tidy it.

import { expect, test } from 'vitest'
import { until } from '../wait.ts'
import { logIn, world } from '../world.ts'
import { sightOf } from './sight.ts'

const isThere = process.env.ATOLL_LAB !== undefined
if (!isThere) console.warn('NOT RUN: ATOLL_LAB names no lab, whose Keystone could take a role away')

/** The URL by which a service user has its admin role. */
async function roleUrl(authUrl: string, user: string, token: string): Promise<string> {
  const idOf = async (kind: string, name: string): Promise<string> => {
    const reply = await fetch(`${authUrl}/${kind}?name=${name}`, { headers: { 'x-auth-token': token } })
    const rows = ((await reply.json()) as Record<string, { id: string }[]>)[kind]
    return rows![0]!.id
  }
  const [project, userId, role] = [
    await idOf('projects', 'service'),
    await idOf('users', user),
    await idOf('roles', 'admin'),
  ]
  return `${authUrl}/projects/${project}/users/${userId}/roles/${role}`
}

test.skipIf(!isThere)('a service user without its role for a while loses nothing', async () => {
  await using w = await world({ joined: true, lab: true })
  const s = await sightOf(w)
  let giveBack: (() => Promise<void>) | undefined
  w.after(async () => giveBack?.())
  const { authUrl, username, password } = w.logIn('service')
  expect(await s.live(1)).toEqual([])
  const before = await s.all()
  const token = await logIn(authUrl, 'admin', password)
  const url = await roleUrl(authUrl, username, token)
  const change = async (method: 'DELETE' | 'PUT') => {
    // What was given out before a role was taken away is revoked with it.
    const fresh = await logIn(authUrl, 'admin', password)
    const { status } = await fetch(url, { method, headers: { 'x-auth-token': fresh } })
    expect(status).toBe(204)
  }
  await change('DELETE')
  giveBack = () => change('PUT')
  const errors = await s.live(3)
  // It is noticed: the log-in is refused, or what it shows is not believed.
  expect([...errors, await s.doubt()].join('')).not.toBe('')
  expect(await s.model()).toEqual(pick(before))
  await giveBack()
  giveBack = undefined
  // A log-in of the very second in which a role was taken away is refused; the next one is not.
  await until(async () => (await s.live(1)).length === 0, {
    what: 'a look with the role given back refuses nothing',
  })
  expect(await s.live(3)).toEqual([])
  expect(await s.all()).toEqual(before)
  expect(await s.doubt()).toBeNull()
})

/** Of everything, what the model has. */
const pick = (all: Record<string, readonly string[]>) =>
  Object.fromEntries(Object.entries(all).filter(([what]) => !what.startsWith('in the region')))

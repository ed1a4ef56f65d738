// A conversation with a Nova about limits, quotas and servers' metadata, told to the simulated and to a real one.

import {
  type Ask,
  type Call,
  createTalk,
  gone,
  type Note,
  type Place,
  settled,
  type Talk,
} from './compute-conversation.ts'

const setter =
  (nova: Call, projectId: string) =>
  (quota_set: unknown, ask: Ask = {}) =>
    nova('PUT', `/os-quota-sets/${projectId}`, { body: { quota_set }, ...ask })

/** Speaks as an admin and as a member whose project has no servers, and leaves all as it was. */
export async function converseOfQuotas(place: Place): Promise<Note[]> {
  const talk = createTalk(place)
  await limits(talk)
  await creations(talk)
  return talk.notes
}

async function limits({ nova, projectId }: Talk): Promise<void> {
  const path = `/os-quota-sets/${projectId}`
  for (const version of ['2.1', '2.36', '2.39', '2.57', '2.90']) {
    await nova('GET', '/limits', { as: 'member', version })
    await nova('GET', path, { as: 'member', version })
  }
  await nova('GET', `${path}/detail`, { as: 'member' })
  await nova('GET', `${path}/defaults`, { as: 'member' })
  await nova('GET', '/os-quota-sets/witness', { as: 'member' })
  await nova('GET', `/limits?tenant_id=${projectId}`, { as: 'member' })
  await nova('GET', `/limits?tenant_id=${projectId}`)
  const put = setter(nova, projectId)
  await put({ cores: 3 }, { as: 'member' })
  await nova('DELETE', path, { as: 'member' })
  await put({ cores: 'witness' })
  await put({ cores: -2 })
  await put({ cores: 2_147_483_648 })
  await put({ witness: 1 })
  await put({ floating_ips: 1 })
  await put({ floating_ips: 1, cores: '5' }, { version: '2.1' })
  await put({ cores: 3, instances: 2, ram: 150 })
  await nova('GET', '/limits', { as: 'member' })
}

async function creations(talk: Talk): Promise<void> {
  const { nova, projectId, imageId } = talk
  const path = `/os-quota-sets/${projectId}`
  const put = setter(nova, projectId)
  await nova('POST', '/flavors', {
    body: { flavor: { id: 'witness-quota', name: 'witness-quota', vcpus: 2, ram: 64, disk: 1 } },
    note: 'nothing',
  })
  const server = { name: 'witness', flavorRef: 'witness-quota', imageRef: imageId, networks: 'none' }
  const post = (more: object = {}, ask: Ask = {}) =>
    nova('POST', '/servers', { as: 'member', body: { server: { ...server, ...more } }, ...ask })
  await post({ min_count: 2, max_count: 2 })
  await post({ min_count: 3, max_count: 3 })
  await put({ cores: -1 }, { note: 'nothing' })
  await post({ min_count: 3, max_count: 3 })
  await put({ ram: -1 }, { note: 'nothing' })
  await post({ min_count: 3, max_count: 3 })
  await post({ metadata: { 'witness/key': 'x' } })
  await post({ metadata: { witness: 1 } })
  await post({ metadata: { witness: 'x'.repeat(256) } })
  await post({ metadata: [] })
  await post({ metadata: Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`w${at}`, 'x'])) })
  const { body } = await post({ metadata: { 'atoll:instance': 'witness' } }, { note: 'status' })
  const { id } = body.server
  await settled(talk, `/servers/${id}`)
  await nova('GET', `/servers/${id}`, { as: 'member', version: '2.1' })
  await nova('GET', '/servers/detail', { as: 'member', version: '2.1' })
  await nova('GET', '/limits', { as: 'member' })
  await nova('GET', `${path}/detail`)
  await put({ instances: 0 })
  await put({ instances: 0, force: true })
  await post()
  await nova('DELETE', `/servers/${id}`, { as: 'member' })
  await gone(talk, `/servers/${id}`)
  await post()
  await nova('DELETE', path)
  await nova('GET', path)
  await nova('DELETE', '/flavors/witness-quota', { note: 'nothing' })
}

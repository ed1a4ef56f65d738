// The simulated Nova and Placement answer as real ones (Nova 26, Placement 8: Zed) did, whose answers are in
// compute-26.jsonl and quotas-26.jsonl. ATOLL_LAB=its folder holds a live region against them too; with ATOLL_LAB_RECORD=1 it writes them anew.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startCloud } from '../../sim/cloud.ts'
import type { Note, Place } from './compute-conversation.ts'
import { converse } from './compute-scenario.ts'
import { converseOfQuotas } from './quota-scenario.ts'

const conversations = [
  { name: 'compute-26.jsonl', converse },
  { name: 'quotas-26.jsonl', converse: converseOfQuotas },
]
const { ATOLL_LAB: lab, ATOLL_LAB_RECORD: isToRecord } = process.env
const place = lab === undefined ? null : await placeInLab(lab)

if (place === null) console.warn('NOT RUN against a real one: ATOLL_LAB names no real Nova')

describe.skipIf(place === null)('a real Nova and Placement', () => {
  test.each(conversations)('answer as recorded: $name', async ({ name, converse }) => {
    const notes = await converse(place!)
    if (isToRecord) writeFileSync(fileOf(name), notes.map(note => `${JSON.stringify(note)}\n`).join(''))
    expectSame(notes, recorded(name))
  })
})

describe('the simulated Nova and Placement', () => {
  test.each(conversations)('answer as recorded from real ones: $name', async ({ name, converse }) => {
    const cloud = await startCloud({ regions: ['CentralRegion', 'Pod1'], hosts: { count: 0 } })
    const nova = cloud.novas.get('Pod1')!
    for (const name of ['pod1-compute1', 'pod1-compute2']) {
      nova.addHost({ name, vcpus: 10, memoryMb: 8192, diskGb: 1028 })
    }
    const tokenOf = (user: string, project: string) =>
      cloud.keystone.issue(cloud.keystone.userId(user), cloud.keystone.projectId(project))
    const notes = await converse({
      novaUrl: nova.url,
      placementUrl: cloud.placements.get('Pod1')!.url,
      tokens: { admin: tokenOf('atoll', 'service'), member: tokenOf('demo', 'demo') },
      projectId: cloud.keystone.projectId('demo'),
      imageId: nova.images()[0]!.id,
    })
    await cloud.close()
    expectSame(notes, recorded(name))
  })
})

const fileOf = (name: string): URL => new URL(`./${name}`, import.meta.url)

/** Null when the lab has no Nova. */
async function placeInLab(folder: string): Promise<Place | null> {
  const { keystone, regions } = JSON.parse(readFileSync(join(folder, 'etc/endpoints.json'), 'utf8'))
  if (regions.Pod1?.compute === undefined) return null
  const admin = await logIn(keystone, 'product', 'service')
  const member = await logIn(keystone, 'demo', 'demo')
  const urlOf = (type: string): string => {
    const { endpoints } = admin.catalog.find(service => service.type === type)!
    return endpoints.find(one => one.region === 'Pod1' && one.interface === 'public')!.url
  }
  const headers = { 'x-auth-token': admin.id }
  const reply = await fetch(`${urlOf('image')}/v2/images?visibility=public`, { headers })
  const { images } = (await reply.json()) as { images: { id: string }[] }
  return {
    novaUrl: urlOf('compute'),
    placementUrl: urlOf('placement'),
    tokens: { admin: admin.id, member: member.id },
    projectId: member.projectId,
    imageId: images[0]!.id,
  }
}

interface LogIn {
  id: string
  projectId: string
  catalog: { type: string; endpoints: { region: string; interface: string; url: string }[] }[]
}

async function logIn(authUrl: string, name: string, project: string): Promise<LogIn> {
  const domain = { id: 'default' }
  const password = { user: { name, domain, password: 'secret' } }
  const auth = {
    identity: { methods: ['password'], password },
    scope: { project: { name: project, domain } },
  }
  const reply = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
  })
  const { token } = (await reply.json()) as { token: { project: { id: string }; catalog: LogIn['catalog'] } }
  return { id: reply.headers.get('x-subject-token')!, projectId: token.project.id, catalog: token.catalog }
}

function recorded(name: string): Note[] {
  const lines = readFileSync(fileOf(name), 'utf8').trim().split('\n')
  return lines.map(line => JSON.parse(line))
}

/** Told one by one, so that a difference names its call. */
function expectSame(actual: Note[], expected: Note[]): void {
  expect(actual.map(note => note.call)).toEqual(expected.map(note => note.call))
  for (const [index, note] of actual.entries()) {
    expect(note, `${note.call} (line ${index + 1})`).toEqual(expected[index])
  }
}

// What examples of the Promise API presuppose of the cloud that is their provider, by the names that they use for it.

import type { World } from '../world.ts'

/** Flavors as the recorded exchanges have them, an image, and a network of the project demo. */
export async function provided({ cloud }: World): Promise<Map<string, unknown>> {
  const nova = cloud.novas.get('Pod1')
  if (!nova) return new Map()
  const tiny = nova.addFlavor({ name: 'promise.tiny', vcpus: 1, memoryMb: 512, diskGb: 0 })
  const big = nova.addFlavor({ name: 'promise.big', vcpus: 2, memoryMb: 5120, diskGb: 20 })
  return new Map<string, unknown>([
    ['keystone', cloud.authUrl.replace(/\/v3$/, '')],
    ['image', nova.images().find(one => one.isPublic)!.id],
    ['tiny', tiny.id],
    ['big', big.id],
    ['network', await newNetwork(cloud)],
  ])
}

async function newNetwork({ keystone, neutrons }: World['cloud']): Promise<string> {
  const token = keystone.issue(keystone.userId('demo'), keystone.projectId('demo'))
  const post = async (path: string, body: object): Promise<Record<string, { id: string }>> => {
    const reply = await fetch(`${neutrons.get('Pod1')!.url}/v2.0/${path}`, {
      method: 'POST',
      headers: { 'x-auth-token': token, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return reply.json() as Promise<Record<string, { id: string }>>
  }
  const { id } = (await post('networks', { network: { name: 'net' } })).network!
  await post('subnets', { subnet: { network_id: id, ip_version: 4, cidr: '10.9.0.0/24' } })
  return id
}

// The unmodified `openstack` command works with the simulated Keystone and Nova.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cloud, startCloud } from '../../sim/cloud.ts'

const command = '/usr/bin/openstack'
const isInstalled = existsSync(command)
const reason = isInstalled
  ? ''
  : ` (skipped: there is no ${command}; Debian has it in python3-openstackclient)`

let cloud: Cloud

beforeAll(async () => {
  cloud = await startCloud({
    regions: ['CentralRegion', 'Pod1'],
    atoll: { url: 'http://127.0.0.1:19999', region: 'CentralRegion' },
  })
})
afterAll(() => cloud.close())

const asAdmin = {
  OS_USERNAME: 'admin',
  OS_PASSWORD: 'atoll',
  OS_PROJECT_NAME: 'admin',
  OS_USER_DOMAIN_ID: 'default',
  OS_PROJECT_DOMAIN_ID: 'default',
}

/**
 * Gives these commands to one `openstack` process, since its start is what takes time. Returns what those that
 * answer with JSON said; throws what the command complained about.
 */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it wants from an answer
async function run(lines: string[], settings: Record<string, string> = asAdmin): Promise<any[]> {
  const env = {
    PATH: process.env.PATH,
    OS_AUTH_URL: cloud.authUrl,
    OS_IDENTITY_API_VERSION: '3',
    ...settings,
  }
  const child = spawn(command, { env, timeout: 240_000 })
  child.stdin.end(`${lines.join('\n')}\n`)
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (complaints !== '') throw new Error(complaints)
  return output
    .split(/^(?=[[{])/m)
    .filter(part => part.trim() !== '')
    .map(part => JSON.parse(part))
}

describe.skipIf(!isInstalled)(`the openstack command${reason}`, () => {
  test('issues a token and lists the catalog', async () => {
    const [token, catalog] = await run(['token issue -f json', 'catalog list -f json'])
    expect(cloud.keystone.inspect(token.id)?.projectId).toBe(token.project_id)
    expect(catalog.map((one: { Type: string }) => one.Type)).toEqual(
      expect.arrayContaining(['identity', 'tricircle', 'reservation', 'network', 'promise', 'atoll']),
    )
  })

  test('lists projects, users, roles, domains, regions and role assignments', async () => {
    const nouns = ['project', 'user', 'role', 'domain']
    const lists = await run([
      ...nouns.map(noun => `${noun} list -f json`),
      'region list -f json',
      'role assignment list --names -f json',
    ])
    const names = lists
      .slice(0, nouns.length)
      .map(list => list.map((one: { Name: string }) => one.Name).sort())
    expect(names).toEqual([
      ['admin', 'demo', 'service'],
      ['admin', 'atoll', 'demo'],
      ['admin', 'manager', 'member', 'reader', 'service'],
      ['Default'],
    ])
    expect(lists[4].map((one: { Region: string }) => one.Region)).toEqual(['CentralRegion', 'Pod1'])
    expect(lists[5]).toContainEqual(expect.objectContaining({ Role: 'member', Project: 'demo@Default' }))
  })

  test('makes a project and a user, grants a role, and takes all away again', async () => {
    const list = 'role assignment list --user oyster --names -f json'
    const [, , direct, effective] = await run([
      'project create reef -f json',
      'user create --project reef --password pearl --email o@example.org oyster -f json',
      'role add --project reef --user oyster member',
      list,
      `${list} --effective`,
    ])
    expect(direct).toMatchObject([{ Role: 'member', Project: 'reef@Default' }])
    expect(effective.map((one: { Role: string }) => one.Role).sort()).toEqual(['member', 'reader'])

    const asOyster = { ...asAdmin, OS_USERNAME: 'oyster', OS_PASSWORD: 'pearl', OS_PROJECT_NAME: 'reef' }
    await expect(run(['token issue -f json', 'user list -f json'], asOyster)).rejects.toThrow(
      'You are not authorized to perform the requested action: identity:list_users.',
    )
    await run(['role remove --project reef --user oyster member'])
    await expect(run(['token issue -f json'], asOyster)).rejects.toThrow('requires authentication')
    const [users] = await run(['user delete oyster', 'project delete reef', 'user list -f json'])
    expect(users).toHaveLength(3)
  })

  test('makes an application credential and uses it', async () => {
    const [made] = await run(['application credential create --role member --description lent lent -f json'])
    const lent = {
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_APPLICATION_CREDENTIAL_ID: made.id ?? made.ID,
      OS_APPLICATION_CREDENTIAL_SECRET: made.secret ?? made.Secret,
    }
    const [token] = await run(['token issue -f json'], lent)
    expect(cloud.keystone.inspect(token.id)?.roles).toEqual(['member'])
    await run(['application credential delete lent'])
    await expect(run(['token issue -f json'], lent)).rejects.toThrow('Could not find Application Credential')
  })

  test('makes a region, a service and an endpoint', async () => {
    const list = 'endpoint list --region Pod9 -f json'
    const [, , , full, , empty] = await run([
      'region create Pod9 -f json',
      'service create --name pearl jewel -f json',
      'endpoint create --region Pod9 pearl public http://pearl.example.org:1 -f json',
      `${list} --service pearl`,
      'service list -f json',
      'service delete pearl',
      list,
      'region delete Pod9',
    ])
    expect(full).toMatchObject([
      { Region: 'Pod9', 'Service Name': 'pearl', Interface: 'public', URL: 'http://pearl.example.org:1' },
    ])
    expect(empty).toEqual([])
  })

  test('says what is wrong', async () => {
    const wrong = { ...asAdmin, OS_PASSWORD: 'wrong' }
    await expect(run(['token issue -f json'], wrong)).rejects.toThrow('requires authentication')
  })

  describe('in a region', () => {
    const inPod1 = { ...asAdmin, OS_REGION_NAME: 'Pod1' }
    const named = (list: { Name: string }[]) => list.map(one => one.Name).sort()

    test('lists hypervisors, services, zones, flavors and images', async () => {
      const [hypervisors, services, zones, flavors, images, one, limits] = await run(
        [
          'hypervisor list -f json',
          'compute service list --service nova-compute -f json',
          'availability zone list --compute -f json',
          'flavor list -f json',
          'image list -f json',
          'hypervisor show pod1-host3 -f json',
          'limits show --absolute -f json',
        ],
        inPod1,
      )
      expect(hypervisors).toHaveLength(8)
      expect(hypervisors).toContainEqual(
        expect.objectContaining({ 'Hypervisor Hostname': 'pod1-host1', State: 'up' }),
      )
      expect(services).toHaveLength(8)
      expect(zones).toContainEqual({ 'Zone Name': 'nova', 'Zone Status': 'available' })
      expect(named(flavors)).toEqual(['m1.medium', 'm1.small', 'm1.tiny'])
      expect(named(images)).toEqual(['cirros'])
      expect(one).toMatchObject({ hypervisor_hostname: 'pod1-host3', vcpus: 16, memory_mb: 65_536 })
      expect(limits).toContainEqual({ Name: 'maxTotalInstances', Value: -1 })
    })

    test('boots a server, looks at it, saves it and deletes it', async () => {
      const asDemo = { ...inPod1, OS_USERNAME: 'demo', OS_PROJECT_NAME: 'demo' }
      const [made, shown, list, image, empty] = await run(
        [
          'server create --flavor m1.tiny --image cirros --wait -f json first',
          'server show first -f json',
          'server list -f json',
          'server image create --name saved first -f json',
          'server stop first',
          'server start first',
          'server delete --wait first',
          'server list -f json',
        ],
        asDemo,
      )
      expect(made).toMatchObject({ name: 'first', status: 'ACTIVE' })
      expect(shown).toMatchObject({ id: made.id, image: expect.stringContaining('cirros') })
      expect(list).toMatchObject([{ ID: made.id, Name: 'first', Status: 'ACTIVE' }])
      expect(image).toMatchObject({ name: 'saved' })
      expect(empty).toEqual([])
      await expect(run(['hypervisor list'], asDemo)).rejects.toThrow("Policy doesn't allow")
    })

    test('makes a flavor and an aggregate, and boots where it is told', async () => {
      const [flavor, aggregate, , server, shown, onHost] = await run(
        [
          'flavor create --vcpus 1 --ram 64 --disk 1 --private --id r-1 reservation:1 -f json',
          'flavor set --property resources_ATOLL:CUSTOM_X=1 --project demo reservation:1',
          'aggregate create --property a=b pool -f json',
          'aggregate add host pool pod1-host2 -f json',
          'server create --flavor m1.tiny --image cirros --availability-zone nova:pod1-host2 --wait -f json there',
          'flavor show reservation:1 -f json',
          'server list --all-projects --host pod1-host2 -f json',
          'server delete there',
          'flavor delete reservation:1',
        ],
        inPod1,
      )
      expect(flavor).toMatchObject({ id: 'r-1', name: 'reservation:1' })
      expect(aggregate).toMatchObject({ name: 'pool' })
      expect(server).toMatchObject({ status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'pod1-host2' })
      expect(shown).toMatchObject({ properties: { 'resources_ATOLL:CUSTOM_X': '1' } })
      expect(onHost).toMatchObject([{ Name: 'there' }])
      expect(cloud.novas.get('Pod1')!.aggregate('pool')!.hosts).toEqual(new Set(['pod1-host2']))
    })
  })
})

// The unmodified `openstack` command builds two topologies over regions whose clockwork runs: T1, everything in one
// region, and T4, one way out for networks of several; and does with them what users do.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { markedIn } from '../network/regions.ts'
import { type World, world } from '../world.ts'
import { announce, json, openstack, withoutOpenstack } from './openstack.ts'

const missing = withoutOpenstack('networks over regions by the openstack command')

let w: World
beforeAll(async () => {
  if (missing) return
  w = await world({ joined: true })
  await announce(w)
  await w.startWork()
})
afterAll(() => w?.[Symbol.asyncDispose]())

const run = (lines: readonly string[], who?: Parameters<typeof openstack>[2]) =>
  openstack(w.cloud.authUrl, lines, who)

/** As `run`, where nothing is complained about; what was printed. */
async function good(lines: readonly string[], who?: Parameters<typeof openstack>[2]) {
  const { json, said } = await run(lines, who)
  expect(said).toBe('')
  return json
}

const outside = (name: string, region: string, segment: number, cidr: string) => [
  json(
    `network create --external --availability-zone-hint ${region} --provider-network-type vlan --provider-physical-network extern --provider-segment ${segment} ${name}`,
  ),
  json(`subnet create --network ${name} --subnet-range ${cidr} --no-dhcp ${name}`),
]

/** The values of one column of a list. */
const column = (rows: Record<string, unknown>[], name: string) => rows.map(row => row[name])

describe.skipIf(missing)(`everything in one region${missing}`, () => {
  let port: Record<string, unknown>
  let floatingIp: Record<string, unknown>

  it('is made, and is in that region under the same ids', async () => {
    const [network] = await good(outside('ext1', 'Pod1', 151, '203.0.113.0/24'), { user: 'admin' })
    expect(network).toMatchObject({ 'router:external': true, 'provider:segmentation_id': 151 })
    const made = await good([
      json('router create --availability-zone-hint Pod1 --external-gateway ext1 r1'),
      json('network create --availability-zone-hint Pod1 n1'),
      json('subnet create --network n1 --subnet-range 10.0.1.0/24 s1'),
      'router add subnet r1 s1',
      json('port create --network n1 --fixed-ip subnet=s1,ip-address=10.0.1.20 p1'),
      json('floating ip create --port p1 ext1'),
    ])
    const [router] = made
    ;[port, floatingIp] = made.slice(3)
    expect(router.external_gateway_info.external_fixed_ips).toHaveLength(1)
    expect(floatingIp).toMatchObject({ fixed_ip_address: '10.0.1.20', router_id: router.id })
    const [ports, floatingIps] = await good(
      [json('port list --name p1'), json('floating ip list'), json('router show r1')],
      { region: 'Pod1' },
    )
    expect(column(ports, 'ID')).toEqual([port.id])
    expect(floatingIps).toEqual([
      expect.objectContaining({
        ID: floatingIp.id,
        'Floating IP Address': floatingIp.floating_ip_address,
        'Fixed IP Address': '10.0.1.20',
        Port: port.id,
      }),
    ])
  })

  it('is found by filters', async () => {
    const lists = await good([
      json('network list --name n1'),
      json('network list --external'),
      json('network list --internal --enable --long'),
      json('subnet list --network n1'),
      json('subnet list --subnet-range 10.0.1.0/24'),
      json('port list --network n1 --device-owner network:router_interface'),
      json('port list --router r1'),
      json('port list --fixed-ip subnet=s1,ip-address=10.0.1.20'),
      json('port list --fixed-ip ip-substring=.1.20 --long'),
      json(`port list --mac-address ${port.mac_address}`),
      json('router list --name r1 --long'),
      json('floating ip list --port p1 --network ext1'),
      json('floating ip list --router r1 --floating-ip-address 203.0.113.250'),
      json('network list --name other'),
    ])
    expect(lists.map(rows => rows.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    expect(lists[6][0]['Fixed IP Addresses'][0].ip_address).toBe('10.0.1.1')
    expect(lists[2][0].Name).toBe('n1')
  })

  it('is set, unset and shown', async () => {
    const [network, subnet, router, changed, plain, floating, again] = await good([
      'network set --name n1b --description words n1',
      'subnet set --dns-nameserver 192.0.2.53 --host-route destination=10.8.0.0/24,gateway=10.0.1.9 s1',
      'router set --route destination=10.9.0.0/24,gateway=10.0.1.9 --description d r1',
      'port set --name p1b --allowed-address ip-address=10.0.1.99 --disable p1',
      json('network show n1b'),
      json('subnet show s1'),
      json('router show r1'),
      json('port show p1b'),
      'subnet unset --dns-nameserver 192.0.2.53 --host-route destination=10.8.0.0/24,gateway=10.0.1.9 s1',
      'router unset --route destination=10.9.0.0/24,gateway=10.0.1.9 r1',
      'port set --no-allowed-address --enable p1b',
      json('subnet show s1'),
      `floating ip unset --port ${floatingIp.floating_ip_address}`,
      json(`floating ip show ${floatingIp.floating_ip_address}`),
      `floating ip set --port p1b ${floatingIp.floating_ip_address}`,
      json(`floating ip show ${floatingIp.floating_ip_address}`),
    ])
    expect(network).toMatchObject({ name: 'n1b', description: 'words' })
    expect(subnet).toMatchObject({
      dns_nameservers: ['192.0.2.53'],
      host_routes: [{ destination: '10.8.0.0/24', nexthop: '10.0.1.9' }],
    })
    expect(router.routes).toEqual([{ destination: '10.9.0.0/24', nexthop: '10.0.1.9' }])
    expect(changed).toMatchObject({
      admin_state_up: false,
      allowed_address_pairs: [{ ip_address: '10.0.1.99', mac_address: port.mac_address }],
    })
    expect(plain).toMatchObject({ dns_nameservers: [], host_routes: [] })
    expect(floating).toMatchObject({ port_id: null, fixed_ip_address: null, status: 'DOWN' })
    expect(again).toMatchObject({ port_id: port.id, fixed_ip_address: '10.0.1.20' })
    const [there] = await good([json('port show p1b')], { region: 'Pod1' })
    expect(there).toMatchObject({ id: port.id, admin_state_up: true, allowed_address_pairs: [] })
  })

  it('is guarded by security groups, whose rules reach the region', async () => {
    const [web, , , rules, ingress] = await good([
      json('security group create --description d web'),
      json('security group rule create --protocol tcp --dst-port 80:81 --remote-ip 192.0.2.0/24 web'),
      json('security group rule create --protocol icmp --remote-group web web'),
      json('security group rule list web'),
      json('security group rule list --ingress --protocol tcp web'),
      'port set --security-group web p1b',
      'security group set --name web2 web',
    ])
    expect(rules).toHaveLength(4)
    expect(ingress).toEqual([
      expect.objectContaining({ 'Port Range': '80:81', 'IP Range': '192.0.2.0/24', Direction: 'ingress' }),
    ])
    await w.settle()
    const [there, group] = await good([json('security group rule list web2'), json('port show p1b')], {
      region: 'Pod1',
    })
    expect(column(there, 'Port Range')).toContain('80:81')
    expect(group.security_group_ids).toHaveLength(2)
    const { said } = await run([
      'security group delete web2',
      'security group rule create --protocol tcp --dst-port 80:81 --remote-ip 192.0.2.0/24 web2',
    ])
    expect(said).toContain(`Security Group ${web.id} in use`)
    expect(said).toContain('Security group rule already exists')
  })

  it('counts against quotas, which can be read', async () => {
    const [rows] = await good([json('quota list --network --detail --project demo')], { user: 'admin' })
    const limits = Object.fromEntries(
      rows.map((row: Record<string, unknown>) => [row.Resource, [row['In Use'], row.Limit]]),
    )
    expect(limits).toMatchObject({ networks: [1, 100], routers: [1, 10], floating_ips: [1, 50] })
  })

  it('is refused in sentences', async () => {
    const { said } = await run([
      'network delete n1b',
      'router delete r1',
      'router remove subnet r1 s1',
      'subnet create --network n1b --subnet-range 10.0.1.0/25 overlapping',
      'port create --network n1b --fixed-ip subnet=s1,ip-address=10.0.1.20 twice',
      'port create --network n1b --binding-profile region=Pod2 elsewhere',
      'network create --availability-zone-hint Nowhere x',
      'network create --provider-network-type vlan x',
      'floating ip create n1b',
      'floating ip create nothing',
    ])
    for (const sentence of [
      /The network \S+ has ports: \S+, \S+\. Remove them first/,
      /Router \S+ still has ports/,
      /Router interface for subnet \S+ on router \S+ cannot be deleted, as it is required by one or more floating IPs/,
      /overlaps with another subnet/,
      /IP address 10\.0\.1\.20 already allocated in subnet/,
      /The network \S+ cannot be in Pod2: its availability zone hints are Pod1/,
      /There is no availability zone and no region Nowhere: see the list of availability zones/,
      /rule:create_network:provider:network_type\) is disallowed by policy/,
      /Network \S+ is not a valid external network/,
      /No Network found for nothing/,
    ])
      expect(said).toMatch(sentence)
    const unserved = await run([
      'network qos policy create q',
      'network trunk create --parent-port p1b t',
      'subnet pool create --pool-prefix 10.0.0.0/8 pool',
      'network set --tag t n1b',
    ])
    expect(unserved.said.match(/The resource could not be found/g)).toHaveLength(4)
  })

  it('is taken away again, and leaves nothing in the region', async () => {
    await good([
      `floating ip delete ${floatingIp.floating_ip_address}`,
      'port delete p1b',
      'router remove subnet r1 s1',
      'router delete r1',
      'network delete n1b',
      'security group delete web2',
    ])
    await good(['network delete ext1'], { user: 'admin' })
    await w.settle()
    expect(await markedIn(w, 'Pod1')).toEqual([])
  })
})

describe.skipIf(missing)(`one way out for networks of several regions${missing}`, () => {
  let floatingIps: Record<string, unknown>[]

  it('is made before anything of it is in a region', async () => {
    await good(outside('ext4', 'Pod2', 154, '198.51.100.0/24'), { user: 'admin' })
    const [, , , , router, here, there, ...leading] = await good([
      json('network create a'),
      json('subnet create --network a --subnet-range 10.0.2.0/24 a'),
      json('network create b'),
      json('subnet create --network b --subnet-range 10.0.3.0/24 b'),
      json('router create --external-gateway ext4 way'),
      'router add subnet way a',
      'router add subnet way b',
      json('port create --network a --binding-profile region=Pod1 pa'),
      json('port create --network b pb'),
      json('floating ip create --port pa ext4'),
      json('floating ip create --port pb ext4'),
    ])
    floatingIps = leading
    expect(router.external_gateway_info).toMatchObject({ enable_snat: true })
    expect(here.fixed_ips[0].ip_address).toMatch(/^10\.0\.2\./)
    expect(there.fixed_ips[0].ip_address).toMatch(/^10\.0\.3\./)
    const { said } = await run([json('port show pb')], { region: 'Pod2' })
    expect(said).toContain('No Port found for pb')
  })

  it('comes to the other region with a port that is told where to go', async () => {
    const [before, after] = await good([
      json('port show pb'),
      'port set --binding-profile region=Pod2 pb',
      json('port show pb'),
    ])
    const { id, fixed_ips, mac_address } = before
    expect(after).toMatchObject({ id, fixed_ips, mac_address, binding_profile: { region: 'Pod2' } })
    await w.settle()
    const [inPod2] = await good([json('port show pb')], { region: 'Pod2' })
    expect([inPod2.mac_address, inPod2.fixed_ips[0].ip_address]).toEqual([
      mac_address,
      fixed_ips[0].ip_address,
    ])
  })

  it('leads out of each region by the one, and back', async () => {
    const [inPod1] = await good([json('router show way')], { region: 'Pod1' })
    const [inPod2, leading, networks] = await good(
      [json('router show way'), json('floating ip list'), json('network list')],
      { region: 'Pod2' },
    )
    const [bridge] = inPod1.external_gateway_info.external_fixed_ips
    expect(inPod1.external_gateway_info.enable_snat).toBe(false)
    expect(inPod1.routes).toEqual(
      expect.arrayContaining([
        { destination: '0.0.0.0/0', nexthop: '100.0.0.1' },
        { destination: '10.0.3.0/24', nexthop: '100.0.0.1' },
      ]),
    )
    expect(inPod2.routes).toEqual(
      expect.arrayContaining(
        ['10.0.2.0/25', '10.0.2.128/25'].map(destination => ({ destination, nexthop: bridge.ip_address })),
      ),
    )
    expect(column(leading, 'ID').sort()).toEqual(floatingIps.map(({ id }) => id).sort())
    expect(column(leading, 'Fixed IP Address')).not.toContain(null)
    expect(column(networks, 'Name')).toEqual(expect.arrayContaining(['ext4', 'b']))
  })

  it('lets a floating IP go from one region’s port to another’s', async () => {
    const [one, two] = floatingIps.map(ip => ip.floating_ip_address)
    const [moved] = await good([
      `floating ip delete ${two}`,
      `floating ip set --port pb ${one}`,
      json(`floating ip show ${one}`),
    ])
    expect(moved.fixed_ip_address).toMatch(/^10\.0\.3\./)
    await w.settle()
    const [[leading], routers] = await good([json('floating ip list'), json('router show way')], {
      region: 'Pod2',
    })
    expect(leading['Fixed IP Address']).toBe(moved.fixed_ip_address)
    // Nothing leads to the other region's ports any more, so its network is not mirrored, and one route does.
    expect(column(routers.routes, 'destination')).toEqual(['10.0.2.0/24'])
  })

  it('is taken away again, and leaves nothing in any region', async () => {
    await good([
      `floating ip delete ${floatingIps[0]!.floating_ip_address}`,
      'port delete pa pb',
      'router remove subnet way a',
      'router remove subnet way b',
      'router delete way',
      'network delete a b',
    ])
    await good(['network delete ext4'], { user: 'admin' })
    await w.settle()
    for (const region of w.regions) expect(await markedIn(w, region)).toEqual([])
  })
})

// The unmodified `openstack network` commands, against an Atoll behind a real socket.

import { describe, expect, it } from 'vitest'
import { fileWorld } from '../world.ts'
import { announce, json, openstack, withoutOpenstack } from './openstack.ts'

const missing = withoutOpenstack('the openstack network commands')

const w = await fileWorld({ joined: true })
await announce(w)

const run = (lines: string[], user: 'admin' | 'demo' = 'demo') => openstack(w.cloud.authUrl, lines, { user })

describe.skipIf(missing)(`the openstack command${missing}`, () => {
  it('makes, lists, shows, sets and deletes what the network API has', async () => {
    const outside = await run(
      [
        'network create --external --availability-zone-hint Pod1 outside -c name -f value',
        'subnet create --network outside --subnet-range 203.0.113.0/24 --no-dhcp range -c name -f value',
        json('network agent list'),
        json('availability zone list --network'),
      ],
      'admin',
    )
    expect(outside.said).toBe('')
    expect(outside.json[0].length).toBeGreaterThan(0)
    expect(outside.json[1].map((zone: Record<string, string>) => zone['Zone Name'])).toContain('Pod1')

    const made = await run([
      json('network create n1'),
      json('subnet create --network n1 --subnet-range 10.7.0.0/24 s1'),
      json('port create --network n1 --fixed-ip subnet=s1,ip-address=10.7.0.77 p1'),
      json('router create r1'),
      json('security group create g1'),
      json('security group rule create --protocol tcp --dst-port 22 g1'),
      json('floating ip create outside'),
    ])
    expect(made.said).toBe('')
    expect(made.json.map(({ name }) => name).slice(0, 5)).toEqual(['n1', 's1', 'p1', 'r1', 'g1'])
    const address = made.json[6].floating_ip_address

    const changed = await run([
      'network set --description hello n1',
      'subnet set --dns-nameserver 8.8.8.8 s1',
      'port set --name p2 --security-group g1 p1',
      'router set --external-gateway outside r1',
      'router add subnet r1 s1',
      'router add route r1 --route destination=1.2.3.0/24,gateway=10.7.0.9 -f json',
      'security group set --name g2 g1',
      `floating ip set --port p2 ${address}`,
      json('network show n1'),
      json('subnet show s1'),
      json('router show r1'),
      json(`floating ip show ${address}`),
      json('port list --fixed-ip ip-address=10.7.0.77'),
      json('network list --internal'),
      json('security group rule list g2'),
      json('extension list --network'),
    ])
    expect(changed.said).toBe('')
    const [, network, subnet, router, floating, ports, networks, rules] = changed.json
    expect(network.description).toBe('hello')
    expect(subnet.dns_nameservers).toEqual(['8.8.8.8'])
    expect(router).toMatchObject({ routes: [{ destination: '1.2.3.0/24', nexthop: '10.7.0.9' }] })
    expect(floating.fixed_ip_address).toBe('10.7.0.77')
    expect([ports.length, networks.length, rules.length]).toEqual([1, 1, 3])

    const gone = await run([
      `floating ip unset --port ${address}`,
      `floating ip delete ${address}`,
      'router unset --route destination=1.2.3.0/24,gateway=10.7.0.9 r1',
      'router remove subnet r1 s1',
      'router unset --external-gateway r1',
      'router delete r1',
      'port delete p2',
      'security group delete g2',
      'subnet delete s1',
      'network delete n1',
      json('network list --internal'),
    ])
    expect([gone.said, gone.json]).toEqual(['', [[]]])
  })

  it('tells a member what is not theirs to do', async () => {
    const { said } = await run(['network create --share x', 'network agent list'])
    expect(said).toContain('(rule:create_network and rule:create_network:shared) is disallowed by policy')
    expect(said).toContain('rule:get_agent is disallowed by policy')
  })
})

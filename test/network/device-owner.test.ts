// What Neutron's device owners mean.

import { describe, expect, it } from 'vitest'
import { comesWithOther, isRouters, ownerOf } from '../../src/core/network/model/device-owner.ts'

describe('the owner of a port', () => {
  it.each([
    ['', 'user', false, false],
    ['compute:nova', 'user', false, false],
    ['compute:network:router_interface', 'user', false, false],
    ['network:router_interface', 'router interface', true, true],
    ['network:router_interface_distributed', 'router interface', true, true],
    ['network:ha_router_replicated_interface', 'router interface', true, true],
    ['network:router_gateway', 'router gateway', true, true],
    ['network:router_centralized_snat', 'router service', true, true],
    ['network:router_ha_interface', 'router service', true, true],
    ['network:floatingip', 'floating ip', false, true],
    ['network:floatingip_agent_gateway', 'floating ip', false, true],
    ['network:dhcp', 'dhcp', false, false],
    ['network:local_ip', 'service', false, false],
  ])('%s is: %s', (deviceOwner, owner, ofRouter, withOther) => {
    expect(ownerOf({ deviceOwner })).toBe(owner)
    expect(isRouters({ deviceOwner })).toBe(ofRouter)
    expect(comesWithOther({ deviceOwner })).toBe(withOther)
  })
})

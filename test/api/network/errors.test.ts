// How the Networking API words errors: Neutron's name and status for core's reasons, and what regions answered.

import { describe, expect, it } from 'vitest'
import { describeError } from '../../../src/api/network/errors.ts'
import { resourceRoutes } from '../../../src/api/network/resource.ts'
import { networks } from '../../../src/api/network/resources/networks.ts'
import {
  AppError,
  conflict,
  type ErrorDetail,
  invalid,
  notFound,
  unavailable,
} from '../../../src/core/error.ts'

const [route] = resourceRoutes(networks, 10)

function said(error: AppError, method = 'POST') {
  const { status, body, headers } = describeError({ error, route: route!, method, accept: undefined })
  const { NeutronError } = JSON.parse(body)
  return { status, type: NeutronError.type, message: NeutronError.message, headers }
}

describe('what core refuses', () => {
  it.each([
    [notFound('x', 'network'), 404, 'NetworkNotFound'],
    [notFound('x', 'zone'), 404, 'AvailabilityZoneNotFound'],
    [notFound('x', 'interface'), 404, 'RouterInterfaceNotFound'],
    [notFound('x', 'floating_ip_no_router'), 404, 'ExternalGatewayForFloatingIPNotFound'],
    [conflict('x', 'revision'), 412, 'RevisionNumberConstraintFailed'],
    [conflict('x', 'network_in_use'), 409, 'NetworkInUse'],
    [conflict('x', 'in_use'), 409, 'NetworkInUse'],
    [conflict('x', 'router_interface_in_use'), 409, 'RouterInterfaceInUseByFloatingIP'],
    [conflict('x', 'mac_in_use'), 409, 'MacAddressInUse'],
    [conflict('x', 'address_in_use'), 409, 'IpAddressAlreadyAllocated'],
    [conflict('x', 'no_addresses'), 409, 'IpAddressGenerationFailure'],
    [conflict('x', 'over_quota'), 409, 'OverQuota'],
    [conflict('x', 'no_segments'), 409, 'NoNetworkAvailable'],
    [conflict('x', 'port_already_associated'), 409, 'FloatingIPPortAlreadyAssociated'],
    [conflict('x', 'routes_exceeded'), 400, 'RoutesExhausted'],
    [conflict('x', 'never heard of'), 409, 'HTTPConflict'],
    [invalid('x', 'location_mismatch'), 400, 'RouterNetworkLocationMismatch'],
    [invalid('x', 'address_outside'), 400, 'InvalidIpForSubnet'],
    [invalid('x', 'overlapping_subnets'), 400, 'InvalidInput'],
    [invalid('x', 'router_overlap'), 400, 'BadRequest'],
    [invalid('x', 'not_supported'), 400, 'BadRequest'],
    [invalid('x', 'marker'), 404, 'NetworkNotFound'],
    [invalid('x'), 400, 'HTTPBadRequest'],
    [new AppError('internal', 'x'), 500, 'HTTPInternalServerError'],
  ])('%o is %i %s', (error, status, type) => {
    expect(said(error)).toMatchObject({ status, type, message: 'x' })
  })

  it.each([
    ['POST', 'SecurityGroupDefaultAlreadyExists'],
    ['PUT', 'SecurityGroupCannotUpdateDefault'],
    ['DELETE', 'SecurityGroupCannotRemoveDefault'],
  ])('of a default group depends on the method: %s', (method, type) => {
    expect(said(conflict('x', 'default_group'), method)).toMatchObject({ status: 409, type })
  })

  it('for want of the database may be asked again', () => {
    expect(said(unavailable('x'))).toMatchObject({
      status: 503,
      type: 'HTTPServiceUnavailable',
      headers: { 'retry-after': '5' },
    })
  })
})

describe('what a region answered', () => {
  const from = (detail: ErrorDetail) =>
    said(new AppError('upstream', "Pod1's Neutron answered", { region: 'Pod1', ...detail }))

  it.each([
    [{ status: 409, reason: 'SubnetInUse' }, 409, 'SubnetInUse'],
    [{ status: 400, reason: 'InvalidInput' }, 400, 'InvalidInput'],
    [{ status: 400, reason: 'leg_exists' }, 400, 'BadRequest'],
    [{ status: 404 }, 404, 'HTTPNotFound'],
    [{ status: 409, reason: 'network' }, 409, 'HTTPConflict'],
    [{ status: 401, reason: 'Unauthorized' }, 502, 'RegionUnavailable'],
    [{ status: 500, reason: 'HTTPInternalServerError' }, 502, 'RegionUnavailable'],
    [{ status: 503 }, 502, 'RegionUnavailable'],
    [{ reason: 'timeout' }, 502, 'RegionUnavailable'],
    [{ reason: 'maybe_done' }, 502, 'RegionUnavailable'],
    [{ status: 404, reason: 'maybe_done' }, 502, 'RegionUnavailable'],
  ])('%o is %i %s, and says of which', (detail, status, type) => {
    expect(from(detail)).toMatchObject({ status, type, message: "Pod1's Neutron answered" })
  })
})

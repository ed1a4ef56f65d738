// Floating IPs, as the API has them.

import type { FloatingIpChange, FloatingIpSpec } from '../../../core/network/model/specs.ts'
import {
  createFloatingIp,
  removeFloatingIp,
  updateFloatingIp,
} from '../../../core/network/routers/floating-ips.ts'
import { address } from '../address-kinds.ts'
import { fixedAt, type Resource, standard, untagged } from '../attributes.ts'
import { orNone, orNull, text, uuid } from '../kinds.ts'

export const floatingIps: Resource<'floatingip', FloatingIpSpec, FloatingIpChange> = {
  kind: 'floatingip',
  path: 'floatingips',
  attributes: {
    ...standard,
    ...untagged,
    floating_network_id: { kind: uuid, field: 'floatingNetworkId', set: 'create', filter: true, sort: true },
    floating_ip_address: {
      kind: orNone(address),
      field: 'floatingIpAddress',
      set: 'create',
      default: undefined,
      filter: true,
      sort: true,
    },
    subnet_id: { kind: orNone(uuid), field: 'subnetId', set: 'create', default: undefined, seenBy: 'nobody' },
    port_id: { kind: orNull(uuid), field: 'portId', set: 'always', default: undefined, filter: true },
    fixed_ip_address: {
      kind: orNull(address),
      field: 'fixedIpAddress',
      set: 'always',
      default: undefined,
      filter: true,
      sort: true,
    },
    router_id: { kind: orNull(uuid), field: 'routerId', filter: true, sort: true },
    status: { kind: text(), field: 'status', filter: true, sort: true },
    qos_policy_id: fixedAt(null),
  },
  create: createFloatingIp,
  update: updateFloatingIp,
  remove: removeFloatingIp,
}

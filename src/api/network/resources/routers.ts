// Routers, as the API has them.

import type { Router, RouterGateway } from '../../../core/network/model/model.ts'
import type { GatewayAsk, RouterChange, RouterSpec } from '../../../core/network/model/specs.ts'
import { createRouter, removeRouter, updateRouter } from '../../../core/network/routers/routers.ts'
import { isObject } from '../../request.ts'
import { fixedIps, routes } from '../address-kinds.ts'
import { fixedAt, name, type Resource, standard, untagged } from '../attributes.ts'
import { type AttributeKind, listOf, orEmpty, orNone, text, truth, uuid } from '../kinds.ts'
import { shown, wrongValue } from '../refusals.ts'

const gateway: AttributeKind<GatewayAsk | null> = {
  read(value, name) {
    if (value === null) return null
    if (!isObject(value)) throw wrongValue(name, `'${shown(value)}' is not a dictionary`)
    const { network_id, enable_snat, external_fixed_ips, qos_policy_id = null, ...others } = value
    const given = Object.keys(value)
    if (given.length === 0) return null
    if (network_id === undefined) {
      const keys = given.map(key => `'${key}'`).join(', ')
      const sentence = `Expected keys: {'network_id'} Provided keys: {${shown(keys)}}`
      throw wrongValue(name, `Validation of dictionary's keys failed. ${sentence}`)
    }
    const more = [...Object.keys(others), ...(qos_policy_id === null ? [] : ['qos_policy_id'])]
    if (more.length > 0) throw wrongValue(name, `Unexpected keys supplied: ${shown(more.join(', '))}`)
    return {
      networkId: uuid.read(network_id, name)!,
      ...(enable_snat === undefined ? {} : { enableSnat: truth.read(enable_snat, name)! }),
      ...(external_fixed_ips === undefined ? {} : { fixedIps: fixedIps.read(external_fixed_ips, name)! }),
    }
  },
  schema: {
    anyOf: [
      {
        type: 'object',
        required: ['network_id'],
        properties: {
          network_id: uuid.schema,
          enable_snat: truth.schema,
          external_fixed_ips: fixedIps.schema,
        },
      },
      { type: 'null' },
    ],
  },
}

const viewGateway = ({ networkId, enableSnat, fixedIps: ips }: RouterGateway) => ({
  network_id: networkId,
  enable_snat: enableSnat,
  external_fixed_ips: fixedIps.view!(ips),
})

/** A gateway touches the rules of the parts that are given. */
const gatewayParts = (value: unknown): readonly string[] => [
  '',
  ...Object.keys(isObject(value) ? value : {}).map(part => `:${part}`),
]

const zones = listOf(text())

const mode = { kind: orNone(truth), set: 'always', default: false, filter: true } as const

export const routers: Resource<'router', RouterSpec, RouterChange> = {
  kind: 'router',
  path: 'routers',
  attributes: {
    ...standard,
    ...untagged,
    name,
    admin_state_up: {
      kind: truth,
      field: 'adminStateUp',
      set: 'always',
      default: true,
      filter: true,
      sort: true,
    },
    status: { kind: text(), field: 'status', filter: true, sort: true },
    external_gateway_info: {
      kind: gateway,
      field: 'gateway',
      set: 'always',
      default: null,
      touches: gatewayParts,
      show: (router: Router) => router.gateway && viewGateway(router.gateway),
    },
    routes: { kind: orEmpty(routes), field: 'routes', set: 'update' },
    ha: { ...mode, field: 'ha' },
    distributed: { ...mode, field: 'distributed' },
    flavor_id: fixedAt(null, 'create'),
    availability_zones: { kind: zones, show: ({ places }: Router) => places.map(({ region }) => region) },
    availability_zone_hints: { kind: zones, field: 'zoneHints', set: 'create', default: [], filter: 'has' },
  },
  create: createRouter,
  update: updateRouter,
  remove: removeRouter,
}

// Interfaces of routers: the two actions that a router has.

import type { App } from '../../core/app.ts'
import type { Caller } from '../../core/caller.ts'
import type { Interface, InterfaceAsk } from '../../core/network/model/specs.ts'
import { addInterface, removeInterface } from '../../core/network/routers/interfaces.ts'
import { isObject, isUuid, type Request } from '../request.ts'
import { type Route, route } from '../route.ts'
import { readId } from './head.ts'
import { badRequest, shown, unusable } from './refusals.ts'
import { ruled } from './resource.ts'

function readInterface(request: Request): InterfaceAsk {
  const { body } = request
  if (!isObject(body)) throw unusable('Body contains invalid data')
  const { subnet_id, port_id } = body
  if (subnet_id === undefined && port_id === undefined) {
    throw badRequest('router', 'Either subnet_id or port_id must be specified')
  }
  for (const id of [subnet_id, port_id]) {
    if (id !== undefined && !(typeof id === 'string' && isUuid(id)))
      throw badRequest('router', `'${shown(id)}' is not a valid UUID`)
  }
  return {
    routerId: readId('router', request),
    ...(subnet_id === undefined ? {} : { subnetId: subnet_id as string }),
    ...(port_id === undefined ? {} : { portId: port_id as string }),
  }
}

/** Adding an interface takes a subnet or a port, not both; removing takes both where they agree. */
function readAddition(request: Request): InterfaceAsk {
  const ask = readInterface(request)
  if (ask.subnetId === undefined || ask.portId === undefined) return ask
  throw badRequest('router', 'Cannot specify both subnet-id and port-id')
}

const viewInterface = ({ routerId, projectId, portId, networkId, subnetId }: Interface) => ({
  id: routerId,
  project_id: projectId,
  tenant_id: projectId,
  port_id: portId,
  network_id: networkId,
  subnet_id: subnetId,
  subnet_ids: [subnetId],
})

const action = (
  name: string,
  parse: (request: Request) => InterfaceAsk,
  verb: (app: App, caller: Caller, ask: InterfaceAsk) => Promise<Interface>,
): Route =>
  route({
    ...ruled(name),
    method: 'PUT',
    path: `/routers/:id/${name}`,
    errors: 'router',
    parse,
    verb,
    view: viewInterface,
  })

export const interfaceRoutes: readonly Route[] = [
  action('add_router_interface', readAddition, addInterface),
  action('remove_router_interface', readInterface, removeInterface),
]

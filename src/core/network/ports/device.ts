// Which device a port says that it is of: routers know their interfaces by that.

import type { App } from '../../app.ts'
import { type Caller, isAtLeast } from '../../caller.ts'
import { conflict } from '../../error.ts'
import { interfaceOwner } from '../model/device-owner.ts'
import type { Port } from '../model/model.ts'

/** A port becomes no interface of another project's router. Throws `conflict` (`DeviceIDNotOwnedByTenant`). */
export async function checkDevice(
  app: Pick<App, 'store'>,
  caller: Caller,
  { deviceOwner, deviceId, projectId }: Pick<Port, 'deviceOwner' | 'deviceId' | 'projectId'>,
): Promise<void> {
  if (deviceOwner !== interfaceOwner || deviceId === '' || isAtLeast(caller, 'admin')) return
  const router = await app.store.networks.get('router', deviceId, 'atoll')
  if (!router || router.projectId === projectId) return
  throw conflict(
    `The following device_id ${deviceId} is not owned by your tenant or matches another tenants router.`,
    'DeviceIDNotOwnedByTenant',
  )
}

// MAC addresses: new ones of the region, and those that are taken on a network.

import { randomBytes } from 'node:crypto'
import { compact } from '../compact.ts'
import { refusal } from '../errors.ts'
import type { Region } from '../region.ts'

function isTaken(mac: string, networkId: string, region: Region): boolean {
  for (const port of region.ports.by('mac_address', mac.toLowerCase())) {
    if (port.network_id === networkId) return true
  }
  return false
}

export function refuseTaken(mac: string, networkId: string, region: Region): void {
  if (!isTaken(mac, networkId, region)) return
  const message = `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`
  throw refusal(409, 'MacAddressInUse', message)
}

/** A MAC of the region's own, free on the network. */
export function makeMac(networkId: string, region: Region): string {
  const base = region.settings.baseMac.toLowerCase().split(':')
  const own = base.slice(0, base[3] === '00' ? 3 : 4)
  for (;;) {
    const rest =
      randomBytes(6 - own.length)
        .toString('hex')
        .match(/../g) ?? []
    const mac = compact([...own, ...rest].join(':'))
    if (!isTaken(mac, networkId, region)) return mac
  }
}

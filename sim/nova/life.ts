// The life of a server: scheduled, built, stopped, moved, gone.

import { isRefusal } from './ports.ts'
import type { NovaRegion } from './region.ts'
import type { EmbeddedFlavor, Server } from './rows.ts'
import { type Ask, NoHost, type Place, place } from './scheduler.ts'

export function boot(region: NovaRegion, server: Server, ask: Ask): void {
  region.later(region.settings.scheduleMs, () => {
    if (!isThere(region, server) || server.taskState === 'deleting') return
    const found = tryPlace(region, server, ask)
    if (found === null) return
    region.change(server, () => {
      server.host = found.host.name
      server.taskState = 'spawning'
    })
    if (!plug(region, server, found.host.name)) return
    region.later(region.settings.buildMs, () => {
      if (!isThere(region, server) || server.taskState === 'deleting') return
      region.change(server, () => {
        Object.assign(server, { vmState: 'active', taskState: null, launchedAt: region.now() })
      })
    })
  })
}

/** Plugs a server's ports; false, with the server in error, when Neutron refuses. */
function plug(region: NovaRegion, server: Server, host: string): boolean {
  try {
    const place = { host, zone: region.zoneOf(host) ?? 'nova' }
    server.addresses = region.ports.plug(server, place, server.wantedPorts)
    return true
  } catch (error) {
    if (!isRefusal(error)) throw error
    fail(region, server, `Build of instance ${server.id} aborted: ${error.message}`)
    return false
  }
}

function fail(region: NovaRegion, server: Server, message: string): void {
  region.change(server, () => {
    server.vmState = 'error'
    server.taskState = null
    server.fault = { code: 500, message, at: region.now() }
  })
}

/** Finds a host for a server; null, with the server in error, when there is none. */
function tryPlace(region: NovaRegion, server: Server, ask: Ask): Place | null {
  try {
    return place(region, server, ask)
  } catch (error) {
    if (!(error instanceof NoHost)) throw error
    fail(region, server, error.message)
    return null
  }
}

const isThere = (region: NovaRegion, { id }: Server): boolean => region.servers.get(id) !== undefined

export function remove(region: NovaRegion, server: Server): void {
  const isUndying = region.undying.has(server.id)
  if (server.host === null && server.vmState !== 'building' && !isUndying) {
    region.forget(server)
    return
  }
  region.change(server, () => {
    server.taskState = 'deleting'
  })
  if (isUndying) return
  region.later(region.settings.deleteMs, () => {
    if (!isThere(region, server)) return
    const old = region.placement.consumers.get(oldConsumer(server))
    if (old !== undefined) region.placement.release(old)
    region.forget(server)
  })
}

/** Lets a server have a task state for a moment, and then its end state. */
export function work(region: NovaRegion, server: Server, taskState: string, end: Partial<Server>): void {
  region.change(server, () => {
    server.taskState = taskState
  })
  region.later(0, () => {
    if (server.taskState !== taskState) return
    region.change(server, () => Object.assign(server, { taskState: null, ...end }))
  })
}

/**
 * The consumer under which a moving server's old allocations stay in Placement until the move is confirmed.
 */
const oldConsumer = ({ id }: Server): string => id.replace(/^.{8}/, '00000000')

/** Moves a server to another host, with another flavor when one is given. Throws `NoHost`. */
export function move(region: NovaRegion, server: Server, flavor: EmbeddedFlavor): void {
  const from = server.host
  const held = region.placement.consumers.get(server.id)
  if (from === null || held === undefined) throw new NoHost('No valid host was found. ')
  const ask: Ask = { flavor, host: null, isForced: false, notOn: from }
  const { allocations } = held
  region.placement.release(held)
  const before = { ...held, uuid: oldConsumer(server), type: 'MIGRATION', allocations }
  region.placement.allocate(before)
  try {
    const { host } = place(region, server, ask)
    const old = { host: from, flavor: server.flavor }
    region.change(server, () => {
      Object.assign(server, { taskState: 'resize_prep' })
    })
    region.later(0, () => {
      region.change(server, () => {
        Object.assign(server, { host: host.name, flavor, old, vmState: 'resized', taskState: null })
      })
    })
  } catch (error) {
    settleMove(region, server)
    region.placement.allocate({ ...held, allocations })
    throw error
  }
}

/** Confirms a move: the allocations on the old host are released. */
export function confirmMove(region: NovaRegion, server: Server): void {
  settleMove(region, server)
  region.change(server, () => {
    Object.assign(server, { old: null, vmState: 'active' })
  })
}

export function revertMove(region: NovaRegion, server: Server): void {
  const { old } = server
  const held = region.placement.consumers.get(oldConsumer(server))
  const now = region.placement.consumers.get(server.id)
  if (old === null || held === undefined || now === undefined) return
  region.placement.release(now)
  settleMove(region, server)
  region.placement.allocate({ ...held, uuid: server.id, type: 'INSTANCE' })
  region.change(server, () => {
    Object.assign(server, { host: old.host, flavor: old.flavor, old: null, vmState: 'active' })
  })
}

function settleMove(region: NovaRegion, server: Server): void {
  const held = region.placement.consumers.get(oldConsumer(server))
  if (held !== undefined) region.placement.release(held)
}

/** Shelves a server: it leaves its host, and its allocations are released. */
export function shelve(region: NovaRegion, server: Server): void {
  const held = region.placement.consumers.get(server.id)
  if (held !== undefined) region.placement.release(held)
  region.change(server, () => {
    Object.assign(server, { host: null, vmState: 'shelved_offloaded' })
  })
}

/** Unshelves a server: it gets a host again; where there is none it stays shelved. */
export function unshelve(region: NovaRegion, server: Server): void {
  const ask: Ask = { flavor: server.flavor, host: null, isForced: false, notOn: null }
  try {
    const { host } = place(region, server, ask)
    region.change(server, () => {
      Object.assign(server, { host: host.name, vmState: 'active' })
    })
  } catch (error) {
    if (!(error instanceof NoHost)) throw error
  }
}

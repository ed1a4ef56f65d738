// Actions on servers: `POST /servers/{id}/action`.

import { represented } from '../../python.ts'
import { makeImage } from '../images.ts'
import { confirmMove, move, revertMove, shelve, unshelve, work } from '../life.ts'
import { badRequest, conflict, invalidField } from '../refusals.ts'
import { embed, type Server, type VmState } from '../rows.ts'
import { NoHost } from '../scheduler.ts'
import {
  type Answer,
  type Asked,
  accepted,
  adminsOnly,
  type Json,
  nothing,
  type Route,
  readObject,
  readText,
} from './asked.ts'
import { readFlavor } from './server-create.ts'
import { serverOf } from './servers.ts'

export const actionRoutes: readonly Route[] = [
  { method: 'POST', path: '/servers/:id/action', rule: 'servers:action', answer: act },
]

interface Action {
  /** The action's name in messages. */
  name: string
  /** The states in which a server may have the action. */
  from: readonly VmState[]
  rule?: string
  /** Set for actions on servers that have a host. */
  needsHost?: true
  act(asked: Asked, server: Server, given: unknown): Answer | undefined
}

const actions: Readonly<Record<string, Action>> = {
  'os-start': {
    name: 'start',
    from: ['stopped'],
    needsHost: true,
    act: ({ region }, server) => void work(region, server, 'powering-on', { vmState: 'active' }),
  },
  'os-stop': {
    name: 'stop',
    from: ['active', 'error'],
    needsHost: true,
    act: ({ region }, server) => void work(region, server, 'powering-off', { vmState: 'stopped' }),
  },
  reboot: { name: 'reboot', from: ['active', 'stopped', 'error'], needsHost: true, act: reboot },
  createImage: { name: 'createImage', from: ['active', 'stopped', 'shelved_offloaded'], act: createImage },
  resize: {
    name: 'resize',
    from: ['active', 'stopped'],
    act: (asked, server, given) => {
      const flavor = readFlavor(asked, readObject(given, 'resize', ['flavorRef']).flavorRef)
      if (flavor.id === server.flavor.id) throw badRequest('When resizing, instances must change flavor!')
      moveOff(asked, server, embed(flavor))
      return undefined
    },
  },
  confirmResize: {
    name: 'confirmResize',
    from: ['resized'],
    act: ({ region }, server) => {
      confirmMove(region, server)
      return nothing
    },
  },
  revertResize: {
    name: 'revertResize',
    from: ['resized'],
    act: ({ region }, server) => void revertMove(region, server),
  },
  migrate: {
    name: 'migrate',
    from: ['active', 'stopped'],
    rule: 'os-migrate-server:migrate',
    act: (asked, server) => void moveOff(asked, server, server.flavor),
  },
  shelve: {
    name: 'shelve',
    from: ['active', 'stopped'],
    act: ({ region }, server) => void shelve(region, server),
  },
  unshelve: {
    name: 'unshelve',
    from: ['shelved_offloaded'],
    act: ({ region }, server) => void unshelve(region, server),
  },
}

function act(asked: Asked): Answer {
  const [name, given] = Object.entries(readObject(asked.body, 'body'))[0] ?? []
  const action = actions[name ?? '']
  if (action === undefined) throw badRequest(`There is no such action: ${name}`)
  const server = serverOf(asked)
  if (action.rule !== undefined) adminsOnly(asked, action.rule)
  if (action.needsHost && server.host === null) {
    throw conflict(`Instance ${server.id} is not ready`)
  }
  if (!action.from.includes(server.vmState)) {
    throw conflict(`Cannot '${action.name}' instance ${server.id} while it is in vm_state ${server.vmState}`)
  }
  if (server.taskState === 'deleting') {
    throw conflict(`Cannot '${action.name}' instance ${server.id} while it is in task_state deleting`)
  }
  return action.act(asked, server, given) ?? accepted
}

function reboot({ region }: Asked, server: Server, given: unknown): undefined {
  const wanted = readText(readObject(given, 'reboot', ['type']).type, 'type')
  const types = ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']
  if (!types.includes(wanted)) {
    throw invalidField('type', wanted, `'${wanted}' is not one of ${represented(types)}`)
  }
  const type = wanted.toUpperCase()
  if (type === 'SOFT' && server.vmState !== 'active') {
    throw conflict(`Cannot 'reboot' instance ${server.id} while it is in vm_state ${server.vmState}`)
  }
  work(region, server, type === 'HARD' ? 'rebooting_hard' : 'rebooting', { vmState: 'active' })
}

function createImage(asked: Asked, server: Server, given: unknown): Answer {
  const { region, root, minor } = asked
  const { name, metadata = {} } = readObject(given, 'createImage', ['name'])
  const image = makeImage(region.images, {
    name: readText(name, 'name'),
    owner: server.projectId,
    createdAt: region.now(),
    properties: {
      ...(readObject(metadata, 'metadata') as Json & Record<string, string>),
      base_image_ref: server.imageId,
      image_type: 'snapshot',
      instance_uuid: server.id,
      user_id: server.userId,
    },
  })
  if (minor >= 45) return { status: 202, body: { image_id: image.id } }
  return { status: 202, location: `${root.replace(/\/v2\.1$/, '')}/images/${image.id}` }
}

/** Migrates a server; where no other host can take it, it stays as it is. */
function moveOff({ region }: Asked, server: Server, flavor: Server['flavor']): void {
  try {
    move(region, server, flavor)
  } catch (error) {
    if (!(error instanceof NoHost)) throw error
  }
}

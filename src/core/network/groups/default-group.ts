// New groups, each with the rules that stock Neutron gives it; and the default group that every project has.

import type { App, Transaction } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import { AppError } from '../../error.ts'
import { noteOf } from '../../note.ts'
import type { SecurityGroup, Written } from '../model/model.ts'
import { some } from '../model/query.ts'
import type { GroupSpec } from '../model/specs.ts'
import { born } from '../model/writing.ts'
import { stockRules } from './security-rules.ts'

/** A project's default group, made where the project has none yet; null without a project. */
export async function ensureDefaultGroup(
  app: App,
  caller: Caller,
  projectId: string,
): Promise<SecurityGroup | null> {
  if (projectId === '') return null
  const known = await findDefault(app, projectId)
  if (known) return known
  const spec = { projectId, name: 'default', description: 'Default security group', stateful: true }
  try {
    await app.store.transact(tx =>
      insertGroup(app, caller, tx, { ...spec, id: app.newId(), isDefault: true }),
    )
  } catch (error) {
    // Another request has made the project's default group in the meantime: that one is read.
    if (!(error instanceof AppError) || error.detail.reason !== 'exists') throw error
  }
  return findDefault(app, projectId)
}

async function findDefault(app: App, projectId: string): Promise<SecurityGroup | null> {
  const isDefault = { field: 'isDefault', in: [true] }
  const [found] = await some(
    app.store,
    'security_group',
    1,
    { field: 'projectId', in: [projectId] },
    isDefault,
  )
  return found ?? null
}

/** Adds a group with the rules of every new one. Throws `conflict` (`exists`) for a project's second default group. */
export async function insertGroup(
  app: Pick<App, 'newId' | 'now'>,
  caller: Caller,
  tx: Transaction,
  spec: GroupSpec & Pick<SecurityGroup, 'id' | 'isDefault'>,
): Promise<void> {
  const birth = born(app)
  const note = noteOf(app, caller, 'security_group.create')
  await tx.networks.insert('security_group', { ...spec, ...birth }, note)
  for (const sense of stockRules(spec.isDefault ? spec.id : null)) {
    const rule: Written<'security_group_rule'> = {
      ...sense,
      ...birth,
      id: app.newId(),
      projectId: spec.projectId,
      description: '',
      securityGroupId: spec.id,
    }
    await tx.networks.insert('security_group_rule', rule, note)
  }
}

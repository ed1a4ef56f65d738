// The audit trail: each change and the note about it in one statement, so that there is never one without the other.

import { type Expression, type OperationNodeSource, sql } from 'kysely'
import type { AuditStore, Note } from '../core/note.ts'
import { type Db, type Refusals, run } from './database.ts'

export interface AuditedOptions {
  /** What each constraint means when the statement breaks it. */
  readonly refusals?: Refusals
  /** Parts of the statement that come first, by the names under which the change refers to them. */
  readonly first?: readonly (readonly [name: string, part: Expression<unknown>])[]
}

/**
 * Runs a changing statement (one that ends in `returning *`; in parentheses where it is written by hand) and
 * writes a line of the audit trail for every row that it changed, in the same statement. Returns the rows.
 */
export async function audited<Row>(
  db: Db,
  note: Note,
  change: OperationNodeSource,
  { refusals = {}, first = [] }: AuditedOptions = {},
): Promise<Row[]> {
  const { caller, at, action } = note
  const begun = first.reduce(
    (chain, [name, part]) => chain.with(name, () => part as Expression<object>) as unknown as Db,
    db,
  )
  const statement = begun
    .with('changed', () => change as Expression<object>)
    .with(
      'noted',
      () => sql`(
        insert into audit (at, request_id, user_id, project_id, action, target, state)
        select ${at}::timestamptz, ${caller.requestId}::text, ${caller.userId}::text, ${caller.projectId}::text,
               ${action}::text, changed.id::text, to_jsonb(changed)
        from changed)`,
    )
    .selectFrom('changed')
    .selectAll()
  return (await run(statement.execute(), refusals)) as Row[]
}

export function auditStore(db: Db): AuditStore {
  return {
    async removeBefore(before, limit) {
      const result = await run(
        sql`delete from audit where id in (
          select id from audit where at < ${before} order by at limit ${limit} for update skip locked)`.execute(
          db,
        ),
      )
      return Number(result.numAffectedRows ?? 0)
    },
  }
}

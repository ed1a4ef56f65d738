// The audit trail: each change, the note about it and its event in one statement, so that none is there without the others.

import { type Expression, type Kysely, type OperationNodeSource, sql } from 'kysely'
import type { AuditStore, Note } from '../core/note.ts'
import { type Db, type Refusals, run } from './database.ts'
import { isTold, nounOf, telling } from './telling.ts'

export interface AuditedOptions {
  /** What each constraint means when the statement breaks it. */
  readonly refusals?: Refusals
  /** Parts of the statement that come first, by the names under which the change refers to them. */
  readonly first?: readonly (readonly [name: string, part: Expression<unknown>])[]
}

/**
 * Runs a changing statement (one that ends in `returning *`; in parentheses where it is written by hand) and
 * writes a line of the audit trail for every row that it changed, in the same statement, and an event of the feed
 * where the note's noun has events. Returns the rows.
 */
export async function audited<Row>(
  db: Db,
  note: Note,
  change: OperationNodeSource,
  { refusals = {}, first = [] }: AuditedOptions = {},
): Promise<Row[]> {
  const parts: readonly (readonly [string, OperationNodeSource])[] = [
    ...first,
    ['changed', change],
    ['noted', noting(note)],
    ...(isTold(note.action) ? [['told', tellingOf(note)] as const] : []),
  ]
  const begun = parts.reduce(
    (chain, [name, part]) => chain.with(name, () => part as Expression<object>) as unknown as Db,
    db,
  ) as unknown as Kysely<{ changed: object }>
  return (await run(begun.selectFrom('changed').selectAll().execute(), refusals)) as Row[]
}

const noting = ({ caller, at, action }: Note) => sql`(
  insert into audit (at, request_id, user_id, project_id, action, target, state)
  select ${at}::timestamptz, ${caller.requestId}::text, ${caller.userId}::text, ${caller.projectId}::text,
         ${action}::text, changed.id::text, to_jsonb(changed)
  from changed)`

const tellingOf = ({ at, action }: Note) => telling({ noun: nounOf(action), rows: sql`changed`, action, at })

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

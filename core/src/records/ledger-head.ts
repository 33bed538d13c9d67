import { sql, type RawBuilder } from 'kysely'
import type { EngineScope } from './scope.ts'

/** A change set's first line, `head`, to stand in the statement of its first change. */
export function ledgerHead({ ctx }: EngineScope, changeSet: string, reason = ctx.cause.reason): RawBuilder<unknown> {
  const { actor, cause } = ctx
  return sql`head as (
    insert into core.change_set (id, workspace, actor_type, actor_id, actor_name, origin, reason, request, undo_of, job, at)
    values (${changeSet}::uuid, ${ctx.workspace.id}::uuid, ${actor.type}, ${actor.id ?? null}::uuid, ${actor.name},
      ${cause.origin}, ${reason ?? null}, ${cause.request ?? null}, ${cause.undoOf ?? null}::uuid,
      ${cause.spans?.job ?? null}::uuid, ${ctx.clock.now().toISOString()}::timestamptz)
    on conflict (id) do nothing)`
}

import type { RawBuilder, SqlBool } from 'kysely'
import {
  checkExpression,
  compileExpression,
  readExpression,
  type CheckedExpression,
  type Expression,
} from './expression/index.ts'
import { sourceOf, withinReach } from './past.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/**
 * A filter of the outside as a condition, with the actor's permissions in it: on every field it names, and on every row
 * it looks into on the way.
 *
 * @throws `EXPRESSION_INVALID`, `EXPRESSION_TOO_COSTLY`, `FIELD_NOT_READABLE`
 */
export function compileFilter(
  scope: EngineScope,
  resource: Resource,
  input: string | Expression,
  alias: string,
): { readonly condition: RawBuilder<SqlBool>; readonly checked: CheckedExpression } {
  const { ctx, catalog } = scope
  const existing = { get: (id: string) => existingResource(scope, id) }
  const checked = checkExpression(readExpression(input), {
    resource,
    catalog: existing,
    access: {
      readable(id, field) {
        const access = scope.access(catalog.of(id), 'read')
        return access.allowed && access.readable(field)
      },
    },
  })
  const condition = compileExpression(checked, {
    alias,
    environment: {
      now: ctx.clock.now(),
      zone: ctx.workspace.zone,
      ...(ctx.actor.type === 'user' && ctx.actor.id !== undefined ? { userId: ctx.actor.id } : {}),
    },
    visibility(id, inner) {
      const access = scope.access(catalog.of(id), 'read')
      return access.everything ? undefined : withinReach(scope, access, inner)
    },
    source: (id, inner) => sourceOf(scope, catalog.of(id), inner),
  })
  return { condition, checked }
}

function existingResource(scope: EngineScope, id: string): Resource | undefined {
  const resource = scope.catalog.get(id)
  return resource && scope.exists(resource) ? resource : undefined
}

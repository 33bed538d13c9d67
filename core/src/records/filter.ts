import type { RawBuilder, SqlBool } from 'kysely'
import {
  checkExpression,
  compileExpression,
  readExpression,
  type CheckedExpression,
  type CompileOptions,
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
  const checked = checkFilter(scope, resource, input)
  return { condition: compileExpression(checked, filterOptions(scope, alias)), checked }
}

/** Throws as `compileFilter` does. */
export function checkFilter(scope: EngineScope, resource: Resource, input: string | Expression): CheckedExpression {
  const { catalog } = scope
  return checkExpression(readExpression(input), {
    resource,
    catalog: { get: (id: string) => existingResource(scope, id) },
    access: {
      readable(id, field) {
        const access = scope.access(catalog.of(id), 'read')
        return access.allowed && access.readable(field)
      },
    },
  })
}

/** How a filter is compiled for the actor. */
export function filterOptions(scope: EngineScope, alias: string): CompileOptions {
  const { ctx, catalog } = scope
  return {
    alias,
    environment: {
      // Of the past, today is the day that is looked at.
      now: scope.asOf === undefined ? ctx.clock.now() : new Date(scope.asOf),
      zone: ctx.workspace.zone,
      ...(ctx.actor.type === 'user' && ctx.actor.id !== undefined ? { userId: ctx.actor.id } : {}),
    },
    visibility(id, inner) {
      const access = scope.access(catalog.of(id), 'read')
      return access.everything ? undefined : withinReach(scope, access, inner)
    },
    source: (id, inner) => sourceOf(scope, catalog.of(id), inner),
  }
}

function existingResource(scope: EngineScope, id: string): Resource | undefined {
  const resource = scope.catalog.get(id)
  return resource && scope.exists(resource) ? resource : undefined
}

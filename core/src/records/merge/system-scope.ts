import { systemAuthority } from '../../permissions/system-authority.ts'
import type { EngineScope } from '../scope.ts'

/**
 * The same unit with every right. Who may merge two records moves all that hangs on them, theirs or not: what stayed
 * behind would be lost to those it belongs to.
 */
export function withEveryRight(scope: EngineScope): EngineScope {
  return {
    ...scope,
    ctx: scope.ctx.asSystem(),
    access: (resource, action) => systemAuthority.compile(resource, action),
  }
}

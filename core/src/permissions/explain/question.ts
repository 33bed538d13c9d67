import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { belongingOf } from '../../records/own-reach.ts'
import type { Resource } from '../../records/registry.ts'
import { isResourceAction, type Access, type Authority } from '../authority.ts'

export type Condition = RawBuilder<SqlBool>

/** Whether what is asked is about one row; making one and taking in files are about none. */
export function isAboutRow(action: string): boolean {
  return isResourceAction(action) && action !== 'create' && action !== 'import'
}

/** What is asked: may these rights do this to that. */
export interface Asked {
  /** Absent for a permission that is about no kind of record (`core.role` + `manage`). */
  readonly resource: Resource | undefined
  readonly id: string
  readonly action: string
  readonly field: string | undefined
}

/** What the enforcement asks of the same authority: whether it may at all, and of which rows. */
export interface Enforced {
  readonly isPossible: boolean
  /** Whether the row does not matter. */
  readonly everything: boolean
  where(alias: string): Condition
}

/**
 * The question as every channel puts it: to do a thing to a record takes reading it first; giving it to somebody else takes
 * more than a share; a field is its own matter.
 */
export function enforced(authority: Authority, { resource, id, action, field }: Asked): Enforced {
  if (!resource || !isResourceAction(action))
    return { isPossible: authority.may(`${id}.${action}`), everything: true, where: () => sql`true` }
  const access = authority.compile(resource, action)
  const isMaking = action === 'create' || action === 'import'
  const read = isMaking ? access : authority.compile(resource, 'read')
  const isOffered = !resource.options.readonly || action === 'read' || action === 'export'
  const isMoving = action === 'update' && field !== undefined && belongingOf(resource).has(field)
  return {
    isPossible:
      isOffered &&
      read.allowed &&
      access.allowed &&
      (field === undefined || fieldIsOpen(access, resource, { action, field })),
    everything: read.everything && access.everything,
    where: (alias) =>
      action === 'read'
        ? read.where(alias)
        : sql`(${read.where(alias)} and ${isMoving ? access.granted(alias) : access.where(alias)})`,
  }
}

function fieldIsOpen(
  access: Access,
  resource: Resource,
  { action, field }: { action: string; field: string },
): boolean {
  const isWriting = action === 'create' || action === 'update' || action === 'import'
  if (!isWriting) return access.readable(field)
  return access.writable(field) && resource.fields.get(field)?.readonly !== true
}

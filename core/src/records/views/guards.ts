import { sql } from 'kysely'
import { permissionDenied } from '../../permissions/errors.ts'
import { defineGuard, type GuardDefinition } from '../define-resource.ts'
import type { RecordEngine } from '../engine.ts'
import { viewInvalid, viewOfRoleTaken } from './errors.ts'

/** What a list goes by is checked when it is kept, so that a fault is told to who makes it. */
const viewIsSound = defineGuard('core.view', ['create', 'update', 'restore'], ({ record, changed, action }, ctx) => {
  if (action !== 'update' || changed.size > 0) (ctx.records as RecordEngine).demandSoundView(record, changed)
})

const sharingIsAllowed = defineGuard(
  'core.view',
  ['create', 'update', 'delete', 'restore'],
  ({ record, before, set }, ctx) => {
    const isShared = record['scope'] !== 'mine' || (before !== undefined && before['scope'] !== 'mine')
    if (isShared && !ctx.authority.may('core.view.share')) throw permissionDenied({ permission: 'core.view.share' })
    if (record['scope'] === 'role' && !record['role'])
      throw viewInvalid({ part: 'role', value: '', rule: 'role', of: '' })
    if (record['scope'] !== 'role' && record['role']) set('role', null)
  },
)

const roleStartsWithOne = defineGuard('core.view', ['create', 'update', 'restore'], async ({ record }, ctx) => {
  if (record['scope'] !== 'role') return
  const { rows } = await sql<{ name: string }>`
    select name from core.view
    where workspace = ${ctx.workspace.id}::uuid and scope = 'role' and role_id = ${record['role']}::uuid
      and resource = ${record['resource']} and deleted_at is null and id <> ${record.id}::uuid`.execute(ctx.sql)
  if (rows[0]) throw viewOfRoleTaken({ name: rows[0].name })
})

export const viewGuards: readonly GuardDefinition[] = [sharingIsAllowed, viewIsSound, roleStartsWithOne]

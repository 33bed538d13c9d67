import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { RoleTemplate } from './define-plugin.ts'

/** Roles a plugin brings, made once: what an administrator changed or deleted since stays so. */
export async function offerRoles(ctx: Context, templates: readonly RoleTemplate[]): Promise<void> {
  for (const { id, title, grants, fields = [] } of templates) {
    const { rows } =
      await sql`select 1 from core.role where workspace = ${ctx.workspace.id}::uuid and template = ${id}`.execute(
        ctx.sql,
      )
    if (rows.length > 0) continue
    await ctx.records.create(
      'core.role',
      { name: await freeRoleName(ctx, title[ctx.workspace.locale]), template: id, grants, fields },
      { internal: true },
    )
  }
}

/** A role the workspace made itself may have the name already: it keeps it, and the plugin's gets a number. */
async function freeRoleName(ctx: Context, wanted: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select lower(name) as name from core.role where workspace = ${ctx.workspace.id}::uuid and deleted_at is null`.execute(
    ctx.sql,
  )
  const taken = new Set(rows.map(({ name }) => name))
  let name = wanted
  for (let number = 2; taken.has(name.toLowerCase()); number += 1) name = `${wanted} ${number}`
  return name
}

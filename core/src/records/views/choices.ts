import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import type { Access, Authority } from '../../permissions/authority.ts'
import type { ResourceCatalog } from '../model.ts'
import { recordNotFound } from '../errors.ts'
import type { ViewColumn, ViewKind, ViewScope } from './view.ts'

/** What one person does with a view; what is left out stays as it is. */
export interface ViewChoice {
  readonly default?: boolean
  readonly pinned?: boolean
  readonly position?: number
}

/** A view as the shell shows it to one person. */
export interface ShownView {
  readonly id: string
  readonly version: number
  readonly resource: string
  readonly name: string
  readonly kind: ViewKind
  readonly scope: ViewScope
  readonly role: string | null
  readonly filter: string | null
  readonly q: string | null
  readonly sort: string | null
  readonly columns: readonly ViewColumn[] | null
  readonly groupBy: string | null
  readonly card: readonly string[] | null
  readonly sums: readonly string[] | null
  readonly startField: string | null
  readonly endField: string | null
  readonly density: string
  readonly mine: boolean
  readonly pinned: boolean
  /** Opens when its list is opened without saying which. */
  readonly default: boolean
}

/** What of a view decides on the rows and fields it shows: whoever may not read all of it has other records before them. */
const parts = ['resource', 'kind', 'scope', 'role', 'name', 'filter', 'q', 'sort', 'columns'] as const
const drawn = ['groupBy', 'card', 'sums', 'startField', 'endField', 'density'] as const

/** Whether views are for somebody at all: not for whom a part of them is hidden. */
export function readsViews({ allowed, readable }: Access): boolean {
  return allowed && [...parts, ...drawn].every(readable)
}

/** More views than a person can tell apart; the rest is reached by address and through the API. */
const mostShown = 500

/** Keeps what the acting user does with a view they can see. */
export async function chooseView(ctx: Context, id: string, choice: ViewChoice): Promise<Required<ViewChoice>> {
  const { data: view } = await ctx.records.get('core.view', id)
  const user = ctx.actor.type === 'user' ? ctx.actor.id : undefined
  if (user === undefined) throw recordNotFound({ resource: 'view', id })
  const workspace = ctx.workspace.id
  if (choice.default === true) {
    await sql`update core.view_choice set is_default = false
      where workspace = ${workspace}::uuid and user_id = ${user}::uuid and resource = ${view['resource']} and is_default`.execute(
      ctx.sql,
    )
  }
  const { rows } = await sql<Required<ViewChoice>>`
    insert into core.view_choice as c (workspace, user_id, view, resource, is_default, is_pinned, position)
    values (${workspace}::uuid, ${user}::uuid, ${id}::uuid, ${view['resource']},
      ${choice.default ?? false}, ${choice.pinned ?? false}, ${choice.position ?? 0})
    on conflict (workspace, user_id, view) do update set
      is_default = coalesce(${choice.default ?? null}::boolean, c.is_default),
      is_pinned = coalesce(${choice.pinned ?? null}::boolean, c.is_pinned),
      position = coalesce(${choice.position ?? null}::integer, c.position)
    returning is_default as "default", is_pinned as pinned, position`.execute(ctx.sql)
  return rows[0]!
}

/** Views of the resources at hand, as the acting user sees and chose them; one statement. */
export async function viewsShownTo(
  ctx: Context,
  catalog: ResourceCatalog,
  authority: Authority,
  resources: readonly string[],
): Promise<ShownView[]> {
  const model = catalog.get('core.view')
  const access = model && authority.compile(model, 'read')
  if (!access || !readsViews(access)) return []
  const user = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  const { rows } = await sql<ShownView>`
    select v.id, v.version, v.resource, v.name, v.kind, v.scope, v.role_id as role, v.filter, v.q, v.sort, v.columns,
      v.group_by as "groupBy", v.card, v.sums, v.start_field as "startField", v.end_field as "endField", v.density,
      v.owner is not distinct from ${user}::uuid as mine, coalesce(c.is_pinned, false) as pinned,
      coalesce(c.is_default, false) or (v.scope = 'role' and v.role_id = any(${authority.roles ?? []}::uuid[])
        and not exists (select from core.view_choice o
          where o.workspace = v.workspace and o.user_id = ${user}::uuid and o.resource = v.resource and o.is_default)) as "default"
    from core.view v
    left join core.view_choice c on c.workspace = v.workspace and c.view = v.id and c.user_id = ${user}::uuid
    where v.workspace = ${ctx.workspace.id}::uuid and v.deleted_at is null and v.resource = any(${resources}::text[])
      and ${access.where('v')}
    order by coalesce(c.position, 0), v.position, v.name collate "und-x-icu", v.id
    limit ${mostShown}`.execute(ctx.sql)
  return rows
}

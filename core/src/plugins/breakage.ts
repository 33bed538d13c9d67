import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { Parts } from '../parts.ts'
import type { ResourceModel } from '../records/model.ts'
import type { Resource } from '../records/registry.ts'
import { pagePath, type PluginDefinition } from './define-plugin.ts'
import { installedDependents } from './dependents.ts'
import { addedBy, slotOf, type HoldKind } from './offers.ts'
import { isAwake } from './peer-condition.ts'
import { ownerOf } from './tokens.ts'

interface Named {
  readonly id: string
  readonly name: string
}

/** What switching a plugin off takes away, counted before it happens. Those that go with it are counted each for itself. */
export interface Breakage {
  readonly plugin: string
  readonly screens: readonly { readonly title: string; readonly path: string }[]
  /** Pages for people outside: links to them that were sent lead nowhere. */
  readonly pages: readonly { readonly title: string; readonly path: string }[]
  readonly records: readonly { readonly resource: string; readonly name: string; readonly count: number }[]
  readonly jobs: readonly { readonly id: string; readonly title: string }[]
  /** Jobs under way or waiting, which rest until it is on again. */
  readonly running: readonly { readonly id: string; readonly kind: string }[]
  readonly fills: readonly { readonly slot: string; readonly title: string }[]
  readonly roles: readonly Named[]
  readonly subscriptions: readonly { readonly id: string; readonly event: string; readonly held: number }[]
  readonly heldEvents: number
  /** Fields it adds to records of others. */
  readonly fields: readonly { readonly resource: string; readonly field: string; readonly title: string }[]
  /** Saved views of its records, and those of others that name a field of it. */
  readonly views: readonly (Named & { readonly resource: string })[]
  /** Fields of others that point at its records, and of its own that are shown with others'. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly title: string }[]
  /** What others that are on fill, contribute to or use of it, with its version. */
  readonly uses: readonly {
    readonly plugin: string
    readonly title: string
    readonly kind: HoldKind
    readonly what: string
  }[]
  /** In the order in which they go, before it. */
  readonly dependents: readonly { readonly id: string; readonly title: string }[]
}

/** Answers what breaks when a loaded plugin is switched off in this workspace. */
export async function breakageOf(
  { catalog, plugins }: Parts,
  ctx: Context,
  on: ReadonlySet<string>,
  plugin: PluginDefinition,
): Promise<Breakage> {
  const { id } = plugin
  const { locale } = ctx
  const all = catalog.extendedBy(on).all()
  const own = all.filter((it) => it.plugin === id)
  const others = all.filter((it) => it.plugin !== id && on.has(it.plugin))
  const subscriptions = await subscriptionsOf(ctx, plugin)
  return {
    plugin: id,
    screens: screensOf(ctx, plugin, own),
    pages: (plugin.publicPages ?? []).map((it) => ({
      title: it.title[locale],
      path: pagePath(ctx.workspace, it.prefix),
    })),
    records: await recordsOf(ctx, own),
    jobs: (plugin.jobs ?? []).map((job) => ({ id: job.id, title: job.title?.[locale] ?? job.id })),
    running: await runningOf(ctx, id),
    fills: (plugin.ui?.fills ?? []).map((fill) => ({ slot: slotOf(fill), title: fill.title?.[locale] ?? fill.id })),
    roles: await rolesOf(ctx, plugin),
    subscriptions,
    heldEvents: subscriptions.reduce((sum, { held }) => sum + held, 0),
    fields: fieldsOf(ctx, id, others),
    views: await viewsOf(ctx, id, own, others),
    links: linksOf(ctx, own, others),
    uses: usesOf(plugins, ctx, on, id),
    dependents: await dependentsHere(plugins, ctx, id),
  }
}

/** The same of one whose code does not run here: all that can be told is what needs it. */
export async function breakageWithoutCode(
  { plugins }: Parts,
  ctx: Context,
  id: string,
): Promise<Pick<Breakage, 'plugin' | 'dependents'>> {
  return { plugin: id, dependents: await dependentsHere(plugins, ctx, id) }
}

/** Whether this process could load them or not. */
async function dependentsHere(
  plugins: readonly PluginDefinition[],
  ctx: Context,
  id: string,
): Promise<Breakage['dependents']> {
  return (await installedDependents(ctx.sql, id, ctx.workspace.id)).map((it) => ({
    id: it.id,
    title: (plugins.find((plugin) => plugin.id === it.id)?.title ?? it.title)?.[ctx.locale] ?? it.id,
  }))
}

function screensOf(ctx: Context, { id, ui }: PluginDefinition, own: readonly Resource[]): Breakage['screens'] {
  const lists = own
    .filter((it) => it.options.nav !== false)
    .map(({ id: resource, path }) => ({ title: ctx.t(`${resource}.many`), path: `/${id}/${path}` }))
  const screens = (ui?.screens ?? []).map(({ title, path }) => ({ title: title[ctx.locale], path }))
  return [...lists.filter(({ path }) => !screens.some((it) => it.path === path)), ...screens]
}

async function recordsOf(ctx: Context, own: readonly Resource[]): Promise<Breakage['records']> {
  if (own.length === 0) return []
  const counts = own.map(
    ({ id, schema, table }) => sql`
      select ${id}::text as resource, count(*)::integer as count from ${sql.table(`${schema}.${table}`)}
      where workspace = ${ctx.workspace.id}::uuid and deleted_at is null`,
  )
  const { rows } = await sql<{ resource: string; count: number }>`${sql.join(counts, sql` union all `)}`.execute(
    ctx.sql,
  )
  const found = new Map(rows.map(({ resource, count }) => [resource, count]))
  return own.map(({ id }) => ({ resource: id, name: ctx.t(`${id}.many`), count: found.get(id) ?? 0 }))
}

async function runningOf(ctx: Context, plugin: string): Promise<Breakage['running']> {
  const { rows } = await sql<{ id: string; kind: string }>`
    select id, kind from core.job
    where workspace = ${ctx.workspace.id}::uuid and plugin = ${plugin} and state in ('queued', 'running', 'paused')
    order by created_at, id`.execute(ctx.sql)
  return rows
}

/** Roles that grant something of it: their lines sleep. */
async function rolesOf(ctx: Context, { id, permissions = [] }: PluginDefinition): Promise<readonly Named[]> {
  const { rows } = await sql<Named>`
    select id, name from core.role where workspace = ${ctx.workspace.id}::uuid and deleted_at is null
      and exists (select 1 from jsonb_array_elements(grants) as g
        where g ->> 'resource' like ${`${id}.%`}
          or (g ->> 'resource') || '.' || (g ->> 'action') = any(${permissions.map((it) => it.id)}::text[]))
    order by name`.execute(ctx.sql)
  return rows
}

async function subscriptionsOf(
  ctx: Context,
  { id, subscribers = [] }: PluginDefinition,
): Promise<Breakage['subscriptions']> {
  if (subscribers.length === 0) return []
  const { rows } = await sql<{ subscription: string; held: number }>`
    select d.subscription, count(*)::integer as held from core.delivery d
    where d.workspace = ${ctx.workspace.id}::uuid and d.state in ('waiting', 'held')
      and d.subscription = any(${subscribers.map((it) => `${id}/${it.id}`)}::text[])
    group by d.subscription`.execute(ctx.sql)
  const held = new Map(rows.map((row) => [row.subscription, row.held]))
  return subscribers.map((it) => ({ id: it.id, event: it.event, held: held.get(`${id}/${it.id}`) ?? 0 }))
}

interface ViewRow extends Named {
  readonly resource: string
  /** Every place of a view that names fields, as one text. */
  readonly said: string
}

/** Of all people's, for whoever switches must know that a colleague's view rests, not what it shows. */
async function viewsOf(
  ctx: Context,
  plugin: string,
  own: readonly Resource[],
  others: readonly Resource[],
): Promise<Breakage['views']> {
  const goes = new Map(others.map((it) => [it.id, namesThatGo(it, plugin, own)]))
  const { rows } = await sql<ViewRow>`
    select v.id, v.name, v.resource, concat_ws(' ', v.filter, v.sort, v.group_by, v.start_field, v.end_field,
      v.columns::text, v.card::text, v.sums::text) as said
    from core.view v where v.workspace = ${ctx.workspace.id}::uuid and v.deleted_at is null
      and v.resource = any(${[...own, ...others.filter((it) => goes.get(it.id)!.size > 0)].map(({ id }) => id)}::text[])
    order by v.name, v.id`.execute(ctx.sql)
  return rows
    .filter(({ resource, said }) => {
      const names = goes.get(resource)
      return !names || (said.match(/[\p{L}_][\p{L}\d_-]*/gu) ?? []).some((word) => names.has(word))
    })
    .map(({ id, name, resource }) => ({ id, name, resource }))
}

/** Fields and collections of a resource that are not there without another plugin. */
function namesThatGo(resource: ResourceModel, plugin: string, own: readonly Resource[]): ReadonlySet<string> {
  const gone = new Set(own.map(({ id }) => id))
  const leads = ({ target }: { readonly target?: string }) => target !== undefined && gone.has(target)
  const fields = [...resource.fields.values()].filter((it) => it.side?.plugin === plugin || leads(it))
  return new Set([...fields, ...[...resource.collections.values()].filter(leads)].map(({ name }) => name))
}

function fieldsOf(ctx: Context, plugin: string, others: readonly Resource[]): Breakage['fields'] {
  return others.flatMap(({ id: resource, sides }) =>
    sides
      .filter((side) => side.plugin === plugin)
      .flatMap(({ fields }) =>
        fields.map(({ name: field }) => ({
          resource,
          field,
          title: `${ctx.t(`${resource}.many`)} · ${ctx.t(`${resource}.${field}`)}`,
        })),
      ),
  )
}

/** By what others declare, and as far as it is awake. */
function usesOf(
  plugins: readonly PluginDefinition[],
  { locale }: Context,
  on: ReadonlySet<string>,
  id: string,
): Breakage['uses'] {
  return plugins
    .filter((it) => it.id !== id && on.has(it.id))
    .flatMap((it) =>
      addedBy(it)
        .filter(({ to, when }) => ownerOf(to) === id && isAwake(when, on, plugins))
        .map(({ kind, to }) => ({ plugin: it.id, title: it.title[locale], kind, what: to })),
    )
}

const ofEveryRecord = new Set(['owner', 'team', 'createdBy', 'updatedBy'])

function linksOf(ctx: Context, own: readonly Resource[], others: readonly Resource[]): Breakage['links'] {
  const ends = (from: readonly Resource[], to: readonly Resource[]) =>
    from.flatMap((resource) =>
      [...resource.fields.values()]
        .filter(({ name, target }) => !ofEveryRecord.has(name) && to.some(({ id }) => id === target))
        .map(({ name, target = '' }) => ({
          from: `${resource.id}.${name}`,
          to: target,
          title: `${ctx.t(`${resource.id}.many`)} · ${ctx.t(`${target}.one`)}`,
        })),
    )
  return [...ends(others, own), ...ends(own, others)]
}

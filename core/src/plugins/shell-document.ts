import { sql } from 'kysely'
import type { Locale } from '../actor.ts'
import type { Context } from '../context.ts'
import { graceDays } from '../identity/entities/identity-provider.ts'
import type { Parts } from '../parts.ts'
import { isShareable } from '../permissions/sharing/shareable.ts'
import { readableKeys } from '../records/duplicates/keys.ts'
import type { RecordEngine } from '../records/engine.ts'
import { targetOf } from '../records/import/targets.ts'
import type { CheckedExpression } from '../records/expression/index.ts'
import { fieldTypes } from '../records/field-types.ts'
import { plainCondition } from '../records/fields/plain-condition.ts'
import { fieldLabel, optionLabel } from '../records/labels.ts'
import type { FieldModel } from '../records/model.ts'
import type { Resource, Resources } from '../records/registry.ts'
import { viewsShownTo } from '../records/views/choices.ts'
import { awakeView } from '../records/views/sleeping.ts'
import type { PluginDefinition } from './define-plugin.ts'
import type { PluginState, Standing } from './enablement.ts'
import { Letters } from './letters.ts'
import { offersOf, slotOf } from './offers.ts'

/** Where the browser finds what was built for it. */
export interface UiAssets {
  /** URL of a plugin's module, when it has one. */
  plugin(id: string): string | undefined
}

/** Permissions the shell's own screens ask for. */
const shellPermissions = [
  'core.plugin.read',
  'core.plugin.toggle',
  'core.plugin.install',
  'core.plugin.upgrade',
  'core.plugin.uninstall',
  'core.plugin.force',
  'core.plugin.configure',
  'core.user.manage',
  'core.actor.view-as',
  'core.role.manage',
  'core.apikey.manage',
  'core.signon.manage',
  'core.audit.read',
  'core.event.read',
  'core.event.redrive',
  'core.event.replay',
  'core.event.skip',
  'core.privacy.read',
  'core.privacy.manage',
  'core.privacy.export',
  'core.privacy.erase',
  'core.pii.unmask',
  'core.field.manage',
  'core.changeset.undo',
  'core.workspace.open',
  'core.workspace.manage',
  'core.view.create',
  'core.view.share',
  'core.known-account.ask',
]

/** Modules that were stopped here, and those that are on here and did not start with the platform. */
async function stoppedHere(
  { plugins, safeMode }: Parts,
  ctx: Context,
  standings: ReadonlyMap<string, Standing>,
): Promise<readonly { readonly id: string; readonly title: string }[]> {
  const loaded = new Map(plugins.map((plugin) => [plugin.id, plugin]))
  const inState = (state: PluginState) => [...standings].filter(([, it]) => it.state === state).map(([id]) => id)
  const absent = safeMode ? [] : inState('enabled').filter((id) => !loaded.has(id))
  const { rows: unstarted } =
    absent.length === 0
      ? { rows: [] }
      : await sql<{ id: string; title: string | null }>`
          select id, manifest -> 'title' ->> ${ctx.locale} as title from core.plugin
          where id = any(${absent}::text[]) and state = 'quarantined' order by id`.execute(ctx.sql)
  return [
    ...inState('quarantined').map((id) => ({ id, title: loaded.get(id)?.title[ctx.locale] ?? id })),
    ...unstarted.map(({ id, title }) => ({ id, title: title ?? id })),
  ]
}

/**
 * What a browser needs to draw the platform for one actor: nothing in it that the actor may not see, nothing of a module
 * that is off. The server filters; the shell only draws.
 */
export async function shellDocument(
  declared: Parts,
  ctx: Context,
  { on, standings }: { readonly on: ReadonlySet<string>; readonly standings: ReadonlyMap<string, Standing> },
  assets: UiAssets,
  {
    workspaces,
    email,
    viewer,
  }: {
    workspaces: readonly { id: string; name: string }[]
    email: string | null
    viewer: { readonly name: string; readonly until: string } | undefined
  },
) {
  const { plugins } = declared
  const { actor, workspace, authority, locale } = ctx
  const { catalog } = (ctx.records as RecordEngine).scope
  const parts = { ...declared, catalog, words: declared.words.in(workspace) }
  const enabled = plugins.filter(({ id }) => on.has(id))
  const resources = catalog
    .all()
    .filter((resource) => on.has(resource.plugin) && authority.compile(resource, 'read').allowed)
    .map((resource) => resourceMeta(parts, ctx, on, resource))
    // Whoever looks as somebody else is offered nothing that would be refused.
    .map((meta) => (viewer ? { ...meta, may: nothingOf(meta.may) } : meta))
  const visible = (permission: string | undefined) => permission === undefined || authority.may(permission)
  const screens = enabled.flatMap(({ id, ui }) =>
    (ui?.screens ?? [])
      .filter(({ permission }) => visible(permission))
      .map(({ title, permission: _, ...screen }) => ({ ...screen, plugin: id, title: title[locale] })),
  )
  const offered = offersOf(enabled)
  const letters = new Letters()
  const stopped = authority.may('core.plugin.toggle') ? await stoppedHere(declared, ctx, standings) : []
  return {
    generation: declared.generation.applied,
    user: { id: actor.id ?? '', name: actor.name, email, locale },
    ...(viewer ? { viewing: { by: viewer.name, until: viewer.until } } : {}),
    workspace,
    workspaces,
    may: viewer ? [] : shellPermissions.filter((permission) => authority.may(permission)),
    // Whoever can bring a stopped module back is told of it wherever they are.
    ...(stopped.length > 0 ? { stopped } : {}),
    ...(authority.may('core.signon.manage') ? await lostDomains(ctx) : {}),
    plugins: enabled.map(({ id, title }) => {
      const ui = assets.plugin(id)
      return { id, title: title[locale], ...(ui === undefined ? {} : { ui }) }
    }),
    resources,
    views: (
      await viewsShownTo(
        ctx,
        catalog,
        authority,
        resources.map(({ id }) => id),
      )
    ).map((saved) => {
      const { view, sleeping } = awakeView((ctx.records as RecordEngine).scope, catalog.of(saved.resource), saved)
      return sleeping.length === 0 ? view : { ...view, sleeping }
    }),
    screens,
    nav: enabled
      .map((plugin) => navGroup(parts, plugin, resources, screens, { locale, letters }))
      .filter(({ items }) => items.length > 0),
    fills: enabled.flatMap(({ id, ui }) =>
      (ui?.fills ?? [])
        .map((fill) => ({ ...fill, slot: slotOf(fill) }))
        .filter(({ slot, permission, when }) => offered.has(slot) && visible(permission) && ctx.isAwake(when))
        .map(({ title, permission: _, when: __, order = 100, ...fill }) => ({
          ...fill,
          plugin: id,
          order,
          ...(title ? { title: title[locale] } : {}),
        })),
    ),
    commands: enabled.flatMap(({ id, ui }) =>
      (ui?.commands ?? [])
        .filter(({ permission, when }) => visible(permission) && ctx.isAwake(when))
        .map(({ title, permission: _, when: __, ...command }) => ({ ...command, plugin: id, title: title[locale] })),
    ),
    words: screenWords(parts, locale, ['kit', 'shell', ...enabled.map(({ id }) => id)]),
  }
}

/** Domains by which nobody new comes in, because what proved them is gone: told to who can publish it again. */
async function lostDomains({ sql: tx, workspace }: Context): Promise<{ readonly lostDomains?: readonly string[] }> {
  const { rows } = await sql<{ domain: string }>`
    select distinct m.key as domain from core.identity_provider p, jsonb_each(p.missed_proofs) m
    where p.workspace = ${workspace.id}::uuid and p.deleted_at is null and (m.value ->> 'days')::integer >= ${graceDays}::integer
    order by 1`.execute(tx)
  return rows.length === 0 ? {} : { lostDomains: rows.map(({ domain }) => domain) }
}

function nothingOf<May extends object>(may: May): { readonly [K in keyof May]: boolean } {
  return Object.fromEntries(Object.keys(may).map((key) => [key, false])) as { [K in keyof May]: boolean }
}

/** The parts with the resources as the workspace has them. */
type WorkspaceParts = Omit<Parts, 'catalog'> & { readonly catalog: Resources }

/** Words that screens say themselves: labels stand in the resources already, and refusals arrive as sentences. */
function screenWords(
  { words, catalog }: WorkspaceParts,
  locale: Locale,
  owners: readonly string[],
): Record<string, string> {
  const isLabel = (key: string) =>
    (catalog.get(key.split('.', 2).join('.')) !== undefined && !key.endsWith('.new')) || key.startsWith('core.record.')
  return Object.fromEntries(
    Object.entries(words.of(locale, owners)).filter(([key]) => !key.startsWith('errors.') && !isLabel(key)),
  )
}

type ResourceMeta = ReturnType<typeof resourceMeta>

function navGroup(
  { catalog }: WorkspaceParts,
  plugin: PluginDefinition,
  resources: readonly ResourceMeta[],
  screens: readonly {
    id: string
    plugin: string
    path: string
    title: string
    icon?: string
    nav?: { order?: number; key?: string }
  }[],
  { locale, letters }: { locale: Locale; letters: Letters },
) {
  const led = (key: string | undefined) => (key !== undefined && letters.take(key, plugin.id) ? { key } : {})
  const own = resources.filter((meta) => meta.plugin === plugin.id && catalog.of(meta.id).options.nav !== false)
  const items = own.map(({ id, name, icon, route }) => ({
    id,
    title: name.many,
    icon,
    path: route,
    order: 50,
    ...led(catalog.of(id).options.key),
  }))
  for (const { id, path, title, icon = 'square', nav, plugin: owner } of screens) {
    const replaced = items.find((item) => item.path === path)
    if (owner !== plugin.id || !nav || replaced) continue
    items.push({ id, title, icon, path, order: nav.order ?? 100, ...led(nav.key) })
  }
  return {
    id: plugin.id,
    ...(plugin.id === 'core' ? {} : { title: plugin.title[locale] }),
    items: items.toSorted((a, b) => a.order - b.order),
  }
}

function resourceMeta({ words, catalog }: WorkspaceParts, ctx: Context, on: ReadonlySet<string>, resource: Resource) {
  const { authority, locale } = ctx
  const { id, plugin, path, options, title, collections } = resource
  const read = authority.compile(resource, 'read')
  const create = authority.compile(resource, 'create')
  const update = authority.compile(resource, 'update')
  const imported = targetOf(resource)
  const may = (action: 'delete' | 'restore' | 'export') =>
    !options.readonly && authority.compile(resource, action).allowed
  const seen = (name: string) => resource.fields.has(name) && read.readable(name)
  const shown = (name: string) => seen(name) || (resource.fields.has(name) && read.masked(name))
  const target = (it: string) => {
    const other = catalog.get(it)
    return other !== undefined && on.has(other.plugin) && authority.compile(other, 'read').allowed
  }
  const { kanban } = options
  const keys = readableKeys((ctx.records as RecordEngine).scope, resource)
  const suspicious = new Set(keys.flatMap(({ fields }) => fields.flat()))
  const own = resource.all.filter(({ custom }) => custom).map(({ name }) => name)
  return {
    id,
    plugin,
    api: `/api/${plugin}/${path}`,
    route: plugin === 'core' ? `/${path}` : `/${plugin}/${path}`,
    name: { one: words.say(locale, `${id}.one`), many: words.say(locale, `${id}.many`) },
    icon: options.icon,
    title,
    list: options.list.filter(shown),
    details: [...(options.form ?? options.list), ...own].filter(shown),
    form: [...(options.form ?? options.list), ...own].filter(
      (name) => seen(name) && (create.writable(name) || update.writable(name)),
    ),
    views: kanban && seen(kanban.by) ? ['table', 'kanban'] : ['table'],
    ...(kanban && seen(kanban.by)
      ? {
          kanban: {
            by: kanban.by,
            card: kanban.card.filter(shown),
            ...(kanban.sum !== undefined && seen(kanban.sum) ? { sum: kanban.sum } : {}),
            ...(kanban.weighted !== undefined && seen(kanban.weighted) ? { weighted: kanban.weighted } : {}),
          },
        }
      : {}),
    timeline: options.timeline === true,
    ...(authority.shares?.resources.has(id) ? { shared: true as const } : {}),
    ...(suspicious.size > 0 ? { duplicates: [...suspicious] } : {}),
    may: {
      create: !options.readonly && create.allowed,
      update: !options.readonly && update.allowed,
      delete: may('delete'),
      restore: may('restore'),
      import: !imported.closed && imported.mayImport(ctx),
      export: authority.compile(resource, 'export').allowed,
      merge: !options.readonly && update.allowed && authority.may(`${id}.merge`),
      bulk: !options.readonly && authority.may(`${id}.bulk`),
      share: isShareable(resource) && update.allowed && authority.may(`${id}.share`),
    },
    fields: resource.all
      .filter(({ name }) => shown(name))
      .map((field) =>
        fieldMeta(words, locale, resource, field, {
          writable: !options.readonly && (update.writable(field.name) || create.writable(field.name)),
          masked: read.masked(field.name),
          importable: imported.mayWrite(ctx, field.name),
          readable: (name) => read.readable(name),
          isThere: (it) => on.has(it.split('.')[0] ?? it),
          titleOf: (it) => (ctx.records as RecordEngine).scope.moduleTitle(it.split('.')[0] ?? it),
        }),
      ),
    collections: [...collections.values()].filter((it) => target(it.target)),
  }
}

function fieldMeta(
  words: Parts['words'],
  locale: Locale,
  resource: Resource,
  field: FieldModel,
  {
    writable,
    masked,
    importable,
    readable,
    isThere,
    titleOf,
  }: {
    writable: boolean
    masked: boolean
    importable: boolean
    readable: (name: string) => boolean
    /** Whether a resource is of a module that is on. */
    isThere: (resource: string) => boolean
    /** What the module of a resource, or a module itself, is called. */
    titleOf: (id: string) => string
  },
) {
  const {
    name,
    type,
    required,
    readonly,
    options,
    target,
    currency,
    maxLength,
    plain,
    unique,
    scale,
    help,
    custom,
    formula,
  } = field
  const condition = (it: CheckedExpression | undefined) => plainCondition(it?.expression, resource, readable)
  const [requiredIf, shownIf] = [condition(custom?.requiredIf), condition(custom?.shownIf)]
  const initial = resource.defaults.get(name)
  return {
    name,
    type,
    label: fieldLabel(words, locale, resource.id, field),
    required,
    ...(required || resource.nullable.has(name) || custom ? {} : { filled: true }),
    // Nobody could say whether a record of a module that is off is there.
    writable: writable && !readonly && (field.onTargetGone === undefined || isThere(target ?? '')),
    importable,
    sortable: !masked && fieldTypes[type].sorts && type !== 'long',
    ...(masked ? { masked } : {}),
    ...(options
      ? {
          options: options.map(({ value, tone, icon }) => ({
            value,
            label: optionLabel(words, locale, resource.id, field, value),
            ...(tone ? { tone } : {}),
            ...(icon ? { icon } : {}),
          })),
        }
      : {}),
    // What nobody may see points nowhere.
    ...(target === undefined || name === 'id' || masked
      ? {}
      : isThere(target)
        ? { target }
        : { asleep: titleOf(target) }),
    ...(field.side ? { module: titleOf(field.side.plugin) } : {}),
    ...(currency === undefined ? {} : { currency }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(plain ? { plain } : {}),
    ...(unique ? { unique } : {}),
    ...(help ? { help: help[locale] } : {}),
    ...(custom || formula ? { own: true, ...(scale === undefined ? {} : { scale }) } : {}),
    ...(requiredIf ? { requiredIf } : {}),
    ...(shownIf ? { shownIf } : {}),
    ...(initial === undefined ? {} : { initial }),
  }
}

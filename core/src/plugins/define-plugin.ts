import type { EntitySchema } from '@mikro-orm/core'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { z } from 'zod'
import type { Locale, Workspace } from '../actor.ts'
import type { Context } from '../context.ts'
import type { EventDefinition, StoredEvent } from '../events/event.ts'
import type { ErrorFactory } from '../errors.ts'
import type { Grant, FieldGrant } from '../permissions/grant.ts'
import type { GuardDefinition, ResourceDefinition } from '../records/define-resource.ts'
import type { LinkTable } from '../records/merge/link-table.ts'
import type { SettingsDefinition } from './settings/define-settings.ts'
import type { ExtensionDefinition } from '../records/sides/define-extension.ts'
import type { PeerCondition } from './peer-condition.ts'
import type { UninstallMode } from './removal/places.ts'
import type { PointDefinition, ServiceDefinition, SlotDefinition } from './tokens.ts'

/** A sentence or label in both languages of the platform. */
export type Words = Readonly<Record<Locale, string>>

/** A permission beside those each resource brings: `<plugin>.<entity>.<verb>`. */
export interface PermissionDefinition<Id extends string = string> {
  readonly id: Id
  readonly title: Words
}

export function definePermission<const Id extends string>(id: Id, title: Words): PermissionDefinition<Id> {
  return { id, title }
}

/** A role offered when the plugin is enabled; the administrator may change it afterwards. */
export interface RoleTemplate<Id extends string = string> {
  readonly id: Id
  readonly title: Words
  readonly grants: readonly Grant[]
  readonly fields?: readonly FieldGrant[]
}

/** Hears one event. It runs in a unit of work of its own that ends the delivery: its database effects happen once. */
export interface Subscriber {
  /** Unique in the plugin; part of the subscription's id, so keep it. */
  readonly id: string
  readonly event: string
  /** Only events of this version; those of every version when absent. */
  readonly version?: number
  /** Only events whose payload names one of these among its `changed` fields; all of them when absent. */
  readonly changed?: readonly string[]
  /** What is told while the plugin is off here waits until it is on again, unless it is to be dropped. */
  readonly whileDisabled?: 'hold' | 'drop'
  /** Behind an event that failed for good its record's later ones wait until somebody decides, or are heard without it. */
  readonly afterDeadLetter?: 'hold-record' | 'continue'
  /** Events of so many records may come together, in one unit of work; one alone when absent. */
  readonly together?: number
  /**
   * Hears nothing of what is delivered while this plugin is not enabled in the workspace too: that is shown as skipped, and a
   * replay tells it.
   */
  readonly when?: PeerCondition
  readonly handle: (events: readonly StoredEvent<never>[], ctx: Context) => Promise<void>
}

/** How a subscriber hears, where it is not as usual. */
type Hearing = Pick<Subscriber, 'changed' | 'whileDisabled' | 'afterDeadLetter' | 'when'>

/**
 * Declares a subscriber with the event's payload type. Of an event given as a definition it hears that version alone, of one
 * given by name every version.
 */
export function subscriber<P extends z.ZodType>(
  id: string,
  event: EventDefinition<P> | string,
  handle: (event: StoredEvent<z.output<P>>, ctx: Context) => Promise<void>,
  hearing: Hearing = {},
): Subscriber {
  return {
    id,
    ...heard(event),
    async handle(events, ctx) {
      for (const it of events) await handle(it as StoredEvent<z.output<P>>, ctx)
    },
    ...hearing,
  }
}

/**
 * Declares a subscriber that hears several events at once, each of another record, for what costs less done together: an
 * import tells thousands. Where it throws, all of them are undone and come again one by one, so that one that cannot be
 * handled holds up no other.
 *
 * @param hearing.together - at most so many; 100 when absent
 */
export function subscriberOfMany<P extends z.ZodType>(
  id: string,
  event: EventDefinition<P> | string,
  handle: (events: readonly StoredEvent<z.output<P>>[], ctx: Context) => Promise<void>,
  { together = 100, ...hearing }: Hearing & Pick<Subscriber, 'together'> = {},
): Subscriber {
  return { id, ...heard(event), handle: handle as unknown as Subscriber['handle'], together, ...hearing }
}

function heard(event: EventDefinition | string): Pick<Subscriber, 'event' | 'version'> {
  return typeof event === 'string' ? { event } : { event: event.name, version: event.version }
}

/** Work on a schedule, once per enabled workspace and tick, whatever the number of processes. */
export interface JobDefinition {
  readonly id: string
  /** What people are told rests when the plugin is off. */
  readonly title?: Words
  /** Cron expression, five fields, in the workspace's zone. */
  readonly schedule: string
  readonly run: (ctx: Context) => Promise<void>
}

export interface Provision {
  readonly service: ServiceDefinition<unknown>
  readonly make: (ctx: Context) => unknown
}

/** Says who implements a service: made anew for each unit of work that uses it. */
export function provide<S>(service: ServiceDefinition<S>, make: (ctx: Context) => NoInfer<S>): Provision {
  return { service, make }
}

export interface Contribution {
  readonly point: PointDefinition<unknown>
  readonly value: unknown
  /** Sleeps until this plugin is enabled in the workspace too. */
  readonly when?: PeerCondition
}

export function contribution<C>(
  point: PointDefinition<C>,
  value: NoInfer<C>,
  options: Pick<Contribution, 'when'> = {},
): Contribution {
  return { point, value, ...options }
}

/** A screen of its own beside those the engine draws from resources. */
export interface ScreenDefinition<Plugin extends string = string, Permission extends string = string> {
  readonly id: string
  /** Path below the shell's root, `/sales/forecast`. A resource's list path replaces that list. */
  readonly path: string extends Plugin ? string : `/${Plugin}/${string}` | `/${Plugin}`
  readonly title: Words
  readonly icon?: string
  /** Custom element, `<plugin>-<noun>`. */
  readonly tag: string extends Plugin ? string : `${Plugin}-${string}`
  /** Permission without which the screen does not exist for an actor. */
  readonly permission: Permission
  readonly nav?: { readonly order?: number; readonly key?: string }
}

export interface FillDefinition<Plugin extends string = string, Permission extends string = string> {
  readonly id: string
  readonly slot: SlotDefinition<unknown> | string
  readonly tag: string extends Plugin ? string : `${Plugin}-${string}`
  readonly title?: Words
  readonly order?: number
  readonly permission?: Permission
  /** Sleeps until this plugin is enabled in the workspace too. */
  readonly when?: PeerCondition
}

export interface CommandDefinition<Permission extends string = string> {
  readonly id: string
  readonly title: Words
  readonly icon?: string
  /** Opens this path. */
  readonly path: string
  readonly key?: string
  readonly permission?: Permission
  /** Sleeps until this plugin is enabled in the workspace too. */
  readonly when?: PeerCondition
}

export interface UiDefinition<Plugin extends string = string, Permission extends string = string> {
  /** Package export of the browser module, `./ui`. */
  readonly entry: './ui'
  readonly screens?: readonly ScreenDefinition<Plugin, Permission>[]
  readonly fills?: readonly FillDefinition<Plugin, Permission>[]
  readonly commands?: readonly CommandDefinition<Permission>[]
}

/** Routes below `/api/<plugin>`; each names its permission, or `authenticated` for whoever is signed in. */
export interface RouteDefinition<Permission extends string = string> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Below `/api/<plugin>`, `/loans/:id/return`. */
  readonly path: string
  readonly permission: Permission
  readonly summary: string
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  readonly answer: z.ZodType
  readonly status?: number
  /** Its answer opens something and can be read this once: nothing of it is kept for who repeats the request. */
  readonly secret?: boolean
  /** Asks whether the person of a session sits before it: what it does could not be taken back from who found it open. */
  readonly presence?: boolean
  /** One unit of work; a thrown refusal undoes it. */
  readonly handle: (input: never, ctx: Context) => Promise<unknown>
}

export interface RouteInput<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/** Declares a route: parsed by its schemas, allowed by its permission, answered by its schema. */
export function defineRoute<
  const Permission extends string,
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodType,
>(route: {
  method: RouteDefinition['method']
  path: string
  permission: Permission
  summary: string
  params?: Params
  query?: Query
  body?: Body
  answer: Answer
  status?: number
  secret?: boolean
  presence?: boolean
  handle: (
    input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>>,
    ctx: Context,
  ) => Promise<z.input<Answer>>
}): RouteDefinition<Permission> {
  return route as unknown as RouteDefinition<Permission>
}

/**
 * What a public page answers: a page made by `html`, which escapes whatever it is given, or the path of another page below the
 * same prefix to go on to.
 */
export type PageAnswer =
  | { readonly html: HtmlEscapedString | Promise<HtmlEscapedString>; readonly status?: number }
  | { readonly redirect: `/${string}` }

/** A page for whoever has its address, without sign-in. */
export interface PageDefinition {
  readonly method: 'get' | 'post'
  /** Below the prefix, `/:token`. */
  readonly path: string
  readonly summary: string
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  /** Of a form or of JSON. */
  readonly body?: z.ZodType
  readonly handle: (input: never, ctx: Context) => Promise<PageAnswer>
}

/**
 * Declares a public page. Its visitor has no right at all: what the page shows or does is the plugin's to decide, by
 * `ctx.asSystem()`, once the address has proved itself. A `get` changes nothing, for scanners open every link: the database
 * refuses what it would write.
 */
export function definePage<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(page: {
  method: PageDefinition['method']
  path: `/${string}`
  summary: string
  params?: Params
  query?: Query
  body?: Body
  handle: (input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>>, ctx: Context) => Promise<PageAnswer>
}): PageDefinition {
  return page as unknown as PageDefinition
}

/** Pages below `/p/<workspace>/<prefix>`; nobody else has the prefix. */
export interface PublicPages {
  /** Small letters, digits and hyphens. */
  readonly prefix: string
  readonly title: Words
  readonly pages: readonly PageDefinition[]
}

/** Declares a prefix with its pages. */
export function definePages<const Prefix extends string>(
  prefix: Prefix extends `${string}/${string}` | `${string}:${string}` ? never : Prefix,
  pages: Omit<PublicPages, 'prefix'>,
): PublicPages {
  return { prefix, ...pages }
}

/** Address of a public page: for a link in a letter, or in another page. */
export function pagePath({ slug }: Pick<Workspace, 'slug'>, prefix: string, path = ''): string {
  return `/p/${slug}/${prefix}${path}`
}

/** What demonstration data is made of. Runs once, as the system, in a workspace that asked for it. */
export type DemoData = (ctx: Context) => Promise<void>

/** Takes back what `onEnable` began in its process: a timer, a connection. */
export type Disposer = () => void | Promise<void>

/** What a plugin does as it comes and goes. Its own resources are there in each of these, whoever else may reach them yet. */
export interface Lifecycle {
  /** Throws when it cannot work: asked before it is switched on, and as a process starts. It only looks. */
  readonly health?: (ctx: Context) => Promise<void>
  /**
   * The first time it is switched on in a workspace, before `onEnable` and together with it. What it writes is kept once,
   * whenever its process dies: with it is kept that it ran. What it does elsewhere may be done again.
   */
  readonly onInstall?: (ctx: Context) => Promise<void>
  /**
   * In each workspace that has it on, when it has taken the place of another version there, before `onEnable` and together with
   * it; kept once like `onInstall`, and tried again where it failed.
   *
   * @param from - the version before
   */
  readonly onUpgrade?: (ctx: Context, from: string) => Promise<void>
  /**
   * Prepares a workspace, before anybody there can reach the plugin; undone with all it wrote when it throws. What it answers
   * runs when the plugin is off there, or this process ends.
   */
  readonly onEnable?: (ctx: Context) => Promise<void | Disposer>
  /** After the last request has ended. It is off whether this succeeds or not. */
  readonly onDisable?: (ctx: Context) => Promise<void>
  /**
   * Takes leave of a workspace that ever had it on, when it is off and before its tables are touched: what it keeps elsewhere
   * is its own to end. It goes within half a minute whether this succeeds or not.
   */
  readonly onUninstall?: (ctx: Context, mode: UninstallMode) => Promise<void>
}

/** What a plugin takes hold of beside its own; an administrator reads it before it is installed. */
export interface Capabilities {
  /** Resources of others it reads, by id. */
  readonly reads?: readonly string[]
  /** Resources of others it writes, by id. */
  readonly writes?: readonly string[]
  /** Hosts it calls: `api.example.com`. */
  readonly hosts?: readonly string[]
  /** Secrets it asks an administrator for, by name. */
  readonly secrets?: readonly string[]
}

export interface PluginDefinition {
  readonly id: string
  readonly version: string
  /** Range of the platform's version it runs on. */
  readonly platform: string
  readonly title: Words
  /** One sentence for the modules screen. */
  readonly summary?: Words
  readonly icon?: string
  readonly requires?: Readonly<Record<string, string>>
  readonly optional?: Readonly<Record<string, string>>
  readonly capabilities?: Capabilities
  readonly entities?: readonly EntitySchema[]
  readonly resources?: readonly ResourceDefinition[]
  /** Fields it adds to resources of others. */
  readonly extends?: readonly ExtensionDefinition[]
  readonly permissions?: readonly PermissionDefinition[]
  readonly roleTemplates?: readonly RoleTemplate[]
  readonly emits?: readonly EventDefinition[]
  readonly errors?: readonly ErrorFactory<never>[]
  readonly provides?: readonly Provision[]
  /**
   * Services of other plugins it asks for, and points of others whose contributions it reads. What it does not name here it is
   * refused; their owners stand under `requires` or `optional`. The core's are everybody's.
   */
  readonly uses?: readonly (ServiceDefinition<unknown> | PointDefinition<unknown>)[]
  readonly points?: readonly PointDefinition<unknown>[]
  readonly contributes?: readonly Contribution[]
  readonly guards?: readonly GuardDefinition[]
  /** Tables of its own that point at records without being a resource; merging records needs to know them. */
  readonly links?: readonly LinkTable[]
  readonly subscribers?: readonly Subscriber[]
  readonly jobs?: readonly JobDefinition[]
  readonly routes?: readonly RouteDefinition[]
  /** Pages without sign-in, below prefixes of its own. */
  readonly publicPages?: readonly PublicPages[]
  readonly slots?: readonly SlotDefinition<unknown>[]
  /** Folder of SQL files, as a file URL: `new URL('../migrations/', import.meta.url)`. */
  readonly migrations?: URL
  /** What an administrator may choose, on a form that is drawn from it. */
  readonly settings?: SettingsDefinition
  readonly demo?: DemoData
  /** Folder with `en.json` and `fr.json`. */
  readonly i18n?: URL
  readonly ui?: UiDefinition
  readonly lifecycle?: Lifecycle
  /** Folder of the package, found by its package.json when absent. */
  readonly root?: URL
}

// What another copy of this file has made is of another platform: its tokens and refusals are not ours.
const defined = new WeakSet<object>()

/** A name in a plugin's namespace; any name where the plugin's is not known before it runs, as in tests. */
type In<Plugin extends string, Separator extends string> = string extends Plugin
  ? string
  : `${Plugin}${Separator}${string}`

/** Rights each resource brings: `<plugin>.<entity>.<verb>`. */
type RecordRight<Plugin extends string> =
  `${Plugin}.${string}.${'read' | 'create' | 'update' | 'delete' | 'restore' | 'export' | 'import' | 'merge' | 'bulk' | 'share'}`

/** What a plugin may ask for where somebody wants something of it: its own rights, and those of the core. */
type Askable<Plugin extends string, Own extends string> = string extends Plugin
  ? string
  : Own | RecordRight<Plugin> | `core.${string}`

/** The parts of a definition that carry names, each in the plugin's own namespace. */
interface Named<Plugin extends string, Own extends string> {
  readonly id: Plugin
  readonly permissions?: readonly PermissionDefinition<Own>[]
  readonly roleTemplates?: readonly RoleTemplate<In<NoInfer<Plugin>, '.'>>[]
  readonly emits?: readonly EventDefinition<z.ZodType, In<NoInfer<Plugin>, '.'>>[]
  readonly routes?: readonly RouteDefinition<Askable<NoInfer<Plugin>, NoInfer<Own>> | 'authenticated'>[]
  readonly settings?: SettingsDefinition<SettingsDefinition['settings'], NoInfer<Plugin>>
  readonly ui?: UiDefinition<NoInfer<Plugin>, Askable<NoInfer<Plugin>, NoInfer<Own>>>
}

/**
 * A plugin as a value: the kernel lists it, checks it, switches it by workspace and takes it back.
 *
 * A name outside the plugin's namespace, a permission nobody declared, an element without its prefix do not compile.
 */
export function definePlugin<const Plugin extends string, const Own extends In<Plugin, '.'> = never>(
  plugin: Omit<PluginDefinition, keyof Named<Plugin, Own>> & Named<Plugin, Own>,
): PluginDefinition {
  defined.add(plugin)
  return plugin as unknown as PluginDefinition
}

/** Whether a value was made by `definePlugin` of this very platform. */
export function isPlugin(value: unknown): value is PluginDefinition {
  return typeof value === 'object' && value !== null && defined.has(value)
}

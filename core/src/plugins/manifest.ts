import { valid } from 'semver'
import { z } from 'zod'
import type { EntitySchema } from '@mikro-orm/core'
import { schemaOf } from '../database/migrator.ts'
import { fieldGrantSchema, grantSchema } from '../permissions/grant.ts'
import { kebab } from '../records/registry.ts'
import { extensionColumns } from '../records/sides/define-extension.ts'
import { sideFieldName } from '../records/sides/side.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { slotOf } from './offers.ts'
import { peerOf, type ToldPeer } from './peer-condition.ts'

const words = z.strictObject({ en: z.string().max(500), fr: z.string().max(500) })
const id = z.string().max(200)
const jsonSchema = z.record(z.string(), z.unknown())
const ranges = z.record(id, z.string().max(100))
/** The peer a part waits for; by its id alone in the first format. */
const when = z.union([id, z.strictObject({ plugin: id, range: z.string().max(100).optional() })])
const list = <T extends z.ZodType>(of: T) => z.array(of).max(2_000)

/** What a plugin says of itself that cannot be told from its declarations: what it takes hold of beside its own. */
export const capabilitiesSchema = z.strictObject({
  /** Resources of others it reads, by id. */
  reads: list(id).default([]),
  /** Resources of others it writes, by id. */
  writes: list(id).default([]),
  /** Hosts it calls: `api.example.com`. */
  hosts: list(id).default([]),
  /** Secrets it asks an administrator for, by name. */
  secrets: list(id).default([]),
})

/** A plugin as data: every contribution by what it is called and how it is shaped, and nothing of its code. */
export const pluginManifestSchema = z.strictObject({
  /** The first says less: see `inFirstFormat`. */
  format: z.union([z.literal(1), z.literal(2)]),
  id: z
    .string()
    .max(40)
    .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/),
  version: z
    .string()
    .max(60)
    .regex(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/)
    // `01.0.0` and `1.0.0-01` cannot be held against another version.
    .refine((version) => valid(version) !== null),
  /** Range of the platform's version it runs on. */
  platform: z.string().max(100),
  title: words,
  summary: words.optional(),
  icon: z.string().max(60).optional(),
  requires: ranges,
  optional: ranges,
  capabilities: capabilitiesSchema,
  tables: list(
    z.strictObject({
      entity: id,
      schema: id,
      table: id,
      columns: list(z.strictObject({ name: id, kind: id, nullable: z.boolean() })),
    }),
  ),
  resources: list(
    z.strictObject({
      id,
      path: id,
      title: id,
      icon: id,
      key: id.optional(),
      readonly: z.boolean(),
      list: list(id),
      form: list(id).optional(),
      search: list(id).optional(),
    }),
  ),
  /** Fields it adds to resources of others, by the resource's id. */
  extends: list(z.strictObject({ resource: id, fields: list(id), when: when.optional() })),
  permissions: list(z.strictObject({ id, title: words })),
  roleTemplates: list(
    z.strictObject({
      id,
      title: words,
      grants: list(grantSchema.partial({ visibility: true })),
      fields: list(fieldGrantSchema),
    }),
  ),
  emits: list(z.strictObject({ name: id, version: z.int(), payload: jsonSchema })),
  subscribers: list(
    z.strictObject({
      id,
      event: id,
      version: z.int().optional(),
      changed: list(id).optional(),
      whileDisabled: z.enum(['hold', 'drop']).optional(),
      afterDeadLetter: z.enum(['hold-record', 'continue']).optional(),
      when: when.optional(),
    }),
  ),
  settings: list(
    z.strictObject({
      name: id,
      type: id,
      title: words,
      options: list(id).optional(),
      min: z.number().optional(),
      max: z.number().optional(),
      maxLength: z.number().optional(),
    }),
  ),
  jobs: list(z.strictObject({ id, title: words.optional(), schedule: id })),
  routes: list(
    z.strictObject({
      method: z.enum(['get', 'post', 'put', 'patch', 'delete']),
      path: id,
      permission: id,
      summary: z.string().max(500),
      params: jsonSchema.optional(),
      query: jsonSchema.optional(),
      body: jsonSchema.optional(),
      answer: jsonSchema,
    }),
  ),
  /** Pages without sign-in. Archives of before have none. */
  publicPages: list(
    z.strictObject({
      prefix: id.regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/),
      title: words,
      pages: list(
        z.strictObject({
          method: z.enum(['get', 'post']),
          path: id,
          summary: z.string().max(500),
          params: jsonSchema.optional(),
          query: jsonSchema.optional(),
          body: jsonSchema.optional(),
        }),
      ),
    }),
  ).default([]),
  services: list(id),
  /** Services of others it asks for, and points of others it reads. Archives of before say none. */
  uses: list(id).default([]),
  points: list(id),
  contributes: list(z.strictObject({ point: id, when: when.optional() })),
  guards: list(z.strictObject({ resource: id, actions: list(id), when: when.optional() })),
  links: list(id),
  slots: list(id),
  screens: list(
    z.strictObject({
      id,
      path: id,
      title: words,
      icon: id.optional(),
      tag: id,
      permission: id,
      nav: z.strictObject({ order: z.number().optional(), key: id.optional() }).optional(),
    }),
  ),
  fills: list(
    z.strictObject({
      id,
      slot: id,
      tag: id,
      title: words.optional(),
      order: z.number().optional(),
      permission: id.optional(),
      when: when.optional(),
    }),
  ),
  commands: list(
    z.strictObject({
      id,
      title: words,
      icon: id.optional(),
      path: id,
      key: id.optional(),
      permission: id.optional(),
      when: when.optional(),
    }),
  ),
  hasMigrations: z.boolean(),
  hasDemo: z.boolean(),
  hasWords: z.boolean(),
  hasUi: z.boolean(),
  lifecycle: list(id),
})
export type PluginManifest = z.infer<typeof pluginManifestSchema>

/**
 * Everything a plugin declares, as JSON: what a review reads, what two versions are compared by, and what its code is held
 * against when it is loaded.
 */
export function manifestOf(plugin: PluginDefinition): PluginManifest {
  const { permissions = [], roleTemplates = [], emits = [], subscribers = [], jobs = [], routes = [], ui } = plugin
  const manifest = {
    format: 2,
    id: plugin.id,
    version: plugin.version,
    platform: plugin.platform,
    title: plugin.title,
    summary: plugin.summary,
    icon: plugin.icon,
    requires: plugin.requires ?? {},
    optional: plugin.optional ?? {},
    capabilities: capabilitiesSchema.parse(plugin.capabilities ?? {}),
    tables: (plugin.entities ?? []).map((entity) => tableOf(plugin.id, entity)),
    resources: (plugin.resources ?? []).map(({ entity, options }) => ({
      id: `${plugin.id}.${options.name ?? kebab(entity.name)}`,
      path: options.path,
      title: options.title,
      icon: options.icon,
      key: options.key,
      readonly: options.readonly === true,
      list: options.list,
      form: options.form,
      search: options.search,
    })),
    extends: (plugin.extends ?? []).map(({ resource, entity, options }) => ({
      resource,
      fields: sideFieldsOf(plugin, entity),
      when: options.when,
    })),
    permissions,
    roleTemplates: roleTemplates.map(({ fields = [], ...template }) => ({ ...template, fields })),
    emits: emits.map(({ name, version, payload }) => ({ name, version, payload: schemaJson(payload) })),
    subscribers: subscribers.map(({ together: _, handle: __, ...hears }) => hears),
    settings: Object.entries(plugin.settings?.settings ?? {}).map(
      ([name, { type, title, options, min, max, maxLength }]) => ({
        ...{ name, type, title, min, max, maxLength },
        options: options && Object.keys(options),
      }),
    ),
    jobs: jobs.map(({ id: job, title, schedule }) => ({ id: job, title, schedule })),
    routes: routes.map(({ method, path, permission, summary, params, query, body, answer }) => ({
      method,
      path,
      permission,
      summary,
      params: params && schemaJson(params),
      query: query && schemaJson(query),
      body: body && schemaJson(body),
      answer: schemaJson(answer),
    })),
    publicPages: (plugin.publicPages ?? []).map(({ prefix, title, pages }) => ({
      prefix,
      title,
      pages: pages.map(({ method, path, summary, params, query, body }) => ({
        method,
        path,
        summary,
        params: params && schemaJson(params),
        query: query && schemaJson(query),
        body: body && schemaJson(body),
      })),
    })),
    services: (plugin.provides ?? []).map(({ service }) => service.id),
    uses: (plugin.uses ?? []).map((use) => use.id),
    points: (plugin.points ?? []).map((point) => point.id),
    contributes: (plugin.contributes ?? []).map(({ point, when: peer }) => ({ point: point.id, when: peer })),
    guards: (plugin.guards ?? []).map(({ resource, actions, when: peer }) => ({ resource, actions, when: peer })),
    links: (plugin.links ?? []).map(({ place }) => place),
    slots: (plugin.slots ?? []).map((slot) => slot.id),
    screens: ui?.screens ?? [],
    fills: (ui?.fills ?? []).map((fill) => ({ ...fill, slot: slotOf(fill) })),
    commands: ui?.commands ?? [],
    hasMigrations: plugin.migrations !== undefined,
    hasDemo: plugin.demo !== undefined,
    hasWords: plugin.i18n !== undefined,
    hasUi: ui !== undefined,
    lifecycle: Object.entries(plugin.lifecycle ?? {})
      .filter(([, hook]) => hook !== undefined)
      .map(([name]) => name),
  }
  // Through JSON, so that what is absent here is absent in a file.
  return pluginManifestSchema.parse(JSON.parse(JSON.stringify(manifest)))
}

/** What an archive of the first format could say: no range of a peer, no condition of a guard, no bounds, no titles of jobs. */
export function inFirstFormat(manifest: PluginManifest): PluginManifest {
  const plain = <T extends { when?: ToldPeer | undefined }>(parts: readonly T[]) =>
    parts.map(({ when: peer, ...part }) => ({ ...part, ...(peer === undefined ? {} : { when: peerOf(peer).plugin }) }))
  const { settings, jobs, guards, subscribers, contributes, fills, commands } = manifest
  return {
    ...manifest,
    format: 1,
    settings: settings.map(({ name, type, title }) => ({ name, type, title })),
    jobs: jobs.map(({ id: job, schedule }) => ({ id: job, schedule })),
    guards: guards.map(({ resource, actions }) => ({ resource, actions })),
    extends: plain(manifest.extends),
    subscribers: plain(subscribers),
    contributes: plain(contributes),
    fills: plain(fills),
    commands: plain(commands),
  }
}

function schemaJson(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
}

function sideFieldsOf({ id: plugin, entities = [] }: PluginDefinition, entity: unknown): string[] {
  const schema = entities.find((it) => it === entity || it.meta.class === entity)
  return Object.keys(schema?.meta.properties ?? {})
    .filter((name) => !extensionColumns.has(name))
    .map((name) => sideFieldName(plugin, name))
}

/** The table of an entity as it was declared: mapping it adds to what a schema knows, and must not change what it says. */
function tableOf(plugin: string, schema: EntitySchema) {
  const { className, schema: of, tableName, properties } = schema.meta
  return {
    entity: className,
    schema: of || schemaOf(plugin),
    table: tableName || kebab(className),
    columns: Object.entries(properties as Record<string, { kind?: string; nullable?: boolean }>).map(
      ([name, { kind = 'scalar', nullable = false }]) => ({ name, kind, nullable }),
    ),
  }
}

/** Where two manifests of one plugin first differ, as a path into them; nothing when they say the same. */
export function firstDifference(
  one: unknown,
  other: unknown,
  path = '',
): { readonly path: string; readonly one: unknown; readonly other: unknown } | undefined {
  if (!isTree(one) || !isTree(other)) return Object.is(one, other) ? undefined : { path, one, other }
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = firstDifference(one[key], other[key], path === '' ? key : `${path}.${key}`)
    if (found) return found
  }
  return undefined
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

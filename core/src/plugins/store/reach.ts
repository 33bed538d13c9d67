import { isDeepStrictEqual } from 'node:util'
import type { Locale } from '../../actor.ts'
import type { FieldGrant } from '../../permissions/grant.ts'
import { kebab } from '../../records/registry.ts'
import { ownerOf } from '../tokens.ts'
import type { ArchiveManifest } from './archive.ts'

type RoleGrant = ArchiveManifest['roleTemplates'][number]['grants'][number]

/** One thing a plugin reaches, in words. */
export interface Reached {
  readonly id: string
  readonly title: string
  /** On what terms: who is let in, what is granted, how often. The same thing on other terms is another. */
  readonly terms?: readonly string[]
  /** Its terms in the version before, where it was there on others. */
  readonly before?: readonly string[]
}

/** Kinds of reach in the order an administrator reads them: first what leaves the house. */
export const reachKinds = [
  'hosts',
  'secrets',
  'pages',
  'writes',
  'reads',
  'fields',
  'tables',
  'permissions',
  'roles',
  'hears',
  'guards',
  'jobs',
  'routes',
  'emits',
  'uses',
  'services',
  'points',
  'contributes',
  'slots',
  'screens',
  'fills',
  'commands',
  'settings',
] as const
export type ReachKind = (typeof reachKinds)[number]
export type Reach = Readonly<Record<ReachKind, readonly Reached[]>>

/** What things are called that a manifest only names by their ids; nothing where nobody calls them anything. */
export interface Names {
  readonly locale: Locale
  /** Words by their key, such as `core.account.many`. */
  word(key: string, values?: Readonly<Record<string, string>>): string | undefined
  /** Title of a module. */
  module(id: string): string | undefined
}

const recordEvent = /^(.+)\.(created|updated|deleted)(?:@\d+)?$/
const offered = /^[^/:.]+[/:.](.+)@\d+$/

/** What a plugin takes hold of, told by its manifest alone. */
export function reachOf(manifest: ArchiveManifest, { locale, word, module }: Names): Reach {
  const { capabilities, tables, permissions, roleTemplates, subscribers, guards, jobs, routes, emits } = manifest
  const named = (ids: readonly string[]) => ids.map((id) => ({ id, title: id }))
  const many = (resource: string) => word(`${resource}.many`)
  const resources = (ids: readonly string[]) => ids.map((id) => ({ id, title: many(id) ?? id }))
  const events = (ids: readonly string[]) =>
    ids.map((id) => {
      const [, record = '', event = ''] = recordEvent.exec(id) ?? []
      const resource = many(record)
      return { id, title: (resource && word(`reach.${event}`, { resource })) ?? id }
    })
  const offers = (ids: readonly string[]) =>
    ids.map((id) => {
      const [, name] = offered.exec(id) ?? []
      const owner = module(ownerOf(id))
      return { id, title: owner && name ? `${owner}: ${name}` : id }
    })
  const titled = (
    those: readonly { readonly id: string; readonly title?: Readonly<Record<Locale, string>> | undefined }[],
  ) => those.map(({ id, title }) => ({ id, title: title?.[locale] ?? id }))
  return {
    hosts: named(capabilities.hosts),
    secrets: titled(
      capabilities.secrets.map((id) => ({ id, title: manifest.settings.find(({ name }) => name === id)?.title })),
    ),
    pages: manifest.publicPages.map(({ prefix, title, pages }) => ({
      id: `/p/…/${prefix}`,
      title: title[locale],
      terms: pages.map(({ method, path }) => `${method.toUpperCase()} ${path}`),
    })),
    writes: resources(capabilities.writes),
    reads: resources(capabilities.reads),
    fields: manifest.extends.flatMap(({ resource, fields }) =>
      fields.map((field) => ({
        id: `${resource} ${field}`,
        title: `${many(resource) ?? resource}: ${word(`${resource}.${field}`) ?? field}`,
      })),
    ),
    tables: tables.map(({ entity, schema, table }) => {
      const id = `${schema}.${table}`
      return { id, title: many(`${manifest.id}.${kebab(entity)}`) ?? id }
    }),
    permissions: titled(permissions),
    roles: roleTemplates.map(({ id, title, grants, fields }) => ({
      id,
      title: title[locale],
      terms: [...grants.map(grantText), ...fields.map(fieldText)].toSorted(),
    })),
    hears: events([...new Set(subscribers.map(({ event }) => event))]),
    guards: [...Map.groupBy(guards, ({ resource }) => resource)].map(([resource, all]) => ({
      id: resource,
      title: many(resource) ?? resource,
      terms: [...new Set(all.flatMap(({ actions }) => actions))].toSorted(),
    })),
    jobs: jobs.map(({ id, title, schedule }) => ({ id, title: title?.[locale] ?? id, terms: [schedule] })),
    routes: routes.map(({ method, path, summary, permission }) => ({
      id: `${method.toUpperCase()} /api/${manifest.id}${path}`,
      title: summary,
      terms: [permission],
    })),
    emits: events(emits.map(({ name, version }) => `${name}@${version}`)),
    uses: offers(manifest.uses),
    services: offers(manifest.services),
    points: offers(manifest.points),
    contributes: offers([...new Set(manifest.contributes.map(({ point }) => point))]),
    slots: offers(manifest.slots),
    screens: manifest.screens.map(({ id, title, permission }) => ({ id, title: title[locale], terms: [permission] })),
    fills: manifest.fills.map(({ id, slot, title, permission }) => ({
      id: `${id} → ${slot}`,
      title: title?.[locale] ?? `${id} → ${slot}`,
      ...termsOf(permission),
    })),
    commands: manifest.commands.map(({ id, title, permission }) => ({
      id,
      title: title[locale],
      ...termsOf(permission),
    })),
    settings: manifest.settings.map(({ name, title }) => ({ id: name, title: title[locale] })),
  }
}

function termsOf(permission: string | undefined): Pick<Reached, 'terms'> {
  return permission === undefined ? {} : { terms: [permission] }
}

function grantText({ resource, action, visibility = 'all', condition, deny }: RoleGrant): string {
  return `${deny ? 'not ' : ''}${resource}.${action} ${visibility}${condition === undefined ? '' : ` (${condition})`}`
}

function fieldText({ resource, field, access }: FieldGrant): string {
  return `${resource} ${field} ${access}`
}

/** What one reaches that the other does not, or on other terms. */
export function beyond(reach: Reach, before: Reach): Reach {
  return eachKind((kind) => {
    const had = new Map(before[kind].map((it) => [it.id, it.terms ?? []]))
    return reach[kind].flatMap((it) => {
      const terms = had.get(it.id)
      if (terms === undefined) return [it]
      return isDeepStrictEqual(terms, it.terms ?? []) ? [] : [{ ...it, before: terms }]
    })
  })
}

/** What one reaches that the other does not on any terms. */
export function without(reach: Reach, after: Reach): Reach {
  return eachKind((kind) => {
    const has = new Set(after[kind].map(({ id }) => id))
    return reach[kind].filter(({ id }) => !has.has(id))
  })
}

function eachKind(of: (kind: ReachKind) => readonly Reached[]): Reach {
  return Object.fromEntries(reachKinds.map((kind) => [kind, of(kind)])) as unknown as Reach
}

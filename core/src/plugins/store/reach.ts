import { isDeepStrictEqual } from 'node:util'
import type { Locale } from '../../actor.ts'
import type { FieldGrant } from '../../permissions/grant.ts'
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

/** What a plugin takes hold of, told by its manifest alone. */
export function reachOf(manifest: ArchiveManifest, locale: Locale): Reach {
  const { capabilities, tables, permissions, roleTemplates, subscribers, guards, jobs, routes, emits } = manifest
  const named = (ids: readonly string[]) => ids.map((id) => ({ id, title: id }))
  const titled = (
    those: readonly { readonly id: string; readonly title?: Readonly<Record<Locale, string>> | undefined }[],
  ) => those.map(({ id, title }) => ({ id, title: title?.[locale] ?? id }))
  return {
    hosts: named(capabilities.hosts),
    secrets: named(capabilities.secrets),
    pages: manifest.publicPages.map(({ prefix, title, pages }) => ({
      id: `/p/…/${prefix}`,
      title: title[locale],
      terms: pages.map(({ method, path }) => `${method.toUpperCase()} ${path}`),
    })),
    writes: named(capabilities.writes),
    reads: named(capabilities.reads),
    fields: manifest.extends.flatMap(({ resource, fields }) => named(fields.map((field) => `${resource} ${field}`))),
    tables: named(tables.map(({ schema, table }) => `${schema}.${table}`)),
    permissions: titled(permissions),
    roles: roleTemplates.map(({ id, title, grants, fields }) => ({
      id,
      title: title[locale],
      terms: [...grants.map(grantText), ...fields.map(fieldText)].toSorted(),
    })),
    hears: named([...new Set(subscribers.map(({ event }) => event))]),
    guards: [...Map.groupBy(guards, ({ resource }) => resource)].map(([resource, all]) => ({
      id: resource,
      title: resource,
      terms: [...new Set(all.flatMap(({ actions }) => actions))].toSorted(),
    })),
    jobs: jobs.map(({ id, title, schedule }) => ({ id, title: title?.[locale] ?? id, terms: [schedule] })),
    routes: routes.map(({ method, path, summary, permission }) => ({
      id: `${method.toUpperCase()} /api/${manifest.id}${path}`,
      title: summary,
      terms: [permission],
    })),
    emits: named(emits.map(({ name, version }) => `${name}@${version}`)),
    uses: named(manifest.uses),
    services: named(manifest.services),
    points: named(manifest.points),
    contributes: named([...new Set(manifest.contributes.map(({ point }) => point))]),
    slots: named(manifest.slots),
    screens: manifest.screens.map(({ id, title, permission }) => ({ id, title: title[locale], terms: [permission] })),
    fills: manifest.fills.map(({ id, slot, permission }) => ({ id, title: `${id} → ${slot}`, ...termsOf(permission) })),
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

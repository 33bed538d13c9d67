import type { Locale } from '../../actor.ts'
import type { ArchiveManifest } from './archive.ts'

/** One thing a plugin reaches, in words. */
export interface Reached {
  readonly id: string
  readonly title: string
}

/** Kinds of reach in the order an administrator reads them: first what leaves the house. */
export const reachKinds = [
  'hosts',
  'secrets',
  'writes',
  'reads',
  'tables',
  'permissions',
  'roles',
  'hears',
  'guards',
  'jobs',
  'routes',
  'emits',
  'services',
  'points',
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
    writes: named(capabilities.writes),
    reads: named(capabilities.reads),
    tables: named(tables.map(({ schema, table }) => `${schema}.${table}`)),
    permissions: titled(permissions),
    roles: titled(roleTemplates),
    hears: named([...new Set(subscribers.map(({ event }) => event))]),
    guards: named([...new Set(guards.map(({ resource }) => resource))]),
    jobs: jobs.map(({ id, schedule }) => ({ id, title: `${id} (${schedule})` })),
    routes: routes.map(({ method, path, summary }) => ({
      id: `${method.toUpperCase()} /api/${manifest.id}${path}`,
      title: summary,
    })),
    emits: named(emits.map(({ name, version }) => `${name}@${version}`)),
    services: named(manifest.services),
    points: named(manifest.points),
    slots: named(manifest.slots),
    screens: titled(manifest.screens),
    fills: manifest.fills.map(({ id, slot }) => ({ id, title: `${id} → ${slot}` })),
    commands: titled(manifest.commands),
    settings: manifest.settings.map(({ name, title }) => ({ id: name, title: title[locale] })),
  }
}

/** What one reaches that the other does not. */
export function beyond(reach: Reach, before: Reach): Reach {
  return Object.fromEntries(
    reachKinds.map((kind) => {
      const had = new Set(before[kind].map(({ id }) => id))
      return [kind, reach[kind].filter(({ id }) => !had.has(id))]
    }),
  ) as unknown as Reach
}

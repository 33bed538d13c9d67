import { sql, type RawBuilder, type SqlBool } from 'kysely'

/**
 * What a place in the core's tables is to a plugin. With its `code` it goes in any case; its `data` goes into an archive and
 * comes back from it; a `trace` tells of its data, and only a purge takes it.
 */
type Level = 'code' | 'data' | 'trace'

export interface Place {
  readonly table: string
  readonly level: Level
  /** Rows that are the plugin's. */
  readonly of: (plugin: string) => RawBuilder<SqlBool>
  /** Its rows belong to no workspace. */
  readonly global?: true
  /** Belongs to the installed plugin and not to what one workspace keeps with it. */
  readonly installed?: true
}

const named = (column: string) => (plugin: string) => sql<SqlBool>`starts_with(${sql.ref(column)}, ${`${plugin}.`})`
const own = (plugin: string) => sql<SqlBool>`plugin = ${plugin}`
const namedIn = (table: string, key: string) => (plugin: string) =>
  sql<SqlBool>`${sql.ref(key)} in (select id from ${sql.table(table)} where starts_with(resource, ${`${plugin}.`}))`

/**
 * Every table of the core that names plugins or their records, those that refer to others first. Not here, because nothing is
 * taken from them: the ledger, the event log, and what proves that a duty of privacy was done (`erasure_target`, `unmasking`,
 * `opt_out`). Roles are dealt with in `grants.ts`, and `plugin`, `plugin_version` and `plugin_archive` by whoever removes it.
 */
export const places: readonly Place[] = [
  {
    table: 'core.delivery',
    level: 'code',
    of: (plugin) => sql<SqlBool>`subscription in (select id from core.subscription where plugin = ${plugin})`,
  },
  { table: 'core.subscription', level: 'code', of: own, global: true, installed: true },
  { table: 'core.schedule', level: 'code', of: named('job'), installed: true },
  { table: 'core.job', level: 'code', of: own },
  { table: 'core.plugin_incident', level: 'code', of: own, global: true, installed: true },
  { table: 'core.plugin_secret', level: 'code', of: own, installed: true },
  { table: 'core.plugin_setting', level: 'data', of: own, installed: true },
  { table: 'core.search_document', level: 'data', of: named('resource') },
  { table: 'core.duplicate_key', level: 'data', of: named('resource') },
  { table: 'core.duplicate_due', level: 'data', of: named('resource') },
  { table: 'core.duplicate_pair', level: 'data', of: named('resource') },
  { table: 'core.duplicate_scan', level: 'data', of: named('resource') },
  {
    table: 'core.merge_link',
    level: 'data',
    of: (plugin) => sql<SqlBool>`(${namedIn('core.merge_operation', 'merge')(plugin)} or ${named('place')(plugin)})`,
  },
  { table: 'core.merged_record', level: 'data', of: named('resource') },
  { table: 'core.merge_operation', level: 'data', of: named('resource') },
  { table: 'core.share', level: 'data', of: named('resource') },
  {
    table: 'core.retention_due',
    level: 'data',
    of: namedIn('core.retention_rule', 'rule'),
  },
  { table: 'core.retention_rule', level: 'data', of: named('resource') },
  { table: 'core.view_choice', level: 'data', of: named('resource') },
  { table: 'core.view', level: 'data', of: named('resource') },
  { table: 'core.import_recipe', level: 'data', of: named('resource') },
  {
    table: 'core.field',
    level: 'data',
    of: (plugin) => sql<SqlBool>`(${named('resource')(plugin)} or coalesce(${named('target')(plugin)}, false))`,
  },
  {
    table: 'core.file_piece',
    level: 'trace',
    of: (plugin) =>
      sql<SqlBool>`(${namedIn('core.import', 'file')(plugin)} or ${namedIn('core.export', 'file')(plugin)})`,
  },
  { table: 'core.import', level: 'trace', of: named('resource') },
  { table: 'core.export', level: 'trace', of: named('resource') },
  { table: 'core.bulk', level: 'trace', of: named('resource') },
  { table: 'core.retention_run', level: 'trace', of: named('resource') },
  { table: 'core.activity_link', level: 'trace', of: named('resource') },
  {
    // Work of the core's own on its records: a scan, an index.
    table: 'core.job',
    level: 'trace',
    of: (plugin) =>
      sql<SqlBool>`(coalesce(${named('key')(plugin)}, false) or starts_with(coalesce(payload ->> 'resource', ''), ${`${plugin}.`}))
        and state <> 'running'`,
  },
]

/** How a plugin goes. */
export type UninstallMode = 'keep' | 'archive' | 'purge'
/** How one workspace's data goes while the plugin stays. */
export type ClearMode = Exclude<UninstallMode, 'keep'>

/** The places a plugin leaves when it goes. */
export function leftBy(mode: UninstallMode): readonly Place[] {
  const levels: Readonly<Record<UninstallMode, readonly Level[]>> = {
    keep: ['code'],
    archive: ['code', 'data'],
    purge: ['code', 'data', 'trace'],
  }
  return places.filter(({ level }) => levels[mode].includes(level))
}

/** The places one workspace's data leaves while the plugin stays. What it was told and has not heard goes only with a purge. */
export function clearedBy(mode: ClearMode): readonly Place[] {
  return places.filter(({ level, installed }) => !installed && (mode === 'purge' || level === 'data'))
}

/** Places whose rows an archive holds. */
export function archivedPlaces(here: boolean): readonly Place[] {
  return places.filter(({ level, installed }) => level === 'data' && !(here && installed))
}

/** Fields of the core's own records that point at a record of any kind; a purge empties those that point at the plugin's. */
export const pointers = [
  { table: 'core.activity', kind: 'resource', record: 'record' },
  { table: 'core.lead', kind: 'target_resource', record: 'target_record' },
] as const

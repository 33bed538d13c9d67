import type { PeerCondition } from '../../plugins/peer-condition.ts'
import type { FieldModel } from '../model.ts'

/** Where a field stands that a plugin keeps beside another's records. */
export interface SideColumn {
  readonly plugin: string
  readonly schema: string
  readonly table: string
  readonly column: string
}

/** What one plugin keeps beside the records of a resource. */
export interface Side {
  readonly plugin: string
  readonly schema: string
  readonly table: string
  readonly when?: PeerCondition
  readonly fields: readonly FieldModel[]
  /** Values a new record starts with where the caller sends none. */
  readonly defaults: ReadonlyMap<string, unknown>
  /** Names of fields in the list as it first opens, in the form, and of those whose words find the record. */
  readonly list: readonly string[]
  readonly form: readonly string[]
  readonly search: readonly string[]
}

/** `points` of `erp-bridge` → `erpBridgePoints`. */
export function sideFieldName(plugin: string, property: string): string {
  const prefix = plugin.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return `${prefix}${property[0]?.toUpperCase() ?? ''}${property.slice(1)}`
}

/** What a side is called in a statement: a column of it that is read with its record, or the row it makes there. */
export const besideName = (plugin: string, column: string) => `${plugin}.${column}`

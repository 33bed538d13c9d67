import { p, type EntityClass, type EntitySchema } from '@mikro-orm/core'
import type { PeerCondition } from '../../plugins/peer-condition.ts'
import type { FieldDefinition } from '../define-resource.ts'

/**
 * The columns every side table has: whose record its row stands beside, both of them its key, and whether that record is in
 * the bin, so that a value which only one may have is free again.
 */
export function extensionBase() {
  return { workspace: p.uuid().primary(), record: p.uuid().primary(), deleted: p.boolean().default(false) }
}

/** Properties of `extensionBase`, which are no fields. */
export const extensionColumns: ReadonlySet<string> = new Set(['workspace', 'record', 'deleted'])

export interface ExtensionOptions {
  /** By the names of the entity's properties. */
  readonly fields?: Readonly<Record<string, FieldDefinition>>
  /** Properties that the resource's list shows too as it first opens, behind its own. */
  readonly list?: readonly string[]
  /** Properties in the form, in order; all of them when absent. */
  readonly form?: readonly string[]
  /** Properties whose words find the record. */
  readonly search?: readonly string[]
  /** Sleeps until this plugin is enabled in the workspace too. */
  readonly when?: PeerCondition
}

/** Fields that a plugin adds to a resource of the core or of another plugin. */
export interface ExtensionDefinition<T = unknown> {
  /** Id of the resource, `<plugin>.<entity>`. */
  readonly resource: string
  readonly entity: EntityClass<T & object>
  readonly options: ExtensionOptions
}

/**
 * Declares fields on another's resource. They stand in a side table of the plugin's own, `<plugin>.ext_<entity>`, and are
 * called by the plugin and their property together: `points` of `loyalty` is `loyaltyPoints`. Where the plugin is on they
 * are fields of the resource like any other; where it is off nobody sees them, and their values stay.
 *
 * A column may be empty: a record has no row beside it until one of its values is set.
 *
 * @param resource - resource id, `<plugin>.<entity>`
 */
export function defineExtension<T extends object>(
  resource: string,
  entity: EntityClass<T> | EntitySchema<T>,
  options: ExtensionOptions = {},
): ExtensionDefinition<T> {
  return { resource, entity: entity as EntityClass<T>, options }
}

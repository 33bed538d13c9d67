import type { EntityClass, EntitySchema } from '@mikro-orm/core'
import type { Context } from '../context.ts'
import type { PeerCondition } from '../plugins/peer-condition.ts'
import type { Audience } from './audience.ts'
import type { DuplicateKey } from './duplicates/duplicate-key.ts'
import type { FieldOption, FieldType } from './model.ts'
import type { RecordJson } from './records.ts'

/**
 * What becomes of a link whose target is deleted: it stays as it is (`orphan`), it is emptied in the same change (`clear`), or
 * the target may not be deleted (`refuse`).
 */
export type OnTargetGone = 'orphan' | 'clear' | 'refuse'

/** How the world sees a field, where the entity's property does not say it already. */
export interface FieldDefinition {
  /** Needed where the column's type does not tell: `money`, `percent`, `email`, `phone`, `url`, `long`, `user`, `team`, `select`. */
  readonly format?: FieldType
  /** Only code writes it. */
  readonly readonly?: boolean
  /** Fields that its value is made of or holds: who may not read one of them may not read it either. */
  readonly derivedFrom?: readonly string[]
  /** Permission that reading it takes beside a role that opens it: `core.user.manage`. */
  readonly needs?: string
  /** Must have a value although the column could be empty, or has a default although it could not. */
  readonly required?: boolean
  readonly options?: readonly (FieldOption | string)[]
  /** For `money`: the sibling field that holds the currency. */
  readonly currency?: string
  /** For an id without a foreign key: the resource it points at. */
  readonly target?: string
  /** What becomes of it when the record it points at goes; see `link`. */
  readonly onTargetGone?: OnTargetGone
  /** For an id of a record of any resource, in a column of ids: the sibling field that holds the resource's id. */
  readonly targetIn?: string
  /**
   * For a reference: the record is about the person it points at, as a call or a mail is. Their access export has it whole,
   * and their erasure takes its texts. Other records that point at a person stay, less the words that name them.
   */
  readonly personal?: boolean
  /** Not shown to the world at all. */
  readonly hidden?: boolean
  /** A number shown without separators: a year, a count that names. */
  readonly plain?: boolean
  /** Largest or smallest number allowed. */
  readonly min?: number
  readonly max?: number
}

export interface KanbanDefinition {
  /** A `select`, `reference` or `user` field: one column per value. */
  readonly by: string
  /** Field summed in the column's head. */
  readonly sum?: string
  /** Field summed as the weighted amount. */
  readonly weighted?: string
  readonly card: readonly string[]
}

/** What a guard is told about the write it may refuse. */
export interface GuardedWrite {
  readonly action: 'create' | 'update' | 'delete' | 'restore'
  /** The record as it will be. */
  readonly record: RecordJson
  /** The record as it is; undefined on create. */
  readonly before: RecordJson | undefined
  /** Names of the fields that change. */
  readonly changed: ReadonlySet<string>
  /** Sets a further field of the same write, such as one that follows from another. Readonly fields may be set. */
  set(field: string, value: unknown): void
  /** Warns: the write is refused with this code unless the caller acknowledged it. */
  warn(error: Error & { code: string }): void
}

/** A veto on writes of a resource: API, bulk, import, automation and screen all pass here. */
export interface GuardDefinition {
  readonly resource: string
  readonly actions: readonly GuardedWrite['action'][]
  readonly check: (write: GuardedWrite, ctx: Context) => void | Promise<void>
  /**
   * What it says of one new record does not hang on other new ones of its resource, or the database would refuse them
   * together. Records whose guards all say so are written several to a statement, after all were checked.
   */
  readonly independent?: boolean
  /** Is not asked until this plugin is enabled in the workspace too. */
  readonly when?: PeerCondition
}

/**
 * Declares a guard. It may refuse by throwing, warn, or set fields that follow.
 *
 * @param resource - resource id, `<plugin>.<entity>`; another plugin's or the core's too
 */
export function defineGuard(
  resource: string,
  actions: readonly GuardedWrite['action'][],
  check: GuardDefinition['check'],
  options: Pick<GuardDefinition, 'independent' | 'when'> = {},
): GuardDefinition {
  return { resource, actions, check, ...options }
}

export interface ResourceOptions {
  /** Plural path segment and route: `opportunities`. */
  readonly path: string
  /** Entity name in ids when it is not the entity's own, kebab-case: `user` for members. */
  readonly name?: string
  /** Field that names a record. */
  readonly title: string
  /** Lucide icon name. */
  readonly icon: string
  readonly fields?: Readonly<Record<string, FieldDefinition>>
  /** Columns of the list as it first opens. */
  readonly list: readonly string[]
  /** Fields of the form, in order; the list's when absent. */
  readonly form?: readonly string[]
  /** Own fields, or `reference.field` paths, whose words find the record. */
  readonly search?: readonly string[]
  readonly kanban?: KanbanDefinition
  /** Shows activities and changes on the record page. */
  readonly timeline?: boolean
  /** Stands in the navigation; on by default. */
  readonly nav?: boolean
  /** Which rows are for whom, where that is not a matter of their owner's team: private and shared things. */
  readonly audience?: Audience
  /**
   * What a merge does where a record ends because its twin hangs on the survivor already: the twin may take over what the
   * ended one had more.
   */
  readonly folded?: (ended: RecordJson, survivor: string, ctx: Context) => Promise<void>
  /** Fields that say, beside its owner and team, whose a record is: with whom it was shared may not change them. */
  readonly belonging?: readonly string[]
  /**
   * What a partner's people find here: records whose field says one of the partners they stand for; or, of things everybody
   * has for themselves, those whose field names the person. Without it, none but those opened to them by a share. `id` says
   * that the records are partners: when they are merged, the people of one follow it into the other.
   */
  readonly partner?: string | { readonly person: string }
  /** Records may be shared one by one; what stands in the navigation may, unless an audience says whose it is. */
  readonly shareable?: boolean
  /** Letter after `g` that opens the list. */
  readonly key?: string
  /** No create, update or delete through the generic routes. */
  readonly readonly?: boolean
  /** Sort of a list that asks for none; newest first by default. */
  readonly sort?: string
  /** Fields by which an import or a reference in a file finds a record, best first; the title when absent. */
  readonly keys?: readonly string[]
  /** What makes two records suspect of being one; plugins may contribute more. */
  readonly duplicates?: readonly DuplicateKey[]
  /** Field whose value comes from a gap-free number sequence on create, e.g. `{ number: 'SO' }` → `SO-2026-00001`. */
  readonly numbered?: Readonly<Record<string, string>>
}

/** An entity as the outside sees it. Declaring one gives REST, permissions, ledger, events, search, import and screens. */
export interface ResourceDefinition<T = unknown> {
  readonly entity: EntityClass<T & object>
  readonly options: ResourceOptions
}

export function defineResource<T extends object>(
  entity: EntityClass<T> | EntitySchema<T>,
  options: ResourceOptions,
): ResourceDefinition<T> {
  return { entity: entity as EntityClass<T>, options }
}

/**
 * Declares a field, a uuid column without a foreign key, that holds the id of another plugin's record. It has what every
 * reference has: title, picker, filters and sorts through it, and a place on the target's page. Where the other plugin is off
 * the field says so.
 *
 * @param target - resource id, `<plugin>.<entity>`; its plugin may be absent
 */
export function link(
  target: string,
  { onTargetGone = 'orphan', ...definition }: Omit<FieldDefinition, 'target' | 'targetIn' | 'format'> = {},
): FieldDefinition {
  return { ...definition, target, onTargetGone }
}

import type { Audience } from './audience.ts'
import type { RawBuilder } from 'kysely'
import type { Locale } from '../actor.ts'
import type { OnTargetGone } from './define-resource.ts'
import type { CheckedExpression } from './expression/check.ts'
import type { SideColumn } from './sides/side.ts'

/** What a value is: how it is stored, compared, shown and typed in. */
export type FieldType =
  | 'text'
  | 'long'
  | 'rich'
  | 'integer'
  | 'decimal'
  | 'money'
  | 'percent'
  | 'boolean'
  | 'date'
  | 'instant'
  | 'duration'
  | 'select'
  | 'multi-select'
  | 'email'
  | 'phone'
  | 'url'
  | 'user'
  | 'team'
  | 'reference'
  | 'address'
  | 'auto-number'
  | 'json'

/** How a choice is coloured; always shown with its word. */
export type Tone = 'neutral' | 'accent' | 'success' | 'warning' | 'danger' | 'info'

export interface FieldOption {
  readonly value: string
  readonly tone?: Tone
  readonly icon?: string
  /** Of a choice that a workspace defined; others are translated. */
  readonly label?: LocalText
}

/** Said by a workspace in both languages. */
export type LocalText = Readonly<Record<Locale, string>>

/** A field computed from others of its record, alike in SQL and in memory. */
export interface FormulaModel {
  /** Fields it reads, through other formulas too: who may not read one of them may not read it. */
  readonly reads: ReadonlySet<string>
  /** Parts it is computed of, those of the formulas it reads included. */
  readonly size: number
  value(alias: string): RawBuilder<unknown>
  /** The value in the form records are answered in, from a record whose own fields are loaded. */
  evaluate(record: Readonly<Record<string, unknown>>): unknown
}

/** One field as every channel sees it. Its label is the translation key `<resource id>.<name>`. */
export interface FieldModel {
  readonly name: string
  readonly type: FieldType
  /** Column in the resource's own table; `custom` for a field of the workspace's own, `<plugin>.<column>` for one beside it. */
  readonly column: string
  readonly required: boolean
  /** Only the platform or the plugin's own code writes it. */
  readonly readonly: boolean
  /** Choices of a `select`; labels are the keys `<resource id>.<name>.<value>`. */
  readonly options?: readonly FieldOption[]
  /** Resource id a `reference`, `user` or `team` points at. */
  readonly target?: string
  /** Set for a link to a record of another plugin, which no foreign key holds. */
  readonly onTargetGone?: OnTargetGone
  /** For an id of a record of any resource: the sibling field that holds the resource's id. */
  readonly targetIn?: string
  /** Holds an id, although nothing says of what. */
  readonly isId?: boolean
  /** For `money`: the sibling field that holds its currency; without one the workspace's currency. */
  readonly currency?: string
  /** The record is about the person this points at. */
  readonly personal?: boolean
  readonly maxLength?: number
  readonly scale?: number
  /** Smallest and largest number allowed. */
  readonly min?: number
  readonly max?: number
  readonly unique?: boolean
  /** A number shown without separators. */
  readonly plain?: boolean
  /** Set for a field of the workspace's own: it stands in `custom`, under its name. */
  readonly custom?: CustomModel
  readonly formula?: FormulaModel
  /** Set for a field of another plugin's, in a table of that plugin. */
  readonly side?: SideColumn
  /** Fields whose values can be told from its own. */
  readonly derivedFrom?: readonly string[]
  /** Permission without which nobody reads it. */
  readonly needs?: string
  /** The actor may only recognise it: it is read as its mask. Never set in a resource's own fields. */
  readonly masked?: true
  /** Of a workspace's own field; others are translated. */
  readonly label?: LocalText
  readonly help?: LocalText
}

/** What a workspace's own field has beside the model of any field. */
export interface CustomModel {
  /** Id of its definition. */
  readonly id: string
  /** Whose field it is. */
  readonly workspace: string
  /** Name of its index, whether or not there is one. */
  readonly index: string
  readonly requiredIf?: CheckedExpression
  readonly shownIf?: CheckedExpression
  /** Of an automatic number: the kind of its sequence. */
  readonly prefix?: string
}

/** Records of another resource that point here: `account.opportunities` for the reference `opportunity.account`. */
export interface CollectionModel {
  readonly name: string
  /** Resource id of the many side. */
  readonly target: string
  /** The reference field there. */
  readonly field: string
}

/** A resource as the engine runs it, built once from its entity and its definition. */
export interface ResourceModel {
  /** `<plugin>.<entity>`, e.g. `sales.opportunity`. */
  readonly id: string
  readonly plugin: string
  readonly entity: string
  /** Plural path segment, e.g. `opportunities`. */
  readonly path: string
  readonly schema: string
  readonly table: string
  readonly fields: ReadonlyMap<string, FieldModel>
  readonly collections: ReadonlyMap<string, CollectionModel>
  /** Field that names a record. */
  readonly title: string
  /** Takes the place of the reach of grants. */
  readonly audience?: Audience
  /** What a partner's people find here; without it, what was opened to them by a share. */
  readonly partner?: PartnerSide
}

/** The field that says whose a record is on the partners' side. */
export interface PartnerSide {
  readonly field: string
  /** A partner, or the one person whose own thing it is. */
  readonly of: 'partner' | 'person'
}

export interface ResourceCatalog {
  get(id: string): ResourceModel | undefined
}

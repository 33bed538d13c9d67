import type { Audience } from './audience.ts'

/** What a value is: how it is stored, compared, shown and typed in. */
export type FieldType =
  | 'text'
  | 'long'
  | 'integer'
  | 'decimal'
  | 'money'
  | 'percent'
  | 'boolean'
  | 'date'
  | 'instant'
  | 'select'
  | 'email'
  | 'phone'
  | 'url'
  | 'user'
  | 'team'
  | 'reference'
  | 'json'

/** How a choice is coloured; always shown with its word. */
export type Tone = 'neutral' | 'accent' | 'success' | 'warning' | 'danger' | 'info'

export interface FieldOption {
  readonly value: string
  readonly tone?: Tone
  readonly icon?: string
}

/** One field as every channel sees it. Its label is the translation key `<resource id>.<name>`. */
export interface FieldModel {
  readonly name: string
  readonly type: FieldType
  /** Column in the resource's own table. */
  readonly column: string
  readonly required: boolean
  /** Only the platform or the plugin's own code writes it. */
  readonly readonly: boolean
  /** Choices of a `select`; labels are the keys `<resource id>.<name>.<value>`. */
  readonly options?: readonly FieldOption[]
  /** Resource id a `reference`, `user` or `team` points at. */
  readonly target?: string
  /** For `money`: the sibling field that holds its currency; without one the workspace's currency. */
  readonly currency?: string
  readonly maxLength?: number
  readonly scale?: number
  /** Smallest and largest number allowed. */
  readonly min?: number
  readonly max?: number
  readonly unique?: boolean
  /** A number shown without separators. */
  readonly plain?: boolean
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
}

export interface ResourceCatalog {
  get(id: string): ResourceModel | undefined
}

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

/** How a state is coloured; always shown with its word. */
export type Tone = 'neutral' | 'accent' | 'success' | 'warning' | 'danger' | 'info'

export type Locale = 'fr' | 'en'

export interface FieldOption {
  readonly value: string
  readonly label: string
  readonly tone?: Tone
  readonly icon?: string
}

/** One field as the screens see it, already in the reader's language. */
type Constant = string | number | boolean | { readonly number: string }

/** A condition over one record's own values, in the JSON form of filters: the part of it that a browser judges. */
export type FieldCondition =
  | { readonly op: 'and' | 'or'; readonly of: readonly FieldCondition[] }
  | { readonly op: 'not'; readonly of: FieldCondition }
  | { readonly op: '=' | '!=' | '<' | '<=' | '>' | '>='; readonly path: string; readonly value: Constant }
  | { readonly op: 'in'; readonly path: string; readonly values: readonly Constant[] }
  | { readonly op: 'empty'; readonly path: string }

export interface FieldMeta {
  readonly name: string
  readonly type: FieldType
  readonly label: string
  readonly help?: string
  readonly required: boolean
  /** Has a value in every record, though nobody need give one. */
  readonly filled?: boolean
  readonly writable: boolean
  /** Only enough of it is answered to recognise it, or nothing: it sorts, filters and adds up nothing. */
  readonly masked?: boolean
  /** A file may fill it. */
  readonly importable?: boolean
  readonly sortable: boolean
  readonly options?: readonly FieldOption[]
  /** Resource id a `reference`, `user` or `team` points at. */
  readonly target?: string
  /** Called so is the module whose records it points at, while that is off. */
  readonly asleep?: string
  /** Called so is the module that keeps it beside the resource's own fields. */
  readonly module?: string
  /** For `money`: the sibling field that holds its currency; without one the workspace's currency. */
  readonly currency?: string
  readonly maxLength?: number
  /** Defined by the workspace. */
  readonly own?: boolean
  /** No two records share a value of it. */
  readonly unique?: boolean
  /** A number shown without separators: a year. */
  readonly plain?: boolean
  /** Asked for while this holds. Conditions that only the server can judge are absent: it answers when the record is saved. */
  readonly requiredIf?: FieldCondition
  /** Has a place on the record's screens only while this holds. */
  readonly shownIf?: FieldCondition
  /** What a new record starts with when nothing is said. */
  readonly initial?: unknown
}

export type ViewKind = 'table' | 'kanban' | 'calendar'

/** A saved way to look at a list, as its reader sees and chose it. */
export interface SavedView {
  readonly id: string
  readonly version: number
  readonly resource: string
  readonly name: string
  readonly kind: ViewKind
  readonly scope: 'mine' | 'shared' | 'role'
  readonly role: string | null
  readonly filter: string | null
  readonly q: string | null
  readonly sort: string | null
  readonly columns: readonly { readonly field: string; readonly width?: number }[] | null
  readonly groupBy: string | null
  readonly card: readonly string[] | null
  readonly sums: readonly string[] | null
  readonly startField: string | null
  readonly endField: string | null
  readonly density: 'compact' | 'normal' | 'comfortable'
  /** Parts that rest until their module is back on; the other properties are without them. */
  readonly sleeping?: readonly { readonly part: string; readonly text: string; readonly module: string }[]
  /** The reader's own to change. */
  readonly mine: boolean
  readonly pinned: boolean
  /** Opens when its list is opened without saying which. */
  readonly default: boolean
}

export interface ResourceMeta {
  /** `<plugin>.<entity>`, e.g. `sales.opportunity`. */
  readonly id: string
  readonly plugin: string
  /** Where its REST interface lives, e.g. `/api/sales/opportunities`. */
  readonly api: string
  /** Where its screens live, e.g. `/sales/opportunities`. */
  readonly route: string
  readonly name: { readonly one: string; readonly many: string }
  readonly icon: string
  /** Name of the field that names a record. */
  readonly title: string
  readonly list: readonly string[]
  readonly form: readonly string[]
  /** Fields of its page in their order, whether its reader may change them or not. */
  readonly details: readonly string[]
  readonly views: readonly ('table' | 'kanban')[]
  readonly kanban?: {
    readonly by: string
    readonly sum?: string
    readonly card: readonly string[]
    readonly weighted?: string
  }
  /** Some of its records are shared with the reader, one by one. */
  readonly shared?: true
  /** What happens to a record and is planned about it is told on its page. */
  readonly timeline?: true
  /** Fields that make two records suspect of being one; absent where nothing does. */
  readonly duplicates?: readonly string[]
  readonly may: {
    readonly create: boolean
    readonly update: boolean
    readonly delete: boolean
    readonly restore: boolean
    readonly import: boolean
    readonly export: boolean
    readonly merge: boolean
    /** Records may be shared with people and teams, one by one. */
    readonly share: boolean
    /** More rows than one request takes, in the background. */
    readonly bulk: boolean
  }
  readonly fields: readonly FieldMeta[]
  readonly collections: readonly { readonly name: string; readonly target: string; readonly field: string }[]
}

export interface ShellScreen {
  readonly id: string
  readonly plugin: string
  readonly path: string
  readonly title: string
  readonly icon?: string
  readonly tag: string
  readonly nav?: { readonly group: string; readonly order: number; readonly key?: string }
}

export interface ShellNavGroup {
  readonly id: string
  readonly title?: string
  readonly items: readonly {
    readonly id: string
    readonly title: string
    readonly icon: string
    readonly path: string
    readonly key?: string
  }[]
}

export interface ShellFill {
  readonly slot: string
  readonly plugin: string
  readonly id: string
  readonly tag: string
  readonly title?: string
  readonly order: number
  readonly resource?: string
}

export interface ShellCommand {
  readonly id: string
  readonly plugin: string
  readonly title: string
  readonly icon?: string
  readonly path?: string
  readonly event?: string
  readonly key?: string
}

/** All an open tab knows of its workspace, filtered by the actor's permissions and written in the actor's language. */
export interface ShellDocument {
  readonly generation: number
  readonly user: { readonly id: string; readonly name: string; readonly email: string; readonly locale: Locale }
  /** Who sees this as the user, to read only, and until which instant. */
  readonly viewing?: { readonly by: string; readonly until: string }
  readonly workspace: {
    readonly id: string
    readonly name: string
    readonly slug: string
    readonly baseCurrency: string
    readonly locale: Locale
    readonly zone: string
  }
  readonly workspaces: readonly { readonly id: string; readonly name: string }[]
  /** Modules that were stopped here after faults of their own, for whoever can bring them back. */
  readonly stopped?: readonly { readonly id: string; readonly title: string }[]
  /** Domains by which nobody new comes in, because what proved them is gone, for whoever can prove them again. */
  readonly lostDomains?: readonly string[]
  /** Platform permissions the actor holds, e.g. `core.plugin.toggle`. */
  readonly may: readonly string[]
  readonly plugins: readonly { readonly id: string; readonly title: string; readonly ui?: string }[]
  readonly resources: readonly ResourceMeta[]
  readonly views: readonly SavedView[]
  readonly screens: readonly ShellScreen[]
  readonly nav: readonly ShellNavGroup[]
  readonly fills: readonly ShellFill[]
  readonly commands: readonly ShellCommand[]
  /** ICU messages by key. */
  readonly words: Readonly<Record<string, string>>
}

/** A record as REST gives it: flat, references as ids, money and decimals as strings. */
export interface RecordJson {
  readonly id: string
  readonly version: number
  readonly [field: string]: unknown
}

/** The few fields of a record that another one refers to. */
export interface IncludedRecord {
  readonly id: string
  readonly title: string
  readonly [field: string]: unknown
}

/** Referred records by resource id, then by record id. */
export type Included = Readonly<Record<string, Readonly<Record<string, IncludedRecord>>>>

export interface PageInfo {
  readonly next: string | null
  readonly count: number | null
  readonly exact: boolean
}

export interface Page<R = RecordJson> {
  readonly data: readonly R[]
  readonly page: PageInfo
  readonly included: Included
}

export interface ListQuery {
  readonly filter?: string
  readonly q?: string
  readonly sort?: string
  readonly limit?: number
  readonly after?: string
  readonly fields?: readonly string[]
  readonly include?: readonly string[]
  readonly count?: 'estimate' | 'exact' | 'none'
  readonly deleted?: 'only'
  /** The rows with the values of that instant. */
  readonly asOf?: string
}

export interface ActorRef {
  readonly type: string
  readonly id: string
  readonly name: string
}

export interface FieldChange {
  readonly field: string
  readonly old: unknown
  readonly new: unknown
}

export interface HistoryEntry {
  readonly changeSet: string
  readonly at: string
  readonly actor: ActorRef
  readonly origin: string
  readonly reason: string | null
  readonly action: 'create' | 'update' | 'delete' | 'restore'
  readonly version: number
  /** The change is part of a merge, or of its undoing. */
  readonly merge?: 'merged' | 'unmerged' | null
  readonly changes: readonly FieldChange[]
}

export interface TimelineEntry {
  readonly kind: 'activity' | 'change'
  readonly at: string
  readonly actor: ActorRef
  readonly id: string
  readonly title: string
  /** Of an activity: `call`, `meeting`, `note` … */
  readonly type?: string
  readonly body?: string
  readonly record?: { readonly resource: string; readonly id: string }
  readonly changes?: readonly FieldChange[]
}

export interface AggregateQuery {
  readonly filter?: string
  readonly q?: string
  readonly groupBy?: readonly string[]
  /** `count`, `sum:<field>`, … */
  readonly measures: readonly string[]
  readonly asOf?: string
}

export interface AggregateRow {
  readonly key: Readonly<Record<string, unknown>>
  readonly count?: number
  /** Text filter that opens the rows behind this one. */
  readonly filter: string
  readonly [measure: string]: unknown
}

export interface BoardQuery {
  /** Field whose values are the columns. */
  readonly by: string
  readonly filter?: string
  readonly q?: string
  readonly sort?: string
  readonly limit?: number
  readonly include?: readonly string[]
  readonly measures?: readonly string[]
  /** Values wanted, null for records without one; those with the most records when absent. */
  readonly columns?: readonly (string | null)[]
}

export interface BoardGroup {
  readonly key: string | null
  readonly count: number
  /** Sums, a row for each currency. */
  readonly figures: readonly AggregateRow[]
  /** Filter of the rows behind the column. */
  readonly filter: string
  readonly cards: readonly RecordJson[]
  readonly next: string | null
}

export interface BoardAnswer {
  readonly data: readonly BoardGroup[]
  /** More values have records than columns were answered. */
  readonly more: boolean
  readonly included: Included
}

export interface BulkRequest {
  readonly create?: readonly Record<string, unknown>[]
  readonly update?: readonly (Record<string, unknown> & { id: string; version: number })[]
  readonly delete?: readonly { id: string; version: number }[]
  readonly atomic?: boolean
  readonly filter?: string
  readonly set?: Record<string, unknown>
}

export interface BulkResult {
  readonly index: number
  readonly action: string
  readonly status: 'done' | 'failed'
  readonly id?: string
  readonly version?: number
  readonly problem?: Problem
}

export interface FieldProblem {
  readonly path: string
  readonly code: string
  readonly detail: string
}

/** RFC 9457, with the platform's code and the fields concerned. */
export interface Problem {
  readonly type?: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly instance?: string
  readonly requestId?: string
  readonly errors?: readonly FieldProblem[]
  /** With `VERSION_CONFLICT`: the fields both sides changed, and the record as it stands. */
  readonly conflicts?: readonly { field: string; base: unknown; mine: unknown; theirs: unknown }[]
  readonly current?: RecordJson
  /** With `UNDO_CONFLICT`: what was left alone. */
  readonly kept?: readonly KeptByUndo[]
}

/** What an undo left alone: a field that somebody changed since, or a record that is out of reach or refuses it. */
export type KeptByUndo =
  | { readonly resource: string; readonly id: string; readonly field: string }
  | {
      readonly resource: string
      readonly id: string
      readonly problem: { readonly code: string; readonly detail: string }
    }

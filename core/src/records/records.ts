import type { ResourceDefinition } from './define-resource.ts'
import type { Expression } from './expression/ast.ts'

/** A record as the API shows it: flat, references as ids, money and decimals as strings, dates `YYYY-MM-DD`. */
export type RecordJson = Readonly<Record<string, unknown>> & {
  readonly id: string
  readonly version: number
}

export interface ListQuery {
  /** Text form or AST of the expression language. */
  readonly filter?: string | Expression
  /** Words to search for. */
  readonly q?: string
  /** `-amount,name`: descending amount, then name. */
  readonly sort?: string
  /** 1 to 200, 50 by default. */
  readonly limit?: number
  /** Cursor of the page before. */
  readonly after?: string
  readonly fields?: readonly string[]
  readonly include?: readonly string[]
  readonly count?: 'estimate' | 'exact' | 'none'
  readonly deleted?: 'only'
  /** Instant whose values are answered, to whom today's permissions allow it. */
  readonly asOf?: string
}

export type Included = Readonly<Record<string, Readonly<Record<string, RecordJson>>>>

export interface Page {
  readonly data: readonly RecordJson[]
  readonly page: { readonly next: string | null; readonly count: number | null; readonly exact: boolean }
  readonly included: Included
}

export interface WriteOptions {
  /** Warnings the caller has seen and passes; kept in the ledger. */
  readonly acknowledge?: readonly string[]
  /** Writes fields that only the plugin's own code may write. */
  readonly internal?: boolean
  /** The caller has looked for likely duplicates of a new record itself, as an import does for a chunk at once. */
  readonly duplicates?: 'checked'
}

export interface AggregateQuery {
  readonly filter?: string | Expression
  readonly q?: string
  /** Field names; a date or instant may carry `:day`, `:week`, `:month`, `:quarter` or `:year`. */
  readonly groupBy?: readonly string[]
  /** `count`, `sum:<field>`, `avg:<field>`, `min:<field>`, `max:<field>`. */
  readonly measures: readonly string[]
  /** As of a list. */
  readonly asOf?: string
}

export interface AggregateRow {
  readonly key: Readonly<Record<string, string | null>>
  /** Text expression that opens the rows behind this one. */
  readonly filter: string
  /**
   * When it was so: the records behind it, read as of this instant, add up to it whatever happens since. Absent where words
   * of today were searched.
   */
  readonly instant?: string
  /** Words the figure was limited to, for the records behind it too. */
  readonly q?: string
  readonly [measure: string]: unknown
}

export interface AggregateAnswer {
  /** At most 1,000 groups. */
  readonly data: readonly AggregateRow[]
  /** There are more groups than were answered. */
  readonly more: boolean
  readonly included: Included
}

/** A resource by its definition, or by its id where only that is known. */
export type ResourceRef = ResourceDefinition | string

/**
 * The engine under every resource. Reads carry the actor's permissions in their WHERE; writes take the one path: load,
 * authorise, validate, guards, change, ledger, outbox.
 */
export interface Records {
  list(resource: ResourceRef, query?: ListQuery): Promise<Page>
  /** Throws `RECORD_NOT_FOUND` (404) alike for an absent and an invisible record. */
  get(
    resource: ResourceRef,
    id: string,
    options?: { include?: readonly string[]; fields?: readonly string[]; asOf?: string },
  ): Promise<{ data: RecordJson; included: Included }>
  aggregate(resource: ResourceRef, query: AggregateQuery): Promise<AggregateAnswer>
  create(resource: ResourceRef, values: Readonly<Record<string, unknown>>, options?: WriteOptions): Promise<RecordJson>
  /**
   * Makes several records, in their order, for less than one by one. The first that is refused refuses all: call it where
   * nothing of them is to be kept then.
   */
  createMany(
    resource: ResourceRef,
    values: readonly Readonly<Record<string, unknown>>[],
    options?: WriteOptions,
  ): Promise<RecordJson[]>
  /** `version` is the one the caller saw; changes of different fields merge, of the same field answer `VERSION_CONFLICT` (409). */
  update(
    resource: ResourceRef,
    target: { id: string; version: number },
    values: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<RecordJson>
  /** Runs a method of the entity's class on the loaded record and writes what it changed. */
  write<T, R>(
    resource: ResourceDefinition<T>,
    target: { id: string; version: number },
    change: (record: T) => R,
    options?: WriteOptions,
  ): Promise<{ record: RecordJson; result: R }>
  remove(resource: ResourceRef, target: { id: string; version: number }, options?: WriteOptions): Promise<void>
  restore(resource: ResourceRef, id: string): Promise<RecordJson>
  /**
   * What a refusal calls a record that a guard was handed: its title as whoever asked reads it, else its kind in their
   * language. A guard gets the record whole; whoever reads its refusal may not. One that code looked up itself, `beside`, may be
   * out of their reach too: its title is for whoever reads all of its kind.
   */
  nameOf(resource: ResourceRef, record: Readonly<Record<string, unknown>>, found?: 'beside'): string
  /** Of such a record what a refusal may tell: the values whoever asked may read, and masks. */
  told(
    resource: ResourceRef,
    record: Readonly<Record<string, unknown>>,
    found?: 'beside',
  ): Readonly<Record<string, unknown>>
}

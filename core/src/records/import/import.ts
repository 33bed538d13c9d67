import type { ColumnProfile } from './profile.ts'

export type ImportState =
  | 'draft'
  | 'mapped'
  | 'rehearsing'
  | 'rehearsed'
  | 'running'
  | 'paused'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'rolling_back'
  | 'rolled_back'

/** Lines are kept of the last rehearsal and of the run. */
export type ImportPhase = 'rehearsal' | 'run'

/** Where a column goes. Entries with `columns` or `value` have no column of their own: their `column` is empty. */
export interface ColumnMapping {
  readonly column: string
  /** `null`: not imported. */
  readonly field: string | null
  /** For a reference: the target's field by which its record is found. */
  readonly by?: string | undefined
  /** Makes the referred record when there is none. */
  readonly create?: boolean | undefined
  /** Fills a field of new records from several columns: a name for records whose file gives none. */
  readonly columns?: readonly string[] | undefined
  /** The same value for every line. */
  readonly value?: string | undefined
}

/** Reads one value of a column as another. */
export interface ValueAlias {
  readonly column: string
  readonly from: string
  /** Empty where no known value is close: somebody must say. */
  readonly to: string
  /** Lines that have it. */
  readonly rows: number
  readonly accepted: boolean
}

export interface ImportOptions {
  /** Makes new records, updates those a line finds, or both; lines that would do the other are skipped. Both by default. */
  readonly mode?: 'both' | 'create' | 'update' | undefined
  /** What becomes of a line that looks like a record that is there: refused where nothing is said. */
  readonly duplicates?: 'refuse' | 'skip' | 'import' | 'update' | undefined
  /** `DD/MM/YYYY` and the like; ISO dates are always read. */
  readonly dateFormat?: string | undefined
  readonly decimal?: ',' | '.' | undefined
}

/** `create + update + unchanged + skip + failed` come to `lines` when `done` does. */
export interface ImportCounts {
  readonly lines: number
  readonly create: number
  readonly update: number
  readonly unchanged: number
  readonly skip: number
  readonly failed: number
  readonly done: number
}

export interface RowProblem {
  /** Field name, empty when the whole line is meant. */
  readonly field: string
  readonly code: string
  readonly detail: string
  /** What the sentence is made from while it is kept in English: it is said in the language of whoever reads the line. */
  readonly values?: Readonly<Record<string, unknown>>
  /** Records the line may be the same as, with their titles where somebody reads them. */
  readonly candidates?: readonly { readonly id: string; readonly title?: string; readonly score: number }[]
}

export interface RowChange {
  readonly field: string
  readonly old: unknown
  readonly new: unknown
}

export type RowAction = 'create' | 'update' | 'unchanged' | 'skip' | 'failed'

/** What a line came to. References read as in the file, so that a rehearsal and its run read alike. */
export interface ImportRow {
  readonly line: number
  readonly action: RowAction
  readonly values?: Readonly<Record<string, unknown>>
  readonly changes?: readonly RowChange[]
  readonly problems?: readonly RowProblem[]
}

/** An import as it is kept. */
export interface ImportRecord {
  readonly id: string
  readonly resource: string
  readonly state: ImportState
  /** Id of the reader that knows its file. */
  readonly format: string
  readonly fileName: string
  readonly fileSize: number
  readonly encoding: string
  readonly delimiter: string
  readonly skippedLines: number
  readonly lines: number
  readonly columns: readonly ColumnProfile[]
  readonly mapping: readonly ColumnMapping[]
  readonly aliases: readonly ValueAlias[]
  /** Field by which a line finds the record it updates. */
  readonly key: string | null
  readonly options: ImportOptions
  readonly rehearsedDigest: string | null
  readonly appliedDigest: string | null
  readonly problem: { readonly code: string; readonly detail: string } | null
  /** Rights under which its refusals were worded. */
  readonly told: unknown
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly job: string | null
  /** What its job does, also while it is paused. */
  readonly work: 'rehearsing' | 'running' | 'rolling_back' | null
}

/** An import as the API answers it. */
export interface ImportJson {
  readonly id: string
  readonly resource: string
  readonly state: ImportState
  readonly file: { readonly name: string; readonly size: number; readonly format: string }
  readonly encoding: string
  readonly delimiter: string
  readonly columns: readonly { readonly name: string; readonly samples: readonly string[]; readonly empty: number }[]
  readonly mapping: readonly ColumnMapping[]
  readonly aliases: readonly ValueAlias[]
  readonly key: string | null
  readonly options: ImportOptions
  readonly counts: ImportCounts
  /** What the first lines come to. */
  readonly sample: readonly ImportRow[]
  /** Digests of what was rehearsed and what was done; equal unless something changed in between. */
  readonly digest: { readonly rehearsed: string | null; readonly applied: string | null }
  /** What became of the records, once it was taken back. */
  readonly reversal?: ReversalCounts
  /** The background job that works on it. */
  readonly job?: string
  /** What that job does, also while it is paused. */
  readonly work?: 'rehearsing' | 'running' | 'rolling_back'
  /** Kept mappings that fit its columns. */
  readonly recipes: readonly RecipeOffer[]
  readonly createdAt: string
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly problem?: { readonly code: string; readonly detail: string }
}

/** Records that a roll back took away, put back as they were, or left because they were changed or used since. */
export interface ReversalCounts {
  readonly deleted: number
  readonly restored: number
  readonly kept: number
}

export interface RecipeOffer {
  readonly id: string
  readonly name: string
  readonly shared: boolean
  /** Whether the one who asks made it. */
  readonly mine: boolean
}

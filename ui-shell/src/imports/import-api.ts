import { api } from '@socle/sdk/ui'

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

export interface ImportColumn {
  readonly name: string
  readonly samples: readonly string[]
  /** Lines where it is empty. */
  readonly empty: number
}

export interface ColumnMapping {
  readonly column: string
  /** `null`: not imported. */
  readonly field: string | null
  /** For a reference: the field by which its record is found. */
  readonly by?: string
  /** Make the referred record when it is not there. */
  readonly create?: boolean
  /** Several columns that fill one field of new records together; `column` is then empty. */
  readonly columns?: readonly string[]
  /** The same value for every line; `column` is then empty. */
  readonly value?: string
}

export interface ValueAlias {
  readonly column: string
  readonly from: string
  readonly to: string
  readonly rows: number
  readonly accepted: boolean
}

export interface ImportOptions {
  /** What lines may do; both when absent. */
  readonly mode?: 'both' | 'create' | 'update'
  /** What becomes of a line that looks like a record that is there; refused when absent. */
  readonly duplicates?: 'refuse' | 'skip' | 'import' | 'update'
  readonly dateFormat?: string
  readonly decimal?: ',' | '.'
}

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
  readonly field: string
  readonly detail: string
  /** Records the line may be the same as. */
  readonly candidates?: readonly { readonly id: string; readonly title: string }[]
}

export interface ImportRow {
  readonly line: number
  readonly action: string
  readonly values?: Readonly<Record<string, unknown>>
  readonly changes?: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[]
  readonly problems?: readonly RowProblem[]
}

/** A kept mapping that fits the file. */
export interface Recipe {
  readonly id: string
  readonly name: string
  readonly shared: boolean
  readonly mine: boolean
}

/** A record that a roll back left, and why. */
export interface KeptRecord {
  readonly change: string
  readonly resource: string
  readonly record: string
  readonly title: string
  /** Fields that keep a newer value, of a record that was put back otherwise. */
  readonly fields: readonly string[]
  readonly detail: string | null
}

/** One import as the server keeps it, from the uploaded file to the last line. */
export interface Import {
  readonly id: string
  readonly resource: string
  readonly state: ImportState
  readonly file: { readonly name: string; readonly size: number; readonly format: string }
  readonly encoding: string
  readonly delimiter: string
  readonly columns: readonly ImportColumn[]
  readonly mapping: readonly ColumnMapping[]
  readonly aliases: readonly ValueAlias[]
  /** Field by which a line finds the record it updates. */
  readonly key: string | null
  readonly options: ImportOptions
  readonly counts: ImportCounts
  readonly sample: readonly ImportRow[]
  readonly recipes: readonly Recipe[]
  readonly reversal?: { readonly deleted: number; readonly restored: number; readonly kept: number }
  /** What works on it, also while it is paused. */
  readonly work?: 'rehearsing' | 'running' | 'rolling_back'
  readonly createdAt: string
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly problem?: string | { readonly detail?: string; readonly title?: string }
}

export type ImportChanges = Partial<Pick<Import, 'mapping' | 'aliases' | 'key' | 'options'>>

export type ImportMove = 'rehearse' | 'run' | 'pause' | 'resume' | 'cancel' | 'rollback'

const path = '/api/core/imports'
const of = (id: string) => `${path}/${encodeURIComponent(id)}`

/** The imports of this workspace over REST; every call answers the import as it stands then. */
export const imports = {
  async upload(resource: string, file: File): Promise<Import> {
    const form = new FormData()
    form.set('resource', resource)
    form.set('file', file)
    return (await api.post<{ data: Import }>(path, form)).data
  },
  async get(id: string): Promise<Import> {
    return (await api.get<{ data: Import }>(of(id))).data
  },
  async list(resource: string): Promise<readonly Import[]> {
    return (await api.get<{ data: Import[] }>(`${path}?${new URLSearchParams({ resource })}`)).data
  },
  async change(id: string, changes: ImportChanges | { readonly recipe: string }): Promise<Import> {
    return (await api.patch<{ data: Import }>(of(id), changes)).data
  },
  async move(id: string, move: ImportMove): Promise<Import> {
    return (await api.post<{ data: Import }>(`${of(id)}/${move}`)).data
  },
  async rows(
    id: string,
    state: string,
    after?: string,
  ): Promise<{ data: readonly ImportRow[]; page: { next: string | null } }> {
    const query = new URLSearchParams({ ...(state ? { state } : {}), ...(after ? { after } : {}) })
    return await api.get(`${of(id)}/rows?${query}`)
  },
  async kept(id: string, after?: string): Promise<{ data: readonly KeptRecord[]; page: { next: string | null } }> {
    return await api.get(`${of(id)}/kept?${new URLSearchParams(after ? { after } : {})}`)
  },
  /** Keeps how a file is mapped, for the next one that has its columns. */
  async keepRecipe(it: Import, name: string, shared: boolean): Promise<void> {
    const { resource, mapping, aliases, key, options } = it
    const accepted = aliases.filter((alias) => alias.accepted)
    const header = it.columns.map((column) => column.name)
    const recipe = { name, shared, resource, header, mapping, aliases: accepted, key, options }
    await api.post('/api/core/import-recipes', recipe)
  },
  diffFile: (id: string): string => `${of(id)}/diff.ndjson`,
  errorFile: (id: string): string => `${of(id)}/errors.csv`,
}

/** How the server writes a problem of the whole import. */
export function problemText(problem: Import['problem']): string {
  if (!problem) return ''
  return typeof problem === 'string' ? problem : (problem.detail ?? problem.title ?? '')
}

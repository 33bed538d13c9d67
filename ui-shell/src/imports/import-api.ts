import { api } from '@socle/sdk/ui'

export type ImportState = 'draft' | 'mapped' | 'rehearsing' | 'rehearsed' | 'running' | 'done' | 'failed'

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
  readonly dateFormat?: string
  readonly decimal?: ',' | '.'
}

export interface ImportCounts {
  readonly lines: number
  readonly create: number
  readonly update: number
  readonly unchanged: number
  readonly failed: number
  readonly done: number
}

export interface RowProblem {
  readonly field: string
  readonly detail: string
}

export interface ImportRow {
  readonly line: number
  readonly action: string
  readonly values?: Readonly<Record<string, unknown>>
  readonly changes?: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[]
  readonly problems?: readonly RowProblem[]
}

/** One import as the server keeps it, from the uploaded file to the last line. */
export interface Import {
  readonly id: string
  readonly resource: string
  readonly state: ImportState
  readonly file: { readonly name: string; readonly size: number }
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
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly problem?: string | { readonly detail?: string; readonly title?: string }
}

export type ImportChanges = Partial<Pick<Import, 'mapping' | 'aliases' | 'key' | 'options'>>

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
  async change(id: string, changes: ImportChanges): Promise<Import> {
    return (await api.patch<{ data: Import }>(of(id), changes)).data
  },
  async rehearse(id: string): Promise<Import> {
    return (await api.post<{ data: Import }>(`${of(id)}/rehearse`)).data
  },
  async run(id: string): Promise<Import> {
    return (await api.post<{ data: Import }>(`${of(id)}/run`)).data
  },
  async failedRows(id: string, after?: string): Promise<{ data: readonly ImportRow[]; page: { next: string | null } }> {
    const query = new URLSearchParams({ state: 'failed', ...(after ? { after } : {}) })
    return await api.get(`${of(id)}/rows?${query}`)
  },
  errorFile: (id: string): string => `${of(id)}/errors.csv`,
}

/** How the server writes a problem of the whole import. */
export function problemText(problem: Import['problem']): string {
  if (!problem) return ''
  return typeof problem === 'string' ? problem : (problem.detail ?? problem.title ?? '')
}

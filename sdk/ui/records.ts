import { api } from './api.ts'
import type { Answer } from './api.ts'
import { resource } from './session.ts'
import type {
  AggregateQuery,
  AggregateRow,
  BoardAnswer,
  BoardQuery,
  BulkRequest,
  BulkResult,
  HistoryEntry,
  Included,
  KeptByUndo,
  ListQuery,
  Page,
  RecordJson,
  TimelineEntry,
} from './types.ts'

export interface OneRecord {
  readonly data: RecordJson
  readonly included: Included
  /** The first page of its timeline, where it was asked for. */
  readonly timeline?: Page<TimelineEntry>
}

/** What a write answered, and the change set by which it can be undone. */
export interface Written {
  readonly data: RecordJson
  readonly changeSet: string | undefined
}

export interface Undone {
  readonly changeSet: string
  readonly undone: number
  readonly kept: readonly KeptByUndo[]
  /** Too much for one request: a bulk of this id takes it back in the background. */
  readonly id?: string
}

export interface HistoryPage {
  readonly data: readonly HistoryEntry[]
  readonly page: { readonly next: string | null }
}

/** The query string of a list, without what is empty. */
export function listParameters(query: ListQuery): string {
  return parameters({ ...query })
}

function parameters(query: Readonly<Record<string, unknown>>): string {
  const written = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue
    written.set(name, Array.isArray(value) ? value.join(',') : String(value))
  }
  const text = written.toString()
  return text && `?${text}`
}

/** The records of one resource over REST, as this actor may see and change them. */
export class RecordsClient {
  readonly #id: string

  constructor(id: string) {
    this.#id = id
  }

  get #path(): string {
    const meta = resource(this.#id)
    if (!meta)
      throw new Error(`Resource "${this.#id}" is not in the shell document: its plugin is off or not permitted.`)
    return meta.api
  }

  #one(id: string, rest = ''): string {
    return `${this.#path}/${encodeURIComponent(id)}${rest}`
  }

  async list(query: ListQuery = {}, options: { signal?: AbortSignal } = {}): Promise<Page> {
    return await api.get<Page>(`${this.#path}${listParameters(query)}`, options)
  }

  async get(
    id: string,
    options: {
      include?: readonly string[]
      asOf?: string | undefined
      timeline?: 'first' | undefined
      signal?: AbortSignal
    } = {},
  ): Promise<OneRecord> {
    const { include, asOf, timeline, ...rest } = options
    return await api.get<OneRecord>(this.#one(id, parameters({ include, asOf, timeline })), rest)
  }

  async create(values: Record<string, unknown>): Promise<Written> {
    return written(await api.post<{ data: RecordJson }>(this.#path, values))
  }

  async update(id: string, version: number, values: Record<string, unknown>): Promise<Written> {
    return written(await api.patch<{ data: RecordJson }>(this.#one(id), { ...values, version }))
  }

  async remove(id: string, version: number): Promise<{ changeSet: string | undefined }> {
    const answer = await api.delete(this.#one(id, `?version=${version}`))
    return { changeSet: answer.headers.get('x-change-set') ?? undefined }
  }

  async restore(id: string): Promise<Written> {
    return written(await api.post<{ data: RecordJson }>(this.#one(id, '/restore')))
  }

  /** The record's changes, newest first; `page.next` is the `after` of the older ones. */
  async history(id: string, query: { readonly after?: string | undefined; readonly limit?: number } = {}) {
    return await api.get<HistoryPage>(this.#one(id, `/history${parameters(query)}`))
  }

  async timeline(id: string, after?: string): Promise<Page<TimelineEntry>> {
    return await api.get<Page<TimelineEntry>>(
      this.#one(id, `/timeline${after ? `?after=${encodeURIComponent(after)}` : ''}`),
    )
  }

  async aggregate(query: AggregateQuery): Promise<{ data: readonly AggregateRow[]; included: Included }> {
    return await api.post<{ data: readonly AggregateRow[]; included: Included }>(`${this.#path}/aggregate`, query)
  }

  async board(query: BoardQuery): Promise<BoardAnswer> {
    return await api.post<BoardAnswer>(`${this.#path}/board`, query)
  }

  async bulk(request: BulkRequest): Promise<{ data: readonly BulkResult[]; changeSet: string | undefined }> {
    const answer = await api.post<{ data: readonly BulkResult[] }>(`${this.#path}/bulk`, request)
    return { data: answer.data, changeSet: answer.headers.get('x-change-set') ?? undefined }
  }
}

function written(answer: Answer<{ data: RecordJson }>): Written {
  return { data: answer.data, changeSet: answer.headers.get('x-change-set') ?? undefined }
}

/** The records of a resource, e.g. `records('sales.opportunity').list({ q: 'valmy' })`. */
export function records(resourceId: string): RecordsClient {
  return new RecordsClient(resourceId)
}

/** Takes back one change set; what others changed since stays and is named. */
export async function undo(changeSet: string): Promise<Undone> {
  const path = `/api/core/change-sets/${encodeURIComponent(changeSet)}/undo`
  return (await api.post<{ data: Undone }>(path)).data
}

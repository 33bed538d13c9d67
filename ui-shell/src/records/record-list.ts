import { ProblemError, records } from '@socle/sdk/ui'
import type { AggregateRow, Included, ListQuery, RecordJson } from '@socle/sdk/ui'
import { mergeIncluded } from './resources.ts'
import { withTones } from './stages.ts'

type Status = 'idle' | 'loading' | 'ready' | 'failed'

const pageSize = 50
const longestPage = 200

/**
 * The rows of one list: pages by key, replaces rows in place, and keeps the last good rows when a reload fails.
 *
 * Rows created elsewhere are counted, not inserted: nothing moves under the cursor until the reader asks.
 */
export class RecordList {
  rows: readonly RecordJson[] = []
  included: Included = {}
  next: string | null = null
  count: number | null = null
  exact = false
  status: Status = 'idle'
  problem: ProblemError | undefined
  /** When the rows on screen were read. */
  loadedAt: Date | undefined
  /** Ids created elsewhere since. */
  readonly arrived = new Set<string>()
  /** Ids deleted elsewhere since; their rows stay until the next reload. */
  readonly gone = new Set<string>()

  /** Told after every change; whoever shows the list sets it. */
  changed: () => void
  #resource = ''
  #query: ListQuery = {}
  #turn: AbortController | undefined
  #fetchingMore = false
  /** Made by this tab: not news. */
  readonly #own = new Set<string>()

  constructor(changed: () => void) {
    this.changed = changed
  }

  get query(): ListQuery {
    return this.#query
  }

  get resource(): string {
    return this.#resource
  }

  get loading(): boolean {
    return this.status === 'loading'
  }

  get total(): number {
    return Math.max(this.count ?? 0, this.rows.length)
  }

  /** Shows other rows. Those of the same resource stay on screen, dimmed, until the new ones are there. */
  async open(resource: string, query: ListQuery): Promise<void> {
    if (resource !== this.#resource) {
      this.rows = []
      this.included = {}
      this.count = null
      this.next = null
    }
    this.#resource = resource
    this.#query = query
    await this.#read(0)
  }

  /** Reads the rows again: as many as are on screen, as far as one answer holds; those behind stay as they are. */
  async reload(): Promise<void> {
    await this.#read(this.rows.length)
  }

  async #read(shown: number): Promise<void> {
    this.#turn?.abort()
    const turn = new AbortController()
    this.#turn = turn
    this.status = 'loading'
    this.changed()
    try {
      const limit = Math.max(pageSize, Math.min(shown, longestPage))
      const page = await records(this.#resource).list({ ...this.#query, limit }, { signal: turn.signal })
      if (turn.signal.aborted) return
      const fresh = new Set(page.data.map((it) => it.id))
      const behind = page.page.next && shown > limit ? this.rows.slice(limit).filter((it) => !fresh.has(it.id)) : []
      this.rows = [...page.data, ...behind]
      this.included = behind.length ? mergeIncluded(this.included, withTones(page.included)) : withTones(page.included)
      if (behind.length === 0) this.next = page.page.next
      this.count = page.page.count
      this.exact = page.page.exact
      this.status = 'ready'
      this.problem = undefined
      this.loadedAt = new Date()
      this.arrived.clear()
      this.gone.clear()
    } catch (error) {
      if (turn.signal.aborted) return
      if (!(error instanceof ProblemError)) throw error
      this.problem = error
      this.status = 'failed'
    }
    this.changed()
  }

  async more(): Promise<void> {
    if (!this.next || this.#fetchingMore || this.loading) return
    const turn = this.#turn
    this.#fetchingMore = true
    try {
      const page = await records(this.#resource).list({
        ...this.#query,
        limit: pageSize,
        after: this.next,
        count: 'none',
      })
      if (turn !== this.#turn) return
      const known = new Set(this.rows.map((it) => it.id))
      this.rows = [...this.rows, ...page.data.filter((it) => !known.has(it.id))]
      this.included = mergeIncluded(this.included, withTones(page.included))
      this.next = page.page.next
      this.problem = undefined
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error
    } finally {
      this.#fetchingMore = false
      this.changed()
    }
  }

  byId(id: string): RecordJson | undefined {
    return this.rows.find((it) => it.id === id)
  }

  indexOf(id: string | undefined): number {
    return id ? this.rows.findIndex((it) => it.id === id) : -1
  }

  /** Puts a newer state of a row in its place. */
  replace(record: RecordJson, included?: Included): void {
    this.rows = this.rows.map((it) => (it.id === record.id ? record : it))
    if (included) this.included = mergeIncluded(this.included, withTones(included))
    this.changed()
  }

  /** A record this tab made: it stands first until the next reload sorts it in. */
  prepend(record: RecordJson): void {
    this.#own.add(record.id)
    this.arrived.delete(record.id)
    if (this.byId(record.id)) this.replace(record)
    else this.rows = [record, ...this.rows]
    if (this.count !== null) this.count++
    this.changed()
  }

  drop(ids: Iterable<string>): void {
    const dropped = new Set(ids)
    const before = this.rows.length
    this.rows = this.rows.filter((it) => !dropped.has(it.id))
    if (this.count !== null) this.count -= before - this.rows.length
    this.changed()
  }

  /** Takes a word of the live stream. Answers whether it concerned this list. */
  async hear(event: { resource: string; id: string; action: string; version: number }): Promise<boolean> {
    if (event.resource !== this.#resource || this.status === 'idle') return false
    const row = this.byId(event.id)
    if (event.action === 'delete') {
      if (!row || this.gone.has(event.id)) return false
      this.gone.add(event.id)
      this.changed()
      return true
    }
    if (row) {
      if (event.version > row.version) await this.refresh(event.id)
      return true
    }
    if (event.action !== 'create' || this.#own.has(event.id)) return false
    this.arrived.add(event.id)
    this.changed()
    return true
  }

  /** Reads one row again; one that cannot be read any more is marked as gone. */
  async refresh(id: string): Promise<void> {
    const include = this.#query.include
    try {
      const one = await records(this.#resource).get(id, include ? { include } : {})
      const row = this.byId(id)
      if (row && one.data.version >= row.version) this.replace(one.data, one.included)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (error.status !== 404 && error.status !== 403) return
      this.gone.add(id)
      this.changed()
    }
  }

  close(): void {
    this.#turn?.abort()
  }
}

/** Adds up a measure by currency: `[['EUR', '4218300.0000'], ['USD', '12.0000']]`, largest first. */
export function sumsByCurrency(
  rows: readonly AggregateRow[],
  measure: string,
  currencyField: string | undefined,
  base: string,
): [string, string][] {
  const sums = new Map<string, number>()
  for (const row of rows) {
    const own = currencyField ? row.key[currencyField] : undefined
    const currency = typeof own === 'string' && own ? own : base
    const value = Number(row[measure] ?? 0)
    if (!Number.isFinite(value)) continue
    sums.set(currency, (sums.get(currency) ?? 0) + value)
  }
  return [...sums]
    .filter(([, value]) => value !== 0)
    .sort(([, a], [, b]) => b - a)
    .map(([currency, value]) => [currency, value.toFixed(4)])
}

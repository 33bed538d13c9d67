import { api, ProblemError, resource, t, toast } from '@socle/sdk/ui'
import type { FieldChange, ListQuery, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { define } from '../define.ts'
import { followJob, isUnderWay } from '../follow-job.ts'
import type { BulkOperation } from './bulk.ts'
import { rememberDone, takeBack, tellDone, tellOthers } from './own-changes.ts'
import type { OwnChange } from './own-changes.ts'

/** One thing done to many records by the server, as it tells of it. */
export interface Bulk {
  readonly id: string
  readonly action: 'update' | 'delete' | 'restore' | 'undo'
  readonly state: 'previewed' | 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'
  readonly job: string | null
  readonly changeSet: string | null
  readonly total: number
  readonly done: number
  readonly skipped: number
  readonly failed: number
}

export interface BulkSample {
  readonly record: string
  readonly title: string
  readonly changes: readonly FieldChange[]
  readonly problem: { readonly detail: string } | null
}

export interface BulkRowResult {
  readonly record: string
  readonly problem: { readonly code: string; readonly detail: string } | null
}

/** A background change of this tab, from its start until it was read. */
export interface Run {
  readonly meta: ResourceMeta
  readonly bulk: Bulk
  /** Records that were done before it was begun, or tried again. */
  readonly doneBefore: number
  /** What its runs did so far, by which it is taken back. */
  readonly changes: readonly OwnChange[]
  readonly problem: string | undefined
}

const askEvery = 700
const bulks = '/api/core/bulks'

/** Where a tab keeps what it follows, so that a page that is loaded again goes on; `shell-app.ts` looks there. */
const keptAs = 'runs'

/** A run as a tab keeps it. */
interface KeptRun extends Pick<Run, 'doneBefore' | 'changes'> {
  readonly resource: string
  readonly id: string
}

let runs: readonly Run[] = []
/** The run whose dialog is open. */
let open: string | undefined
const listeners = new Set<() => void>()

export function currentRuns(): readonly Run[] {
  return runs
}

export function openRun(): Run | undefined {
  return runs.find((it) => it.bulk.id === open)
}

/** Calls back when something about the runs changed; answers the function that stops it. */
export function onRuns(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Keeps which rows are meant and answers what would become of the first of them. */
export async function previewBulk(
  meta: ResourceMeta,
  which: { readonly query: ListQuery } | { readonly rows: readonly RecordJson[] },
  operation: BulkOperation,
): Promise<{ bulk: Bulk; sample: readonly BulkSample[] }> {
  const rows =
    'query' in which
      ? { filter: which.query.filter ?? '', ...(which.query.q ? { q: which.query.q } : {}) }
      : { ids: which.rows.map(({ id }) => id) }
  const what = operation.kind === 'delete' ? { delete: true } : { set: operation.values }
  const { data } = await api.post<{ data: Bulk & { sample: readonly BulkSample[] } }>(`${meta.api}/bulk`, {
    ...rows,
    ...what,
    preview: true,
  })
  return { bulk: data, sample: data.sample }
}

/** Starts what was previewed, shows how far it is, and follows it wherever the reader goes. */
export async function startRun(meta: ResourceMeta, id: string): Promise<void> {
  const { data } = await api.post<{ data: Bulk }>(`${bulks}/${id}/run`)
  await follow(begun(meta, data))
  showRun(id)
}

/** Follows what the server has begun for another screen. */
export async function followStarted(meta: ResourceMeta, bulk: Bulk): Promise<void> {
  await follow(begun(meta, bulk))
}

/** The undoing of a change too large for one request: the server has begun it already. */
export async function followUndo(meta: ResourceMeta, id: string): Promise<void> {
  const { data } = await api.get<{ data: Bulk }>(`${bulks}/${id}`)
  await follow(begun(meta, data))
  toast({ text: t('shell.records.bulk.undoStarted') })
}

/** Brings many back from the bin; what came of it is told when it has ended. */
export async function startRestore(meta: ResourceMeta, ids: readonly string[]): Promise<void> {
  const { data } = await api.post<{ data: Bulk }>(`${meta.api}/bulk`, { ids, restore: true })
  await follow(begun(meta, data))
}

/** Goes on with what this tab followed before its page was loaded again; what it was not told of the end, it is now. */
export async function resumeRuns(): Promise<void> {
  const kept = JSON.parse(sessionStorage.getItem(keptAs) ?? '[]') as readonly KeptRun[]
  for (const { resource: of, id, ...known } of kept) {
    const meta = resource(of)
    // Somebody else may sit here by now, who asks for none of it.
    const answer = await api.get<{ data: Bulk }>(`${bulks}/${id}`).catch(() => undefined)
    if (!meta || !answer) continue
    const run = { meta, bulk: answer.data, ...known, problem: undefined }
    if (isUnderWay(run.bulk)) await follow(run)
    else {
      await showHost()
      end(run)
    }
  }
  tell()
}

export async function retryRun(run: Run): Promise<void> {
  const { data } = await api.post<{ data: Bulk }>(`${bulks}/${run.bulk.id}/retry`)
  await follow({ ...run, bulk: data, doneBefore: data.done, problem: undefined })
}

export async function cancelRun({ bulk }: Run): Promise<void> {
  if (bulk.job) await api.post(`/api/core/jobs/${bulk.job}/cancel`)
}

/** Takes back all a run did. */
export async function undoRun(run: Run): Promise<void> {
  hideRun()
  await takeBack(run.changes)
}

export async function failedRows({ bulk }: Run): Promise<readonly BulkRowResult[]> {
  return (await api.get<{ data: readonly BulkRowResult[] }>(`${bulks}/${bulk.id}/rows?state=failed&limit=100`)).data
}

export function rowsFile({ bulk }: Run): string {
  return `${bulks}/${bulk.id}/rows.csv`
}

export function showRun(id: string): void {
  open = id
  tell()
}

/** Closes the dialog; what is still under way stays on the chip, what has ended is forgotten. */
export function hideRun(): void {
  open = undefined
  runs = runs.filter((it) => isUnderWay(it.bulk))
  tell()
}

function begun(meta: ResourceMeta, bulk: Bulk): Run {
  return { meta, bulk, doneBefore: 0, changes: [], problem: undefined }
}

function tell(): void {
  const kept = runs.map(({ meta, bulk, doneBefore, changes }): KeptRun => ({
    resource: meta.id,
    id: bulk.id,
    doneBefore,
    changes,
  }))
  if (kept.length > 0) sessionStorage.setItem(keptAs, JSON.stringify(kept))
  else sessionStorage.removeItem(keptAs)
  for (const listener of [...listeners]) listener()
}

function keep(run: Run): void {
  const isKnown = runs.some((it) => it.bulk.id === run.bulk.id)
  runs = isKnown ? runs.map((it) => (it.bulk.id === run.bulk.id ? run : it)) : [...runs, run]
  tell()
}

async function follow(run: Run): Promise<void> {
  await showHost()
  keep(run)
  void ask(run)
}

async function ask(run: Run): Promise<void> {
  const { id } = run.bulk
  let latest = run
  const read = async (): Promise<Bulk> => {
    try {
      const { data } = await api.get<{ data: Bulk }>(`${bulks}/${id}`)
      latest = { ...run, bulk: data, problem: undefined }
    } catch (error) {
      if (error instanceof ProblemError) keep({ ...latest, problem: error.detail })
      throw error
    }
    if (isUnderWay(latest.bulk)) keep(latest)
    return latest.bulk
  }
  try {
    await followJob(read, { every: askEvery })
    end(latest)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    // The server goes on without being looked at.
    runs = runs.filter((it) => it.bulk.id !== id)
    tell()
    toast({ text: error.detail, tone: 'danger' })
  }
}

function end(run: Run): void {
  const { meta, bulk, doneBefore } = run
  const isNew = bulk.changeSet !== null && bulk.done > doneBefore
  const change: OwnChange = { changeSet: bulk.changeSet ?? '', resource: meta.id, ids: [] }
  const ended: Run = { ...run, doneBefore: bulk.done, changes: isNew ? [...run.changes, change] : run.changes }
  const isOpen = open === bulk.id
  keep(ended)
  if (isNew) tellOthers(change)
  if (isOpen) {
    rememberDone(isNew ? [change] : [])
    return
  }
  if (bulk.failed > 0 || bulk.state !== 'done') {
    rememberDone(isNew ? [change] : [])
    const show = { label: t('shell.records.bulk.show'), run: () => showRun(bulk.id) }
    toast({ text: summaryOf(bulk), tone: 'warning', action: show })
    return
  }
  runs = runs.filter((it) => it !== ended)
  tell()
  tellDone(t(wordsOf[bulk.action], { count: bulk.done }), {
    ...change,
    changeSet: isNew ? change.changeSet : undefined,
  })
}

const wordsOf: Readonly<Record<Bulk['action'], string>> = {
  update: 'shell.records.bulk.changed',
  delete: 'shell.records.bulk.deleted',
  restore: 'shell.records.bin.restored',
  undo: 'shell.records.bulk.undone',
}

export function leftAlone({ total, done, failed }: Bulk): number {
  return total - done - failed
}

function summaryOf(bulk: Bulk): string {
  return t('shell.records.bulk.summary', { done: bulk.done, failed: bulk.failed, skipped: leftAlone(bulk) })
}

/** One for the page, outside the list: a change goes on when its list was left. */
async function showHost(): Promise<void> {
  if (document.querySelector('shell-bulk-runs')) return
  const { ShellBulkRuns } = await import('./shell-bulk-runs.ts')
  define('shell-bulk-runs', ShellBulkRuns)
  document.body.append(document.createElement('shell-bulk-runs'))
}

import type { RawBuilder } from 'kysely'
import type { Jobs } from '../jobs/index.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { Words } from '../words.ts'
import { aggregateRecords } from './aggregate.ts'
import { readBoard, type BoardAnswer, type BoardQuery } from './board.ts'
import { bulkChange, type BulkAnswer, type BulkRequest } from './bulk.ts'
import {
  bulkOf,
  bulkRows,
  bulksOf,
  doBulkChunk,
  isSmall,
  orderBulk,
  orderUndo,
  rehearseBulk,
  retryBulk,
  startBulk,
  type Bulk,
  type BulkOrder,
  type BulkResult,
  type BulkSample,
} from './bulk-work.ts'
import type { ResourceDefinition } from './define-resource.ts'
import { duplicatesOfRecord, duplicatesOfValues } from './duplicates/ask.ts'
import type { FoundDuplicate } from './duplicates/find.ts'
import { decidePair, listPairs, type PairPage, type PairQuery } from './duplicates/pairs.ts'
import { demandKeys, leftToScan, scanStep, type ScanStep } from './duplicates/scan.ts'
import { changeEntity } from './entity-write.ts'
import {
  auditTrail,
  historyBeside,
  historyPage,
  type AuditEntry,
  type AuditQuery,
  type HistoryPage,
  type HistoryPageQuery,
  type HistoryQuery,
} from './ledger.ts'
import { verifyLedger, type LedgerVerification } from './ledger-chain.ts'
import {
  mergeRecords,
  mergesInto,
  previewMerge,
  type MergeAnswer,
  type MergeEntry,
  type MergePreview,
  type MergeRequest,
} from './merge/merge.ts'
import { visibleSurvivor } from './merge/merged.ts'
import { changeSetOfMerge, isMerge, unmergeRecords, type UnmergeAnswer } from './merge/unmerge.ts'
import { scopeAsOf } from './past.ts'
import { asTold, getJson, getRecord, listJson, listRecords, nameOf, shownFields } from './read.ts'
import type {
  AggregateAnswer,
  AggregateQuery,
  ListQuery,
  Page,
  RecordJson,
  Records,
  ResourceRef,
  WriteOptions,
} from './records.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { searchRecords, type SearchHit } from './search.ts'
import { demandUndo, undoChangeSet, type UndoAnswer } from './undo.ts'
import { unmaskField } from './unmasking.ts'
import { demandSoundView } from './views/check-view.ts'
import { listView, type UsedView } from './views/list-view.ts'
import { whyListed, type WhyListed } from './why.ts'
import { createEach, createRecord, createRecords, deleteRecord, restoreRecord, updateRecord } from './write.ts'

/** The engine in one unit of work: what plugins see of it, and what only the platform's own routes call. */
export class RecordEngine implements Records {
  readonly #scope: EngineScope
  #forScreens: RecordEngine | undefined

  constructor(scope: EngineScope) {
    this.#scope = scope
  }

  /** The same engine for what is answered to who asked; see `EngineScope.forScreens`. */
  get forScreens(): RecordEngine {
    return (this.#forScreens ??= new RecordEngine({ ...this.#scope, forScreens: true }))
  }

  /** A resource of a plugin that is off here does not exist, whoever asks. */
  #resource(ref: ResourceRef): Resource {
    const resource = this.#scope.catalog.of(ref)
    if (!this.#scope.exists(resource)) throw permissionDenied({ permission: `${resource.id}.read` })
    return resource
  }

  async list(ref: ResourceRef, query: ListQuery = {}): Promise<Page> {
    return listRecords(await scopeAsOf(this.#scope, query.asOf), this.#resource(ref), query)
  }

  /** `list` as the text of its answer, as the API sends it. */
  async listJson(ref: ResourceRef, query: ListQuery): Promise<string> {
    return listJson(await scopeAsOf(this.#scope, query.asOf), this.#resource(ref), query)
  }

  async getJson(
    ref: ResourceRef,
    id: string,
    options: { include?: readonly string[]; fields?: readonly string[]; asOf?: string },
  ) {
    return getJson(await scopeAsOf(this.#scope, options.asOf), this.#resource(ref), id, options)
  }

  /** One page of a list as a saved view has it; what the query says too goes before. */
  async listView(ref: ResourceRef, view: string, query: ListQuery = {}): Promise<Page & { view: UsedView }> {
    return listView(await scopeAsOf(this.#scope, query.asOf), this.#resource(ref), view, query)
  }

  /** Why a list shows a record, or does not. */
  async why(
    ref: ResourceRef,
    id: string,
    { asOf, ...asked }: { filter?: string; q?: string; view?: string; asOf?: string },
  ): Promise<WhyListed> {
    return whyListed(await scopeAsOf(this.#scope, asOf), this.#resource(ref), id, asked)
  }

  /** Refuses a saved view that would not work for who saves it. */
  demandSoundView(view: RecordJson, changed: ReadonlySet<string>): void {
    demandSoundView(this.#scope, view, changed)
  }

  async get(
    ref: ResourceRef,
    id: string,
    options?: { include?: readonly string[]; fields?: readonly string[]; asOf?: string },
  ) {
    return getRecord(await scopeAsOf(this.#scope, options?.asOf), this.#resource(ref), id, options)
  }

  /** The value of a masked field; kept with its reason. */
  async unmask(ref: ResourceRef, id: string, asked: { field: string; reason: string }): Promise<unknown> {
    return unmaskField(this.#scope, this.#resource(ref), id, asked)
  }

  async aggregate(ref: ResourceRef, query: AggregateQuery): Promise<AggregateAnswer> {
    return aggregateRecords(await scopeAsOf(this.#scope, query.asOf), this.#resource(ref), query)
  }

  /** The columns of a board with their figures and first cards. */
  async board(ref: ResourceRef, query: BoardQuery): Promise<BoardAnswer> {
    return readBoard(await scopeAsOf(this.#scope, query.asOf), this.#resource(ref), query)
  }

  async create(
    ref: ResourceRef,
    values: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<RecordJson> {
    return createRecord(this.#scope, this.#resource(ref), values, options)
  }

  /** Makes several records, of which each stands alone. */
  async createEach(
    ref: ResourceRef,
    values: readonly Readonly<Record<string, unknown>>[],
    options?: WriteOptions,
  ): ReturnType<typeof createEach> {
    return createEach(this.#scope, this.#resource(ref), values, options)
  }

  async createMany(
    ref: ResourceRef,
    values: readonly Readonly<Record<string, unknown>>[],
    options?: WriteOptions,
  ): Promise<RecordJson[]> {
    return createRecords(this.#scope, this.#resource(ref), values, options)
  }

  async update(
    ref: ResourceRef,
    target: { id: string; version: number },
    values: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<RecordJson> {
    return updateRecord(this.#scope, this.#resource(ref), target, values, options)
  }

  async write<T, R>(
    ref: ResourceDefinition<T>,
    target: { id: string; version: number },
    change: (record: T) => R,
    options?: WriteOptions,
  ): Promise<{ record: RecordJson; result: R }> {
    return changeEntity(this.#scope, this.#resource(ref as ResourceDefinition), target, change, options)
  }

  async remove(ref: ResourceRef, target: { id: string; version: number }, options?: WriteOptions): Promise<void> {
    await deleteRecord(this.#scope, this.#resource(ref), target, options)
  }

  async restore(ref: ResourceRef, id: string): Promise<RecordJson> {
    return restoreRecord(this.#scope, this.#resource(ref), id)
  }

  nameOf(ref: ResourceRef, record: Readonly<Record<string, unknown>>, found?: 'beside'): string {
    return nameOf(this.#scope, this.#resource(ref), record, found)
  }

  told(
    ref: ResourceRef,
    record: Readonly<Record<string, unknown>>,
    found?: 'beside',
  ): Readonly<Record<string, unknown>> {
    return asTold(this.#scope, this.#resource(ref), record, found)
  }

  async bulk(ref: ResourceRef, request: BulkRequest): Promise<BulkAnswer> {
    return bulkChange(this.#scope, this.#resource(ref), request)
  }

  /** Existing records that values being typed may repeat. */
  async duplicatesOfValues(
    ref: ResourceRef,
    values: Readonly<Record<string, unknown>>,
  ): Promise<readonly FoundDuplicate[]> {
    return duplicatesOfValues(this.#scope, this.#resource(ref), values)
  }

  async duplicatesOf(ref: ResourceRef, id: string): Promise<readonly FoundDuplicate[]> {
    return duplicatesOfRecord(this.#scope, this.#resource(ref), id)
  }

  async duplicatePairs(ref: ResourceRef, query: PairQuery): Promise<PairPage> {
    return listPairs(this.#scope, this.#resource(ref), query)
  }

  /** Remembers whether two records may be the same. */
  async decideDuplicates(ref: ResourceRef, decision: { one: string; two: string; same: boolean }): Promise<void> {
    await decidePair(this.#scope, this.#resource(ref), decision)
  }

  /** @throws `DUPLICATES_UNDECLARED` (422) when nothing says what makes two of them suspect */
  async demandDuplicates(ref: ResourceRef): Promise<void> {
    demandKeys(this.#scope, this.#resource(ref))
  }

  async leftToScan(ref: ResourceRef): Promise<number> {
    return leftToScan(this.#scope, this.#resource(ref))
  }

  /** One step of the search for duplicates over all records, whoever may see them. */
  async scanStep(ref: ResourceRef): Promise<ScanStep> {
    return scanStep(this.#scope, this.#resource(ref))
  }

  /** The record an old id stands for, as far as the actor may see it. */
  async survivorOf(ref: ResourceRef, id: string): Promise<string | undefined> {
    return (await visibleSurvivor(this.#scope, this.#resource(ref), id))?.id
  }

  async merge(ref: ResourceRef, request: MergeRequest): Promise<MergeAnswer> {
    return mergeRecords(this.#scope, this.#resource(ref), request)
  }

  async previewMerge(ref: ResourceRef, request: MergeRequest): Promise<MergePreview> {
    return previewMerge(this.#scope, this.#resource(ref), request)
  }

  async mergesInto(ref: ResourceRef, id: string): Promise<MergeEntry[]> {
    const resource = this.#resource(ref)
    await getRecord(this.#scope, resource, id, { fields: [] })
    return mergesInto(this.#scope, resource, id)
  }

  async changeSetOfMerge(id: string): Promise<string> {
    return changeSetOfMerge(this.#scope, id)
  }

  async unmerge(id: string): Promise<UnmergeAnswer> {
    return unmergeRecords(this.#scope, id)
  }

  async history(ref: ResourceRef, id: string, query?: HistoryPageQuery): Promise<HistoryPage> {
    return historyPage(this.#scope, this.#resource(ref), id, query)
  }

  /** `history`, with the rows of another statement about the record; see `historyBeside`. */
  async historyBeside<R>(ref: ResourceRef, id: string, query: HistoryQuery, other: RawBuilder<unknown> | undefined) {
    return historyBeside<R>(this.#scope, this.#resource(ref), id, query, other)
  }

  /** `only` names the kinds of records looked for; all of them when absent. */
  async search(text: string, limit: number, only?: readonly string[]): Promise<SearchHit[]> {
    return searchRecords(this.#scope, text, limit, only)
  }

  async audit(query: AuditQuery): Promise<{ data: AuditEntry[]; next: string | null }> {
    return auditTrail(this.#scope, query)
  }

  async verify(): Promise<LedgerVerification> {
    return verifyLedger(this.#scope)
  }

  /** Fields of a resource's records that the actor is shown. */
  shownNames(ref: ResourceRef): readonly string[] {
    return shownFields(this.#scope, this.#resource(ref)).map(({ name }) => name)
  }

  /** Runs a part of this unit that can fail alone: what it wrote and told is undone, the rest stands. */
  async part<T>(work: () => Promise<T>): Promise<T> {
    return this.#scope.savepoint(work)
  }

  /** For the engine's own rooms, which write in ways no caller of `Records` may. */
  get scope(): EngineScope {
    return this.#scope
  }

  /** Bulk changes too large for one request; see `bulk-work.ts`. */
  async orderBulk(ref: ResourceRef, order: BulkOrder): Promise<Bulk> {
    return orderBulk(this.#scope, this.#resource(ref), order)
  }

  async orderUndo(changeSet: string, words: Words): Promise<Bulk> {
    return orderUndo(this.#scope, changeSet, words)
  }

  async rehearseBulk(id: string, words: Words): Promise<BulkSample[]> {
    return rehearseBulk(this.#scope, id, words)
  }

  async startBulk(id: string, jobs: Jobs): Promise<Bulk> {
    return startBulk(this.#scope, jobs, id)
  }

  async retryBulk(id: string, jobs: Jobs): Promise<Bulk> {
    return retryBulk(this.#scope, jobs, id)
  }

  async isSmallBulk(ref: ResourceRef, order: BulkOrder): Promise<boolean> {
    return isSmall(this.#scope, this.#resource(ref), order)
  }

  async bulkStatus(id: string): Promise<Bulk> {
    return bulkOf(this.#scope, id)
  }

  /** What the actor set going, newest first. */
  async bulks(query: Parameters<typeof bulksOf>[1]): ReturnType<typeof bulksOf> {
    return bulksOf(this.#scope, query)
  }

  async bulkRows(id: string, query: Parameters<typeof bulkRows>[2]): Promise<BulkResult[]> {
    return bulkRows(this.#scope, id, query)
  }

  async doBulkChunk(id: string, words: Words): ReturnType<typeof doBulkChunk> {
    return doBulkChunk(this.#scope, id, words)
  }

  /** How many changes the set holds; refused to whom may not take it back. */
  async demandUndo(changeSet: string): Promise<number> {
    return demandUndo(this.#scope, changeSet)
  }

  async isMerge(changeSet: string): Promise<boolean> {
    return isMerge(this.#scope, changeSet)
  }

  async undo(changeSet: string, words: Words): Promise<UndoAnswer> {
    return undoChangeSet(this.#scope, changeSet, words)
  }
}

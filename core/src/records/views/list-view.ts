import { recordNotFound } from '../errors.ts'
import { findRow, listRecords } from '../read.ts'
import type { ListQuery, Page, RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { faultsOfView, type ViewFault } from './check-view.ts'
import { readsViews } from './choices.ts'
import { awakeView, type SleepingPart } from './sleeping.ts'

/** What a page says of the view it was asked by. */
export interface UsedView {
  readonly id: string
  readonly name: unknown
  readonly kind: unknown
  /** Parts that no longer work. Nothing is listed under a filter that does not: without it, it would be other rows. */
  readonly faults: readonly ViewFault[]
  /** Parts that rest until a module is back on; the rows are those of the others. */
  readonly sleeping: readonly SleepingPart[]
}

/**
 * The query of a saved view; what the caller says too goes before what the view says.
 *
 * @throws `RECORD_NOT_FOUND` (404) alike for a view that is gone, of other records, or somebody else's
 */
export async function queryOfView(
  scope: EngineScope,
  resource: Resource,
  id: string,
  asked: ListQuery,
): Promise<{ query: ListQuery; used: UsedView }> {
  const views = scope.catalog.of('core.view')
  const saved = readsViews(scope.access(views, 'read')) ? await findRow(scope, views, id) : undefined
  if (!saved || saved['deletedAt'] !== null || saved['resource'] !== resource.id)
    throw recordNotFound({ resource: 'view', id })
  const { view, sleeping } = awakeView(scope, resource, saved)
  const faults = faultsOfView(scope, resource, view)
  const isBroken = (part: ViewFault['part']) => faults.some((fault) => fault.part === part)
  const said = (name: 'q' | 'sort') =>
    typeof view[name] === 'string' && view[name] !== '' && !(name === 'sort' && isBroken('sort'))
      ? { [name]: view[name] }
      : {}
  const filter = typeof view['filter'] === 'string' && view['filter'] !== '' ? { filter: view['filter'] } : {}
  return {
    query: { ...(isBroken('filter') ? {} : filter), ...said('q'), ...said('sort'), ...asked },
    used: { id: view.id, name: view['name'], kind: view['kind'], faults, sleeping },
  }
}

/** One page of a list as a saved view has it. */
export async function listView(
  scope: EngineScope,
  resource: Resource,
  id: string,
  asked: ListQuery,
): Promise<Page & { view: UsedView }> {
  const { query, used } = await queryOfView(scope, resource, id, asked)
  const isBroken = asked.filter === undefined && used.faults.some(({ part }) => part === 'filter')
  const page: Page = isBroken
    ? { data: [] as RecordJson[], page: { next: null, count: 0, exact: true }, included: {} }
    : await listRecords(scope, resource, query)
  return { ...page, view: used }
}

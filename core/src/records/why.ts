import { sql } from 'kysely'
import { recordNotFound } from './errors.ts'
import { explainExpression, type Explanation } from './expression/index.ts'
import { wide } from './field-value.ts'
import { checkFilter, filterOptions } from './filter.ts'
import { pastWords } from './past.ts'
import { demandAction, oneRow } from './read.ts'
import type { ListQuery } from './records.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { searchCondition } from './search.ts'
import { queryOfView, type UsedView } from './views/list-view.ts'

const alias = wide('t')

/** Why a list shows a record, or does not. */
export interface WhyListed {
  readonly record: string
  readonly listed: boolean
  /** It lies in the bin, where no list looks. */
  readonly deleted: boolean
  /** What became of each condition of the filter; null where there is none. */
  readonly because: Explanation | null
  /** Whether the words that are searched for find it; null where there are none. */
  readonly found: boolean | null
  /** The view asked by; under one whose filter is broken nothing is listed. */
  readonly view?: UsedView
}

type Asked = Pick<ListQuery, 'filter' | 'q'>

/**
 * Asks a list about one record, by the very conditions it lists by.
 *
 * @throws what a list throws of its filter, and `RECORD_NOT_FOUND` (404) for a record the actor does not see
 */
export async function whyListed(
  scope: EngineScope,
  resource: Resource,
  id: string,
  { view, ...asked }: Asked & { readonly view?: string },
): Promise<WhyListed> {
  demandAction(scope, resource, 'read')
  const by = view === undefined ? { query: asked } : await queryOfView(scope, resource, view, asked)
  const { filter, q } = by.query
  const words = q?.trim()
  const explained = filter
    ? explainExpression(checkFilter(scope, resource, filter), filterOptions(scope, alias))
    : undefined
  const finds = words
    ? scope.asOf === undefined
      ? searchCondition(scope, resource, words, alias)
      : pastWords(scope, resource, words, alias)
    : sql`null`
  const columns = sql`${sql.ref(`${alias}.deleted_at`)} is not null as deleted, ${explained?.columns ?? sql`null`} as met, ${finds} as found`
  const row = await oneRow<{ deleted: boolean; met: [boolean, unknown][] | null; found: boolean | null }>(
    scope,
    resource,
    id,
    columns,
  )
  if (!row) throw recordNotFound({ resource: resource.entity, id })
  const because = explained && row.met ? explained.told(row.met) : null
  const used = 'used' in by ? by.used : undefined
  const isBroken = asked.filter === undefined && used?.faults.some(({ part }) => part === 'filter')
  return {
    record: id,
    listed: !isBroken && !row.deleted && because?.result !== false && row.found !== false,
    deleted: row.deleted,
    because,
    found: row.found,
    ...(used ? { view: used } : {}),
  }
}

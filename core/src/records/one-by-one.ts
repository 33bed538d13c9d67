import { sql, type RawBuilder } from 'kysely'

/**
 * Rows found by their ids or other keys, to stand in a FROM: one look-up after the other, by the index that answers it,
 * whatever the planner thinks of their number. `t.id = any(…)` leaves it the choice, and a plan made while a table was
 * nearly empty takes any index that begins with the workspace: each chunk of an import would then read all there is.
 *
 * @param keys - without repetitions, for each brings its rows; in the order in which rows are to be locked
 * @param rows - a SELECT that compares with `given.key`
 * @param locking - such as `for key share of t`
 *
 * @example
 * sql`select t.id from ${oneByOne(ids, 'uuid', sql`select t.id from core.contact t where t.workspace = ${workspace} and t.id = given.key`)}`
 */
export function oneByOne(
  keys: readonly (string | number)[],
  type: 'uuid' | 'integer' | 'text',
  rows: RawBuilder<unknown>,
  { as = 't', locking = sql`` }: { readonly as?: string; readonly locking?: RawBuilder<unknown> } = {},
): RawBuilder<unknown> {
  // Without the offset the planner would make one join of it again.
  return sql`unnest(${[...keys]}::${sql.raw(type)}[]) as given (key) cross join lateral (${rows} offset 0 ${locking}) as ${sql.ref(as)}`
}

import { sql, type RawBuilder } from 'kysely'
import type { GuardedWrite } from '../define-resource.ts'
import type { Resource } from '../registry.ts'
import { joinName, sideColumns } from './source.ts'
import type { Side } from './side.ts'

/** A record as it will be, and its fields that change. */
interface SideWrite {
  readonly after: Readonly<Record<string, unknown>>
  readonly changed: ReadonlyMap<string, unknown>
}

/**
 * What stands beside the rows of `kept`, written with them: one statement keeps both or neither.
 *
 * @returns `rows`, further parts of the WITH, and `from`, the kept records with what stands beside them now, under `as`
 */
export function keptSides(
  resource: Resource,
  action: GuardedWrite['action'],
  writes: readonly SideWrite[],
  as: string,
): { readonly rows: RawBuilder<unknown>; readonly from: RawBuilder<unknown> } {
  const rows: RawBuilder<unknown>[] = []
  const joins = resource.sides.map((side, index) => {
    const name = `put_${joinName(index)}`
    const bin = action === 'delete' || action === 'restore' ? action === 'delete' : undefined
    const put = putRows(side, writes, bin)
    if (put) rows.push(sql`, ${sql.ref(name)} as (${put})`)
    else if (bin !== undefined) rows.push(sql`, ${sql.ref(name)} as (${binRows(side, bin)})`)
    // A row written by this statement shows in what it returns alone.
    const place = put ? sql.ref(name) : sql.table(`${side.schema}.${side.table}`)
    const joined = sql.ref(joinName(index))
    return sql` left join ${place} as ${joined} on ${joined}.workspace = k.workspace and ${joined}.record = k.id`
  })
  return {
    rows: sql.join(rows, sql``),
    from: sql`(select k.*${sql.raw(sideColumns(resource))} from kept as k${sql.join(joins, sql``)}) as ${sql.ref(as)}`,
  }
}

function binRows(side: Side, bin: boolean): RawBuilder<unknown> {
  return sql`update ${sql.table(`${side.schema}.${side.table}`)} as b set deleted = ${bin}
    from kept where b.workspace = kept.workspace and b.record = kept.id`
}

/** @param bin - set where the record goes to the bin, or comes out of it */
function putRows(side: Side, writes: readonly SideWrite[], bin: boolean | undefined): RawBuilder<unknown> | undefined {
  const touched = writes.filter(({ changed }) => side.fields.some(({ name }) => changed.has(name)))
  if (touched.length === 0) return undefined
  const fields = side.fields.filter(({ name }) => touched.some(({ changed }) => changed.has(name)))
  const columns = [
    ...fields.map(({ side: place, column }) => sql.ref(place?.column ?? column)),
    ...(bin === undefined ? [] : [sql.ref('deleted')]),
  ]
  const given = touched.map(({ after }) => ({
    record: after['id'],
    deleted: bin,
    ...Object.fromEntries(
      fields.map(({ name, side: place, column }) => [place?.column ?? column, after[name] ?? null]),
    ),
  }))
  const table = sql.table(`${side.schema}.${side.table}`)
  return sql`
    insert into ${table} as b (workspace, record, ${sql.join(columns)})
    select kept.workspace, given.record, ${sql.join(columns.map((column) => sql`given.${column}`))}
    from jsonb_populate_recordset(null::${table}, ${JSON.stringify(given)}::jsonb) given join kept on kept.id = given.record
    on conflict (workspace, record) do update set ${sql.join(columns.map((column) => sql`${column} = excluded.${column}`))}
    returning *`
}

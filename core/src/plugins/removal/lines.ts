import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { viewing } from './as-owner.ts'
import type { DataTable } from './tables.ts'

/** Rows of a table that are to be read, all of them without a condition. */
export interface Source {
  readonly table: DataTable
  readonly where?: RawBuilder<SqlBool>
}

const atOnce = 500

/** By which the text of every value is the same in every session. */
export async function plainText(tx: Sql): Promise<void> {
  await sql
    .raw(
      "set local time zone 'UTC'; set local datestyle to 'ISO, YMD'; set local intervalstyle to 'postgres'; set local bytea_output to 'hex'; set local extra_float_digits to 1",
    )
    .execute(tx)
}

/**
 * The rows of a table, each as one line: a JSON array of the texts PostgreSQL writes its values with, which it reads back as
 * the same values, whatever their type. Some hundred at a time, in an order that is always the same.
 *
 * @param workspaces - whose rows, in this order; those of a table that belongs to no workspace come once
 */
export async function* linesOf(
  tx: Sql,
  { table, where }: Source,
  workspaces: readonly string[],
): AsyncGenerator<readonly string[]> {
  if (!table.ofWorkspace) return yield* fetched(tx, table, where ?? sql<SqlBool>`true`)
  for (const workspace of workspaces) {
    await viewing(tx, workspace)
    const here = sql<SqlBool>`workspace = ${sql.lit(workspace)}::uuid`
    yield* fetched(tx, table, where ? sql<SqlBool>`${here} and ${where}` : here)
  }
}

async function* fetched(tx: Sql, table: DataTable, where: RawBuilder<SqlBool>): AsyncGenerator<readonly string[]> {
  const { name, columns, key } = table
  const line = sql`to_json(array[${sql.join(columns.map((it) => sql`${sql.ref(`t.${it.name}`)}::text`))}]::text[])::text`
  const order = key.length > 0 ? sql.join(key.map((it) => sql`${sql.ref(`t.${it}`)}`)) : sql`(${line}) collate "C"`
  const rows = sql`select ${line} as line from ${sql.table(name)} as t where ${where} order by ${order}`
  await sql`declare put_away no scroll cursor for ${rows}`.execute(tx)
  try {
    for (;;) {
      const { rows: some } = await sql.raw<{ line: string }>(`fetch ${atOnce} from put_away`).execute(tx)
      if (some.length === 0) return
      yield some.map((it) => it.line)
    }
  } finally {
    await sql.raw('close put_away').execute(tx)
  }
}

import { sql, type RawBuilder } from 'kysely'
import { isWide, quoted } from '../field-value.ts'
import type { Resource } from '../registry.ts'
import { besideName, type Side } from './side.ts'

/** What a side is called where it is joined to its record; no plugin is called so. */
export const joinName = (index: number) => `beside${index}`

/** The sides of a record under an alias, as joins that find at most one row each. */
export function joinSides({ sides }: Pick<Resource, 'sides'>, alias: string): string {
  return sides
    .map(({ schema, table }, index) => {
      const as = joinName(index)
      return ` left join ${quoted(schema)}.${quoted(table)} as ${as} on ${as}.workspace = ${quoted(alias)}.workspace and ${as}.record = ${quoted(alias)}.id`
    })
    .join('')
}

/** Columns of joined sides, each under the name its field has as a column. */
export function sideColumns({ sides }: Pick<Resource, 'sides'>): string {
  return sides
    .flatMap(({ plugin, fields }, index) => [
      ...fields.map(
        ({ side, column }) => `, ${joinName(index)}.${quoted(side?.column ?? column)} as ${quoted(column)}`,
      ),
      `, ${joinName(index)}.record as ${quoted(besideName(plugin, 'record'))}`,
    ])
    .join('')
}

/** The record's id as the side holds it, where a row is there: an index over the side's values ends in it. */
export function recordBeside({ plugin }: Pick<Side, 'plugin'>, alias: string): RawBuilder<unknown> {
  return sql.raw(`${quoted(alias)}.${quoted(besideName(plugin, 'record'))}`)
}

const made = new WeakMap<Resource, string>()

/**
 * The records with what stands beside them, under a wide alias. PostgreSQL takes it apart: sides that nothing asks for
 * cost no look, and a condition on one that does is found by its index.
 */
export function wideTable(resource: Resource, as: string): RawBuilder<unknown> | undefined {
  if (resource.sides.length === 0 || !isWide(as)) return undefined
  let text = made.get(resource)
  if (text === undefined) {
    const table = `${quoted(resource.schema)}.${quoted(resource.table)}`
    text = `(select r.*${sideColumns(resource)} from ${table} as r${joinSides(resource, 'r')})`
    made.set(resource, text)
  }
  return sql.raw(`${text} as ${quoted(as)}`)
}

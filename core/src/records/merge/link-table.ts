/**
 * A column that points at records but belongs to no resource. Foreign keys and `resource` + `record` pairs that neither
 * a resource nor such a line covers make a merge refuse (`RELATION_UNMAPPED`) rather than forget them.
 */
export interface LinkTable {
  /** `schema.table.column`, as the database spells it. */
  readonly place: string
  /** Id of the resource it points at; undefined for a pair, whose column `resource` says it. */
  readonly target?: string
  /** Columns that name a row, for links that move along; without them the link stays where it is. */
  readonly moves?: { readonly key: readonly string[] }
  /** Why it stays. */
  readonly stays?: string
}

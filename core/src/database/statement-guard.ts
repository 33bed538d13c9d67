import { defineError } from '../errors.ts'

export const sessionStatementRefused = defineError<{ statement: string }>(
  'SESSION_STATEMENT_REFUSED',
  500,
  ({ statement }) =>
    `"${statement}" is not a single statement that only reads or writes rows. Roles, settings, transactions and tables belong to the platform: use the unit of work you were given, and parameters for values.`,
)

/** What a statement may begin with: what reads or writes rows, and nothing that outlives its transaction. */
const beginnings = new Set(['select', 'insert', 'update', 'delete', 'merge', 'values', 'with', 'explain'])
/** What a statement may not be explained of: `explain analyze` does it. */
const neverExplained = new Set(['create', 'declare', 'execute', 'refresh'])

/**
 * Functions everybody may call that change the session, outlive the transaction, or run a text as a statement, which nobody
 * has read then.
 */
const closedFunctions =
  /^(?:set_config|(?:query|cursor)_to_xml\w*|ts_stat|ts_rewrite|dblink\w*|pg_notify|pg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?|pg_export_snapshot|pg_logical_\w+|lo_\w+|lo(?:read|write)|setseed)$/

/**
 * The parts of a statement, as PostgreSQL's own scanner cuts it. A text with an escape, `E'…'` or `U&'…'`, and a name like
 * `U&"…"` have no part here: one would have to know what they say. PostgreSQL manual, section 4.1.
 */
const part =
  /(?<blank>\s+|--[^\n\r]*)|(?<comment>\/\*)|(?<escaped>[eE]'|[uU]&['"])|(?<text>'(?:[^']|'')*')|"(?<name>(?:[^"]|"")+)"|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|(?<sign>\$?\d+|[^\s'"$])/y

const passed = new Set<string>()

/**
 * Refuses statements that would leave the unit of work's role, workspace or transaction, whatever a text from outside has
 * made of them.
 *
 * It holds what a plugin's mistake lets in by its SQL, not the plugin: whatever runs in the process is trusted code.
 *
 * @throws `SESSION_STATEMENT_REFUSED` (500)
 */
export function guardStatement(sql: string): void {
  if (passed.has(sql)) return
  if (!staysInside(sql)) throw sessionStatementRefused({ statement: sql.trim().slice(0, 80) })
  if (passed.size > 5_000) passed.clear()
  passed.add(sql)
}

function staysInside(sql: string): boolean {
  let first: string | undefined
  let last: string | undefined
  let isOver = false
  for (let at = 0; at < sql.length;) {
    part.lastIndex = at
    const groups = part.exec(sql)?.groups
    if (!groups) return false
    at = part.lastIndex
    const { blank, comment, escaped, dollar, name, word, sign } = groups
    if (escaped !== undefined) return false
    if (blank !== undefined) continue
    if (comment !== undefined) {
      at = endOfComment(sql, at)
      continue
    }
    if (isOver) return false
    if (dollar !== undefined) {
      const end = sql.indexOf(dollar, at)
      if (end < 0) return false
      at = end + dollar.length
    }
    const said = word?.toLowerCase()
    if (closedFunctions.test(said ?? name?.replaceAll('""', '"') ?? '')) return false
    if (sign === ';') isOver = true
    if (first === undefined) {
      if (sign === '(') continue
      if (said === undefined || !beginnings.has(said)) return false
      first = said
    }
    // `select … into` makes a table, and a table of its own would outlive the unit on its connection.
    if (said === 'into' && last !== 'insert' && last !== 'merge') return false
    if (first === 'explain' && neverExplained.has(said ?? '')) return false
    last = said
  }
  return true
}

/** Past the end of a comment that began before `at`; comments stand inside comments. */
function endOfComment(sql: string, at: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = at
  for (let depth = 1; depth > 0;) {
    const found = edge.exec(sql)
    if (!found) return sql.length
    depth += found[0] === '/*' ? 1 : -1
  }
  return edge.lastIndex
}

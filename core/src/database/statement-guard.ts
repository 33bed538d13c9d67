import { defineError } from '../errors.ts'

export const sessionStatementRefused = defineError<{ statement: string }>(
  'SESSION_STATEMENT_REFUSED',
  500,
  ({ statement }) =>
    `"${statement}" would change the database session. Roles, settings and transactions belong to the platform: use the unit of work you were given.`,
)

const forbidden =
  /^\s*(?:(?:set|reset|begin|commit|rollback|start\s+transaction|savepoint|release|discard|listen|unlisten|prepare|deallocate|lock|end|abort|grant|revoke|do|copy|create\s+role|alter)\b)|\bset_config"?\s*\(|;\s*(?:set|reset|begin|commit|rollback|end|abort|do)\b/i
const comments = /--[^\n]*|\/\*[\s\S]*?\*\//g
const passed = new Set<string>()

/**
 * Refuses statements that would leave the unit of work's role, workspace or transaction.
 *
 * It stops mistakes, not malice: a plugin in the process is trusted code.
 */
export function guardStatement(sql: string): void {
  if (passed.has(sql)) return
  const bare = sql.includes('--') || sql.includes('/*') ? sql.replace(comments, ' ') : sql
  if (forbidden.test(bare)) throw sessionStatementRefused({ statement: bare.trim().slice(0, 80) })
  if (passed.size > 5_000) passed.clear()
  passed.add(sql)
}

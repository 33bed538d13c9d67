/** What PostgreSQL answers to a statement it refuses: its manual, appendix A. */
export interface DatabaseError extends Error {
  /** SQLSTATE. */
  readonly code: string
  readonly column?: string
  readonly constraint?: string
  readonly detail?: string
  readonly table?: string
}

const sqlState = /^(?:\d[0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/

export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && sqlState.test(String((error as { code?: unknown }).code ?? ''))
}

/**
 * What a refusal of the database is known by: the rule's name, what a trigger of the platform says itself, or the kind of the
 * error. Never the database's own text: it quotes values, and whose they are nobody has asked.
 */
export function ruleOf({ code, constraint, message }: Pick<DatabaseError, 'code' | 'constraint' | 'message'>): string {
  return constraint ?? (code.startsWith('P0') ? message : `PostgreSQL ${code}`)
}

const away = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P03', '08006', '53300'])

/** Whether the database does not answer, which is no fault of whoever asked it. */
export function isDatabaseAway(error: unknown): boolean {
  if (away.has(String((error as { code?: unknown } | undefined)?.code))) return true
  // What node-postgres says without a code.
  return (
    error instanceof Error && /^(?:Connection terminated|timeout exceeded when trying to connect)/.test(error.message)
  )
}

// U+0000 in a text and in JSON. Fields are asked before; this is for texts that are only looked for.
const ofNul = new Set(['22021', '22P05'])

/** Whether somebody sent a text that no database keeps. */
export function isOfNul(error: unknown): boolean {
  return ofNul.has(String((error as { code?: unknown } | undefined)?.code))
}

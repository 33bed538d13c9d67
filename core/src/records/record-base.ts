import { p } from '@mikro-orm/core'

/** The columns every record has. Id and instants are set by the write path, never by a caller. */
export function recordBase() {
  return {
    id: p.uuid().primary(),
    workspace: p.uuid(),
    owner: p.uuid().nullable(),
    team: p.uuid().nullable(),
    version: p.integer().default(1),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    createdBy: p.uuid().nullable(),
    updatedBy: p.uuid().nullable(),
    deletedAt: p.datetime().nullable(),
    custom: p.json<Record<string, unknown>>().default('{}'),
  }
}

/** An amount: `numeric(19,4)`, a decimal string in TypeScript, never a float. Its currency is a field beside it. */
export function money() {
  return p.decimal().precision(19).scale(4)
}

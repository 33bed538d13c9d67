import { createHash } from 'node:crypto'
import { sql, type RawBuilder } from 'kysely'
import { z } from 'zod'
import type { Authority, HeldRights } from './authority.ts'
import { fieldGrantSchema, grantSchema } from './grant.ts'

const heldSchema = z.object({
  roles: z.array(z.object({ grants: z.array(grantSchema), fields: z.array(fieldGrantSchema) })),
  teams: z.array(z.string()),
  partners: z.array(z.string()).optional(),
})
const keptSchema = z.record(z.string(), heldSchema)

/**
 * Adds the rights under which something was worded to those kept beside it, `{ digest: rights }` in a jsonb column: a
 * refusal names what its reader could read then. Nothing is added for the platform itself.
 */
export function withToldRights(column: RawBuilder<unknown>, { held }: Authority): RawBuilder<unknown> {
  if (held === undefined) return column
  const text = JSON.stringify(held)
  const digest = digestOf(held)
  return sql`case when ${column} ? ${digest}::text then ${column} else ${column} || jsonb_build_object(${digest}::text, ${text}::jsonb) end`
}

/** Whether whoever reads what was worded under these rights holds all of them still. */
export function mayBeTold(authority: Authority, kept: unknown): boolean {
  const { success, data } = keptSchema.safeParse(kept ?? {})
  const own = authority.held
  if (own === undefined) return true
  return (
    success &&
    Object.entries(data).every(
      ([digest, { roles, teams, partners }]) =>
        // As a rule nothing has changed since; and of several roles one may deny what another grants.
        digest === digestOf(own) ||
        (roles.every((role) => authority.holds(role)) &&
          teams.every((team) => own.teams.includes(team)) &&
          (partners === undefined) === (own.partners === undefined) &&
          (partners ?? []).every((partner) => own.partners?.includes(partner))),
    )
  )
}

function digestOf(held: HeldRights): string {
  return createHash('sha256').update(JSON.stringify(held)).digest('hex').slice(0, 32)
}

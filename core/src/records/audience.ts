import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { ResourceAction } from '../permissions/authority.ts'

/** Who asks, as far as an audience may look at them. */
export interface Reader {
  /** User id; an API key and the platform have none. */
  readonly me?: string
  /** Ids of the roles held. */
  readonly roles: readonly string[]
  /** Own teams and all above them, where something is shared with the reader at all. */
  readonly sharedTeams: readonly string[]
  may(permission: string): boolean
}

/**
 * The rows of a resource that are for a reader, where that is the record's own business and not that of its owner's
 * team: private and shared things. It takes the place of the reach of grants (own, team, all); conditions and
 * denials of grants stay. Never null in SQL.
 */
export type Audience = (reader: Reader, action: ResourceAction, alias: string) => RawBuilder<SqlBool>

/** For whoever reads the audit. */
export const forAuditors: Audience = ({ may }) => (may('core.audit.read') ? sql<SqlBool>`true` : sql<SqlBool>`false`)

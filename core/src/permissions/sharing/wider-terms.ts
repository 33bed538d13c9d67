import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import type { RecordJson } from '../../records/records.ts'
import type { ShareAccess } from './share.ts'

interface Terms {
  readonly access: ShareAccess
  /** Instant; null for good. */
  readonly until: string | null
}

/**
 * Of two shares of merged records with the same people the one that opens more holds on: what they could do before with either
 * record, they can with the one it has become. Where each opens more in its own way, the survivor's stays as it was given.
 */
export async function widerTerms(ended: RecordJson, survivor: string, ctx: Context): Promise<void> {
  const { sql: tx, workspace, clock, records } = ctx
  const { rows } = await sql<Terms & { id: string; version: number }>`
    select id, version, access, until from core.share
    where workspace = ${workspace.id}::uuid and resource = ${ended['resource']} and record = ${survivor}::uuid and deleted_at is null
      and user_id is not distinct from ${ended['user']}::uuid and to_team is not distinct from ${ended['toTeam']}::uuid
      and partner is not distinct from ${ended['partner']}::uuid`.execute(tx)
  const [twin] = rows
  const terms = ended as unknown as Terms
  const now = clock.now().getTime()
  if (!twin || untilOf(terms) <= now || !(untilOf(twin) <= now || isWider(terms, twin))) return
  const { access, until } = terms
  await records.update('core.share', twin, { access, until }, { internal: true })
}

const untilOf = ({ until }: Terms): number => (until === null ? Number.POSITIVE_INFINITY : Date.parse(until))

function isWider(one: Terms, other: Terms): boolean {
  return (one.access === 'write' || other.access === 'read') && untilOf(one) >= untilOf(other)
}

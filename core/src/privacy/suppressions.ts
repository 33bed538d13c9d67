import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { uuidOf } from '../plugins/toggle-ledger.ts'
import type { RecordEngine } from '../records/engine.ts'
import { ledgerHead } from '../records/ledger-head.ts'
import type { Channel } from './addresses.ts'
import { suppressionEntry } from './suppression-entry.ts'

export const suppressionReasons = ['erased', 'complaint', 'bounce', 'manual'] as const

export interface Suppression {
  readonly channel: Channel
  readonly reason: (typeof suppressionReasons)[number]
  readonly at: string
  readonly liftedAt: string | null
  readonly liftReason: string | null
}

/** Keeps an address from being written to; one that was lifted is suppressed anew, and an erasure outweighs what was before. */
export async function suppress(
  ctx: Context,
  it: Pick<Suppression, 'channel' | 'reason' | 'at'> & { readonly hash: Buffer },
): Promise<void> {
  const by = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  const { rows } = await sql`
    insert into core.suppression (workspace, address_hash, channel, reason, at, by_user)
    values (${ctx.workspace.id}::uuid, ${it.hash}, ${it.channel}, ${it.reason}, ${it.at}::timestamptz, ${by}::uuid)
    on conflict (workspace, address_hash, channel) do update
      set reason = excluded.reason, at = excluded.at, by_user = excluded.by_user, lifted_at = null, lifted_by = null, lift_reason = null
      where suppression.lifted_at is not null or (excluded.reason = 'erased' and suppression.reason <> 'erased')
    returning 1`.execute(ctx.sql)
  if (rows.length > 0) await enter(ctx, it.hash, it.channel, { state: [null, 'suppressed'], reason: [null, it.reason] })
}

/** What is kept of an address, lifted or not. */
export async function suppressionsOf(ctx: Context, hash: Buffer): Promise<readonly Suppression[]> {
  const { rows } = await sql<Suppression>`
    select channel, reason, at, lifted_at as "liftedAt", lift_reason as "liftReason" from core.suppression
    where workspace = ${ctx.workspace.id}::uuid and address_hash = ${hash} order by channel`.execute(ctx.sql)
  return rows
}

/**
 * Lets an address be written to again, by one channel or by all of them. Answers how many were lifted.
 *
 * @throws `PERMISSION_DENIED` where one stands since an erasure and the actor may not erase
 */
export async function liftSuppressions(
  ctx: Context,
  { hash, channel, reason }: { readonly hash: Buffer; readonly channel: Channel | undefined; readonly reason: string },
): Promise<number> {
  const standing = sql`workspace = ${ctx.workspace.id}::uuid and address_hash = ${hash} and lifted_at is null
    ${channel === undefined ? sql`` : sql`and channel = ${channel}`}`
  const { rows: held } = await sql<Pick<Suppression, 'reason'>>`
    select reason from core.suppression where ${standing} for update`.execute(ctx.sql)
  // Somebody asked to be forgotten: who may do that may undo it.
  if (held.some((it) => it.reason === 'erased') && !ctx.authority.may('core.privacy.erase'))
    throw permissionDenied({ permission: 'core.privacy.erase' })
  const { rows } = await sql<Pick<Suppression, 'channel'>>`
    update core.suppression set lifted_at = ${ctx.clock.now().toISOString()}::timestamptz, lifted_by = ${ctx.actor.id ?? null}::uuid, lift_reason = ${reason}
    where ${standing} returning channel`.execute(ctx.sql)
  for (const { channel: lifted } of rows)
    await enter(ctx, hash, lifted, { state: ['suppressed', null], reason: [null, reason] })
  return rows.length
}

/** The ledger's line: by which channel, why and by whom. Of the address it has an id that nothing leads back from. */
async function enter(
  ctx: Context,
  hash: Buffer,
  channel: Channel,
  changed: Readonly<Record<string, readonly [string | null, string | null]>>,
): Promise<void> {
  const { scope } = ctx.records as RecordEngine
  const changeSet = scope.openChangeSet().id
  const record = uuidOf(`${suppressionEntry} ${hash.toString('hex')}`)
  const fields = { channel: [null, channel], ...changed }
  await sql`
    with ${ledgerHead(scope, changeSet)}
    insert into core.change (id, workspace, change_set, resource, record, action, version, fields, at)
    select ${uuidv7()}::uuid, ${ctx.workspace.id}::uuid, ${changeSet}::uuid, ${suppressionEntry}, ${record}::uuid, 'update',
      1 + (select count(*) from core.change c where c.workspace = ${ctx.workspace.id}::uuid and c.resource = ${suppressionEntry}
        and c.record = ${record}::uuid), ${JSON.stringify(fields)}::jsonb, ${ctx.clock.now().toISOString()}::timestamptz`.execute(
    ctx.sql,
  )
}

import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { EngineScope } from '../records/scope.ts'
import { ledgerHead } from '../records/ledger-head.ts'
import { deliveryEntry, openDelivery } from './delivery-entry.ts'
import { deadLetterNotFound } from './errors.ts'
import { demandSubscription } from './subscribers.ts'

/** Dead letters that one request sets going again; of more the rest is left to the next. */
const redrivenAtOnce = 10_000

export interface Letter {
  readonly subscription: string
  /** Id of the event. */
  readonly event: string
}

/**
 * Gives dead letters all their tries again: one, or all of a subscriber. What waits behind them follows in order.
 *
 * @returns how many go again, and how many are left for another request
 * @throws `SUBSCRIPTION_UNKNOWN` (404), `DEAD_LETTER_NOT_FOUND` (404) where one was asked for
 */
export async function redrive(
  scope: EngineScope,
  { subscription, event }: { subscription: string; event?: string | undefined },
): Promise<{ redriven: number; left: number }> {
  const { ctx, tx } = scope
  await demandSubscription(scope, subscription)
  const { rows } = await sql<{ redriven: number }>`
    select core.redrive_deliveries(${subscription}, ${ctx.workspace.id}::uuid, ${event ?? null}::uuid,
      ${ctx.clock.now().toISOString()}::timestamptz, ${redrivenAtOnce}) as redriven`.execute(tx)
  const redriven = rows[0]?.redriven ?? 0
  if (redriven === 0 && event !== undefined) throw deadLetterNotFound({ subscription, event })
  scope.delivering(redriven)
  if (redriven > 0) scope.signal(openDelivery(event ?? ctx.workspace.id))
  return { redriven, left: redriven < redrivenAtOnce ? 0 : await deadLettersOf(scope, subscription) }
}

async function deadLettersOf({ ctx, tx }: EngineScope, subscription: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from core.delivery
    where state in ('dead', 'aside') and subscription = ${subscription} and workspace = ${ctx.workspace.id}::uuid`.execute(
    tx,
  )
  return rows[0]?.n ?? 0
}

/**
 * Ends a dead letter without its subscriber having heard it, on purpose: why stands in the ledger. What waits behind it goes on.
 *
 * @returns how many deliveries of the record go on
 * @throws `SUBSCRIPTION_UNKNOWN` (404), `DEAD_LETTER_NOT_FOUND` (404)
 */
export async function skip(
  scope: EngineScope,
  { subscription, event, reason }: Letter & { readonly reason: string },
): Promise<{ freed: number }> {
  const { ctx, tx } = scope
  await demandSubscription(scope, subscription)
  const { rows } = await sql<{ key: string; name: string }>`
    with gone as (
      delete from core.delivery d
      where d.event = ${event}::uuid and d.subscription = ${subscription} and d.workspace = ${ctx.workspace.id}::uuid
        and d.state in ('dead', 'aside') returning d.key)
    select g.key, e.name from gone g join core.event e on e.id = ${event}::uuid`.execute(tx)
  const [letter] = rows
  if (!letter) throw deadLetterNotFound({ subscription, event })
  const at = ctx.clock.now().toISOString()
  const changeSet = scope.openChangeSet().id
  const fields = { subscription: [null, subscription], event: [null, letter.name], state: ['dead', 'skipped'] }
  const { rows: after } = await sql<{ freed: number }>`
    with ${ledgerHead(scope, changeSet, reason)},
    entry as (
      insert into core.change (id, workspace, change_set, resource, record, action, version, fields, at)
      select ${uuidv7()}::uuid, ${ctx.workspace.id}::uuid, ${changeSet}::uuid, ${deliveryEntry}, ${event}::uuid, 'update',
        1 + (select count(*) from core.change c where c.workspace = ${ctx.workspace.id}::uuid and c.resource = ${deliveryEntry}
          and c.record = ${event}::uuid), ${JSON.stringify(fields)}::jsonb, ${at}::timestamptz)
    select core.unblock_deliveries(${subscription}, ${ctx.workspace.id}::uuid, ${letter.key}::uuid, ${at}::timestamptz) as freed`.execute(
    tx,
  )
  const freed = after[0]?.freed ?? 0
  scope.delivering(freed)
  scope.signal(openDelivery(event))
  return { freed }
}

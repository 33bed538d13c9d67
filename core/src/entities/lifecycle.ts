import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { defineEvent, type EventDefinition } from '../events/event.ts'
import { subscriber, type Subscriber } from '../plugins/define-plugin.ts'
import { defineService } from '../plugins/tokens.ts'
import { defineGuard } from '../records/define-resource.ts'
import { isStepBack, lifecycleTransitions, type Lifecycle } from './account.ts'
import { lifecycleReasonRequired } from './errors.ts'
import { accounts } from './resources.ts'
import { assertTransition } from './transitions.ts'

export const LifecycleChanged = defineEvent('core.lifecycle.changed', {
  version: 1,
  payload: z.object({
    account: z.uuid(),
    from: z.string().nullable(),
    to: z.string(),
    /** The event that moved it; null when somebody did. */
    event: z.uuid().nullable(),
  }),
})

export interface Lifecycles {
  /**
   * Moves an account forward because of an event. Never backwards, and once per event: delivered again, it does nothing.
   *
   * @returns whether the account moved
   */
  advance(account: string, to: Lifecycle, event: string): Promise<boolean>
}
export const Lifecycles = defineService<Lifecycles>('core/lifecycles@1')

// What moves an account within a unit: the service says it, the guard of the same write keeps it in the history.
const causes = new WeakMap<object, string>()

export class LifecycleService implements Lifecycles {
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  async advance(account: string, to: Lifecycle, event: string): Promise<boolean> {
    const ctx = this.#ctx
    const { rows } = await sql<{ lifecycle: Lifecycle; version: number; moved: boolean }>`
      select a.lifecycle, a.version,
        exists (select from core.lifecycle_change c where c.workspace = a.workspace and c.account_id = a.id and c.event = ${event}::uuid) as moved
      from core.account a
      where a.workspace = ${ctx.workspace.id}::uuid and a.id = ${account}::uuid and a.deleted_at is null
      for update`.execute(ctx.sql)
    const [row] = rows
    if (!row || row.moved || row.lifecycle === to) return false
    if (isStepBack(row.lifecycle, to) || !lifecycleTransitions[row.lifecycle].includes(to)) return false
    causes.set(ctx.sql, event)
    try {
      await ctx.asSystem().records.update(accounts, { id: account, version: row.version }, { lifecycle: to })
    } finally {
      causes.delete(ctx.sql)
    }
    return true
  }
}

/**
 * A rule that moves an account when something happened: a plugin puts it among its subscribers.
 *
 * @example
 * lifecycleRule('won-makes-a-client', OpportunityWon, { to: 'client', account: ({ account }) => account })
 */
export function lifecycleRule<P extends z.ZodType>(
  id: string,
  event: EventDefinition<P>,
  {
    to,
    account,
    when,
  }: {
    to: Lifecycle
    account: (payload: z.output<P>) => string | null | undefined
    /** Asked in the plugin's own unit, such as by its settings; always when absent. */
    when?: (ctx: Context) => Promise<boolean>
  },
): Subscriber {
  return subscriber(id, event, async ({ id: happened, payload }, ctx) => {
    const moved = account(payload)
    if (moved && (when === undefined || (await when(ctx)))) await ctx.use(Lifecycles).advance(moved, to, happened)
  })
}

/** Holds accounts to their lifecycle and keeps how each came to where it stands. */
export const lifecycleGuard = defineGuard(
  'core.account',
  ['create', 'update'],
  async ({ action, before, record, changed }, ctx) => {
    if (!changed.has('lifecycle')) return
    const from = (before?.['lifecycle'] ?? null) as Lifecycle | null
    const to = record['lifecycle'] as Lifecycle
    if (from !== null && ctx.cause.undoOf === undefined) {
      const account = ctx.records.nameOf(accounts, record)
      assertTransition(lifecycleTransitions, account, from, to)
      if (isStepBack(from, to) && !ctx.cause.reason) throw lifecycleReasonRequired({ account, from, to })
    }
    const event = causes.get(ctx.sql) ?? null
    await sql`
    insert into core.lifecycle_change (id, workspace, account_id, from_state, to_state, event, reason, by_user, at)
    values (${uuidv7()}::uuid, ${ctx.workspace.id}::uuid, ${record.id}::uuid, ${from}, ${to}, ${event}::uuid, ${ctx.cause.reason ?? null},
      ${ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null}::uuid, ${ctx.clock.now().toISOString()}::timestamptz)`.execute(
      ctx.sql,
    )
    // A new account tells its lifecycle by being created.
    if (action === 'update') ctx.emit(LifecycleChanged, { account: record.id, from, to, event }, { key: record.id })
  },
  { independent: true },
)

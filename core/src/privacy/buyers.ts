import { sql } from 'kysely'
import { invoices } from '../entities/resources.ts'
import type { EngineScope } from '../records/scope.ts'
import { rewrite } from './blanking.ts'

/**
 * Writes on invoices that the law keeps whom they were for, before that person's own record says nothing any more: name and
 * address, what an invoice must tell of its buyer (article 242 nonies A, annex II of the French General Tax Code), and no more.
 * An organisation goes on saying so itself. What an earlier run wrote stays.
 */
export async function keepBuyers(scope: EngineScope, run: string): Promise<void> {
  const { workspace } = scope.ctx
  const listed = (resource: string, how: string) => sql`
    select e.record from core.erasure_target e where e.workspace = ${workspace.id}::uuid and e.run = ${run}::uuid
      and e.resource = ${resource} and e.how = ${how}`
  const buyer = sql`(
    select concat_ws(${'\n'}::text, coalesce(a.legal_name, a.name), a.address_line1, a.address_line2, nullif(concat_ws(' ', a.postal_code, a.city), ''), a.country,
      a.vat_number)
    from core.account a where a.workspace = t.workspace and a.id = t.account_id)`
  await rewrite(
    scope,
    scope.catalog.of(invoices),
    [sql`buyer = ${buyer}`],
    sql`t.buyer is null and t.id in (${listed('core.invoice', 'held')}) and t.account_id in (${listed('core.account', 'person')})`,
    'update',
  )
}

import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { LegalHold, PrivacyStore, PrivacySubject } from './stores.ts'

const basis = {
  en: 'Accounting documents and their vouchers, ten years from the end of the financial year: article L123-22 of the French Commercial Code',
  fr: 'Documents comptables et pièces justificatives, dix ans à compter de la clôture de l’exercice : article L123-22 du Code de commerce',
}

/** Whom an invoice was for is part of it. */
const keeps: Readonly<Record<string, LegalHold['keeps']>> = {
  'core.invoice': { en: 'Name and address of the buyer', fr: 'Nom et adresse de l’acheteur' },
}

/** Issued invoices, their lines and payments, and the orders behind them stay as they were sent. */
export const commercialDocuments: PrivacyStore = {
  id: 'core.commercial-documents',
  title: { en: 'Commercial documents', fr: 'Documents commerciaux' },
  async legalHolds({ records }: PrivacySubject, ctx: Context): Promise<readonly LegalHold[]> {
    const of = (kind: string) => records.filter(({ resource }) => resource === kind).map(({ record }) => record)
    const theirs = (own: string) =>
      sql`d.workspace = ${ctx.workspace.id}::uuid and (d.contact_id = any(${of('core.contact')}::uuid[])
        or d.account_id = any(${of('core.account')}::uuid[]) or d.id = any(${of(own)}::uuid[]))`
    const { rows } = await sql<{ resource: string; id: string; until: string }>`
      with year as (select fiscal_month as first from core.workspace where id = ${ctx.workspace.id}::uuid),
      document as (
        select 'core.invoice' as resource, d.id, d.issued_on as day, d.order_id from core.invoice d where ${theirs('core.invoice')} and d.status <> 'draft'
        union all
        select 'core.order', d.id, coalesce(d.ordered_on, d.created_at::date), null from core."order" d where ${theirs('core.order')} and d.status not in ('draft', 'cancelled')),
      kept as (
        select d.*, (date_trunc('month', d.day) + make_interval(months => 12 - (extract(month from d.day)::integer - year.first + 12) % 12)
          - interval '1 day' + interval '10 years')::date as until
        from document d cross join year)
      select k.resource, k.id, k.until::text as until from kept k
      union all select 'core.invoice-line', l.id, k.until::text from kept k join core.invoice_line l on l.workspace = ${ctx.workspace.id}::uuid and l.invoice_id = k.id
      union all select 'core.payment', p.id, k.until::text from kept k join core.payment p on p.workspace = ${ctx.workspace.id}::uuid and p.invoice_id = k.id
      union all select 'core.order-line', l.id, k.until::text from kept k join core.order_line l on l.workspace = ${ctx.workspace.id}::uuid and l.order_id = k.id`.execute(
      ctx.sql,
    )
    const today = ctx.clock.today()
    const byKind = new Map<string, { records: string[]; until: string }>()
    for (const { resource, id, until } of rows) {
      if (until < today) continue
      const kind = byKind.get(resource) ?? { records: [], until }
      byKind.set(resource, { records: [...kind.records, id], until: kind.until > until ? kind.until : until })
    }
    return [...byKind].map(([resource, { records: ids, until }]) => ({
      resource,
      records: ids,
      basis,
      ...(keeps[resource] ? { keeps: keeps[resource] } : {}),
      until,
    }))
  },
}

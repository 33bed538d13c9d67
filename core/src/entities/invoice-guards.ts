import { Decimal } from 'decimal.js'
import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { defineGuard, type GuardedWrite, type GuardDefinition } from '../records/define-resource.ts'
import { isUuid } from '../records/values.ts'
import { documentGuards, isDemoLeaving } from './document-guards.ts'
import { invoiceDocument, lockHead, toldHead } from './documents.ts'
import {
  creditNoteMissing,
  invoiceEmpty,
  invoiceFinal,
  invoiceNotPayable,
  lineMoved,
  paymentStateDerived,
} from './errors.ts'
import { invoiceTransitions, paymentState, type InvoiceStatus } from './invoice.ts'
import { invoices } from './resources.ts'
import { assertTransition } from './transitions.ts'
import { refusePeriod, textOf, toldText } from './values.ts'

const moved: readonly unknown[] = ['issued', 'partly_paid', 'paid']

/** An issued invoice is final: not even an undo makes it a draft again (article 289 CGI). */
const invoiceStates = defineGuard(
  'core.invoice',
  ['create', 'update'],
  async ({ before, record, changed, set }, ctx) => {
    const number = ctx.records.nameOf(invoices, record)
    const status = record['status'] as InvoiceStatus
    const from = before?.['status'] as InvoiceStatus | undefined
    if (from !== undefined) assertTransition(invoiceTransitions, number, from, status)
    if (status !== 'draft' && textOf(record['issuedOn']) === undefined) set('issuedOn', ctx.clock.today())
    const issued = textOf(record['issuedOn'])
    const due = textOf(record['dueOn'])
    if (issued !== undefined && due !== undefined && due < issued)
      throw refusePeriod(ctx, 'core.invoice', record, ['issuedOn', 'dueOn'])
    if (!changed.has('status')) return
    if (from === 'draft' && !(await exists(ctx, sql`core.invoice_line where invoice_id = ${record.id}::uuid`)))
      throw invoiceEmpty({ number })
    const gross = textOf(record['gross']) ?? '0'
    const paid = textOf(record['paid']) ?? '0'
    if (moved.includes(status) && paymentState(gross, paid) !== status) {
      const [told, of] = [toldText(ctx, invoices, { paid }, 'paid'), toldText(ctx, invoices, { gross }, 'gross')]
      throw paymentStateDerived({ number, paid: told, gross: of })
    }
    if (
      status === 'cancelled' &&
      !(await exists(ctx, sql`core.invoice where credit_of_id = ${record.id}::uuid and status <> 'draft'`))
    ) {
      throw creditNoteMissing({ number })
    }
  },
)

const invoiceKept = defineGuard('core.invoice', ['delete'], ({ record }, ctx) => {
  if (record['status'] !== 'draft' && !isDemoLeaving(ctx))
    throw invoiceFinal({
      number: ctx.records.nameOf(invoices, record),
      status: toldText(ctx, invoices, record, 'status'),
    })
})

async function exists(ctx: Context, rows: ReturnType<typeof sql>): Promise<boolean> {
  const { rows: found } = await sql`
    select 1 from ${rows} and workspace = ${ctx.workspace.id}::uuid and deleted_at is null limit 1`.execute(ctx.sql)
  return found.length > 0
}

/** A payment is in its invoice's currency, and moves the invoice's payment state with it. */
const paymentBooked = defineGuard('core.payment', ['create', 'update', 'delete', 'restore'], async (write, ctx) => {
  const { record, before, set } = write
  const invoice = record['invoice']
  if (!isUuid(invoice)) return
  if (before && before['invoice'] !== invoice) throw lineMoved({ line: ctx.records.nameOf('core.payment', before) })
  const head = await lockHead(ctx, invoiceDocument, invoice)
  if (!head) return
  if (!moved.includes(head.status)) throw invoiceNotPayable(await toldHead(ctx, invoiceDocument, head))
  set('currency', head.currency)
  set('account', await accountOf(ctx, invoice))
  const paid = await paidBeside(write, ctx, invoice)
  await ctx.records.update(invoices, head, { paid, status: paymentState(head.gross, paid) }, { internal: true })
})

async function accountOf(ctx: Context, invoice: string): Promise<string | undefined> {
  const { rows } = await sql<{ account: string }>`
    select account_id as account from core.invoice where workspace = ${ctx.workspace.id}::uuid and id = ${invoice}::uuid`.execute(
    ctx.sql,
  )
  return rows[0]?.account
}

async function paidBeside({ action, record }: GuardedWrite, ctx: Context, invoice: string): Promise<string> {
  const { rows } = await sql<{ others: string }>`
    select coalesce(sum(amount), 0)::text as others from core.payment
    where workspace = ${ctx.workspace.id}::uuid and invoice_id = ${invoice}::uuid and id <> ${record.id}::uuid and deleted_at is null`.execute(
    ctx.sql,
  )
  const others = new Decimal(rows[0]?.others ?? 0)
  return (action === 'delete' ? others : others.plus(textOf(record['amount']) ?? 0)).toFixed(4)
}

export const invoiceGuards: readonly GuardDefinition[] = [
  invoiceStates,
  invoiceKept,
  ...documentGuards(invoiceDocument, ['draft']),
  paymentBooked,
]

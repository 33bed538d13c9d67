import { Decimal } from 'decimal.js'
import type { Context } from '../context.ts'
import type { RecordJson } from '../records/records.ts'
import { createDocument, invoiceDocument, lockHead } from './documents.ts'
import { invoiceTransitions, type InvoiceStatus } from './invoice.ts'
import { invoiceLines, invoices } from './resources.ts'
import { assertTransition } from './transitions.ts'

/**
 * Cancels an issued invoice by a credit note of the same lines, negated: article 289 CGI lets no issued invoice vanish.
 *
 * @throws `TRANSITION_REFUSED` (409) unless it is issued and unpaid
 */
export async function cancelInvoice(
  ctx: Context,
  id: string,
): Promise<{ invoice: RecordJson; creditNote: RecordJson }> {
  const { records } = ctx
  const { data } = await records.get(invoices, id)
  const head = await lockHead(ctx, invoiceDocument, data.id)
  const status = (head?.status ?? 'draft') as InvoiceStatus
  // Said twice in the same second, the second finds it cancelled already.
  assertTransition(
    invoiceTransitions,
    records.nameOf(invoices, data),
    status === 'cancelled' ? 'paid' : status,
    'cancelled',
  )
  const { data: lines } = await records.list(invoiceLines, {
    filter: `invoice = "${data.id}"`,
    sort: 'position',
    limit: 200,
    count: 'none',
  })
  const draft = await createDocument(
    ctx,
    invoiceDocument,
    {
      account: data['account'],
      contact: data['contact'],
      order: data['order'],
      creditOf: data.id,
      currency: data['currency'],
    },
    lines.map(({ product, name, quantity, unit, unitPrice, discount, taxRate }) => ({
      product,
      name,
      quantity: new Decimal(String(quantity)).negated().toFixed(),
      unit,
      unitPrice,
      discount,
      taxRate,
    })),
  )
  const creditNote = await records.update(invoices, draft, { status: 'issued' })
  const invoice = await records.update(
    invoices,
    { id: data.id, version: head?.version ?? data.version },
    { status: 'cancelled' },
  )
  return { invoice, creditNote }
}

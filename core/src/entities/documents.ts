import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { ResourceDefinition } from '../records/define-resource.ts'
import type { RecordJson } from '../records/records.ts'
import { isUuid } from '../records/values.ts'
import { priceMissing, refuseValue } from './errors.ts'
import { invoiceLines, invoices, orderLines, orders } from './resources.ts'
import { lineNet, totalsOf, type PricedLine, type Totals } from './totals.ts'
import { found, textOf, toldText } from './values.ts'

/** A header with lines whose sums it carries: an order or an invoice. */
export interface DocumentKind {
  readonly header: ResourceDefinition
  readonly lines: ResourceDefinition
  /** Field of the lines that names their header. */
  readonly reference: 'order' | 'invoice'
  readonly table: string
  readonly lineTable: string
}

export const orderDocument: DocumentKind = {
  header: orders as ResourceDefinition,
  lines: orderLines as ResourceDefinition,
  reference: 'order',
  table: 'core.order',
  lineTable: 'core.order_line',
}

export const invoiceDocument: DocumentKind = {
  header: invoices as ResourceDefinition,
  lines: invoiceLines as ResourceDefinition,
  reference: 'invoice',
  table: 'core.invoice',
  lineTable: 'core.invoice_line',
}

/** A header as its lines see it. */
export interface DocumentHead extends Totals {
  readonly id: string
  readonly version: number
  readonly number: string
  readonly status: string
  readonly currency: string
}

/** Holds the header until the unit ends, so that two lines written at once add up one after the other. */
export async function lockHead(ctx: Context, kind: DocumentKind, id: string): Promise<DocumentHead | undefined> {
  const { rows } = await sql<DocumentHead>`
    select id, version, number, status, currency, net, tax, gross from ${sql.table(kind.table)}
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid and deleted_at is null
    for update`.execute(ctx.sql)
  return rows[0]
}

/** What a refusal says of a header to who writes a line of it, which they may do without seeing the header. */
export async function toldHead(
  ctx: Context,
  { header }: DocumentKind,
  { id }: DocumentHead,
): Promise<{ number: string; status: string }> {
  const head = (await found(ctx, header, id)) ?? {}
  return { number: ctx.records.nameOf(header, head), status: toldText(ctx, header, head, 'status') }
}

/** What a line is worth, as a write sets it. */
export interface PricedValues extends PricedLine {
  readonly name: string
  readonly unit: string | null
  readonly net: string
}

/**
 * Fills in from the product what a line leaves out, and computes its net.
 *
 * @throws `VALIDATION_FAILED` with `PRICE_MISSING` when neither has a price in the document's currency
 */
export async function priceLine(
  ctx: Context,
  line: Readonly<Record<string, unknown>>,
  currency: string,
): Promise<PricedValues> {
  const isWhole = ['name', 'unit', 'unitPrice', 'taxRate'].every((field) => textOf(line[field]) !== undefined)
  const product = !isWhole && isUuid(line['product']) ? await productOf(ctx, line['product']) : undefined
  const name = textOf(line['name']) ?? product?.name ?? ''
  const unitPrice = textOf(line['unitPrice']) ?? (product?.currency === currency ? product.price : null)
  if (unitPrice === null || unitPrice === undefined)
    throw refuseValue('/unitPrice', priceMissing, { line: name, currency })
  const priced: PricedLine = {
    quantity: textOf(line['quantity']) ?? '1',
    unitPrice,
    discount: textOf(line['discount']) ?? '0',
    taxRate: textOf(line['taxRate']) ?? product?.taxRate ?? '0',
  }
  return { ...priced, name, unit: textOf(line['unit']) ?? product?.unit ?? null, net: lineNet(priced, currency) }
}

interface ListedProduct {
  readonly name: string
  readonly unit: string
  readonly price: string | null
  readonly currency: string
  readonly taxRate: string
}

async function productOf(ctx: Context, id: string): Promise<ListedProduct | undefined> {
  const { rows } = await sql<ListedProduct>`
    select name, unit, price, currency, tax_rate as "taxRate" from core.product
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid and deleted_at is null`.execute(ctx.sql)
  return rows[0]
}

// Headers whose lines are being written together: their sums are right from the start and not counted line by line.
const placing = new WeakMap<object, DocumentHead>()

/** The header, while its lines are written together with it. */
export function headBeingPlaced(ctx: Context, header: string): DocumentHead | undefined {
  const head = placing.get(ctx.sql)
  return head?.id === header ? head : undefined
}

/**
 * Writes an order or invoice with its lines in one go: one version of the header, whatever the number of lines.
 *
 * @param header - the header's fields; sums and number follow
 * @param lines - fields of each line but the header's; product or name, quantity, unitPrice, discount, taxRate
 */
export async function createDocument(
  ctx: Context,
  kind: DocumentKind,
  header: Readonly<Record<string, unknown>>,
  lines: readonly Readonly<Record<string, unknown>>[],
): Promise<RecordJson> {
  const currency = textOf(header['currency']) ?? ctx.workspace.baseCurrency
  const priced: PricedValues[] = []
  for (const line of lines) priced.push(await priceLine(ctx, line, currency))
  const record = await ctx.records.create(
    kind.header,
    { ...header, currency, ...totalsOf(priced, currency) },
    { internal: true },
  )
  placing.set(ctx.sql, record as RecordJson & DocumentHead)
  try {
    for (const [index, line] of lines.entries()) {
      const { net: _, ...values } = priced[index] as PricedValues
      await ctx.records.create(kind.lines, { ...line, ...values, [kind.reference]: record.id, position: index + 1 })
    }
  } finally {
    placing.delete(ctx.sql)
  }
  return record
}

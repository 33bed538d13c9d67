import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'
import { Invoice } from './invoice.ts'
import { Product } from './product.ts'

export const InvoiceLineSchema = defineEntity({
  name: 'InvoiceLine',
  schema: 'core',
  tableName: 'invoice_line',
  properties: {
    ...recordBase(),
    name: p.string().length(500),
    invoice: () => p.manyToOne(Invoice),
    position: p.integer().default(0),
    product: () => p.manyToOne(Product).nullable(),
    quantity: p.decimal().precision(15).scale(3).default('1'),
    unit: p.string().length(30).nullable(),
    unitPrice: money(),
    discount: p.decimal().precision(5).scale(2).default('0'),
    // No default: a rate of 0 is a choice, an absent one is the product's.
    taxRate: p.decimal().precision(5).scale(2),
    net: money(),
    currency: p.string().length(3),
  },
})

/** One line of an invoice, in the invoice's currency. */
export class InvoiceLine extends InvoiceLineSchema.class {}
InvoiceLineSchema.setClass(InvoiceLine)

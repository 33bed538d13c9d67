import { defineEntity, p } from '@mikro-orm/core'
import { Decimal } from 'decimal.js'
import { money, recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'
import { Contact } from './contact.ts'
import { Order } from './order.ts'
import type { Transitions } from './transitions.ts'

export type InvoiceStatus = 'draft' | 'issued' | 'partly_paid' | 'paid' | 'cancelled'

/** Payments move an invoice forward and, taken back, backward. */
export const invoiceTransitions: Transitions<InvoiceStatus> = {
  draft: ['issued'],
  issued: ['partly_paid', 'paid', 'cancelled'],
  partly_paid: ['paid', 'issued'],
  paid: ['partly_paid', 'issued'],
  cancelled: [],
}

/** The state that follows from what was paid; a credit note counts downwards. */
export function paymentState(gross: string, paid: string): 'issued' | 'partly_paid' | 'paid' {
  const due = new Decimal(gross)
  const got = new Decimal(paid)
  if (got.isZero()) return 'issued'
  return (due.isNegative() ? got.lessThanOrEqualTo(due) : got.greaterThanOrEqualTo(due)) ? 'paid' : 'partly_paid'
}

export const InvoiceSchema = defineEntity({
  name: 'Invoice',
  schema: 'core',
  tableName: 'invoice',
  properties: {
    ...recordBase(),
    number: p.string().length(60).unique(),
    account: () => p.manyToOne(Account),
    contact: () => p.manyToOne(Contact).nullable(),
    order: () => p.manyToOne(Order).nullable(),
    creditOf: () => p.manyToOne(InvoiceSchema).nullable(),
    status: p.string().$type<InvoiceStatus>().default('draft'),
    issuedOn: p.date().nullable(),
    dueOn: p.date().nullable(),
    reference: p.string().length(120).nullable(),
    currency: p.string().length(3),
    net: money().default('0'),
    tax: money().default('0'),
    gross: money().default('0'),
    paid: money().default('0'),
    source: p.string().length(120).nullable(),
    /** Name and address of who it was for, kept when they were erased; the account says it until then. */
    buyer: p.text().nullable(),
  },
})

/** What an account owes, or with `creditOf` is given back. Sums are its lines', its payment state its payments'. */
export class Invoice extends InvoiceSchema.class {}
InvoiceSchema.setClass(Invoice)

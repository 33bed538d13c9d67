import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'
import { Invoice } from './invoice.ts'

export const PaymentSchema = defineEntity({
  name: 'Payment',
  schema: 'core',
  tableName: 'payment',
  properties: {
    ...recordBase(),
    invoice: () => p.manyToOne(Invoice),
    account: () => p.manyToOne(Account),
    amount: money(),
    currency: p.string().length(3),
    paidOn: p.date(),
    method: p.string().default('transfer'),
    reference: p.string().length(120).nullable(),
    source: p.string().length(120).nullable(),
  },
})

/** Money that came in for an invoice, in the invoice's currency. */
export class Payment extends PaymentSchema.class {}
PaymentSchema.setClass(Payment)

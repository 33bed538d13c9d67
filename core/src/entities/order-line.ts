import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'
import { Order } from './order.ts'
import { Product } from './product.ts'

export const OrderLineSchema = defineEntity({
  name: 'OrderLine',
  schema: 'core',
  tableName: 'order_line',
  properties: {
    ...recordBase(),
    name: p.string().length(500),
    order: () => p.manyToOne(Order),
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

/** One line of an order, in the order's currency. */
export class OrderLine extends OrderLineSchema.class {}
OrderLineSchema.setClass(OrderLine)

import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'
import { Contact } from './contact.ts'
import type { Transitions } from './transitions.ts'

export type OrderStatus = 'draft' | 'confirmed' | 'in_fulfilment' | 'fulfilled' | 'cancelled'

export const orderTransitions: Transitions<OrderStatus> = {
  draft: ['confirmed', 'cancelled'],
  confirmed: ['in_fulfilment', 'cancelled'],
  in_fulfilment: ['fulfilled', 'cancelled'],
  fulfilled: [],
  cancelled: [],
}

export const OrderSchema = defineEntity({
  name: 'Order',
  schema: 'core',
  tableName: 'order',
  properties: {
    ...recordBase(),
    number: p.string().length(60).unique(),
    account: () => p.manyToOne(Account),
    contact: () => p.manyToOne(Contact).nullable(),
    status: p.string().$type<OrderStatus>().default('draft'),
    orderedOn: p.date().nullable(),
    reference: p.string().length(120).nullable(),
    currency: p.string().length(3),
    net: money().default('0'),
    tax: money().default('0'),
    gross: money().default('0'),
    source: p.string().length(120).nullable(),
  },
})

/** What an account ordered. Its sums are its lines' and nobody types them. */
export class Order extends OrderSchema.class {}
OrderSchema.setClass(Order)

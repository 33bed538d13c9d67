import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'

export const ProductSchema = defineEntity({
  name: 'Product',
  schema: 'core',
  tableName: 'product',
  properties: {
    ...recordBase(),
    name: p.string().length(200),
    sku: p.string().length(60).unique(),
    kind: p.string().default('good'),
    family: p.string().length(120).nullable(),
    description: p.text().nullable(),
    unit: p.string().length(30).default('unit'),
    price: money().nullable(),
    currency: p.string().length(3),
    taxRate: p.decimal().precision(5).scale(2).default('0'),
    active: p.boolean().default(true),
  },
})

/** What is sold: a good, a service or a subscription, with its list price. */
export class Product extends ProductSchema.class {}
ProductSchema.setClass(Product)
